"""Each department answers for itself: confirm, propose another day, decline."""

from datetime import date, timedelta

import pytest

from tests.builders.cast import NOW, TODAY, Cast
from tests.builders.inspections import given_check, given_item, given_premises
from tests.builders.visits import VISIT_DAY, arrive, confirm, given_teams, given_visit, moment, part_of
from xiezhi.domains.inspections.models import Check, Participation, Visit
from xiezhi.domains.inspections.services.confirmation import confirm_part, dates_for, decline_part, propose_date
from xiezhi.foundation.access.actors import PermissionRefused
from xiezhi.foundation.audit.models import Entry
from xiezhi.foundation.notices.models import Notice
from xiezhi.foundation.orgs.services import record_absence
from xiezhi.foundation.workflow.errors import AlreadyDone, Refused, Stale

pytestmark = pytest.mark.django_db


def test_a_visit_stands_when_every_department_has_confirmed(cast: Cast) -> None:
    visit = given_visit(cast, "scjg", "xfjy", "wsjk")
    for code in ("scjg", "xfjy"):
        confirm(cast, part_of(visit, code))
        visit.refresh_from_db()
        assert visit.status == "offered"
        assert set(visit.checks.values_list("status", flat=True)) == {"suggested"}
    confirm(cast, part_of(visit, "wsjk"))
    visit.refresh_from_db()
    assert visit.status == "confirmed" and visit.confirmed_at == NOW
    assert set(visit.checks.values_list("status", flat=True)) == {"scheduled"}
    told = set(
        Notice.objects.filter(key__startswith="inspections.confirmed").values_list("recipient__username", flat=True)
    )
    assert {"scjg.head", "xfjy.inspector", "scjg-1.inspector"} <= told


@pytest.mark.parametrize(
    "who", ["coordinator", "scjg.planner", "scjg.inspector", "xfjy.head", "wsjk.head", "supervisor"]
)
def test_nobody_answers_for_another_department(cast: Cast, who: str) -> None:
    part = part_of(given_visit(cast, "scjg", "xfjy"), "scjg")
    for act in (
        lambda: confirm_part(participation=part, actor=cast.actor(who), at=NOW),
        lambda: decline_part(participation=part, decline_reason="busy", actor=cast.actor(who), at=NOW),
        lambda: propose_date(
            participation=part, on=VISIT_DAY + timedelta(days=1), reason="x", actor=cast.actor(who), at=NOW
        ),
    ):
        with pytest.raises(PermissionRefused):
            act()
    part.refresh_from_db()
    assert part.answer == "pending"


def test_a_double_click_confirms_once_and_says_so(cast: Cast) -> None:
    part = part_of(given_visit(cast, "scjg", "xfjy"), "scjg")
    confirm(cast, part)
    with pytest.raises(AlreadyDone):
        confirm(cast, part)
    assert Entry.objects.filter(action="inspections.participation.confirm").count() == 1


def test_a_page_that_showed_another_day_is_stale(cast: Cast) -> None:
    given_teams(cast)
    visit = given_visit(cast, "scjg", "xfjy")
    seen = visit.revision
    propose_date(
        participation=part_of(visit, "scjg"),
        on=VISIT_DAY + timedelta(days=1),
        reason="当天有培训",
        actor=cast.actor("scjg.head"),
        at=NOW,
    )
    with pytest.raises(Stale, match="2026-12-08"):
        confirm_part(participation=part_of(visit, "xfjy"), actor=cast.actor("xfjy.head"), at=NOW, seen_revision=seen)
    assert part_of(visit, "xfjy").answer == "pending"


def test_a_visit_that_is_over_takes_no_answers(cast: Cast) -> None:
    visit = given_visit(cast, "scjg", status="under_way")
    with pytest.raises(Refused):
        decline_part(
            participation=part_of(visit, "scjg"),
            decline_reason="busy",
            actor=cast.actor("scjg.head"),
            at=moment(VISIT_DAY),
        )
    assert part_of(visit, "scjg").answer == "confirmed"


# Urgent checks wait for nobody


def test_an_urgent_visit_stands_once_the_urgent_departments_confirmed(cast: Cast) -> None:
    visit = given_visit(cast, "xfjy", "scjg", urgent=["xfjy"], on=TODAY + timedelta(days=9))
    confirm(cast, part_of(visit, "xfjy"))
    visit.refresh_from_db()
    assert visit.status == "confirmed"
    by_department = dict(visit.checks.values_list("department__code", "status"))
    assert by_department == {"xfjy": "scheduled", "scjg": "suggested"}
    confirm(cast, part_of(visit, "scjg"))
    assert dict(visit.checks.values_list("department__code", "status"))["scjg"] == "scheduled"


def test_the_other_departments_alone_do_not_make_an_urgent_visit_stand(cast: Cast) -> None:
    visit = given_visit(cast, "xfjy", "scjg", urgent=["xfjy"], on=TODAY + timedelta(days=9))
    confirm(cast, part_of(visit, "scjg"))
    visit.refresh_from_db()
    assert visit.status == "offered"


# Declining


def test_the_others_go_on_without_a_department_that_declines(cast: Cast) -> None:
    given_teams(cast)
    long = given_item(cast, "xfjy", minutes=120, safety=True)
    door = given_premises(cast)
    checks = [given_check(cast, door, "xfjy", long), given_check(cast, door, "scjg"), given_check(cast, door, "wsjk")]
    visit = given_visit(cast, checks=checks)
    confirm(cast, part_of(visit, "scjg"))
    confirm(cast, part_of(visit, "wsjk"))
    row = decline_part(
        participation=part_of(visit, "xfjy"),
        decline_reason="busy",
        reason="当天有演练",
        actor=cast.actor("xfjy.head"),
        at=NOW,
        seen_revision=1,
        seen_status="pending",
    )
    visit.refresh_from_db()
    assert (visit.status, visit.on, visit.on_site_minutes, visit.lead.code) == ("confirmed", VISIT_DAY, 40, "scjg")
    part = part_of(visit, "xfjy")
    assert (part.answer, part.decline_reason, part.reason) == ("declined", "busy", "当天有演练")
    new = Visit.objects.exclude(pk=visit.pk).get()
    assert (new.status, new.lead.code, new.checks.get()) == ("offered", "xfjy", checks[0])
    assert new.on != VISIT_DAY and new.answer_by is not None
    [move] = row.moves
    assert (move["from_on"], move["to_visit"], move["to_on"]) == (VISIT_DAY.isoformat(), new.number, new.on.isoformat())
    heard = Notice.objects.filter(key__startswith=f"inspections.changed:{visit.pk}")
    assert set(heard.values_list("recipient__username", flat=True)) == {"scjg.head", "wsjk.head", "coordinator"}
    assert new.number in heard[0].body


def test_declining_after_confirming_keeps_a_confirmed_visit_for_the_others(cast: Cast) -> None:
    given_teams(cast)
    visit = given_visit(cast, "scjg", "xfjy", status="confirmed")
    decline_part(participation=part_of(visit, "scjg"), decline_reason="busy", actor=cast.actor("scjg.head"), at=NOW)
    visit.refresh_from_db()
    assert visit.status == "confirmed" and visit.on == VISIT_DAY
    assert visit.checks.get().department == cast["xfjy"] and visit.checks.get().status == "scheduled"


def test_a_visit_that_nobody_wants_dissolves(cast: Cast) -> None:
    given_teams(cast)
    visit = given_visit(cast, "scjg")
    decline_part(participation=part_of(visit, "scjg"), decline_reason="busy", actor=cast.actor("scjg.head"), at=NOW)
    visit.refresh_from_db()
    assert visit.status == "cancelled" and visit.cancel_reason
    assert Visit.objects.exclude(pk=visit.pk).get().status == "offered"


def test_not_jointly_means_a_visit_of_its_own(cast: Cast) -> None:
    """Two checks of one department, declined as 不宜联合, and another department's released with them never meet again."""
    given_teams(cast)
    visit = given_visit(cast, "scjg", "xfjy")
    decline_part(
        participation=part_of(visit, "scjg"), decline_reason="not_joint", actor=cast.actor("scjg.head"), at=NOW
    )
    new = Visit.objects.exclude(pk=visit.pk).get()
    assert [part.department for part in new.participations.all()] == [cast["scjg"]]


def test_what_was_checked_already_is_not_arranged_again(cast: Cast) -> None:
    given_teams(cast)
    visit = given_visit(cast, "scjg", "xfjy")
    row = decline_part(
        participation=part_of(visit, "scjg"),
        decline_reason="already_done",
        reason="10 月已查",
        actor=cast.actor("scjg.head"),
        at=NOW,
    )
    check = Check.objects.get(department=cast["scjg"])
    assert (check.status, check.visit, check.closing_reason) == ("cancelled", None, "本周期已检查：10 月已查")
    assert row.moves[0]["left"] == "already_done" and Visit.objects.count() == 1


def test_what_may_be_checked_off_site_goes_there(cast: Cast) -> None:
    door = given_premises(cast)
    item = given_item(cast, "scjg", off_site_possible=True)
    checks = [given_check(cast, door, "scjg", item, on_site_reason="核对实物"), given_check(cast, door, "xfjy")]
    visit = given_visit(cast, checks=checks)
    decline_part(participation=part_of(visit, "scjg"), decline_reason="off_site", actor=cast.actor("scjg.head"), at=NOW)
    checks[0].refresh_from_db()
    assert (checks[0].status, checks[0].visit) == ("off_site_first", None)


def test_what_can_only_be_checked_on_site_stays_and_nothing_is_half_done(cast: Cast) -> None:
    visit = given_visit(cast, "scjg", "xfjy")
    with pytest.raises(Refused, match="只能现场检查"):
        decline_part(
            participation=part_of(visit, "scjg"), decline_reason="off_site", actor=cast.actor("scjg.head"), at=NOW
        )
    assert part_of(visit, "scjg").answer == "pending" and visit.checks.count() == 2


@pytest.mark.parametrize(("chosen", "words"), [("other", ""), ("", "忙"), ("whatever", "忙")])
def test_declining_needs_a_reason_of_the_list(cast: Cast, chosen: str, words: str) -> None:
    visit = given_visit(cast, "scjg")
    with pytest.raises(Refused):
        decline_part(
            participation=part_of(visit, "scjg"),
            decline_reason=chosen,
            reason=words,
            actor=cast.actor("scjg.head"),
            at=NOW,
        )
    assert part_of(visit, "scjg").answer == "pending"


def test_a_reason_stays_out_of_the_audit(cast: Cast) -> None:
    visit = given_visit(cast, "scjg", "xfjy")
    decline_part(
        participation=part_of(visit, "scjg"),
        decline_reason="other",
        reason="张某生病",
        actor=cast.actor("scjg.head"),
        at=NOW,
    )
    entry = Entry.objects.get(action="inspections.participation.decline")
    assert "张某" not in str(entry.payload) and entry.payload["decline_reason"] == "other"


# Another day


def _propose(cast: Cast, visit: Visit, code: str, on: date, reason: str = "当天有培训", at=NOW) -> Visit:
    return propose_date(
        participation=part_of(visit, code), on=on, reason=reason, actor=cast.actor(f"{code}.head"), at=at
    )


def test_a_proposal_moves_the_visit_and_asks_the_others_again(cast: Cast) -> None:
    given_teams(cast)
    visit = given_visit(cast, "scjg", "xfjy", "wsjk")
    confirm(cast, part_of(visit, "xfjy"))
    later = NOW + timedelta(days=1)
    moved = _propose(cast, visit, "scjg", VISIT_DAY + timedelta(days=2), at=later)
    assert (moved.on, moved.revision, moved.status) == (VISIT_DAY + timedelta(days=2), 2, "offered")
    assert moved.answer_by == moment(TODAY + timedelta(days=4), 18)
    answers = {part.department.code: part for part in visit.participations.select_related("department")}
    assert {code: part.answer for code, part in answers.items()} == {
        "scjg": "confirmed",
        "xfjy": "pending",
        "wsjk": "pending",
    }
    assert answers["scjg"].proposed_from == VISIT_DAY and answers["xfjy"].asked_at == later
    row = visit.replans.get()
    assert row.cause == "moved" and len(row.moves) == 3
    told = set(Notice.objects.filter(key__startswith="inspections.moved").values_list("recipient__username", flat=True))
    assert told == {"xfjy.head", "wsjk.head"}
    for code in ("xfjy", "wsjk"):
        confirm(cast, part_of(visit, code), at=later)
    moved.refresh_from_db()
    assert moved.status == "confirmed"


def test_the_only_department_that_moves_its_visit_has_thereby_confirmed_it(cast: Cast) -> None:
    given_teams(cast)
    visit = given_visit(cast, "scjg")
    assert _propose(cast, visit, "scjg", VISIT_DAY + timedelta(days=1)).status == "confirmed"


def test_only_days_on_which_everybody_can_come_are_possible(cast: Cast) -> None:
    given_teams(cast, "scjg", minutes=90)
    given_teams(cast, "xfjy", weekdays="135")
    door = given_premises(cast, door={"closed_weekdays": "5"})
    visit = given_visit(cast, "scjg", "xfjy", premises=door)
    wednesday = VISIT_DAY + timedelta(days=2)
    given_visit(cast, "scjg", on=wednesday, status="confirmed")  # 60 of 90 minutes are gone
    record_absence(
        department=cast["xfjy"],
        starts_on=VISIT_DAY + timedelta(days=7),
        ends_on=VISIT_DAY + timedelta(days=7),
        teams=1,
        reason="集训",
        actor=cast.actor("xfjy.planner"),
        at=NOW,
    )
    options = {option.on: option for option in dates_for(visit, at=NOW)}
    assert min(options) == TODAY + timedelta(days=8) and max(options) == TODAY + timedelta(days=38)
    why = {day: options[day].refusal for day in options}
    assert why[VISIT_DAY] == "就是现在的日期。"
    assert "没有力量" in why[VISIT_DAY + timedelta(days=1)]  # Tuesday: 消防 does not work
    assert "已排满" in why[wednesday]
    assert "休息" in why[VISIT_DAY + timedelta(days=4)]  # Friday: the door rests
    assert "没有力量" in why[VISIT_DAY + timedelta(days=7)]  # the Monday after: absence
    possible = [day for day, refusal in why.items() if not refusal]
    assert possible and all(day.isoweekday() in {1, 3} for day in possible)
    best = options[VISIT_DAY + timedelta(days=9)]
    assert {room.department.code: (room.needed, room.free, room.open) for room in best.rooms} == {
        "scjg": (60, 90, 90),
        "xfjy": (60, 360, 360),
    }
    assert best.load_percent == 66
    for day in (
        VISIT_DAY + timedelta(days=1),
        wednesday,
        VISIT_DAY + timedelta(days=4),
        VISIT_DAY + timedelta(days=60),
    ):
        with pytest.raises(Refused):
            _propose(cast, visit, "scjg", day)
    visit.refresh_from_db()
    assert (visit.on, visit.revision) == (VISIT_DAY, 1)


def test_nobody_is_moved_back_to_a_day_they_asked_to_leave(cast: Cast) -> None:
    given_teams(cast)
    visit = given_visit(cast, "scjg", "xfjy")
    _propose(cast, visit, "scjg", VISIT_DAY + timedelta(days=1))
    with pytest.raises(Refused, match="不便"):
        _propose(cast, visit, "xfjy", VISIT_DAY)


def test_an_urgent_check_is_not_put_off(cast: Cast) -> None:
    given_teams(cast)
    visit = given_visit(cast, "xfjy", "scjg", urgent=["xfjy"], on=TODAY + timedelta(days=8))
    options = {option.on: option for option in dates_for(visit, at=NOW)}
    late = options[TODAY + timedelta(days=11)]
    assert late.rule == "inspections.urgent_open_days" and "不得推迟" in late.refusal
    with pytest.raises(Refused, match="不得推迟"):
        _propose(cast, visit, "xfjy", late.on)


def test_a_confirmed_visit_is_not_moved_by_one_department(cast: Cast) -> None:
    given_teams(cast)
    visit = given_visit(cast, "scjg", "xfjy", status="confirmed")
    with pytest.raises(Refused, match="不参加"):
        _propose(cast, visit, "scjg", VISIT_DAY + timedelta(days=1))


def test_a_proposal_needs_a_reason_and_an_unanswered_part(cast: Cast) -> None:
    given_teams(cast)
    visit = given_visit(cast, "scjg", "xfjy")
    with pytest.raises(Refused, match="理由"):
        _propose(cast, visit, "scjg", VISIT_DAY + timedelta(days=1), reason=" ")
    confirm(cast, part_of(visit, "scjg"))
    with pytest.raises(Refused):
        _propose(cast, visit, "scjg", VISIT_DAY + timedelta(days=1))
    assert Participation.objects.filter(proposed_from__isnull=False).count() == 0


def test_the_day_is_reached_only_once(cast: Cast) -> None:
    """A part answered on the last evening still goes on; the day after its visit nothing can be confirmed into it."""
    visit = given_visit(cast, "scjg", "xfjy", status="confirmed")
    arrive(cast, visit, "scjg")
    visit.refresh_from_db()
    assert visit.status == "under_way" and visit.started_at == moment(VISIT_DAY, 9, 30)
