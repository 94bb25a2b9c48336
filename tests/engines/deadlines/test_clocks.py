"""Periods as moments: the researched vectors of Order 121, and everything else against counting day by day."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xiezhi.engines.deadlines import EndDay, Pause, Period, Unit, WorkdayTable, ahead, due, merged

ZONE = ZoneInfo("Asia/Shanghai")


def days(text: str) -> frozenset[date]:
    """`02-15…02-23 04-04` of 2026."""
    found = set()
    for part in text.split():
        first, _, last = part.partition("…")
        day, end = (date.fromisoformat(f"2026-{each}") for each in (first, last or first))
        while day <= end:
            found.add(day)
            day += timedelta(days=1)
    return frozenset(found)


TABLE = WorkdayTable(
    frozenset({2026}),
    days("01-01…01-03 02-15…02-23 04-04…04-06 05-01…05-05 06-19…06-21 09-25…09-27 10-01…10-07"),
    days("01-04 02-14 02-28 05-09 09-20 10-10"),
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("start", "length", "unit", "expected"),
    [
        ("2026-04-15", 7, "workdays", "2026-04-24"),
        ("2026-02-13", 7, "workdays", "2026-03-02"),
        ("2026-09-24", 7, "workdays", "2026-10-12"),
        ("2026-09-24", 15, "workdays", "2026-10-22"),
        ("2026-04-28", 15, "workdays", "2026-05-21"),
        ("2026-04-15", 60, "days", "2026-06-14"),
        ("2026-04-20", 60, "days", "2026-06-22"),
        ("2026-07-27", 60, "days", "2026-09-28"),
        ("2026-08-02", 60, "days", "2026-10-08"),
    ],
)
def test_the_nine_vectors(start: str, length: int, unit: str, expected: str) -> None:
    found = due(at(f"{start}T16:30"), Period(length, Unit(unit)), table=TABLE, zone=ZONE)
    assert found.at == at(f"{expected}T23:59:59") and not found.provisional


def test_an_ordinary_weekend_moves_only_where_the_setting_says_so() -> None:
    sunday = due(
        at("2026-04-15T10:00"), Period(60, Unit.DAYS), table=TABLE, zone=ZONE, end_day=EndDay(past_weekends=True)
    )
    assert sunday.at == at("2026-06-15T23:59:59")


def test_a_year_without_its_notice_makes_the_result_provisional() -> None:
    assert due(at("2026-11-23T09:00"), Period(60, Unit.DAYS), table=TABLE, zone=ZONE).provisional
    assert due(at("2026-12-30T09:00"), Period(7, Unit.WORKDAYS), table=TABLE, zone=ZONE).provisional
    assert not due(at("2026-11-23T09:00"), Period(7, Unit.WORKDAYS), table=TABLE, zone=ZONE).provisional


def test_the_start_day_is_the_local_one_whatever_zone_the_moment_comes_in() -> None:
    utc = at("2026-04-15T07:30").astimezone(ZoneInfo("UTC"))  # still the evening of the 14th there
    assert due(utc, Period(7, Unit.WORKDAYS), table=TABLE, zone=ZONE).at == at("2026-04-24T23:59:59")


def test_the_ladder_stands_at_nine_so_many_working_days_ahead() -> None:
    end = at("2026-10-12T23:59:59")
    assert ahead(end, Period(2, Unit.WORKDAYS), table=TABLE, zone=ZONE) == at("2026-10-09T09:00")
    assert ahead(end, Period(0, Unit.WORKDAYS), table=TABLE, zone=ZONE) == end
    assert ahead(end, Period(30, Unit.MINUTES), table=TABLE, zone=ZONE) == end - timedelta(minutes=30)


MOMENTS = st.integers(0, 270 * 24 * 60).map(lambda minutes: at("2026-01-01T00:00") + timedelta(minutes=minutes))


@st.composite
def stretches(draw: st.DrawFn) -> list[Pause]:
    """Up to three pauses, in any order, perhaps overlapping."""
    found = []
    for _ in range(draw(st.integers(0, 3))):
        start = draw(MOMENTS)
        found.append(Pause(start, start + timedelta(hours=draw(st.integers(0, 24 * 20)))))
    return found


def counted(start: datetime, length: int, unit: Unit, pauses: list[Pause]) -> date:
    """The naive way: a tally on a wall calendar, then art. 45."""
    out = set()
    for pause in pauses:
        assert pause.end
        day = pause.start.date()
        while day < pause.end.date():
            out.add(day)
            day += timedelta(days=1)
    day, tally = start.date(), 0
    while tally < length:
        day += timedelta(days=1)
        if day not in out and (unit is Unit.DAYS or TABLE.is_workday(day)):
            tally += 1
    while day in TABLE.holidays:
        day += timedelta(days=1)
    return day


@settings(max_examples=60)
@given(start=MOMENTS, length=st.integers(0, 60), unit=st.sampled_from([Unit.DAYS, Unit.WORKDAYS]), pauses=stretches())
def test_days_are_what_a_wall_calendar_says(start: datetime, length: int, unit: Unit, pauses: list[Pause]) -> None:
    found = due(start, Period(length, unit), table=TABLE, zone=ZONE, pauses=pauses)
    assert found.at == datetime.combine(counted(start, length, unit, pauses), time(23, 59, 59), ZONE)


@settings(max_examples=60)
@given(start=MOMENTS, length=st.integers(0, 3_000), pauses=stretches())
def test_minutes_are_lengthened_by_exactly_what_was_paused(start: datetime, length: int, pauses: list[Pause]) -> None:
    found = due(start, Period(length, Unit.MINUTES), table=TABLE, zone=ZONE, pauses=pauses)
    assert found.at is not None
    paused = timedelta()
    for pause in merged(pauses):
        assert pause.end
        inside = min(pause.end, found.at) - max(pause.start, start)
        paused += max(timedelta(), inside)
    assert found.at - start == timedelta(minutes=length) + paused


@settings(max_examples=40)
@given(start=MOMENTS, length=st.integers(1, 60), unit=st.sampled_from(list(Unit)), opened=MOMENTS)
def test_an_open_pause_leaves_no_date_unless_it_began_too_late(
    start: datetime, length: int, unit: Unit, opened: datetime
) -> None:
    period = Period(length, unit)
    plain = due(start, period, table=TABLE, zone=ZONE).at
    assert plain is not None
    found = due(start, period, table=TABLE, zone=ZONE, pauses=[Pause(opened)])
    if opened < start:
        assert found.at is None
    elif opened > plain:
        assert found.at == plain


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        Period(-1, Unit.DAYS)
    with pytest.raises(ValueError, match="ends before"):
        merged([Pause(at("2026-04-15T10:00"), at("2026-04-15T09:00"))])
