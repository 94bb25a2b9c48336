"""Mechanism without business words: who acts, what was done, which rule, which state, which job."""
