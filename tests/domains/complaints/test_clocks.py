"""Clocks in the database: the ticker alone warns, escalates and marks what is over time; calendar and rules move what is open."""

from datetime import date, datetime, timedelta

import pytest

from tests.builders.cast import NOW
from tests.builders.complaints import Desk
from xiezhi.domains.complaints import rules
from xiezhi.domains.complaints.models import Application, Case, Clock, ClockRevision
from xiezhi.domains.complaints.services import applications, clocks, deciding, linking, malls
from xiezhi.domains.complaints.words import CaseStatus, ClockKind, Kind
from xiezhi.foundation.access.actors import PermissionRefused
from xiezhi.foundation.calendar.models import CalendarYear, SpecialDay
from xiezhi.foundation.jobs import periodic
from xiezhi.foundation.notices.models import Notice
from xiezhi.foundation.rules.registry import Confidence, Source
from xiezhi.foundation.rules.services import change_rule
from xiezhi.foundation.workflow.errors import Refused


def told(since: datetime) -> set[tuple[str, str]]:
    """Who was told what kind of thing since a moment, as (login name, key's last word but the due date)."""
    found = Notice.objects.filter(sent_at__gte=since, key__startswith="complaints.clock").select_related("recipient")
    return {(each.recipient.username, each.key.split(":")[2]) for each in found}


def tick(moment: datetime) -> set[tuple[str, str]]:
    """The ticker at a moment, and what it told whom."""
    periodic.run_due(at=moment)
    return told(moment)


def test_the_ladder_is_climbed_by_the_ticker_alone(desk: Desk) -> None:
    case = desk.case(CaseStatus.HANDLING, kind=Kind.HELP, tier="24h")
    start = NOW + timedelta(hours=3)
    assert tick(start) == set()
    assert tick(NOW + timedelta(hours=16)) == {("officer", "officer")}
    assert tick(NOW + timedelta(hours=17)) == set()
    assert tick(NOW + timedelta(hours=22)) == {("scjg.head", "head")}
    assert ("dispatcher", "supervisor") in tick(NOW + timedelta(hours=24))
    clock = Clock.objects.get(case=case)
    assert clock.breached_at is None
    tick(NOW + timedelta(hours=24, minutes=1))
    clock.refresh_from_db()
    assert clock.breached_at == clock.due_at == NOW + timedelta(hours=24)
    assert case.events.filter(kind="breached").count() == 1
    assert tick(NOW + timedelta(days=3)) == set()


def test_a_ticker_that_was_away_tells_every_step_once(desk: Desk) -> None:
    desk.case(CaseStatus.HANDLING, kind=Kind.HELP, tier="2h")
    late = NOW + timedelta(days=2)
    assert {step for _who, step in tick(late)} == {"officer", "head", "supervisor"}
    assert tick(late + timedelta(minutes=2)) == set()


def test_the_mall_has_a_day_and_is_reminded_first(desk: Desk) -> None:
    asked = desk.asked_mall()
    assert asked.due_at == NOW + timedelta(hours=24)
    assert ("mall", "officer") in tick(NOW + timedelta(hours=16))
    malls.answer_mall(request=asked, answer="演示：已退款", actor=desk.mall_manager, at=NOW + timedelta(hours=25))
    clock = Clock.objects.get(kind=ClockKind.MALL)
    assert clock.met_at and clock.breached_at == asked.due_at
    report = desk.case(CaseStatus.HANDLING, kind=Kind.REPORT, mall=desk.mall)
    with pytest.raises(Refused, match="第三十七条"):
        malls.ask_mall(case=report, told="演示", actor=desk.officer, at=NOW)


def test_a_new_years_notice_moves_open_clocks_and_keeps_what_they_said(desk: Desk) -> None:
    at = datetime(2026, 12, 28, 10, tzinfo=NOW.tzinfo)
    case = desk.case(at=at, tier="7d")
    decide = Clock.objects.get(case=case, kind=ClockKind.DECIDE)
    assert decide.provisional and decide.due_at and decide.due_at.date() == date(2027, 1, 6)
    CalendarYear.objects.create(year=2027, notice="演示通知")
    SpecialDay.objects.create(year_id=2027, day=date(2027, 1, 1), kind="holiday", name="元旦")
    assert clocks.recompute_clocks(at=at) >= 1
    decide.refresh_from_db()
    assert not decide.provisional and decide.due_at and decide.due_at.date() == date(2027, 1, 7)
    revision = ClockRevision.objects.get(clock=decide)
    assert revision.why == "calendar" and revision.was_provisional
    assert clocks.recompute_clocks(at=at) == 0


def test_a_changed_rule_moves_what_started_under_it(desk: Desk) -> None:
    case = desk.case(at=NOW + timedelta(days=10))
    before = Clock.objects.get(case=case, kind=ClockKind.DECIDE)
    change_rule(
        key=rules.DECIDE_WORKDAYS.key, value=5, effective_from=(NOW + timedelta(days=5)).date(), source=Source(),
        confidence=Confidence.WORKING_DEFAULT, actor=desk.cast.actor("administrator"), at=NOW,
    )  # fmt: skip
    clocks.recompute_clocks(at=NOW + timedelta(days=10))
    after = Clock.objects.get(pk=before.pk)
    assert (before.length, after.length) == (7, 5) and after.rule_version_id != before.rule_version_id
    assert ClockRevision.objects.get(clock=after).why == "rule"


def test_a_clue_takes_longer_only_with_somebody_elses_approval(desk: Desk) -> None:
    case = desk.case(CaseStatus.MEDIATING)
    clue = deciding.note_clue(case=case, text="演示：进货无票", found_at=NOW, actor=desk.officer, at=NOW)
    clock = Clock.objects.get(kind=ClockKind.CLUE)
    before = clock.due_at
    asked = applications.apply_for(case=case, purpose="extend", reason="案情复杂", actor=desk.officer, at=NOW)
    for actor in (desk.officer, desk.dispatcher):
        with pytest.raises(PermissionRefused):
            applications.decide_application(application=asked, granted=True, note="", actor=actor, at=NOW)
    applications.decide_application(application=asked, granted=True, note="", actor=desk.head, at=NOW)
    clock.refresh_from_db()
    assert clock.extra == 15 and clock.due_at and before and clock.due_at > before
    with pytest.raises(Refused, match="一次"):
        applications.apply_for(case=case, purpose="extend", reason="再延", actor=desk.officer, at=NOW)
    deciding.verify_clue(clue=clue, result="查否", actor=desk.officer, at=NOW)
    clock.refresh_from_db()
    assert clock.met_at and Application.objects.get().granted


def test_a_supplement_to_a_report_begins_its_period_again(desk: Desk) -> None:
    first = desk.case(kind=Kind.REPORT)
    later = NOW + timedelta(days=6)
    more = desk.case(kind=Kind.REPORT, at=later)
    linking.merge_case(case=more, into=first, supplements=True, actor=desk.dispatcher, at=later)
    old, new = Clock.objects.filter(case=first, kind=ClockKind.REPORT).order_by("pk")
    assert old.dropped_at and new.started_at == later and old.due_at and new.due_at and new.due_at > old.due_at
    assert Case.objects.get(pk=first.pk).next_due_at
