import calendar
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db import models
from django.utils.translation import pgettext

from xiezhi.engines import deadlines
from xiezhi.engines.deadlines import Deadline, Span, WorkdayTable
from xiezhi.foundation.calendar.models import CalendarVersion, CalendarYear, DeadlineChange, SpecialDay


def workday_table(first_year: int | None = None, last_year: int | None = None) -> WorkdayTable:
    """What is known about working days in these years (all when left out), in two queries.

    A caller that asks about many days loads the table once and counts with `engines.deadlines`.
    """
    years, days = CalendarYear.objects.all(), SpecialDay.objects.all()
    if first_year is not None:
        years, days = years.filter(year__gte=first_year), days.filter(year__gte=first_year)
    if last_year is not None:
        years, days = years.filter(year__lte=last_year), days.filter(year__lte=last_year)
    holidays: set[date] = set()
    makeup_days: set[date] = set()
    for day, kind in days.values_list("day", "kind"):
        (holidays if kind == SpecialDay.Kind.HOLIDAY else makeup_days).add(day)
    return WorkdayTable(frozenset(years.values_list("year", flat=True)), frozenset(holidays), frozenset(makeup_days))


def is_workday(day: date) -> bool:
    """Whether `day` is worked; Monday to Friday in a year without a notice."""
    return workday_table(day.year, day.year).is_workday(day)


def add_workdays(start: date, n: int) -> Deadline:
    """The `n`-th working day after `start` (before it when negative), see `engines.deadlines.add_workdays`."""
    return deadlines.add_workdays(start, n, workday_table())


def workdays_between(start: date, end: date) -> Span:
    """Working days from `start` (not counted) to `end` (counted), see `engines.deadlines.workdays_between`."""
    return deadlines.workdays_between(start, end, workday_table())


def workdays(first: date, last: date) -> list[date]:
    """Every working day from `first` to `last`, both inclusive."""
    return deadlines.workdays(first, last, workday_table(first.year, last.year))


def pending_years(first_year: int, last_year: int) -> list[int]:
    """The years in this range whose notice is not known yet (待通知)."""
    known = set(CalendarYear.objects.filter(year__range=(first_year, last_year)).values_list("year", flat=True))
    return [year for year in range(first_year, last_year + 1) if year not in known]


@dataclass(frozen=True)
class Cell:
    """One day of a month as the page draws it. `kind`: work, weekend, holiday or makeup; `changed`: differs from what is in force."""

    on: date
    kind: str
    name: str = ""
    changed: bool = False

    @property
    def word(self) -> str:
        """休 or 班 on a day that differs from Monday to Friday; a colour alone says nothing to some people."""
        return {"holiday": pgettext("kind of day", "休"), "makeup": pgettext("kind of day", "班")}.get(self.kind, "")


@dataclass(frozen=True)
class Month:
    """A month in weeks from Monday; None stands for a day of the months around it."""

    first: date
    weeks: list[list[Cell | None]]
    workdays: int


def months_of(year: int, special: dict[date, tuple[str, str]], changed: Iterable[date] = ()) -> list[Month]:
    """The twelve months of `year`. `special`: day → (kind, name) of what differs from Monday to Friday."""
    marked = set(changed)

    def cell(on: date) -> Cell | None:
        if on.month != month:
            return None
        kind, name = special.get(on, ("work" if on.weekday() < 5 else "weekend", ""))
        return Cell(on, kind, name, on in marked)

    found = []
    for month in range(1, 13):
        weeks = [[cell(on) for on in week] for week in calendar.Calendar().monthdatescalendar(year, month)]
        worked = sum(each is not None and each.kind in {"work", "makeup"} for week in weeks for each in week)
        found.append(Month(date(year, month, 1), weeks, worked))
    return found


def special_days(year: int) -> dict[date, tuple[str, str]]:
    """What differs from Monday to Friday in `year`: day → (kind, name)."""
    rows = SpecialDay.objects.filter(year=year).order_by("day")
    return {day: (kind, name) for day, kind, name in rows.values_list("day", "kind", "name")}


def days_of(version: CalendarVersion) -> dict[date, tuple[str, str]]:
    """The same of a stored version."""
    return {date.fromisoformat(on): (kind, name) for on, kind, name in version.days}


def changes_of(row: models.Model) -> list[DeadlineChange]:
    """How notices moved the deadline of `row`, newest first."""
    key = row._meta.label_lower
    return list(DeadlineChange.objects.filter(object_kind=key, object_id=str(row.pk)).order_by("-at", "-pk"))
