"""A round: what it takes in and holds back, what it saves, sends, and gives up."""

from datetime import date, timedelta

import pytest
import time_machine

from tests.builders.cast import NOW, TODAY, Cast
from tests.builders.inspections import given_check, given_item, given_premises
from tests.builders.visits import VISIT_DAY, given_teams, given_visit, moment
from xiezhi.domains.inspections.models import Check, Leftover, Participation, Round, Visit
from xiezhi.domains.inspections.services import rounds
from xiezhi.domains.inspections.services.catalogue import keep_apart
from xiezhi.domains.inspections.services.checks import cancel_checks
from xiezhi.domains.inspections.services.eligibility import eligible_checks, months_after
from xiezhi.domains.inspections.services.rounds import (
    discard_failed_rounds,
    discard_round,
    plan_horizon,
    send_round,
    start_round,
    waiting_checks,
)
from xiezhi.domains.registry.services import add_scene, label_subjects, set_joint_choice
from xiezhi.foundation.access.actors import PermissionRefused
from xiezhi.foundation.jobs import services as jobs
from xiezhi.foundation.jobs.models import Job
from xiezhi.foundation.notices.models import Notice
from xiezhi.foundation.workflow.errors import Refused

START, END = TODAY + timedelta(days=8), TODAY + timedelta(days=42)


def start(cast: Cast, **more) -> Round:
    given = {"starts_on": START, "ends_on": END, "actor": cast.actor("coordinator"), "at": NOW, **more}
    return start_round(**given)


def planned(cast: Cast, **more) -> Round:
    """A round whose job has run."""
    round_ = start(cast, **more)
    with time_machine.travel(NOW, tick=False):
        jobs.run(round_.job_id)
    round_.refresh_from_db()
    assert round_.status == "ready", Job.objects.get(pk=round_.job_id).error
    return round_


@pytest.fixture
def door(cast: Cast):
    given_teams(cast)
    return given_premises(cast)


def test_checks_of_one_door_become_one_visit_led_by_safety(cast: Cast, door) -> None:
    first = given_check(cast, door, "scjg")
    second = given_check(cast, door, "xfjy", given_item(cast, "xfjy", safety=True, minutes=30))
    round_ = planned(cast)
    visit = Visit.objects.get(round=round_)
    assert set(visit.checks.values_list("pk", flat=True)) == {first.pk, second.pk}
    assert (visit.status, visit.lead.code, visit.on_site_minutes) == ("suggested", "xfjy", 40)
    assert visit.why["reason"] == "safety_joint" and visit.why["doors_if_alone"] == 2
    assert set(Check.objects.values_list("status", flat=True)) == {"suggested"}
    assert round_.figures["visits"] == 1
    assert round_.figures["visits_if_each_alone"] == 2
    assert round_.figures["lower_bound_visits"] == round_.figures["bound_verified"] == 1
    assert (round_.figures["alone_minutes"], round_.figures["together_minutes"]) == (70, 40)
    assert round_.rule_version_ids


def test_departments_see_nothing_before_it_is_sent_and_are_asked_then(cast: Cast, door) -> None:
    given_check(cast, door, "scjg")
    round_ = planned(cast)
    head = cast.actor("scjg.head")
    assert not Round.objects.visible_to(head).exists() and not Visit.objects.visible_to(head).exists()
    send_round(round_=round_, actor=cast.actor("coordinator"), at=NOW)
    visit = Visit.objects.visible_to(head).get()
    assert visit.status == "offered" and visit.answer_by
    assert Notice.objects.filter(recipient=cast.people["scjg.head"]).count() == 1
    assert not Visit.objects.visible_to(cast.actor("wsjk.head")).exists()


def test_a_subject_that_opted_out_is_visited_by_one_department_at_a_time(cast: Cast, door) -> None:
    for department in ("scjg", "xfjy"):
        given_check(cast, door, department)
    set_joint_choice(subject=door.subject, opted_out=True, actor=cast.actor("registrar"), at=NOW, reason="企业自愿")
    assert planned(cast).figures["visits"] == 2


def test_a_day_without_teams_leaves_checks_unplaced_with_the_reason(cast: Cast) -> None:
    given_teams(cast, "scjg")
    place = given_premises(cast)
    given_check(cast, place, "scjg")
    lonely = given_check(cast, place, "xfjy")
    round_ = planned(cast)
    leftover = Leftover.objects.get(round=round_, kind="unplaced")
    assert (leftover.check_task_id, leftover.reason) == (lonely.pk, "no_open_day")
    lonely.refresh_from_db()
    assert lonely.status == "waiting"


def test_incompatible_items_are_kept_apart_and_the_reason_is_told(cast: Cast, door) -> None:
    items = [given_item(cast, "scjg"), given_item(cast, "xfjy")]
    keep_apart(first=items[0], second=items[1], reason="演示", actor=cast.actor("scjg.planner"), at=NOW)
    for item, department in zip(items, ("scjg", "xfjy"), strict=True):
        given_check(cast, door, department, item)
    assert planned(cast).figures["visits"] == 2


def test_a_listed_firm_is_left_alone_but_for_safety_and_cases(cast: Cast, door) -> None:
    registrar = cast.actor("registrar")
    scene = add_scene(code="quiet", name="无事不扰", undisturbed=True, actor=registrar, at=NOW)
    routine = given_check(cast, door, "scjg")
    safety = given_check(cast, door, "xfjy", given_item(cast, "xfjy", safety=True))
    label_subjects(scene=scene, subjects=[door.subject], carried=True, actor=registrar, at=NOW)
    round_ = planned(cast)
    assert Visit.objects.get(round=round_).checks.get().pk == safety.pk
    held = Leftover.objects.get(round=round_, kind="held")
    assert (held.check_task_id, held.reason) == (routine.pk, "inspections.do_not_disturb_exceptions")
    routine.refresh_from_db()
    assert routine.hold_reason == "inspections.do_not_disturb_exceptions"


def test_after_a_joint_visit_routine_checks_wait_half_a_year(cast: Cast, door) -> None:
    given_visit(cast, "scjg", "xfjy", premises=door, status="recorded", on=VISIT_DAY)
    routine = given_check(cast, door, "wsjk", at=moment(VISIT_DAY, 18), earliest=START, latest=END)
    day = VISIT_DAY + timedelta(days=1)
    verdict = eligible_checks(waiting_checks(start=START, end=END), start=START, end=END, on=day)
    assert verdict.held[routine.pk].rule_key == "inspections.cool_down_months"
    assert months_after(VISIT_DAY, 6).isoformat() in verdict.held[routine.pk].detail


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [("2026-08-31", 6, "2027-02-28"), ("2026-12-07", 6, "2027-06-07"), ("2027-12-31", 2, "2028-02-29")],
)
def test_months_end_with_the_month(day: str, months: int, expected: str) -> None:
    assert months_after(date.fromisoformat(day), months).isoformat() == expected


def test_the_annual_cap_holds_routine_checks_and_lets_cases_through_with_a_warning(cast: Cast, door) -> None:
    for week in (0, 1):
        given_visit(cast, "scjg", premises=door, on=VISIT_DAY + timedelta(days=7 * week))
    third = given_check(cast, door, "scjg")
    case = given_check(cast, door, "scjg", urgent=True, earliest=START, latest=END)
    verdict = eligible_checks(waiting_checks(start=START, end=END), start=START, end=END, on=TODAY)
    assert verdict.held[third.pk].rule_key == "inspections.annual_cap"
    assert case.pk in verdict.windows and case.pk in verdict.warnings


def test_time_promised_to_earlier_visits_is_not_given_twice(cast: Cast) -> None:
    given_teams(cast, "scjg", teams=1, minutes=60, weekdays="1")
    first, second = given_premises(cast), given_premises(cast)
    given_visit(cast, "scjg", premises=first, on=VISIT_DAY)
    given_check(cast, second, "scjg", earliest=VISIT_DAY, latest=VISIT_DAY)
    round_ = planned(cast)
    assert Leftover.objects.get(round=round_, kind="unplaced").reason == "no_room"


def test_only_one_round_is_planned_at_a_time(cast: Cast, door) -> None:
    given_check(cast, door, "scjg")
    start(cast)
    with pytest.raises(Refused, match="另一轮"):
        start(cast)


@pytest.mark.parametrize(
    "horizon",
    [
        {"starts_on": END, "ends_on": START},
        {"starts_on": TODAY, "ends_on": END},
        {"starts_on": START, "ends_on": START + timedelta(days=400)},
    ],
)
def test_a_horizon_that_cannot_be_meant_is_refused(cast: Cast, door, horizon) -> None:
    given_check(cast, door, "scjg")
    with pytest.raises(Refused):
        start(cast, **horizon)
    assert not Round.objects.exists()


def test_an_empty_horizon_is_refused_with_what_to_do(cast: Cast) -> None:
    with pytest.raises(Refused, match="报送计划"):
        start(cast)


@pytest.mark.parametrize("who", ["scjg.planner", "scjg.head", "supervisor", "administrator"])
def test_only_the_coordinator_runs_rounds(cast: Cast, door, who: str) -> None:
    given_check(cast, door, "scjg")
    with pytest.raises(PermissionRefused):
        start(cast, actor=cast.actor(who))


def test_a_discarded_round_gives_its_checks_back(cast: Cast, door) -> None:
    given_check(cast, door, "scjg")
    round_ = planned(cast)
    discard_round(round_=round_, reason="重排", actor=cast.actor("coordinator"), at=NOW)
    assert Check.objects.get().status == "waiting"
    assert set(Visit.objects.values_list("status", flat=True)) == {"cancelled"}
    assert planned(cast).figures["visits"] == 1


def test_a_check_cancelled_while_planning_runs_makes_the_round_fail_and_room_for_the_next(
    cast: Cast, door, monkeypatch
) -> None:
    check = given_check(cast, door, "scjg")
    round_ = start(cast)
    real = plan_horizon

    def meanwhile(**given):
        outcome = real(**given)
        cancel_checks(checks=[check], reason="计划调整", actor=cast.actor("scjg.planner"), at=NOW)
        return outcome

    monkeypatch.setattr(rounds, "plan_horizon", meanwhile)
    with time_machine.travel(NOW, tick=False):
        jobs.run(round_.job_id)
    job = Job.objects.get(pk=round_.job_id)
    assert job.status == "failed" and "重新生成" in job.error
    assert not Visit.objects.exists()
    assert discard_failed_rounds(at=NOW) == 1
    round_.refresh_from_db()
    assert round_.status == "discarded"


def test_a_cancelled_job_leaves_nothing(cast: Cast, door) -> None:
    given_check(cast, door, "scjg")
    round_ = start(cast)
    jobs.cancel(job=Job.objects.get(pk=round_.job_id), actor=cast.actor("coordinator"), at=NOW)
    jobs.run(round_.job_id)
    assert discard_failed_rounds(at=NOW) == 1
    assert not Visit.objects.exists() and not Participation.objects.exists()


def test_the_same_seed_gives_the_same_visits(cast: Cast) -> None:
    given_teams(cast)
    for _ in range(6):
        place = given_premises(cast)
        for department in ("scjg", "xfjy", "wsjk"):
            given_check(cast, place, department)

    def shape(round_: Round) -> list:
        return sorted(round_.visits.values_list("premises_id", "on", "lead__code", "on_site_minutes"))

    first = planned(cast, seed=7)
    expected = shape(first)
    discard_round(round_=first, reason="再排", actor=cast.actor("coordinator"), at=NOW)
    assert shape(planned(cast, seed=7)) == expected
