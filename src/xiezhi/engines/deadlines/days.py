from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

DAY = timedelta(days=1)
SATURDAY = 6


@dataclass(frozen=True)
class WorkdayTable:
    """What is known about working days: the years whose notice is known and the days that differ from Monday to Friday.

    `holidays` are days off (a weekend day inside a holiday may be listed too); `makeup_days` are worked although they fall on
    a weekend. Raises ValueError for a day that is both, a make-up day on a weekday, or a day outside `years`.
    """

    years: frozenset[int] = frozenset()
    holidays: frozenset[date] = frozenset()
    makeup_days: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        both = self.holidays & self.makeup_days
        if both:
            raise ValueError(f"both holiday and make-up day: {min(both)}")
        weekdays = [day for day in self.makeup_days if day.isoweekday() < SATURDAY]
        if weekdays:
            raise ValueError(f"a make-up day on a weekday: {min(weekdays)}")
        outside = [day for day in self.holidays | self.makeup_days if day.year not in self.years]
        if outside:
            raise ValueError(f"{min(outside)} lies outside the known years")

    def is_workday(self, day: date) -> bool:
        """Whether `day` is worked; Monday to Friday where the year's notice is not known."""
        if day.isoweekday() < SATURDAY:
            return day not in self.holidays
        return day in self.makeup_days

    def is_known(self, day: date) -> bool:
        """Whether the holiday notice of `day`'s year is known."""
        return day.year in self.years


@dataclass(frozen=True)
class Deadline:
    """The last day of a period. `provisional`: counting touched a year whose notice is not known (待通知)."""

    on: date
    provisional: bool


@dataclass(frozen=True)
class Span:
    """A number of working days, negative when it runs backwards. `provisional` as in `Deadline`."""

    workdays: int
    provisional: bool


def add_workdays(start: date, n: int, table: WorkdayTable) -> Deadline:
    """The `n`-th working day after `start`, which itself never counts; before it when `n` is negative; `start` when 0."""
    step = DAY if n > 0 else -DAY
    day, left, provisional = start, abs(n), False
    while left:
        day += step
        provisional = provisional or not table.is_known(day)
        left -= table.is_workday(day)
    return Deadline(day, provisional)


def add_days(start: date, n: int, table: WorkdayTable, *, roll: bool = False) -> Deadline:
    """`n` calendar days after `start`. With `roll`, a last day that is not worked gives way to the next working day."""
    last = start + n * DAY
    if not roll:
        return Deadline(last, provisional=False)
    provisional = not table.is_known(last)
    while not table.is_workday(last):
        last += DAY
        provisional = provisional or not table.is_known(last)
    return Deadline(last, provisional)


def workdays_between(start: date, end: date, table: WorkdayTable) -> Span:
    """Working days from `start` to `end`, counted as `add_workdays` does: without `start`, with `end`.

    So `workdays_between(start, add_workdays(start, n, table).on, table).workdays == n`, also for negative `n`.
    """
    if end < start:
        days, sign = _days(end, start - DAY), -1
    else:
        days, sign = _days(start + DAY, end), 1
    count, provisional = 0, False
    for day in days:
        count += table.is_workday(day)
        provisional = provisional or not table.is_known(day)
    return Span(sign * count, provisional)


def workdays(first: date, last: date, table: WorkdayTable) -> list[date]:
    """Every working day from `first` to `last`, both inclusive, in order; empty when `last` is earlier."""
    return [day for day in _days(first, last) if table.is_workday(day)]


def _days(first: date, last: date) -> Iterator[date]:
    return (first + offset * DAY for offset in range((last - first).days + 1))
