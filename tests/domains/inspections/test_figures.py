"""What joining saves, with formulas one can recompute; whom to spare; and nothing that ranks (R17)."""

import ast
import inspect
from dataclasses import fields
from datetime import date, timedelta
from io import BytesIO

import openpyxl
import pytest
from django.test import Client

from tests.builders.cast import NOW, PASSWORD, TODAY, Cast
from tests.builders.inspections import given_check, given_item, given_premises
from tests.builders.registry import a_scene
from tests.builders.visits import VISIT_DAY, arrive, find, given_teams, given_visit, moment
from xiezhi.domains.inspections.queries import figures
from xiezhi.domains.inspections.queries.figures import Scope, by_month, ratios, total
from xiezhi.domains.inspections.queries.warnings import warnings_for
from xiezhi.domains.inspections.services.checks import settle_off_site
from xiezhi.domains.inspections.services.results import finish_visit
from xiezhi.domains.registry.services import label_subjects

pytestmark = pytest.mark.django_db
YEAR = Scope(date(2026, 1, 1), date(2026, 12, 31))


def _shown(cast: Cast, scope: Scope = YEAR, who: str = "coordinator") -> dict[str, str]:
    return {each.key: each.shown for each in ratios(total(by_month(cast.actor(who), scope)))}


@pytest.fixture
def world(cast: Cast) -> Cast:
    """A joint visit of three (40 minutes each; there from 9:30 to 11:00), one alone, and one still open."""
    given_visit(cast, "scjg", "xfjy", "wsjk", status="recorded")
    alone = given_visit(cast, "scjg", status="under_way", on=VISIT_DAY + timedelta(days=1))
    find(cast, alone.checks.get(), "A", finding="无价签")
    finish_visit(visit=alone, actor=cast.actor("scjg.inspector"), at=moment(alone.on, 10))
    given_visit(cast, "csgl", status="confirmed")
    return cast


def test_every_figure_is_its_formula(world: Cast) -> None:
    counted = total(by_month(world.actor("coordinator"), YEAR))
    assert (counted.visits, counted.joint_visits, counted.department_checks, counted.joint_department_checks) == (
        2,
        1,
        4,
        3,
    )
    assert (counted.alone_minutes, counted.planned_minutes, counted.actual_minutes) == (160, 80, 120)
    by_key = {each.key: each for each in ratios(counted)}
    assert by_key["merge_reduction"].value == pytest.approx(1 - 1 / 3)
    assert by_key["departments_per_visit"].value == 3
    assert by_key["joint_rate"].value == pytest.approx(3 / 4)
    assert by_key["time_saved"].value == pytest.approx(1 - 120 / 160)
    assert by_key["finding_ratio"].value == pytest.approx(1 / 2)
    for each in by_key.values():
        share = each.numerator / each.denominator if each.denominator else None
        expected = share if share is None or not each.complement else 1 - share
        assert each.value == expected and each.formula and each.numerator_label and each.denominator_label


def test_wuhu_is_reproduced() -> None:
    """The published 61.84 % is 2,347 checks saved out of 1,448 visits and those saved: 2.62 departments a visit."""
    counted = figures.Tally(visits=1448, joint_visits=1448, department_checks=3795, joint_department_checks=3795)
    shown = {each.key: each.shown for each in ratios(counted)}
    assert (shown["merge_reduction"], shown["departments_per_visit"]) == ("61.8 %", "2.62")


def test_nothing_yet_is_unknown_not_zero(cast: Cast) -> None:
    assert set(_shown(cast).values()) == {"—"}


def test_completion_and_off_site_share(world: Cast) -> None:
    item = given_item(world, "scjg", off_site_possible=True)
    check = given_check(world, given_premises(world), "scjg", item)
    settle_off_site(checks=[check], note="核对材料", actor=world.actor("scjg.inspector"), at=NOW)
    due = Scope(YEAR.first, TODAY + timedelta(days=38))
    counted = total(by_month(world.actor("coordinator"), due))
    assert (counted.due_checks, counted.due_done, counted.done_on_site, counted.done_off_site) == (6, 5, 4, 1)
    shown = _shown(world, due)
    assert (shown["completion"], shown["off_site_share"]) == ("83.3 %", "20.0 %")


def test_days_street_and_scene_narrow(world: Cast) -> None:
    only_first = Scope(VISIT_DAY, VISIT_DAY)
    assert total(by_month(world.actor("coordinator"), only_first)).visits == 1
    assert total(by_month(world.actor("coordinator"), Scope(YEAR.first, VISIT_DAY - timedelta(days=1)))).visits == 0
    elsewhere = Scope(YEAR.first, YEAR.last, street=world["110199002"])
    assert total(by_month(world.actor("coordinator"), elsewhere)).visits == 0
    scene = a_scene(world, "hotel", "酒店")
    from xiezhi.domains.inspections.models import Visit

    label_subjects(
        scene=scene,
        subjects=[Visit.objects.filter(on=VISIT_DAY, status="recorded").get().premises.subject],
        carried=True,
        actor=world.actor("registrar"),
        at=NOW,
    )
    assert total(by_month(world.actor("coordinator"), Scope(YEAR.first, YEAR.last, scene=scene))).visits == 1


def test_months_add_up_and_take_three_queries(world: Cast, django_assert_num_queries) -> None:
    with django_assert_num_queries(3):
        months = by_month(world.actor("coordinator"), YEAR)
    assert [month for month, _counted in months] == [f"2026-{n:02d}" for n in range(1, 13)]
    assert sum(counted.visits for _month, counted in months) == total(months).visits == 2


def test_a_department_sees_what_it_took_part_in(world: Cast) -> None:
    assert total(by_month(world.actor("wsjk.head"), YEAR)).visits == 1
    assert total(by_month(world.actor("csgl.head"), YEAR)).visits == 0


def test_who_did_not_come_is_not_counted(cast: Cast) -> None:
    given_teams(cast)
    visit = given_visit(cast, "scjg", "xfjy", status="confirmed")
    arrive(cast, visit, "scjg")
    find(cast, visit.checks.get(department__code="scjg"))
    finish_visit(visit=visit, actor=cast.actor("scjg.inspector"), at=moment(VISIT_DAY, 11))
    counted = total(by_month(cast.actor("coordinator"), YEAR))
    assert (counted.department_checks, counted.joint_visits) == (1, 0)


# R17: no ranking, no target, no breakdown by department


def test_the_figures_know_no_department_and_no_fine() -> None:
    names = [field.name for field in (*fields(Scope), *fields(figures.Tally), *fields(figures.Ratio))]
    parameters = [
        name
        for function in vars(figures).values()
        if inspect.isfunction(function) and function.__module__ == figures.__name__
        for name in inspect.signature(function).parameters
    ]
    assert parameters and not [
        name
        for name in [*names, *parameters]
        if name in {"department", "departments", "officer"} or "fine" in name or "rank" in name or "target" in name
    ]


def test_no_query_of_the_figures_groups_by_department() -> None:
    tree = ast.parse(inspect.getsource(figures))
    grouping = {"values", "values_list", "annotate", "order_by", "partition_by", "alias"}
    words = [
        part.value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in grouping
        for part in ast.walk(call)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    ]
    assert words and not [word for word in words if "department" in word or "officer" in word or "lead" in word]


def test_dashboard_and_export_name_no_department(world: Cast) -> None:
    client = Client()
    client.login(username="coordinator", password=PASSWORD)
    page = client.get("/desk/inspections/figures/", {"from_day": "2026-01-01", "to_day": "2026-12-31"})
    assert page.status_code == 200
    body = page.content.decode()
    assert "66.7 %" in body and "不按部门统计、排名" in body
    main = body[body.index('<main id="content"') : body.index("</main>")]
    sheet = client.get("/desk/inspections/figures/", {"export": "xlsx", "to_day": "2026-12-31"})
    cells = [
        str(cell)
        for row in openpyxl.load_workbook(BytesIO(b"".join(sheet.streaming_content))).active.iter_rows(values_only=True)
        for cell in row
    ]
    assert "合并减次率" in cells and "66.7 %" in cells
    for code in ("scjg", "xfjy", "wsjk", "csgl"):
        name = world[code].short_name
        assert name not in main and not [cell for cell in cells if name in cell]


def test_a_wrong_period_is_said_so(world: Cast) -> None:
    client = Client()
    client.login(username="coordinator", password=PASSWORD)
    page = client.get("/desk/inspections/figures/", {"from_day": "2026-12-31", "to_day": "2026-01-01"})
    assert page.status_code == 422 and "止日早于起日" in page.content.decode()


# Whom to spare


def _kinds(cast: Cast, on: date, who: str = "coordinator") -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in warnings_for(cast.actor(who), on):
        found.setdefault(each.kind, []).append(each.detail)
    return found


def test_a_subject_at_its_cap_and_visited_again_soon_is_shown(cast: Cast) -> None:
    door = given_premises(cast)
    given_visit(cast, "scjg", premises=door, status="recorded")
    assert _kinds(cast, TODAY) == {}
    again = VISIT_DAY + timedelta(days=9)
    given_visit(cast, "scjg", premises=door, on=again, source="special")
    found = _kinds(cast, TODAY)
    assert set(found) == {"cap", "repeat"}
    assert "2 次" in found["cap"][0] and again.isoformat() in found["repeat"][0]
    assert _kinds(cast, TODAY, "wsjk.head") == {}


def test_what_superiors_order_does_not_fill_the_cap(cast: Cast) -> None:
    door = given_premises(cast)
    given_visit(cast, "scjg", premises=door, status="recorded")
    given_visit(cast, "scjg", premises=door, on=VISIT_DAY + timedelta(days=9), superior_ordered=True)
    assert "cap" not in _kinds(cast, TODAY)


def test_a_check_in_the_rest_after_a_joint_visit_is_shown(cast: Cast) -> None:
    door = given_premises(cast)
    given_visit(cast, "scjg", "xfjy", premises=door, status="recorded", on=TODAY + timedelta(days=8))
    given_visit(cast, "wsjk", premises=door, on=TODAY + timedelta(days=20))
    after = TODAY + timedelta(days=9)
    assert "刚接受过联合检查" in _kinds(cast, after)["cool_down"][0]
    given_visit(
        cast, "csgl", premises=door, on=TODAY + timedelta(days=20), urgent=["csgl"], latest=TODAY + timedelta(days=30)
    )
    assert len(_kinds(cast, after)["cool_down"]) == 1  # urgent ones are let through


def test_doors_entered_often_count_a_joint_visit_once(cast: Cast) -> None:
    door = given_premises(cast)
    for number, departments in enumerate([("scjg", "xfjy"), ("wsjk",), ("csgl",)]):
        given_visit(cast, *departments, premises=door, status="recorded", on=TODAY + timedelta(days=8 + number))
    after = TODAY + timedelta(days=30)
    assert "frequent" not in _kinds(cast, after)
    given_visit(cast, "csgl", premises=door, status="recorded", on=TODAY + timedelta(days=15))
    assert "4 次" in _kinds(cast, after)["frequent"][0]
