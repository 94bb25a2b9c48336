"""Texts of complaints: suggest labels and hints, find personal data, names, amounts, dates, near-duplicates and rising topics.

Everything here suggests and explains; a person decides. Pure computation, offline, the same result on every run.
"""
