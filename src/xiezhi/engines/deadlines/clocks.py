"""Periods of law and hotline as moments: minutes run on, days are counted and end with the day, pauses do not count."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from xiezhi.engines.deadlines.days import DAY, SATURDAY, WorkdayTable

END_OF_DAY = time(23, 59, 59)


class Unit(StrEnum):
    """What a period is counted in: minutes of the clock, calendar days (自然日) or working days (工作日)."""

    MINUTES = "minutes"
    DAYS = "days"
    WORKDAYS = "workdays"


@dataclass(frozen=True)
class Period:
    """A length in a unit. Raises ValueError for a negative one."""

    length: int
    unit: Unit

    def __post_init__(self) -> None:
        if self.length < 0:
            raise ValueError("a period cannot be negative")


@dataclass(frozen=True)
class Pause:
    """A stretch that does not count (扣除期间, appraisal for one). `end` None: still going on."""

    start: datetime
    end: datetime | None = None


@dataclass(frozen=True)
class EndDay:
    """What becomes of a last day on which nobody works: 总局令第121号 art. 45 moves it off a holiday (法定节假日).

    Whether an ordinary weekend moves it too is not said; not moving gives the earlier date and is the default.
    """

    past_holidays: bool = True
    past_weekends: bool = False


@dataclass(frozen=True)
class Due:
    """When a period ends; `at` is None while it is paused. `provisional`: counting looked at a year without a notice (待通知)."""

    at: datetime | None
    provisional: bool


def due(
    start: datetime,
    period: Period,
    *,
    table: WorkdayTable,
    zone: ZoneInfo,
    pauses: Iterable[Pause] = (),
    end_day: EndDay = EndDay(),  # frozen
) -> Due:
    """When `period` from `start` is over.

    Minutes run on by the clock and are lengthened by what was paused. Days do not count the day of the start (开始当日不计入) nor those from
    the day on which a pause began up to, but without, the day on which it ended; the last one ends at 23:59:59 in `zone`. Pauses that begin after the end change
    nothing. `start` and pauses are aware datetimes; pauses may touch or overlap.
    """
    stretches = merged(pauses)
    if period.unit is Unit.MINUTES:
        return _minutes(start, period.length, stretches)
    spans = [(each.start.astimezone(zone).date(), each.end and each.end.astimezone(zone).date()) for each in stretches]
    day, left = start.astimezone(zone).date(), period.length
    provisional = False
    while left:
        day += DAY
        if any(first <= day and last is None for first, last in spans):
            return Due(None, provisional)
        if any(first <= day < last for first, last in spans if last is not None):
            continue
        if period.unit is Unit.WORKDAYS:
            provisional = provisional or not table.is_known(day)
            left -= table.is_workday(day)
        else:
            left -= 1
    day, unknown = _moved(day, table, end_day)
    return Due(datetime.combine(day, END_OF_DAY, zone), provisional or unknown)


def merged(pauses: Iterable[Pause]) -> list[Pause]:
    """The same stretches in order, touching and overlapping ones as one. Raises ValueError for one that ends before it begins."""
    found: list[Pause] = []
    for each in sorted(pauses, key=lambda pause: pause.start):
        if each.end is not None and each.end < each.start:
            raise ValueError("a pause ends before it begins")
        if found and (found[-1].end is None or each.start <= found[-1].end):
            last = found[-1]
            end = None if last.end is None or each.end is None else max(last.end, each.end)
            found[-1] = Pause(last.start, end)
        else:
            found.append(each)
    return found


def _minutes(start: datetime, length: int, pauses: list[Pause]) -> Due:
    end = start + timedelta(minutes=length)
    for pause in pauses:
        if pause.start >= end:
            break
        if pause.end is None:
            return Due(None, provisional=False)
        end += max(timedelta(), pause.end - max(pause.start, start))
    return Due(end, provisional=False)


def _moved(day: date, table: WorkdayTable, end_day: EndDay) -> tuple[date, bool]:
    """The last day after art. 45, and whether a year without a notice was looked at."""
    unknown = False
    while True:
        unknown = unknown or not table.is_known(day)
        holiday = end_day.past_holidays and day in table.holidays
        weekend = end_day.past_weekends and not table.is_workday(day) and day.isoweekday() >= SATURDAY
        if not holiday and not weekend:
            return day, unknown
        day += DAY


def ahead(due_at: datetime, lead: Period, *, table: WorkdayTable, zone: ZoneInfo, opens: time = time(9)) -> datetime:
    """The moment to act `lead` before `due_at`: so many minutes earlier, or when the office `opens` so many (working) days earlier.

    A lead of 0 days is the moment of `due_at` itself.
    """
    if period_is_exact(lead) or not lead.length:
        return due_at - timedelta(minutes=lead.length if lead.unit is Unit.MINUTES else 0)
    day, left = due_at.astimezone(zone).date(), lead.length
    while left:
        day -= DAY
        left -= table.is_workday(day) if lead.unit is Unit.WORKDAYS else 1
    return datetime.combine(day, opens, zone)


def period_is_exact(period: Period) -> bool:
    """Whether a period is counted to the minute rather than in whole days."""
    return period.unit is Unit.MINUTES
