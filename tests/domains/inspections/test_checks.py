"""Checks: raised as cases, settled off-site, sent on site, cancelled."""

from datetime import timedelta

import pytest

from tests.builders.cast import NOW, TODAY, make_cast
from tests.builders.inspections import (
    given_case,
    given_check,
    given_item,
    given_plan,
    given_premises,
    given_version,
    named_row,
    statuses,
)
from xiezhi.domains.inspections.models import Check, Plan
from xiezhi.domains.inspections.services.checks import (
    cancel_checks,
    case_warnings,
    go_on_site,
    raise_case_check,
    settle_off_site,
)
from xiezhi.domains.registry.models import Premises, TimelineEntry
from xiezhi.foundation.access.actors import SYSTEM, PermissionRefused
from xiezhi.foundation.audit.models import Entry
from xiezhi.foundation.notices.models import Notice
from xiezhi.foundation.workflow.errors import Refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def door(cast) -> Premises:
    return given_premises(cast)


def test_a_case_becomes_a_check_once_however_often_it_is_told(cast, door):
    item = given_item(cast, "scjg", minutes=35, safety=True)
    first = given_case(cast, door, item, case_id="12345-1", urgent=True)
    again = given_case(cast, door, item, case_id="12345-1", urgent=True)
    assert first.pk == again.pk
    assert Check.objects.count() == 1
    assert (first.source, first.minutes, first.safety, first.urgent, first.status) == (
        "case",
        35,
        True,
        True,
        "waiting",
    )
    assert first.number == "C2026-000001"
    assert TimelineEntry.objects.filter(subject=door.subject, object_id=str(first.pk)).count() == 1
    entry = Entry.objects.get(action="inspections.check.raised")
    assert entry.payload["case"] == ["complaint", "12345-1"]


def test_the_same_case_finds_its_check_after_the_item_has_a_new_version(cast, door):
    item = given_item(cast, "scjg", code="SCJG-1")
    first = given_case(cast, door, item, case_id="7")
    given_version(cast, "scjg", code="SCJG-1", since=TODAY, minutes=90)
    assert given_case(cast, door, item, case_id="7").pk == first.pk


def test_another_system_may_raise_a_case_and_the_department_is_told(cast, door):
    item = given_item(cast, "scjg")
    check = raise_case_check(
        premises=door,
        item=item,
        case_kind="metrology.weighing",
        case_id="9",
        note="秤不合格",
        urgent=True,
        earliest=TODAY,
        latest=TODAY + timedelta(days=3),
        actor=SYSTEM,
        at=NOW,
    )
    notice = Notice.objects.get(recipient=cast.people["scjg.planner"])
    assert check.number in notice.title
    assert notice.level == "urgent"


@pytest.mark.parametrize("who", ["wsjk.planner", "scjg.inspector", "supervisor"])
def test_nobody_else_raises_a_departments_cases(cast, door, who):
    with pytest.raises(PermissionRefused):
        given_case(cast, door, given_item(cast, "scjg"), actor=who)


def test_no_case_without_a_published_item_on_every_day_of_the_window(cast, door):
    version = given_version(cast, "scjg", since=TODAY + timedelta(days=10))
    with pytest.raises(Refused, match="清单之外不得检查"):
        given_case(cast, door, version.item, earliest=TODAY, latest=TODAY + timedelta(days=20))
    assert not Check.objects.exists()


@pytest.mark.parametrize(
    ("window", "said"),
    [((5, 4), "早于"), ((-9, -1), "已经过去")],
)
def test_a_case_needs_days_that_are_still_to_come(cast, door, window, said):
    with pytest.raises(Refused, match=said):
        given_case(
            cast,
            door,
            given_item(cast, "scjg"),
            earliest=TODAY + timedelta(days=window[0]),
            latest=TODAY + timedelta(days=window[1]),
        )


def test_what_can_be_done_off_site_is_asked_off_site_first(cast, door):
    remote = given_item(cast, "scjg", off_site_possible=True)
    written = given_item(cast, "scjg", method="written")
    asked = given_check(cast, door, "scjg", item=remote)
    assert asked.status == "off_site_first"
    assert given_check(cast, door, "scjg", item=written).status == "off_site_first"
    other = given_premises(cast)
    assert given_check(cast, other, "scjg", item=remote, on_site_reason="须核对实物").status == "waiting"
    assert given_case(cast, given_premises(cast), remote, urgent=True).status == "waiting"


def test_off_site_checks_are_settled_or_sent_on_site_in_bulk_all_or_none(cast):
    item = given_item(cast, "scjg", off_site_possible=True)
    doors = [given_premises(cast) for _ in range(3)]
    plan = given_plan(cast, "scjg", [named_row(item, each) for each in doors])
    checks = list(Check.objects.filter(plan_row__plan=plan).order_by("number"))
    with pytest.raises(Refused, match="理由"):
        go_on_site(checks=checks, reason=" ", actor=cast.actor("scjg.planner"), at=NOW)
    assert settle_off_site(checks=checks[:1], note="核对了年报", actor=cast.actor("scjg.inspector"), at=NOW) == 1
    with pytest.raises(Refused):
        go_on_site(checks=checks, reason="须看现场", actor=cast.actor("scjg.planner"), at=NOW)
    assert statuses(checks) == ["done_off_site", "off_site_first", "off_site_first"]
    assert go_on_site(checks=checks[1:], reason="须看现场", actor=cast.actor("scjg.planner"), at=NOW) == 2
    assert statuses(checks) == ["done_off_site", "waiting", "waiting"]
    settled = Check.objects.get(pk=checks[0].pk)
    assert (settled.closing_reason, settled.done_at) == ("核对了年报", NOW)


def test_only_the_department_itself_settles_its_checks(cast, door):
    check = given_check(cast, door, "scjg", item=given_item(cast, "scjg", off_site_possible=True))
    with pytest.raises(PermissionRefused):
        settle_off_site(checks=[check], note="看过材料", actor=cast.actor("wsjk.inspector"), at=NOW)


def test_a_check_is_cancelled_with_a_reason_and_the_timeline_says_so(cast, door):
    check = given_check(cast, door, "scjg")
    with pytest.raises(Refused, match="理由"):
        cancel_checks(checks=[check], reason="", actor=cast.actor("scjg.planner"), at=NOW)
    cancel_checks(checks=[check], reason="重复列入", actor=cast.actor("scjg.planner"), at=NOW)
    check.refresh_from_db()
    assert (check.status, check.closing_reason) == ("cancelled", "重复列入")
    assert "不再检查" in TimelineEntry.objects.filter(subject=door.subject).latest("pk").title


def test_caps_and_standing_checks_warn_before_a_case_is_raised(cast, door):
    item = given_item(cast, "scjg")
    assert case_warnings(premises=door, item=item, earliest=TODAY, latest=TODAY, on=TODAY) == []
    standing = given_check(cast, door, "scjg", item=item)
    told = case_warnings(premises=door, item=item, earliest=TODAY, latest=TODAY, on=TODAY)
    assert len(told) == 1
    assert standing.number in told[0]


def test_what_a_rule_holds_back_says_so_from_the_first_day(cast):
    from tests.builders.registry import a_scene

    scene = a_scene(cast, "quiet", "无事不扰", undisturbed=True)
    listed = given_premises(cast, scenes=[scene])
    assert Check.objects.get(pk=given_check(cast, listed, "scjg").pk).hold_reason == (
        "inspections.do_not_disturb_exceptions"
    )
    safe = given_item(cast, "scjg", safety=True)
    assert given_check(cast, listed, "scjg", item=safe).hold_reason == ""


def test_superior_ordered_checks_carry_it(cast, door):
    check = given_check(cast, door, "scjg", superior_ordered=True)
    assert check.superior_ordered
    assert check.source == "special"
    assert Plan.objects.get().kind == "special"
