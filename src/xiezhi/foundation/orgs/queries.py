"""What the pages about organisations show."""

from dataclasses import dataclass
from datetime import date

from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.calendar.queries import workday_table
from xiezhi.foundation.orgs.capacity import PoolKey, open_minutes
from xiezhi.foundation.orgs.models import Organisation


@dataclass(frozen=True)
class PoolWeek:
    """One pool over some days: minutes per day (0 where shut)."""

    department: Organisation
    street: Organisation | None
    minutes: tuple[int, ...]

    @property
    def total(self) -> int:
        """Minutes over all the days."""
        return sum(self.minutes)


def capacity_calendar(*, actor: Actor, start: date, days: list[date]) -> list[PoolWeek]:
    """Open minutes of every pool that `actor` sees on `days`, departments in order of code, the district's pool before streets'."""
    wanted = None if actor.district_wide else [actor.department_id] if actor.department_id else []
    open_by_pool: dict[PoolKey, dict[date, int]] = open_minutes(department_ids=wanted, start=start, end=days[-1])
    places = Organisation.objects.in_bulk({pk for pool in open_by_pool for pk in pool if pk is not None})
    rows = [
        PoolWeek(
            places[pool.department_id],
            places[pool.street_id] if pool.street_id else None,
            tuple(minutes.get(day, 0) for day in days),
        )
        for pool, minutes in open_by_pool.items()
    ]
    return sorted(rows, key=lambda row: (row.department.code, row.street.code if row.street else ""))


def holidays_among(days: list[date]) -> set[date]:
    """Those of `days` on which nobody works by the calendar."""
    table = workday_table(days[0].year, days[-1].year)
    return {day for day in days if not table.is_workday(day)}
