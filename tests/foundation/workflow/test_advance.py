"""The mechanism, on the plan's table and a row of the jobs' kind: any model with a status column will do."""

from datetime import timedelta

import pytest
from django.db import models, transaction

from tests.builders.cast import NOW, make_cast
from xiezhi.domains.inspections.models import Plan
from xiezhi.domains.inspections.workflow import PLAN, WORKFLOWS
from xiezhi.foundation.access.actors import NOBODY, SYSTEM, PermissionRefused
from xiezhi.foundation.audit.models import Entry
from xiezhi.foundation.workflow.errors import AlreadyDone, Refused, Stale
from xiezhi.foundation.workflow.services import advance, advance_many, available
from xiezhi.foundation.workflow.tables import Workflow, mermaid, transition

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return make_cast()


def draft(cast, department: str = "scjg", **fields) -> Plan:
    return Plan.objects.create(
        department=cast[department],
        title=fields.pop("title", "演示计划"),
        starts_on=NOW.date(),
        ends_on=NOW.date() + timedelta(days=90),
        created_at=NOW,
        **fields,
    )


def file(plan: Plan, actor, **rest) -> Plan:
    with transaction.atomic():
        return advance(PLAN, plan, "file", actor=actor, at=NOW, **rest)


def test_a_move_sets_status_time_and_audit_together(cast) -> None:
    plan = file(draft(cast), cast.actor("scjg.planner"))
    plan.refresh_from_db()
    assert (plan.status, plan.filed_at) == ("filed", NOW)
    entry = Entry.objects.get(action="inspections.plan.file")
    assert entry.payload == {"from": "draft", "to": "filed"}
    assert entry.actor_user_id == cast.actor("scjg.planner").user_id


def test_the_same_person_clicking_twice_is_told_that_it_is_done(cast) -> None:
    plan = draft(cast)
    file(plan, cast.actor("scjg.planner"))
    with pytest.raises(AlreadyDone):
        file(plan, cast.actor("scjg.planner"), seen_status="draft")
    assert Entry.objects.filter(action="inspections.plan.file").count() == 1


def test_a_page_older_than_another_persons_change_is_stale(cast) -> None:
    plan = draft(cast)
    file(plan, cast.actor("scjg.planner"))
    with pytest.raises(Stale), transaction.atomic():
        advance(PLAN, plan, "withdraw", actor=cast.actor("scjg.planner"), at=NOW, reason="重报", seen_status="draft")


@pytest.mark.parametrize("who", ["xfjy.planner", "scjg.head", "scjg.inspector", "supervisor"])
def test_others_may_not_and_see_no_button(cast, who: str) -> None:
    plan = draft(cast)
    with pytest.raises(PermissionRefused):
        file(plan, cast.actor(who))
    assert available(PLAN, plan, cast.actor(who)) == []


@pytest.mark.parametrize("actor", [NOBODY, SYSTEM])
def test_nobody_and_the_system_make_only_the_moves_that_are_theirs(cast, actor) -> None:
    with pytest.raises(PermissionRefused):
        file(draft(cast), actor)


def test_a_guard_refuses_with_its_reason_until_it_is_met(cast) -> None:
    plan = draft(cast, kind="special")
    planner = cast.actor("scjg.planner")
    with pytest.raises(Refused, match="批准"):
        file(plan, planner)
    assert [move.name for move in available(PLAN, plan, planner)] == ["withdraw"]
    Plan.objects.filter(pk=plan.pk).update(approval_number="演示批〔2026〕1号", approved_on=NOW.date())
    assert file(plan, planner).status == "filed"


def test_a_move_that_needs_a_reason_is_refused_without(cast) -> None:
    with pytest.raises(Refused, match="理由"), transaction.atomic():
        advance(PLAN, draft(cast), "withdraw", actor=cast.actor("scjg.planner"), at=NOW, reason="  ")


def test_many_move_all_or_none(cast) -> None:
    planner = cast.actor("scjg.planner")
    plans = [draft(cast, title=f"演示计划{number}") for number in range(3)]
    file(plans[2], planner)
    with pytest.raises(Refused), transaction.atomic():
        advance_many(PLAN, plans, "file", actor=planner, at=NOW)
    assert Plan.objects.filter(status="draft").count() == 2
    with transaction.atomic():
        assert advance_many(PLAN, plans[:2], "file", actor=planner, at=NOW) == 2
    assert set(Plan.objects.values_list("status", "filed_at")) == {("filed", NOW)}


def test_outside_a_transaction_it_is_a_programming_error(transactional_db: None) -> None:
    cast = make_cast()
    with pytest.raises(RuntimeError):
        advance(PLAN, draft(cast), "file", actor=cast.actor("scjg.planner"), at=NOW)


class _States(models.TextChoices):
    A = "a", "甲"
    B = "b", "乙"


@pytest.mark.parametrize(
    "moves",
    [
        (transition("go", "去", {"a"}, "c", by_system=True),),
        (transition("go", "去", {"a"}, "b"),),
        (transition("go", "去", {"a"}, "b", by_system=True), transition("go", "去", {"b"}, "a", by_system=True)),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused_at_import(moves) -> None:
    with pytest.raises(ValueError):
        Workflow("demo", "演示", _States, "a", moves)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda each: each.key)
def test_every_state_can_be_reached_and_is_drawn(workflow: Workflow) -> None:
    reached = {workflow.initial}
    for _ in workflow.states.values:
        reached |= {move.target for move in workflow.transitions if move.sources & reached}
    entered_otherwise = {"off_site_first"}  # a check begins there when its item can be settled off-site
    assert set(workflow.states.values) <= reached | entered_otherwise
    picture = mermaid(workflow)
    assert all(f"{value} : {label}" in picture for value, label in workflow.states.choices)
