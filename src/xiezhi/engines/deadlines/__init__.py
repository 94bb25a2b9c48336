"""Deadlines (期限): working-day (工作日) and calendar-day (自然日) arithmetic over an explicit table of days.

Owns: counting days, and turning periods with their pauses into moments (`clocks`). Words: a *holiday* (放假) is a day off whatever its
weekday; a *make-up day* (调休上班) is a weekend day worked.
Invariants: no clock and no built-in calendar; the first day counted is the day after the start (期间开始的当日不计入); a result
that looked at a year whose holiday notice is not known yet says so (待通知, `provisional`) and falls back on Monday to Friday.
"""

from xiezhi.engines.deadlines.clocks import Due, EndDay, Pause, Period, Unit, ahead, due, merged
from xiezhi.engines.deadlines.days import (
    Deadline,
    Span,
    WorkdayTable,
    add_days,
    add_workdays,
    workdays,
    workdays_between,
)

__all__ = [
    "Deadline",
    "Due",
    "EndDay",
    "Pause",
    "Period",
    "Span",
    "Unit",
    "WorkdayTable",
    "add_days",
    "add_workdays",
    "ahead",
    "due",
    "merged",
    "workdays",
    "workdays_between",
]
