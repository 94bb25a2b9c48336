from datetime import date, timedelta

import pytest

from tests.builders.cast import NOW, TODAY, make_cast
from xiezhi.foundation.access.actors import Actor, PermissionRefused
from xiezhi.foundation.audit.models import Entry
from xiezhi.foundation.orgs import services
from xiezhi.foundation.orgs.capacity import PoolKey, open_minutes, pool_for
from xiezhi.foundation.orgs.models import Absence, TeamPattern
from xiezhi.foundation.orgs.permissions import OrgsPermission
from xiezhi.foundation.workflow.errors import Refused

pytestmark = pytest.mark.django_db
YEAR_START = date(2026, 1, 1)


@pytest.fixture
def cast():
    return make_cast()


def planner(cast, code):
    permissions = frozenset({OrgsPermission.MANAGE_CAPACITY.value})
    return Actor(role="planner", permissions=permissions, department_id=cast[code].pk)


@pytest.fixture
def scjg(cast):
    return planner(cast, "scjg")


def pattern(cast, actor, *, street=None, weekdays="12345", teams=2, minutes=360, starts_on=YEAR_START, ends_on=None):
    return services.set_team_pattern(
        department=cast["scjg"], street=cast[street] if street else None, weekdays=weekdays, teams=teams,
        minutes_per_team=minutes, starts_on=starts_on, ends_on=ends_on, actor=actor, at=NOW,
    )  # fmt: skip


def absence(cast, actor, *, street=None, teams=1, starts_on=TODAY, ends_on=TODAY, reason="培训"):
    return services.record_absence(
        department=cast["scjg"], street=cast[street] if street else None, teams=teams, starts_on=starts_on,
        ends_on=ends_on, reason=reason, actor=actor, at=NOW,
    )  # fmt: skip


def test_minutes_follow_working_days(cast, scjg):
    pattern(cast, scjg)
    minutes = open_minutes(start=date(2026, 9, 28), end=date(2026, 10, 11))[PoolKey(cast["scjg"].pk, None)]
    # National Day 1–7 October off; Saturday 10 October made up, Sunday 11 not.
    worked = [date(2026, 9, 28), date(2026, 9, 29), date(2026, 9, 30)] + [date(2026, 10, day) for day in (8, 9, 10)]
    assert minutes == dict.fromkeys(worked, 720)


def test_a_makeup_day_is_worked_by_those_who_work_an_ordinary_week(cast, scjg):
    pattern(cast, scjg, street="110199001", weekdays="135")
    pattern(cast, scjg, street="110199002", weekdays="6", teams=1)
    saturdays = open_minutes(start=date(2026, 10, 10), end=date(2026, 10, 17))
    first, second = (PoolKey(cast["scjg"].pk, cast[code].pk) for code in ("110199001", "110199002"))
    assert sorted(saturdays[first]) == [date(2026, 10, 12), date(2026, 10, 14), date(2026, 10, 16)]
    assert sorted(saturdays[second]) == [date(2026, 10, 10), date(2026, 10, 17)]


def test_absences_take_teams_from_their_own_pool_and_days(cast, scjg):
    pattern(cast, scjg, teams=3, minutes=300)
    pattern(cast, scjg, street="110199001", teams=1)
    absence(cast, scjg, teams=2, starts_on=TODAY + timedelta(days=1), ends_on=TODAY + timedelta(days=2))
    absence(cast, scjg, teams=3, starts_on=TODAY + timedelta(days=2), ends_on=TODAY + timedelta(days=3))
    pools = open_minutes(start=TODAY, end=TODAY + timedelta(days=4))
    district, street = PoolKey(cast["scjg"].pk, None), PoolKey(cast["scjg"].pk, cast["110199001"].pk)
    assert pools[district] == {TODAY: 900, TODAY + timedelta(days=1): 300, TODAY + timedelta(days=4): 900}
    assert pools[street] == {TODAY + timedelta(days=offset): 360 for offset in range(5)}


def test_a_pool_without_open_days_is_still_the_one_to_draw_on(cast, scjg):
    pattern(cast, scjg)
    pattern(cast, scjg, street="110199001", teams=1)
    absence(cast, scjg, street="110199001")
    pools = open_minutes(start=TODAY, end=TODAY)
    department = cast["scjg"].pk
    assert pools[PoolKey(department, cast["110199001"].pk)] == {}
    assert pool_for(pools, department, cast["110199001"].pk) == PoolKey(department, cast["110199001"].pk)
    assert pool_for(pools, department, cast["110199002"].pk) == PoolKey(department, None)
    assert pool_for(pools, cast["xfjy"].pk, None) is None


def test_open_minutes_takes_four_queries_however_many_pools(cast, scjg, django_assert_num_queries):
    for street in (None, "110199001", "110199002"):
        pattern(cast, scjg, street=street)
        absence(cast, scjg, street=street)
    with django_assert_num_queries(4):
        pools = open_minutes(start=TODAY, end=TODAY + timedelta(days=90))
    assert len(pools) == 3
    assert open_minutes(department_ids=[cast["xfjy"].pk], start=TODAY, end=TODAY) == {}
    assert open_minutes(start=date(2025, 12, 1), end=date(2025, 12, 31)) == {}


def test_a_new_pattern_follows_the_old_one(cast, scjg):
    old = pattern(cast, scjg)
    pattern(cast, scjg, teams=5, starts_on=TODAY)
    old.refresh_from_db()
    assert old.ends_on == TODAY - timedelta(days=1)
    pool = open_minutes(start=TODAY - timedelta(days=3), end=TODAY)[PoolKey(cast["scjg"].pk, None)]
    assert pool == {TODAY - timedelta(days=3): 720, TODAY: 1800}
    acts = Entry.objects.filter(action__startswith="orgs.").order_by("pk").values_list("action", flat=True)
    assert list(acts) == ["orgs.team_pattern_set", "orgs.team_pattern_ended", "orgs.team_pattern_set"]


def test_patterns_of_one_pool_never_share_a_weekday(cast, scjg):
    pattern(cast, scjg, weekdays="135")
    pattern(cast, scjg, weekdays="42", teams=1)
    assert set(TeamPattern.objects.values_list("weekdays", flat=True)) == {"135", "24"}
    with pytest.raises(Refused, match="已有排班"):
        pattern(cast, scjg, weekdays="5", starts_on=TODAY)
    with pytest.raises(Refused, match="已有排班"):
        pattern(cast, scjg, weekdays="135", starts_on=date(2025, 12, 1))
    pattern(cast, scjg, weekdays="135", starts_on=date(2025, 1, 1), ends_on=date(2025, 12, 31))
    assert TeamPattern.objects.count() == 3


def test_a_pattern_can_be_ended_but_not_prolonged(cast, scjg):
    row = services.end_team_pattern(pattern=pattern(cast, scjg), ends_on=TODAY, actor=scjg, at=NOW)
    assert row.ends_on == TODAY
    with pytest.raises(Refused, match="已经结束"):
        services.end_team_pattern(pattern=row, ends_on=TODAY + timedelta(days=1), actor=scjg, at=NOW)
    with pytest.raises(Refused, match="早于开始"):
        services.end_team_pattern(pattern=row, ends_on=date(2025, 1, 1), actor=scjg, at=NOW)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"weekdays": "18"}, "1 至 7"),
        ({"weekdays": ""}, "星期"),
        ({"teams": 0}, "队数"),
        ({"minutes": 10}, "每队每天分钟"),
        ({"ends_on": date(2025, 1, 1)}, "早于开始"),
        ({"street": "scjg-1"}, "不是街道"),
    ],
)
def test_a_bad_pattern_is_refused(cast, scjg, values, message):
    with pytest.raises(Refused, match=message):
        pattern(cast, scjg, **values)
    assert not TeamPattern.objects.exists()


def test_a_bad_absence_is_refused(cast, scjg):
    with pytest.raises(Refused, match="没有排班"):
        absence(cast, scjg)
    pattern(cast, scjg, teams=2)
    with pytest.raises(Refused, match="最多排了 2 队"):
        absence(cast, scjg, teams=3)
    with pytest.raises(Refused, match="原因"):
        absence(cast, scjg, reason=" ")
    with pytest.raises(Refused, match="早于开始"):
        absence(cast, scjg, ends_on=TODAY - timedelta(days=1))
    assert not Absence.objects.exists()


def test_cancelling_gives_the_teams_back_from_today_on(cast, scjg):
    pattern(cast, scjg)
    begun = absence(cast, scjg, starts_on=TODAY - timedelta(days=3), ends_on=TODAY + timedelta(days=3))
    to_come = absence(cast, scjg, starts_on=TODAY + timedelta(days=1), ends_on=TODAY + timedelta(days=3))
    over = absence(cast, scjg, starts_on=TODAY - timedelta(days=6), ends_on=TODAY - timedelta(days=5))
    for row in (begun, to_come):
        services.cancel_absence(absence=row, actor=scjg, at=NOW)
    begun.refresh_from_db()
    assert begun.ends_on == TODAY - timedelta(days=1)
    assert not Absence.objects.filter(pk=to_come.pk).exists()
    for row, message in ((over, "已经结束"), (to_come, "已经取消")):
        with pytest.raises(Refused, match=message):
            services.cancel_absence(absence=row, actor=scjg, at=NOW)


def test_departments_keep_their_own_capacity(cast, scjg):
    stranger = planner(cast, "xfjy")
    row = pattern(cast, scjg)
    away = absence(cast, scjg)
    attempts = [
        lambda: pattern(cast, stranger),
        lambda: absence(cast, stranger),
        lambda: services.end_team_pattern(pattern=row, ends_on=TODAY, actor=stranger, at=NOW),
        lambda: services.cancel_absence(absence=away, actor=stranger, at=NOW),
        lambda: pattern(cast, cast.actor("supervisor")),
    ]
    for attempt in attempts:
        with pytest.raises(PermissionRefused):
            attempt()
    district = Actor(role="x", permissions=frozenset({OrgsPermission.MANAGE_CAPACITY.value}), district_wide=True)
    services.cancel_absence(absence=away, actor=district, at=NOW)
    assert not Absence.objects.exists()
