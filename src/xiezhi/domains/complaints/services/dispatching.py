"""派单: to whom, back again, and who helps. The first receiver leads (首接负责); only the dispatcher moves a case (art. 41)."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from xiezhi.domains.complaints.models import Case, CoHandler, ReturnRequest, TierChange
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.services import clocks, suggesting
from xiezhi.domains.complaints.services.reckoning import Reckoning, return_policy
from xiezhi.domains.complaints.services.story import tell
from xiezhi.domains.complaints.texts import clean
from xiezhi.domains.complaints.words import CaseStatus, ClockKind, ReturnReason, Tier
from xiezhi.domains.complaints.workflow import CASE, own_unit
from xiezhi.foundation.access.actors import Actor, PermissionRefused
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.notices.models import Notice
from xiezhi.foundation.notices.services import notify, people_holding
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.workflow.errors import Refused
from xiezhi.foundation.workflow.services import advance, why_not

UNITS = frozenset({Organisation.Kind.DEPARTMENT.value, Organisation.Kind.STATION.value})


@transaction.atomic
def dispatch_case(
    *,
    case: Case,
    unit: Organisation,
    actor: Actor,
    at: datetime,
    co_handlers: Sequence[Organisation] = (),
    note: str = "",
    seen_status: str | None = None,
) -> Case:
    """Give a registered case to the unit that leads it; its first unit stays its first receiver for good. Raises Refused for a body that
    handles no cases, or a co-handler that is the unit itself."""
    _refuse_no_unit(unit)
    case = _dispatch(case, unit, note, seen_status, actor=actor, at=at)
    _tell_unit(case, unit, at=at)
    for each in co_handlers:
        add_co_handler(case=case, unit=each, note=note or _("请协助办理"), actor=actor, at=at)
    return case


def _dispatch(
    case: Case, unit: Organisation, note: str, seen_status: str | None, *, actor: Actor, at: datetime
) -> Case:
    changes = {"unit": unit, "unit_department_id": unit.department_id, "officer": None}
    if case.first_receiver_id is None:
        changes["first_receiver"] = unit
    case = advance(CASE, case, "dispatch", actor=actor, at=at, seen_status=seen_status, changes=changes, unit=unit.code)
    tell(case, "dispatched", _("派给%(unit)s") % {"unit": unit}, actor=actor, at=at, text=note.strip(), public=True)
    suggesting.settle(case, actor=actor, at=at)
    return case


@transaction.atomic
def dispatch_together(*, cases: Sequence[Case], unit: Organisation, actor: Actor, at: datetime, note: str = "") -> int:
    """Give many registered cases to one unit, all or none; its people hear of it once. Returns how many. Raises Refused, naming them, for
    cases that cannot be dispatched now."""
    _refuse_no_unit(unit)
    stopped = [
        f"{case.number}{_('：')}{why}" for case in cases if (why := why_not(CASE, case, CASE["dispatch"], actor))
    ]
    if stopped:
        raise Refused(_("有 %(n)s 件现在不能派单：%(which)s") % {"n": len(stopped), "which": " ".join(stopped[:10])})
    for case in sorted(cases, key=lambda each: each.pk):
        _dispatch(case, unit, note, case.status, actor=actor, at=at)
    people = people_holding(May.HANDLE, organisation_ids=[unit.pk], at=at)
    if cases:
        notify(
            people, key=f"complaints.dispatched:{cases[0].pk}:{at.isoformat()}", at=at, level=Notice.Level.REMINDER,
            title=ngettext("新派来 %(n)s 件诉求", "新派来 %(n)s 件诉求", len(cases)) % {"n": len(cases)},
            link=f"{reverse('complaints:cases')}?status=dispatched",
        )  # fmt: skip
    return len(cases)


def _refuse_no_unit(unit: Organisation) -> None:
    if unit.kind not in UNITS:
        raise Refused(_("“%(unit)s”不是承办单位，请选择部门或者所。") % {"unit": unit})


def _tell_unit(case: Case, unit: Organisation, *, at: datetime) -> None:
    people = people_holding(May.HANDLE, organisation_ids=[unit.pk], at=at)
    notify(
        people,
        key=f"complaints.dispatched:{case.pk}:{at.isoformat()}",
        title=_("新派来的%(kind)s %(number)s：%(title)s")
        % {"kind": case.get_kind_display(), "number": case.number, "title": case.title},
        at=at,
        link=reverse("complaints:case", args=[case.pk]),
        level=Notice.Level.REMINDER,
    )


@transaction.atomic
def redirect_case(
    *, case: Case, unit: Organisation, reason: str, actor: Actor, at: datetime, seen_status: str | None = None
) -> Case:
    """The dispatcher gives a case that nobody signed for to another unit. Clocks run on; the first receiver stays on record."""
    _refuse_no_unit(unit)
    if unit.pk == case.unit_id:
        raise Refused(_("这个诉求已经派给%(unit)s。") % {"unit": unit})
    changes = {"unit": unit, "unit_department_id": unit.department_id, "officer": None}
    case = advance(
        CASE,
        case,
        "redirect",
        actor=actor,
        at=at,
        reason=reason,
        seen_status=seen_status,
        changes=changes,
        unit=unit.code,
    )
    tell(case, "redirected", _("改派给%(unit)s") % {"unit": unit}, actor=actor, at=at, text=reason.strip())
    _tell_unit(case, unit, at=at)
    suggesting.settle(case, actor=actor, at=at)
    return case


@transaction.atomic
def sign_case(*, case: Case, actor: Actor, at: datetime, seen_status: str | None = None) -> Case:
    """The unit takes a case in hand; who signs is its officer (承办人)."""
    case = advance(
        CASE, case, "sign", actor=actor, at=at, seen_status=seen_status, changes={"officer_id": actor.user_id}
    )
    tell(case, "signed", _("签收"), actor=actor, at=at, public=True)
    return case


@transaction.atomic
def hand_over(*, case: Case, to_user_id: int, actor: Actor, at: datetime) -> Case:
    """Another person of the unit is the officer from now on. Raises Refused for somebody who does not handle cases there."""
    if not own_unit(case, actor) or not actor.can(May.HANDLE):
        raise PermissionRefused(_("只有承办单位可以更换承办人。"))
    if to_user_id not in people_holding(May.HANDLE, organisation_ids=[case.unit_id or 0], at=at):
        raise Refused(_("请选择本单位的承办人。"))
    case = Case.objects.select_for_update(of=("self",)).get(pk=case.pk)
    case.officer_id = to_user_id
    case.save(update_fields=["officer"])
    tell(case, "handed_over", _("更换承办人"), actor=actor, at=at)
    record("complaints.case.handed_over", case, actor=actor, at=at, to=to_user_id)
    return case


@transaction.atomic
def ask_return(
    *,
    case: Case,
    reason_code: str,
    basis: str,
    target: Organisation | None,
    actor: Actor,
    at: datetime,
    seen_status: str | None = None,
) -> ReturnRequest:
    """The unit asks to give a case back: why, by what basis, and whose it should be. It must not pass it on itself (art. 41).

    Raises Refused without a basis.
    """
    if not clean(basis):
        raise Refused(_("请写明退单依据，例如职责规定或者辖区划分。"))
    case = advance(CASE, case, "ask_return", actor=actor, at=at, seen_status=seen_status, code=reason_code)
    request = ReturnRequest.objects.create(
        case=case, unit_id=case.unit_id or 0, reason_code=ReturnReason(reason_code), basis=clean(basis)[:500], target=target,
        asked_by_id=actor.user_id or 0, asked_at=at,
    )  # fmt: skip
    clocks.revise_clocks(case, clocks.Why.PAUSE, at=at, kinds=[ClockKind.TIER])
    tell(
        case,
        "return_asked",
        _("申请退单：%(reason)s") % {"reason": request.get_reason_code_display()},
        actor=actor,
        at=at,
        text=request.basis,
    )
    notify(
        people_holding(May.DISPATCH, organisation_ids=None, at=at),
        key=f"complaints.return:{request.pk}",
        title=_("%(unit)s申请退单 %(number)s") % {"unit": request.unit, "number": case.number},
        at=at,
        link=reverse("complaints:case", args=[case.pk]),
        level=Notice.Level.REMINDER,
    )
    return request


@transaction.atomic
def decide_return(
    *,
    request: ReturnRequest,
    allowed: bool,
    note: str,
    actor: Actor,
    at: datetime,
    unit: Organisation | None = None,
) -> Case:
    """The dispatcher decides on a return. Allowed, the case goes to `unit` at once or waits for dispatch; refused, the unit goes on.

    What happens to the hotline's clock is the rule `return_clock`. Raises Refused where it was decided already, or refused without a reason.
    """
    request = ReturnRequest.objects.select_for_update(of=("self",)).select_related("case", "unit").get(pk=request.pk)
    if request.decided_at:
        raise Refused(_("这个退单申请已经审定。"))
    case = request.case
    if allowed:
        case = advance(CASE, case, "allow_return", actor=actor, at=at, unit=request.unit.code)
    else:
        changes = {} if case.signed_at else {"signed_at": at}
        case = advance(CASE, case, "refuse_return", actor=actor, at=at, reason=note, changes=changes)
    request.allowed, request.decided_by_id, request.decided_at = allowed, actor.user_id, at
    request.decision_note = clean(note)[:500]
    request.save(update_fields=["allowed", "decided_by", "decided_at", "decision_note"])
    title = _("同意退单") if allowed else _("不同意退单")
    tell(case, "return_decided", title, actor=actor, at=at, text=request.decision_note)
    notify(
        people_holding(May.HANDLE, organisation_ids=[request.unit_id], at=at),
        key=f"complaints.return_decided:{request.pk}",
        title=f"{title} {case.number}",
        body=request.decision_note,
        at=at,
        link=reverse("complaints:case", args=[case.pk]),
    )
    if allowed and return_policy(Reckoning(), case.received_at) == "restarts":
        clocks.restart_clock(case, ClockKind.TIER, started_at=at, at=at)
    else:
        clocks.revise_clocks(case, clocks.Why.PAUSE, at=at, kinds=[ClockKind.TIER])
    if allowed and unit:
        case = dispatch_case(case=case, unit=unit, actor=actor, at=at, note=note)
    return case


@transaction.atomic
def add_co_handler(*, case: Case, unit: Organisation, note: str, actor: Actor, at: datetime) -> CoHandler:
    """Ask another unit to help; who leads does not change. Asked by the dispatcher or the leading unit; again gives back the first asking."""
    if not actor.can(May.DISPATCH) and not (actor.can(May.HANDLE) and own_unit(case, actor)):
        raise PermissionRefused(_("只有派单员和承办单位可以请其他单位协办。"))
    _refuse_no_unit(unit)
    if unit.pk == case.unit_id:
        raise Refused(_("%(unit)s是承办单位，不需要再作协办。") % {"unit": unit})
    if not case.is_open:
        raise Refused(_("已经答复或者办结，不能再请协办。"))
    asked, new = CoHandler.objects.get_or_create(
        case=case, unit=unit, defaults={"note": clean(note)[:500] or _("请协助办理"), "asked_at": at}
    )
    if new:
        tell(case, "co_handler", _("请%(unit)s协办") % {"unit": unit}, actor=actor, at=at, text=asked.note)
        record("complaints.case.co_handler", case, actor=actor, at=at, unit=unit.code)
        _tell_unit(case, unit, at=at)
    return asked


@transaction.atomic
def answer_co_handling(*, asked: CoHandler, answer: str, actor: Actor, at: datetime) -> CoHandler:
    """The helping unit says what it found."""
    if actor.organisation_id != asked.unit_id or not actor.can(May.HANDLE):
        raise PermissionRefused(_("只有协办单位可以填写协办意见。"))
    if not clean(answer):
        raise Refused(_("请填写协办意见。"))
    asked.answer, asked.answered_at = clean(answer)[:2000], at
    asked.save(update_fields=["answer", "answered_at"])
    tell(asked.case, "co_answer", _("%(unit)s协办意见") % {"unit": asked.unit}, actor=actor, at=at, text=asked.answer)
    record("complaints.case.co_answer", asked.case, actor=actor, at=at)
    return asked


@transaction.atomic
def change_tier(*, case: Case, tier: str, reason: str, actor: Actor, at: datetime) -> Case:
    """Set another tier for the hotline's clock, with a reason. It still runs from receipt; earlier tiers and deadlines stay on record.

    Raises Refused without a reason, for the tier it has, or once answered.
    """
    actor.require(May.DISPATCH)
    case = Case.objects.select_for_update(of=("self",)).get(pk=case.pk)
    if not case.is_open or case.status == CaseStatus.LEAD:
        raise Refused(_("只有在办的诉求可以变更时限。"))
    if tier == case.tier:
        raise Refused(_("现在就是这一档时限。"))
    if not clean(reason):
        raise Refused(_("请写明变更时限的理由。"))
    before, case.tier = case.tier, Tier(tier).value
    case.save(update_fields=["tier"])
    TierChange.objects.create(case=case, tier=tier, reason=clean(reason)[:300], by_id=actor.user_id, at=at)
    clocks.revise_clocks(case, clocks.Why.TIER, at=at, kinds=[ClockKind.TIER])
    words = {"old": Tier(before).label if before else "—", "new": Tier(tier).label}
    tell(case, "tier", _("办理时限由%(old)s改为%(new)s") % words, actor=actor, at=at, text=clean(reason))
    record("complaints.case.tier", case, actor=actor, at=at, **{"from": before, "to": tier})
    return case
