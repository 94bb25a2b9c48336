from collections import Counter
from datetime import date, timedelta

import pytest

from xiezhi.engines.deadlines import Deadline
from xiezhi.foundation.calendar import queries
from xiezhi.foundation.calendar.models import CalendarYear, SpecialDay
from xiezhi.foundation.calendar.services import load_published_years

pytestmark = pytest.mark.django_db


def test_published_years_are_there_with_their_sources():
    years = {each.year: each for each in CalendarYear.objects.all()}
    assert sorted(years) == [2024, 2025, 2026]
    assert str(years[2025]) == "《国务院办公厅关于2025年部分节假日安排的通知》国办发明电〔2024〕12号"


# Days off and days made up as each notice's own totals state them: 2024 lists 1+8+3+5+1+3+7, 2025 1+8+3+5+3+8, 2026 3+9+3+5+3+3+7.
@pytest.mark.parametrize(("year", "holidays", "makeup"), [(2024, 28, 8), (2025, 28, 5), (2026, 33, 6)])
def test_each_year_has_the_days_of_its_notice(year, holidays, makeup):
    kinds = Counter(SpecialDay.objects.filter(year=year).values_list("kind", flat=True))
    assert kinds == {"holiday": holidays, "makeup": makeup}
    assert not SpecialDay.objects.filter(year=year).exclude(day__year=year).exists()


# Working days in a year = weekdays − weekdays off + make-up days, counted by hand from the notices.
@pytest.mark.parametrize(("year", "workdays"), [(2024, 251), (2025, 248), (2026, 248)])
def test_working_days_of_a_year(year, workdays):
    listed = queries.workdays(date(year, 1, 1), date(year, 12, 31))
    assert len(listed) == workdays
    assert queries.workdays_between(date(year, 1, 1) - timedelta(days=1), date(year, 12, 31)).workdays == workdays


@pytest.mark.parametrize(
    ("day", "worked"),
    [
        (date(2026, 2, 14), True),  # Saturday made up
        (date(2026, 2, 16), False),  # Monday in Spring Festival
        (date(2026, 11, 23), True),
        (date(2026, 11, 22), False),
        (date(2027, 1, 1), True),  # no notice yet: a Friday like any other
    ],
)
def test_single_days(day, worked):
    assert queries.is_workday(day) is worked


def test_a_deadline_across_new_year_waits_for_the_notice():
    assert queries.add_workdays(date(2026, 9, 29), 2) == Deadline(date(2026, 10, 8), False)
    assert queries.add_workdays(date(2026, 12, 30), 3) == Deadline(date(2027, 1, 4), True)
    assert queries.pending_years(2025, 2028) == [2027, 2028]


def test_loading_again_changes_nothing_and_respects_local_changes():
    SpecialDay.objects.filter(day=date(2026, 10, 10)).delete()
    assert load_published_years(using="default") == []
    assert not SpecialDay.objects.filter(day=date(2026, 10, 10)).exists()
    CalendarYear.objects.filter(year=2025).delete()
    assert load_published_years(using="default") == [2025]
    assert SpecialDay.objects.filter(year=2025).count() == 33


def test_a_table_takes_two_queries(django_assert_num_queries):
    with django_assert_num_queries(2):
        table = queries.workday_table(2025, 2026)
    assert table.years == {2025, 2026}
