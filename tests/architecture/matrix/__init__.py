"""The access matrix: every route, method, role and kind of object, with the status that it must answer.

`table.py` is the matrix, to be read and changed by people; `world.py` one small district with something of one's own and something
of others behind every address; `sweep.py` asks and compares.
"""
