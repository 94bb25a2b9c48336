"""How many minutes teams can give, per pool (力量池) and day. Reads only."""

from collections import defaultdict
from collections.abc import Collection
from datetime import date, timedelta
from typing import NamedTuple

from django.db.models import Q

from xiezhi.engines.deadlines import WorkdayTable
from xiezhi.foundation.calendar.queries import workday_table
from xiezhi.foundation.orgs.models import Absence, TeamPattern

ORDINARY_WEEK = frozenset("12345")


class PoolKey(NamedTuple):
    """A pool: a department's teams in one street, or those for the whole district where `street_id` is None."""

    department_id: int
    street_id: int | None


def works_on(weekdays: str, day: date, table: WorkdayTable) -> bool:
    """Whether a pattern for `weekdays` (ISO digits) works on `day`.

    On a holiday nobody does. On a make-up day (调休上班) those do who work an ordinary week, Monday to Friday, or that weekday anyway:
    the notices do not say which weekday a make-up day stands for. A plain weekend is worked only by patterns that name it.
    """
    if day in table.holidays:
        return False
    if str(day.isoweekday()) in weekdays:
        return True
    return day in table.makeup_days and set(weekdays) >= ORDINARY_WEEK


def open_minutes(
    *, department_ids: Collection[int] | None = None, start: date, end: date
) -> dict[PoolKey, dict[date, int]]:
    """Team-minutes of each pool on each day from `start` to `end` (inclusive), absences taken off; in four queries.

    Every pool with a pattern in the range has an entry, empty when no day is open: it is the pool that a check of its street draws
    on. Only days with minutes above 0 are listed. `department_ids` None: every department. An absence of more teams than a pool has
    that day leaves 0.
    """
    within = Q(starts_on__lte=end) & (Q(ends_on=None) | Q(ends_on__gte=start))
    patterns, absences = TeamPattern.objects.filter(within), Absence.objects.filter(within)
    if department_ids is not None:
        patterns = patterns.filter(department_id__in=department_ids)
        absences = absences.filter(department_id__in=department_ids)
    table = workday_table(start.year, end.year)
    missing: dict[tuple[PoolKey, date], int] = defaultdict(int)
    for absence in absences:
        pool = PoolKey(absence.department_id, absence.street_id)
        for day in _days(max(start, absence.starts_on), min(end, absence.ends_on)):
            missing[pool, day] += absence.teams
    result: dict[PoolKey, dict[date, int]] = {}
    for pattern in patterns.order_by("department_id", "street_id", "starts_on", "pk"):
        pool = PoolKey(pattern.department_id, pattern.street_id)
        minutes = result.setdefault(pool, {})
        for day in _days(max(start, pattern.starts_on), min(end, pattern.ends_on or end)):
            if works_on(pattern.weekdays, day, table):
                away = min(pattern.teams, missing.get((pool, day), 0))
                if away:
                    missing[pool, day] -= away
                if pattern.teams > away:
                    minutes[day] = minutes.get(day, 0) + (pattern.teams - away) * pattern.minutes_per_team
    return result


def pool_for(pools: Collection[PoolKey], department_id: int, street_id: int | None) -> PoolKey | None:
    """The pool that a check of this department in this street draws on: the street's own where there is one, else the
    department's; None when it has neither."""
    for pool in (PoolKey(department_id, street_id), PoolKey(department_id, None)):
        if pool in pools:
            return pool
    return None


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=offset) for offset in range((last - first).days + 1)]
