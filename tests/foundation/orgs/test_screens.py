"""The pages and sheets by which departments keep their officers and teams."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from tests.builders.cast import NOW, PASSWORD, TODAY, Cast, make_cast
from xiezhi.foundation.files.sheets import write_sheet
from xiezhi.foundation.imports.services import import_now
from xiezhi.foundation.orgs.models import Absence, Officer, Organisation, TeamPattern

pytestmark = pytest.mark.django_db
OFFICERS = ("执法证号", "姓名", "部门", "所", "有效期起", "有效期止")
TEAMS = ("部门", "街道", "星期", "队数", "每队每天分钟", "开始日期", "结束日期")


@pytest.fixture
def cast() -> Cast:
    return make_cast()


@pytest.fixture
def planner(cast: Cast, client: Client) -> Client:
    client.login(username="scjg.planner", password=PASSWORD)
    return client


@pytest.fixture
def admin(cast: Cast, client: Client) -> Client:
    client.login(username="administrator", password=PASSWORD)
    return client


def pattern(**more: object) -> dict[str, object]:
    return {"weekdays": "12345", "teams": 2, "minutes_per_team": 360, "starts_on": TODAY.isoformat(), **more}


def test_a_department_sets_its_own_teams_and_sees_the_minutes(cast: Cast, planner: Client) -> None:
    given = pattern(department=cast["scjg"].pk)
    assert planner.post(reverse("orgs:pattern_new"), given).status_code == 302
    page = planner.get(reverse("orgs:capacity"))
    assert "720" in page.content.decode()
    row = page.context["pools"][0]
    assert row.minutes[0] == 720 and row.department == cast["scjg"]


def test_a_department_cannot_set_anothers_teams_or_see_them(cast: Cast, planner: Client) -> None:
    response = planner.post(reverse("orgs:pattern_new"), pattern(department=cast["xfjy"].pk))
    assert response.status_code == 422 and not TeamPattern.objects.exists()
    foreign = TeamPattern.objects.create(department=cast["xfjy"], weekdays="1", teams=1, starts_on=TODAY)
    assert planner.get(reverse("orgs:pattern_end", args=[foreign.pk])).status_code == 404
    assert planner.get(reverse("orgs:capacity")).context["pools"] == []


def test_what_the_service_refuses_stays_in_the_form(cast: Cast, planner: Client) -> None:
    given = pattern(department=cast["scjg"].pk, ends_on=(TODAY - timedelta(days=1)).isoformat())
    response = planner.post(reverse("orgs:pattern_new"), given)
    assert response.status_code == 422
    assert "结束日期早于开始日期" in response.content.decode() and 'value="360"' in response.content.decode()


def test_an_absence_takes_minutes_away_until_it_is_cancelled(cast: Cast, planner: Client) -> None:
    planner.post(reverse("orgs:pattern_new"), pattern(department=cast["scjg"].pk))
    absence = {
        "department": cast["scjg"].pk, "starts_on": TODAY.isoformat(), "ends_on": TODAY.isoformat(), "teams": 1, "reason": "培训",
    }  # fmt: skip
    planner.post(reverse("orgs:absence_new"), absence)
    assert planner.get(reverse("orgs:capacity")).context["pools"][0].minutes[0] == 360
    planner.post(reverse("orgs:absence_cancel", args=[Absence.objects.get().pk]))
    assert planner.get(reverse("orgs:capacity")).context["pools"][0].minutes[0] == 720


def test_the_administrator_sets_up_and_renames_organisations(cast: Cast, admin: Client) -> None:
    given = {
        "kind": "department", "code": "tyju", "name": "演示区体育局", "short_name": "体育", "parent": cast.district.pk, "qualified": "on",
    }  # fmt: skip
    assert admin.post(reverse("orgs:new"), given).status_code == 302
    made = Organisation.objects.get(code="tyju")
    admin.post(reverse("orgs:rename", args=[made.pk]), {"name": "演示区体育局", "short_name": "体育局"})
    made.refresh_from_db()
    assert (made.short_name, made.qualified) == ("体育局", False)
    assert admin.post(reverse("orgs:new"), {**given, "name": "又一局"}).status_code == 422  # the code is taken


def test_officers_are_listed_by_the_state_of_their_certificate(cast: Cast, planner: Client) -> None:
    Officer.objects.filter(certificate_number="DEMO-scjg-2").update(certificate_to=TODAY - timedelta(days=1))
    page = planner.get(reverse("orgs:officers"), {"certificate": "expired"}).content.decode()
    assert "DEMO-scjg-2" in page and "DEMO-scjg-1" not in page and "DEMO-xfjy" not in page


def test_the_lists_take_a_fixed_number_of_queries(cast: Cast, admin: Client, django_assert_max_num_queries) -> None:
    for name, most in (("orgs:list", 12), ("orgs:officers", 12), ("orgs:capacity", 16)):
        with django_assert_max_num_queries(most):
            assert admin.get(reverse(name)).status_code == 200


def sheet(tmp_path: Path, header: tuple[str, ...], *rows: tuple[object, ...]) -> Path:
    path = tmp_path / "sheet.xlsx"
    with path.open("wb") as target:
        write_sheet(target, header=header, rows=rows)
    return path


def test_an_officers_sheet_is_taken_once_and_each_fault_is_named(cast: Cast, tmp_path: Path) -> None:
    path = sheet(
        tmp_path,
        OFFICERS,
        ("YS-0001", "演示甲", "市场监管", "金榆所", date(2026, 1, 1), date(2028, 12, 31)),
        ("YS-0002", "演示乙", "消防救援", "", date(2026, 1, 1), date(2028, 12, 31)),
        ("YS-0003", "演示丙", "市场监管", "", date(2028, 1, 1), date(2026, 12, 31)),
    )
    planner = cast.actor("scjg.planner")
    batch = import_now("orgs.officers", path=path, actor=planner, at=NOW)
    assert (batch.counts["new"], batch.counts["refused"]) == (1, 2)
    reasons = [row.problems[0]["reason"] for row in batch.rows.filter(outcome="refused").order_by("number")]
    assert reasons == ["这是其他部门的内容。", "有效期止早于有效期起。"]
    assert Officer.objects.get(certificate_number="YS-0001").station == cast["scjg-1"]
    again = import_now("orgs.officers", path=path, actor=planner, at=NOW)
    assert again.counts["new"] == 0 and again.counts["unchanged"] == 1


def test_a_sheet_of_teams_opens_time_and_changes_nothing_the_second_time(cast: Cast, tmp_path: Path) -> None:
    path = sheet(
        tmp_path,
        TEAMS,
        ("市场监管", "金榆街道", "12345", 1, 360, date(2026, 1, 1), None),
        ("市场监管", "", "12345", 2, None, date(2026, 1, 1), None),
        ("市场监管", "没有街道", "12345", 2, 360, date(2026, 1, 1), None),
    )
    planner = cast.actor("scjg.planner")
    batch = import_now("orgs.team_patterns", path=path, actor=planner, at=NOW)
    assert (batch.counts["new"], batch.counts["refused"]) == (2, 1)
    assert set(TeamPattern.objects.values_list("teams", "minutes_per_team")) == {(1, 360), (2, 360)}
    again = import_now("orgs.team_patterns", path=path, actor=planner, at=NOW)
    assert again.counts["new"] == 0 and again.counts["unchanged"] == 2
