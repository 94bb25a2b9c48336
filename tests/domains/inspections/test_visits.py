"""Making, offering, mending and cancelling visits."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.builders.cast import NOW, Cast
from tests.builders.inspections import given_check, given_item, given_premises, statuses
from tests.builders.visits import VISIT_DAY, given_teams, given_visit, moment, part_of
from xiezhi.domains.inspections.models import Check, Participation, Visit
from xiezhi.domains.inspections.services.checks import cancel_checks
from xiezhi.domains.inspections.services.composition import Clock, make_of
from xiezhi.domains.inspections.services.visits import (
    VisitDraft,
    cancel_visit,
    create_visit,
    create_visits,
    draft_of,
    offer_visits,
)
from xiezhi.foundation.access.actors import PermissionRefused
from xiezhi.foundation.audit.models import Entry
from xiezhi.foundation.notices.models import Notice
from xiezhi.foundation.workflow.errors import Refused, Stale

pytestmark = pytest.mark.django_db


def test_a_visit_holds_its_checks_and_a_part_for_each_department(cast: Cast) -> None:
    door = given_premises(cast)
    item = given_item(cast, "xfjy", minutes=60, safety=True)
    checks = [
        given_check(cast, door, "scjg"),
        given_check(cast, door, "scjg"),
        given_check(cast, door, "xfjy", item),
    ]
    visit = create_visit(premises=door, on=VISIT_DAY, checks=checks, actor=cast.actor("coordinator"), at=NOW)
    assert (visit.status, visit.lead, visit.on_site_minutes) == ("suggested", cast["xfjy"], 80)
    assert dict(visit.participations.values_list("department__code", "minutes")) == {"scjg": 80, "xfjy": 60}
    assert statuses(checks) == ["suggested"] * 3
    assert visit.number.startswith("V2026-")
    assert visit.why["reason"] == "safety_joint" and visit.why["doors_if_alone"] == 2


@pytest.mark.parametrize(
    ("minutes", "lead"),
    [({"scjg": 40, "wsjk": 41}, "wsjk"), ({"scjg": 40, "wsjk": 40}, "scjg"), ({"wsjk": 10, "csgl": 10}, "csgl")],
)
def test_without_safety_the_most_minutes_lead_and_ties_go_by_code(
    cast: Cast, minutes: dict[str, int], lead: str
) -> None:
    door = given_premises(cast)
    checks = [given_check(cast, door, code, given_item(cast, code, minutes=m)) for code, m in minutes.items()]
    assert make_of(checks).lead == cast[lead]


def test_a_draft_of_another_door_is_refused_and_nothing_is_saved(cast: Cast) -> None:
    check, elsewhere = given_check(cast, given_premises(cast), "scjg"), given_premises(cast)
    draft = VisitDraft(elsewhere, VISIT_DAY, [check], cast["scjg"], 40)
    with pytest.raises(ValueError, match="premises"):
        create_visits([draft], round_=None, actor=cast.actor("coordinator"), at=NOW)
    with pytest.raises(ValueError, match="check"):
        create_visits(
            [VisitDraft(elsewhere, VISIT_DAY, [], cast["scjg"], 40)],
            round_=None,
            actor=cast.actor("coordinator"),
            at=NOW,
        )
    assert not Visit.objects.exists()


def test_a_check_joins_one_living_visit_only(cast: Cast) -> None:
    visit = given_visit(cast, "scjg", status="suggested")
    check = visit.checks.select_related("department").get()
    with pytest.raises(Refused):
        create_visit(premises=visit.premises, on=VISIT_DAY, checks=[check], actor=cast.actor("coordinator"), at=NOW)
    assert Visit.objects.count() == 1


@pytest.mark.parametrize("who", ["scjg.head", "scjg.planner", "supervisor"])
def test_only_those_who_run_rounds_make_visits(cast: Cast, who: str) -> None:
    check = given_check(cast, given_premises(cast), "scjg")
    with pytest.raises(PermissionRefused):
        create_visit(premises=check.premises, on=VISIT_DAY, checks=[check], actor=cast.actor(who), at=NOW)


def test_many_visits_take_a_few_statements(cast: Cast) -> None:
    """A district's round makes thousands: the statements must not grow with them."""
    item = given_item(cast, "scjg")

    def statements(count: int) -> int:
        checks = [given_check(cast, given_premises(cast), "scjg", item) for _ in range(count)]
        drafts = [
            draft_of(check.premises, VISIT_DAY + timedelta(days=n % 3), [check]) for n, check in enumerate(checks)
        ]
        with CaptureQueriesContext(
            connection,
        ) as taken:
            visits = create_visits(drafts, round_=None, actor=cast.actor("coordinator"), at=NOW)
            offer_visits(visits=visits, actor=cast.actor("coordinator"), at=NOW)
        assert [visit.checks.get() for visit in visits] == checks
        return len(taken)

    assert statements(3) == statements(12)


def test_departments_are_asked_with_a_deadline_and_one_notice_each(cast: Cast) -> None:
    visits = [given_visit(cast, "scjg", "xfjy", status="suggested") for _ in range(2)]
    offer_visits(visits=visits, actor=cast.actor("coordinator"), at=NOW)
    first = Visit.objects.get(pk=visits[0].pk)
    # Monday 09:00 and three working days: Thursday at closing time.
    assert first.answer_by == moment(NOW.date() + timedelta(days=3), 18)
    assert set(Participation.objects.values_list("asked_at", flat=True)) == {NOW}
    inbox = Notice.objects.filter(key__startswith="inspections.offered")
    assert set(inbox.values_list("recipient__username", flat=True)) == {"scjg.head", "xfjy.head"}
    assert inbox.count() == 2 and "2 项" in inbox[0].title


def test_the_deadline_leaves_a_working_day_before_the_visit(cast: Cast) -> None:
    clock = Clock.on(NOW.date())
    monday = NOW.date()
    assert clock.answer_by(on=monday + timedelta(days=2), at=NOW) == moment(monday + timedelta(days=1), 18)
    # Over a weekend: a visit on Monday must be answered by Friday.
    friday = moment(monday + timedelta(days=3), 9)
    assert clock.answer_by(on=monday + timedelta(days=7), at=friday) == moment(monday + timedelta(days=4), 18)
    # Too late for any: the deadline is now, never in the past.
    assert clock.answer_by(on=monday, at=NOW) == NOW


def test_offering_twice_is_refused_as_a_whole(cast: Cast) -> None:
    offered, fresh = given_visit(cast, "scjg"), given_visit(cast, "scjg", status="suggested")
    with pytest.raises(Refused):
        offer_visits(visits=[fresh, offered], actor=cast.actor("coordinator"), at=NOW)
    fresh.refresh_from_db()
    assert fresh.status == "suggested"


def test_a_suggestion_is_the_coordinators_own_business_until_it_is_sent(cast: Cast) -> None:
    visit = given_visit(cast, "scjg", "xfjy", status="suggested")
    assert visit in Visit.objects.visible_to(cast.actor("coordinator"))
    assert visit not in Visit.objects.visible_to(cast.actor("scjg.head"))
    offer_visits(visits=[visit], actor=cast.actor("coordinator"), at=NOW)
    assert visit in Visit.objects.visible_to(cast.actor("scjg.head"))
    assert visit not in Visit.objects.visible_to(cast.actor("wsjk.head"))


def test_cancelling_plans_the_checks_anew_on_another_day(cast: Cast) -> None:
    given_teams(cast)
    visit = given_visit(cast, "scjg", "xfjy", status="confirmed")
    gone = cancel_visit(
        visit=visit, reason="企业当天停业", actor=cast.actor("coordinator"), at=NOW, seen_status="confirmed"
    )
    assert (gone.status, gone.cancel_reason) == ("cancelled", "企业当天停业")
    new = Visit.objects.exclude(pk=visit.pk).get()
    assert new.status == "offered" and new.on != VISIT_DAY and new.checks.count() == 2
    assert new.why["from_visit"] == visit.number
    row = visit.replans.get()
    assert row.cause == "cancelled" and {move["to_visit"] for move in row.moves} == {new.number}


def test_cancelling_needs_a_reason_the_right_person_and_the_state_that_was_seen(cast: Cast) -> None:
    visit = given_visit(cast, "scjg")
    coordinator = cast.actor("coordinator")
    with pytest.raises(Refused, match="理由"):
        cancel_visit(visit=visit, reason=" ", actor=coordinator, at=NOW)
    with pytest.raises(PermissionRefused):
        cancel_visit(visit=visit, reason="不想去", actor=cast.actor("scjg.head"), at=NOW)
    with pytest.raises(Stale):
        cancel_visit(visit=visit, reason="停业", actor=coordinator, at=NOW, seen_status="confirmed")
    assert Check.objects.get().status == "suggested"


def test_when_a_check_is_cancelled_its_department_leaves_and_the_others_go_on(cast: Cast) -> None:
    visit = given_visit(cast, "scjg", "xfjy")
    theirs = visit.checks.get(department__code="xfjy")
    from tests.builders.visits import confirm

    confirm(cast, part_of(visit, "scjg"))
    cancel_checks(checks=[theirs], reason="企业已注销", actor=cast.actor("xfjy.planner"), at=NOW)
    visit.refresh_from_db()
    assert visit.status == "confirmed" and visit.lead == cast["scjg"]
    assert (part_of(visit, "xfjy").answer, part_of(visit, "xfjy").reason) == ("released", "企业已注销")
    assert visit.checks.get().status == "scheduled"


def test_when_its_last_check_is_cancelled_a_visit_dissolves(cast: Cast) -> None:
    visit = given_visit(cast, "scjg", status="suggested")
    cancel_checks(checks=list(visit.checks.all()), reason="重复", actor=cast.actor("scjg.planner"), at=NOW)
    visit.refresh_from_db()
    assert visit.status == "cancelled" and visit.cancel_reason


def test_audit_tells_who_made_a_visit_and_that_the_rest_followed(cast: Cast) -> None:
    visit = given_visit(cast, "scjg", status="confirmed")
    made = Entry.objects.get(action="inspections.visit.create", object_id=str(visit.pk))
    assert made.actor_membership_id == cast.actor("coordinator").membership_id
    followed = Entry.objects.get(action="inspections.visit.confirm", object_id=str(visit.pk))
    assert followed.actor_membership_id is None and followed.payload["because"] == "confirmed"
