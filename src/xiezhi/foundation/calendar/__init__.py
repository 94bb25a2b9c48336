"""Calendar (工作日历): which days are worked, from the State Council's yearly notices (放假通知), with make-up days (调休上班).

Owns: the years whose notice is known and the days in them that differ from Monday to Friday. A year without a notice is 待通知:
whatever is counted across it is provisional. The counting itself is `engines.deadlines`.
The years that came out before this release are in `data/`; they are loaded once and never overwrite what is already there.
"""
