"""Whole pieces of work in a real browser against a real installation."""
