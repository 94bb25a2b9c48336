"""Silence, seen by the ticker alone: reminded, told to the heads, raised to the coordinators, left out. Never a yes."""

from datetime import datetime, timedelta

import pytest

from tests.builders.cast import NOW, TODAY, Cast
from tests.builders.inspections import given_check, given_item, given_premises
from tests.builders.visits import VISIT_DAY, confirm, given_teams, given_visit, moment, part_of
from xiezhi.domains.inspections.models import Check, Participation, Visit
from xiezhi.domains.inspections.services.escalation import chase, extend_deadline, remove_silent
from xiezhi.foundation.access.actors import PermissionRefused
from xiezhi.foundation.jobs import periodic
from xiezhi.foundation.notices.models import Notice
from xiezhi.foundation.rules.registry import Confidence, Source
from xiezhi.foundation.rules.services import change_rule
from xiezhi.foundation.workflow.errors import Refused

pytestmark = pytest.mark.django_db
THURSDAY = TODAY + timedelta(days=3)
"""The deadline of what is offered on Monday 2026-11-23: Thursday at 18:00."""


def _told(step: str) -> set[str]:
    return set(
        Notice.objects.filter(key__startswith=f"inspections.{step}:").values_list("recipient__username", flat=True)
    )


def _tick(at: datetime) -> None:
    """What the ticker does, and nothing else."""
    ran = periodic.run_due(at=at)
    assert "inspections.chase" in ran


def test_the_ticker_alone_reminds_escalates_and_releases(cast: Cast) -> None:
    given_teams(cast)
    visit = given_visit(cast, "scjg", "xfjy")
    confirm(cast, part_of(visit, "scjg"))
    clock = NOW
    seen: dict[str, datetime] = {}
    while clock < moment(VISIT_DAY, 12):
        clock += timedelta(hours=3)
        _tick(clock)
        for step in ("remind", "escalate", "raise", "changed"):
            if _told(step):
                seen.setdefault(step, clock)
    hours = {step: (at.date() - TODAY).days * 24 + at.hour for step, at in seen.items()}
    # Wednesday 18:00 one working day before; Thursday 18:00 the deadline; Friday one day, Tuesday three working days after it.
    assert hours == {"remind": 2 * 24 + 18, "escalate": 3 * 24 + 18, "raise": 4 * 24 + 18, "changed": 8 * 24 + 18}
    assert _told("remind") == {"xfjy.head"} and _told("escalate") == {"xfjy.head"} and _told("raise") == {"coordinator"}
    assert set(Notice.objects.filter(key__startswith="inspections.escalate").values_list("level", flat=True)) == {
        "urgent"
    }
    visit.refresh_from_db()
    part = part_of(visit, "xfjy")
    assert (part.answer, part.reason) == ("released", "逾期未答复")
    assert (visit.status, visit.on) == ("confirmed", VISIT_DAY)
    [move] = visit.replans.get().moves
    assert move["department"] == "消防救援" and move["to_on"] not in {"", VISIT_DAY.isoformat()}


def test_nobody_answering_never_confirms_anything(cast: Cast) -> None:
    given_teams(cast)
    visit = given_visit(cast, "scjg", "xfjy")
    for day in range(1, 60):
        chase(moment(TODAY + timedelta(days=day), 12))
    visit.refresh_from_db()
    assert visit.status == "cancelled"
    assert not Visit.objects.filter(status="confirmed").exists()
    assert not Participation.objects.filter(answer="confirmed").exists()
    assert set(Check.objects.values_list("status", flat=True)) == {"waiting"}


def test_running_the_duty_again_changes_nothing_more(cast: Cast) -> None:
    given_visit(cast, "scjg", "xfjy")
    for at in (moment(TODAY + timedelta(days=2), 19), moment(THURSDAY, 19)):
        first = chase(at)
        count = Notice.objects.count()
        assert sum(first.values()) == 2
        assert sum(chase(at + timedelta(minutes=1)).values()) == 0
        assert Notice.objects.count() == count


def test_a_department_hears_once_about_many_visits(cast: Cast) -> None:
    for _ in range(3):
        given_visit(cast, "scjg", "xfjy")
    chase(moment(TODAY + timedelta(days=2), 19))
    [notice] = Notice.objects.filter(key__startswith="inspections.remind", recipient=cast.people["scjg.head"])
    assert "3 项" in notice.title


def test_who_is_asked_late_is_not_reminded_in_the_same_breath(cast: Cast) -> None:
    """Offered on Monday for Wednesday: the deadline is Tuesday 18:00, a reminder would have been due today at 18:00, one tick later."""
    given_visit(cast, "scjg", on=TODAY + timedelta(days=1), earliest=TODAY, latest=TODAY + timedelta(days=9))
    assert chase(NOW + timedelta(minutes=1))["remind"] == 0
    assert _told("remind") == set()


def test_the_coordinators_hear_while_they_can_still_act(cast: Cast) -> None:
    """The rule gives them a working day after the deadline; when the visit is on that day, they hear on its eve."""
    visit = given_visit(cast, "scjg", "xfjy", on=THURSDAY, earliest=TODAY, latest=TODAY + timedelta(days=9))
    assert visit.answer_by == moment(THURSDAY - timedelta(days=1), 18)
    done = chase(moment(THURSDAY - timedelta(days=1), 18, 1))
    assert (done["escalate"], done["raise"], done["release"]) == (2, 2, 0)


def test_as_the_day_begins_the_silent_ones_are_left_out_and_the_rest_goes(cast: Cast) -> None:
    given_teams(cast)
    visit = given_visit(cast, "scjg", "xfjy", on=THURSDAY, earliest=TODAY, latest=TODAY + timedelta(days=19))
    confirm(cast, part_of(visit, "scjg"))
    assert chase(moment(THURSDAY - timedelta(days=1), 23, 59))["release"] == 0
    assert chase(moment(THURSDAY, 0))["release"] == 1
    visit.refresh_from_db()
    assert visit.status == "confirmed" and part_of(visit, "xfjy").answer == "released"
    assert visit.checks.get().status == "scheduled"


def test_an_urgent_visit_does_not_wait_for_a_silent_joiner(cast: Cast) -> None:
    given_teams(cast)
    visit = given_visit(cast, "xfjy", "scjg", urgent=["xfjy"], on=TODAY + timedelta(days=8))
    confirm(cast, part_of(visit, "xfjy"))
    chase(moment(TODAY + timedelta(days=8), 0))
    visit.refresh_from_db()
    assert visit.status == "confirmed" and [check.department.code for check in visit.checks.all()] == ["xfjy"]
    assert Check.objects.get(department=cast["scjg"]).visit != visit


def test_the_rule_decides_when(cast: Cast) -> None:
    change_rule(
        key="inspections.confirmation_workdays",
        value=1,
        effective_from=TODAY,
        source=Source("演示依据", body="演示机关"),
        confidence=Confidence.CONFIRMED,
        actor=cast.actor("administrator"),
        at=NOW,
    )
    assert given_visit(cast, "scjg").answer_by == moment(TODAY + timedelta(days=1), 18)


def test_one_visit_that_fails_holds_up_no_other(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    given_teams(cast)
    visits = [
        given_visit(cast, "scjg", on=THURSDAY, earliest=TODAY, latest=TODAY + timedelta(days=19)) for _ in range(2)
    ]
    from xiezhi.domains.inspections.services import escalation

    original = escalation.take_out

    def poisoned(visit, *args, **kwargs):
        if visit.pk == visits[0].pk:
            raise RuntimeError("poison")
        return original(visit, *args, **kwargs)

    monkeypatch.setattr(escalation, "take_out", poisoned)
    assert chase(moment(THURSDAY, 0))["release"] == 1
    assert part_of(visits[0], "scjg").answer == "pending"  # nothing half done
    monkeypatch.setattr(escalation, "take_out", original)
    assert chase(moment(THURSDAY, 0, 1))["release"] == 1


# The coordinator


def test_a_coordinator_goes_on_without_a_silent_department_after_the_deadline(cast: Cast) -> None:
    given_teams(cast)
    visit = given_visit(cast, "scjg", "xfjy")
    confirm(cast, part_of(visit, "scjg"))
    silent, coordinator = part_of(visit, "xfjy"), cast.actor("coordinator")
    with pytest.raises(Refused, match="期限还没有到"):
        remove_silent(participation=silent, reason="等不及", actor=coordinator, at=NOW)
    after = moment(THURSDAY, 18)
    with pytest.raises(Refused, match="理由"):
        remove_silent(participation=silent, reason="", actor=coordinator, at=after)
    with pytest.raises(PermissionRefused):
        remove_silent(participation=silent, reason="等不及", actor=cast.actor("scjg.head"), at=after)
    row = remove_silent(participation=silent, reason="电话未接", actor=coordinator, at=after)
    visit.refresh_from_db()
    assert visit.status == "confirmed" and row.moves[0]["to_on"]
    assert part_of(visit, "xfjy").reason == "未答复移出：电话未接"
    with pytest.raises(Refused):
        remove_silent(participation=part_of(visit, "scjg"), reason="x", actor=coordinator, at=after)


def test_more_time_begins_the_reminders_again(cast: Cast) -> None:
    visit = given_visit(cast, "scjg", "xfjy")
    after = moment(THURSDAY, 19)
    chase(after)
    new = moment(THURSDAY + timedelta(days=6), 12)
    extended = extend_deadline(visit=visit, answer_by=new, reason="等排班", actor=cast.actor("coordinator"), at=after)
    assert extended.answer_by == new and visit.replans.get().cause == "extended"
    assert not Participation.objects.exclude(escalated_at=None).exists()
    assert chase(moment(THURSDAY + timedelta(days=5), 19))["remind"] == 2
    assert chase(new)["escalate"] == 2


@pytest.mark.parametrize("days", [2, 14])
def test_a_deadline_is_only_put_off_and_only_to_the_eve(cast: Cast, days: int) -> None:
    visit = given_visit(cast, "scjg")
    with pytest.raises(Refused, match="期限"):
        extend_deadline(
            visit=visit,
            answer_by=moment(TODAY + timedelta(days=days), 12),
            reason="等排班",
            actor=cast.actor("coordinator"),
            at=NOW,
        )


def test_the_deadline_of_a_confirmed_visit_is_nobodys_business(cast: Cast) -> None:
    visit = given_visit(cast, "scjg", status="confirmed")
    with pytest.raises(Refused):
        extend_deadline(
            visit=visit,
            answer_by=moment(TODAY + timedelta(days=5)),
            reason="x",
            actor=cast.actor("coordinator"),
            at=NOW,
        )


def test_silent_parts_of_many_visits_take_few_statements(cast: Cast, django_assert_max_num_queries) -> None:
    door_item = given_item(cast, "scjg")
    for _ in range(6):
        given_visit(cast, checks=[given_check(cast, given_premises(cast), "scjg", door_item)])
    with django_assert_max_num_queries(40):
        chase(moment(TODAY + timedelta(days=2), 19))
