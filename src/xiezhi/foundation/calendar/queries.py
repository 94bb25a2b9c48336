from datetime import date

from xiezhi.engines import deadlines
from xiezhi.engines.deadlines import Deadline, Span, WorkdayTable
from xiezhi.foundation.calendar.models import CalendarYear, SpecialDay


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
