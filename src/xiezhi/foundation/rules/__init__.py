"""Rules (规则依据): every threshold, period, rate and list that comes from law or policy, as versioned data with its source.

Domains declare their rules in code (`registry`); each rule's versions (value, source, period, confidence) live in the database, which
is authoritative: a release adds versions that were never there, and none at all to a rule that somebody has changed locally.
A decision reads the version in force on its date (`queries.reading`) and stores its `version_id`. Invariants: a rule's versions never
overlap; a version is never altered once it is in force, a new one follows it; a working default is never shown as law.
"""
