"""A case from receipt to its end, with every clock on the way."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.builders.cast import FOUNDER, NOW
from tests.builders.complaints import Desk
from xiezhi.domains.complaints.models import Case, Clock, ClockRevision
from xiezhi.domains.complaints.services import deciding, dispatching, intake, linking, people, replying, templates
from xiezhi.domains.complaints.services.intake import Matter, Numbered
from xiezhi.domains.complaints.words import CaseStatus, ClockKind, Kind
from xiezhi.foundation.access.actors import PermissionRefused
from xiezhi.foundation.access.models import Membership
from xiezhi.foundation.access.services import appoint, open_account
from xiezhi.foundation.access.services.handover import hand_over, hanging_on
from xiezhi.foundation.workflow.errors import Refused

ZONE = ZoneInfo("Asia/Shanghai")


def clock(case: Case, kind: str) -> Clock:
    return Clock.objects.get(case=case, kind=kind, dropped_at=None)


def local(moment: datetime | None) -> str:
    assert moment is not None
    return moment.astimezone(ZONE).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    "status", [each for each in CaseStatus if each != CaseStatus.MERGED and each != CaseStatus.CONCLUDED]
)
def test_every_state_can_be_reached(desk: Desk, status: str) -> None:
    assert desk.case(status).status == status


def test_the_hotline_and_order_121_run_side_by_side(desk: Desk) -> None:
    case = desk.case(CaseStatus.HANDLING, tier="24h")
    assert local(clock(case, ClockKind.TIER).due_at) == "2026-11-24 09:00"
    assert local(clock(case, ClockKind.DECIDE).due_at) == "2026-12-02 23:59"
    case = deciding.accept_complaint(case=case, actor=desk.officer, at=NOW + timedelta(days=1))
    assert clock(case, ClockKind.DECIDE).met_at
    mediation = clock(case, ClockKind.MEDIATE)
    assert local(mediation.due_at) == "2027-01-23 23:59" and mediation.provisional
    assert case.next_due_at == clock(case, ClockKind.TIER).due_at


def test_an_appraisal_pauses_the_mediation_and_keeps_the_old_date(desk: Desk) -> None:
    case = desk.case(CaseStatus.APPRAISAL)
    mediation = clock(case, ClockKind.MEDIATE)
    assert mediation.due_at is None
    ended = NOW + timedelta(days=10)
    case = deciding.end_appraisal(case=case, result="演示结论", actor=desk.officer, at=ended)
    mediation.refresh_from_db()
    assert local(mediation.due_at) == "2027-01-31 23:59"
    kept = ClockRevision.objects.filter(clock=mediation).order_by("pk")
    assert [each.why for each in kept] == ["pause", "pause"]
    assert local(kept[0].old_due_at) == "2027-01-22 23:59" and kept[0].new_due_at is None


def test_first_receiver_stays_and_only_the_dispatcher_moves_a_case(desk: Desk) -> None:
    case = desk.case(CaseStatus.DISPATCHED)
    request = desk.ask_return(case, target=desk.cast["xfjy"])
    with pytest.raises(PermissionRefused):
        dispatching.decide_return(request=request, allowed=True, note="", actor=desk.officer, at=NOW)
    case = dispatching.decide_return(
        request=request, allowed=True, note="", unit=desk.cast["xfjy"], actor=desk.dispatcher, at=NOW
    )
    assert (case.unit, case.first_receiver) == (desk.cast["xfjy"], desk.unit)
    assert not Case.objects.visible_to(desk.officer).filter(pk=case.pk).exists()
    assert Case.objects.visible_to(desk.helper).filter(pk=case.pk).exists()
    with pytest.raises(Refused, match="依据"):
        dispatching.ask_return(case=case, reason_code="no_power", basis=" ", target=None, actor=desk.helper, at=NOW)


def test_a_tier_is_changed_without_rewriting_what_was(desk: Desk) -> None:
    case = desk.case(tier="7d")
    before = clock(case, ClockKind.TIER).due_at
    case = dispatching.change_tier(case=case, tier="2h", reason="演示：有人受伤", actor=desk.dispatcher, at=NOW)
    assert local(clock(case, ClockKind.TIER).due_at) == "2026-11-23 11:00"
    assert ClockRevision.objects.get(clock__case=case).old_due_at == before
    assert [each.tier for each in case.tier_changes.order_by("pk")] == ["7d", "2h"]


def test_a_complaint_is_answered_only_after_a_decision(desk: Desk) -> None:
    case = desk.case(CaseStatus.HANDLING)
    with pytest.raises(Refused, match="先决定"):
        replying.reply_case(case=case, text="演示", outcome="answered", actor=desk.officer, at=NOW)
    with pytest.raises(Refused, match="七种"):
        deciding.refuse_complaint(case=case, ground="17-1", reason="演示", actor=desk.officer, at=NOW)
    case = deciding.refuse_complaint(case=case, ground="16-4", reason="2022 年购买", actor=desk.officer, at=NOW)
    template = next(each for each in templates.templates_for(case) if each.code == "refused")
    text = templates.filled(template, case)
    assert "第十六条第（四）项" in text and "2022 年购买" in text and "第三十九条" in text
    replying.reply_case(case=case, text=text, template=template, actor=desk.officer, at=NOW + timedelta(days=20))
    late = Clock.objects.get(case=case, kind=ClockKind.DECIDE)
    assert late.met_at and late.breached_at == late.due_at


def test_a_lead_becomes_a_case_with_its_number_and_the_clock_runs_from_there(desk: Desk) -> None:
    lead = desk.case(CaseStatus.LEAD)
    assert not lead.clocks.exists() and lead.registered_at is None
    there = NOW + timedelta(hours=5)
    with pytest.raises(Refused, match="编号"):
        intake.register_lead(
            case=lead, number=Numbered("12315", " "), received_there_at=NOW, actor=desk.dispatcher, at=there
        )
    case = intake.register_lead(
        case=lead, number=Numbered("12315", "YS-1"), received_there_at=there, actor=desk.dispatcher, at=there
    )
    assert case.received_at == there and clock(case, ClockKind.DECIDE).started_at == there
    with pytest.raises(Refused, match=case.number):
        desk.case(number="YS-1", channel="12315") if False else intake.record_number(
            case=desk.case(), number=Numbered("12315", "YS-1"), actor=desk.dispatcher, at=there
        )


def test_mixed_material_is_two_cases_with_two_clocks(desk: Desk) -> None:
    case = desk.case()
    report = intake.split_case(
        case=case, report=Matter(kind=Kind.REPORT, description="演示：商家售卖假货"), actor=desk.dispatcher, at=NOW
    )
    assert report.split_from == case and report.is_confidential
    assert clock(report, ClockKind.REPORT) and clock(case, ClockKind.DECIDE)
    with pytest.raises(Refused):
        linking.merge_case(case=report, into=case, supplements=False, actor=desk.dispatcher, at=NOW)


def test_a_repeat_keeps_one_clock_and_both_arrivals(desk: Desk) -> None:
    first, second = desk.case(), desk.case(received_at=NOW)
    second = linking.merge_case(case=second, into=first, supplements=False, actor=desk.dispatcher, at=NOW)
    assert second.status == CaseStatus.MERGED and second.duplicate_of == first
    assert not second.clocks.filter(dropped_at=None).exists() and first.clocks.filter(dropped_at=None).exists()


def test_reopening_leaves_the_old_case_as_it_was(desk: Desk) -> None:
    case = desk.case(CaseStatus.CLOSED)
    again = replying.reopen_case(case=case, reason="演示：没有解决", actor=desk.dispatcher, at=NOW + timedelta(days=3))
    case.refresh_from_db()
    assert case.status == CaseStatus.CLOSED and again.reopened_from == case
    assert again.parties.get().phone == case.parties.get().phone
    with pytest.raises(Refused, match=again.number):
        replying.reopen_case(case=case, reason="演示", actor=desk.dispatcher, at=NOW + timedelta(days=3))


def test_who_complained_is_opened_with_a_purpose_and_leaves_a_trace(desk: Desk) -> None:
    report = desk.case(kind=Kind.REPORT)
    party = report.parties.get()
    for actor in (desk.officer, desk.head, desk.mall_manager, desk.cast.actor("supervisor")):
        with pytest.raises(PermissionRefused):
            people.open_party(party=party, purpose="核实", actor=actor, at=NOW)
    with pytest.raises(Refused, match="用途"):
        people.open_party(party=party, purpose=" ", actor=desk.dispatcher, at=NOW)
    report = desk.bring(report, CaseStatus.HANDLING)
    party = report.parties.get()
    opened = people.open_party(party=party, purpose="联系核实", actor=desk.officer, at=NOW)
    assert opened.by_id == desk.officer.user_id


def test_the_open_cases_of_an_officer_who_leaves_go_to_a_colleague(desk: Desk) -> None:
    open_case, ended = desk.case(CaseStatus.HANDLING), desk.case(CaseStatus.CLOSED)
    leaver = desk.cast.people["officer"]
    (cases,) = (each for each in hanging_on(leaver, at=NOW) if each.kind.key == "complaints")
    assert [thing.title for thing in cases.things] == [str(open_case)]
    leave = {"user": leaver, "last_day": NOW.date(), "close": False, "reason": "调离", "actor": FOUNDER, "at": NOW}
    helper = Membership.objects.get(user=desk.cast.people["helper"])
    with pytest.raises(Refused, match="承办单位"):
        hand_over(to=helper, **leave)
    user = open_account(username="next", display_name="演示 next", password=None, actor=FOUNDER, at=NOW)
    there = {"organisation": desk.unit, "role": "complaint_officer", "starts_on": NOW.date()}
    hand_over(to=appoint(user=user, **there, actor=FOUNDER, at=NOW), **leave)
    assert Case.objects.get(pk=open_case.pk).officer == user
    assert Case.objects.get(pk=ended.pk).officer == leaver, "what is closed keeps its officer"


def test_a_lead_that_was_taken_for_something_else_until_it_has_a_number(desk: Desk) -> None:
    lead = desk.case(CaseStatus.LEAD)
    with pytest.raises(Refused, match="理由"):
        intake.change_kind(case=lead, kind=Kind.REPORT, reason=" ", actor=desk.dispatcher, at=NOW)
    with pytest.raises(PermissionRefused):
        intake.change_kind(case=lead, kind=Kind.REPORT, reason="演示", actor=desk.mall_manager, at=NOW)
    changed = intake.change_kind(case=lead, kind=Kind.REPORT, reason="来信是举报", actor=desk.dispatcher, at=NOW)
    assert changed.is_confidential and changed.events.last().title == "类型由投诉改为举报"
    with pytest.raises(Refused, match="线索"):
        intake.change_kind(case=desk.case(), kind=Kind.HELP, reason="演示", actor=desk.dispatcher, at=NOW)
