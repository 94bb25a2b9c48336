"""Regulated subjects (经营主体): who is regulated, where, and one timeline each."""
