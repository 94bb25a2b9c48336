from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xiezhi.engines.deadlines import WorkdayTable, add_days, add_workdays, workdays, workdays_between

DAY = timedelta(days=1)
YEARS = frozenset({2024, 2025, 2026})
ALL_DAYS = [date(2024, 1, 1) + n * DAY for n in range((date(2026, 12, 31) - date(2024, 1, 1)).days + 1)]
WEEKENDS = [day for day in ALL_DAYS if day.isoweekday() >= 6]

# The National Day week of 2026, by hand: 1–7 October off, 20 September (Sunday) and 10 October (Saturday) worked.
OCTOBER = WorkdayTable(
    YEARS,
    frozenset(date(2026, 10, day) for day in range(1, 8)),
    frozenset({date(2026, 9, 20), date(2026, 10, 10)}),
)
dates = st.dates(date(2024, 2, 1), date(2026, 11, 30))


@st.composite
def tables(draw):
    makeup = draw(st.frozensets(st.sampled_from(WEEKENDS), max_size=12))
    holidays = draw(st.frozensets(st.sampled_from(ALL_DAYS), max_size=40))
    return WorkdayTable(YEARS, holidays - makeup, makeup)


def brute_is_workday(day, table):
    if day in table.holidays:
        return False
    return day in table.makeup_days or day.weekday() in (0, 1, 2, 3, 4)


@given(dates, st.integers(1, 30), tables())
def test_the_nth_workday_is_the_nth_of_those_that_follow(start, n, table):
    following = [start + offset * DAY for offset in range(1, 200)]
    worked = [day for day in following if brute_is_workday(day, table)]
    assert add_workdays(start, n, table).on == worked[n - 1]


@given(dates, st.integers(-30, 30), tables())
def test_counting_undoes_adding(start, n, table):
    deadline = add_workdays(start, n, table)
    assert workdays_between(start, deadline.on, table).workdays == n
    assert n == 0 or table.is_workday(deadline.on)


@given(dates, st.integers(1, 200), tables())
def test_there_and_back_differ_by_the_ends(start, length, table):
    end = start + length * DAY
    forward, back = workdays_between(start, end, table), workdays_between(end, start, table)
    assert forward.workdays + back.workdays == brute_is_workday(end, table) - brute_is_workday(start, table)


@given(dates, dates, dates, tables())
def test_spans_add_up(first, middle, last, table):
    first, middle, last = sorted([first, middle, last])
    whole = workdays_between(first, last, table).workdays
    assert workdays_between(first, middle, table).workdays + workdays_between(middle, last, table).workdays == whole


@given(dates, dates, tables())
def test_listed_workdays_are_all_of_them(first, last, table):
    expected = [day for day in ALL_DAYS if first <= day <= last and brute_is_workday(day, table)]
    assert workdays(first, last, table) == expected


@given(dates, st.integers(0, 60), tables())
def test_calendar_days_roll_only_forward_and_only_over_days_off(start, n, table):
    plain, rolled = add_days(start, n, table).on, add_days(start, n, table, roll=True).on
    assert plain == start + n * DAY
    assert rolled >= plain and brute_is_workday(rolled, table)
    assert not any(brute_is_workday(plain + k * DAY, table) for k in range((rolled - plain).days))


def test_a_deadline_steps_over_the_holiday_and_counts_the_makeup_day():
    assert add_workdays(date(2026, 9, 30), 1, OCTOBER).on == date(2026, 10, 8)
    assert add_workdays(date(2026, 9, 30), 3, OCTOBER).on == date(2026, 10, 10)
    assert add_workdays(date(2026, 10, 8), -1, OCTOBER).on == date(2026, 9, 30)
    assert workdays_between(date(2026, 9, 30), date(2026, 10, 12), OCTOBER).workdays == 4


def test_a_year_without_notice_makes_the_deadline_provisional():
    within, across = add_workdays(date(2026, 12, 28), 3, OCTOBER), add_workdays(date(2026, 12, 28), 4, OCTOBER)
    assert (within.on, within.provisional) == (date(2026, 12, 31), False)
    assert (across.on, across.provisional) == (date(2027, 1, 1), True)  # Monday to Friday until the notice comes
    assert workdays_between(date(2026, 12, 30), date(2027, 1, 4), OCTOBER).provisional
    assert add_days(date(2026, 12, 30), 3, OCTOBER, roll=True).provisional
    assert not add_days(date(2026, 12, 30), 3, OCTOBER).provisional


@pytest.mark.parametrize(
    ("holidays", "makeup", "message"),
    [
        ({date(2026, 10, 10)}, {date(2026, 10, 10)}, "both holiday and make-up"),
        (set(), {date(2026, 10, 9)}, "make-up day on a weekday"),
        ({date(2027, 1, 1)}, set(), "outside the known years"),
    ],
)
def test_a_contradictory_table_is_refused(holidays, makeup, message):
    with pytest.raises(ValueError, match=message):
        WorkdayTable(YEARS, frozenset(holidays), frozenset(makeup))
