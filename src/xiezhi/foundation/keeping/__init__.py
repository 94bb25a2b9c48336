"""Keeping an installation (运维): backup, restore, proof, diagnosis, signs of life, figures for monitoring, logs.

Words: an *archive* is one tar file with a database snapshot, the uploaded files and the sealed keys; a *proof* shows that one kind of
record is whole; a *pulse* is the last sign of life of a worker. Nothing here knows what a district does.

Invariants: an archive is complete or absent, never half; a restore goes into an empty place or nowhere; what monitoring may read holds no
personal data.
"""
