"""受理、鉴定、终止: what Order 121 asks of a complaint between receipt and the end of mediation."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from xiezhi.domains.complaints.models import Appraisal, Case, Clue
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.services import clocks
from xiezhi.domains.complaints.services.story import tell
from xiezhi.domains.complaints.texts import clean
from xiezhi.domains.complaints.words import (
    ClockKind,
    EndGround,
    Outcome,
    RefusalGround,
    article_of,
)
from xiezhi.domains.complaints.workflow import CASE, own_unit
from xiezhi.foundation.access.actors import Actor, PermissionRefused
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.workflow.errors import Refused
from xiezhi.foundation.workflow.services import advance


def _refuse_strangers(case: Case, actor: Actor) -> None:
    if not actor.can(May.HANDLE) or not own_unit(case, actor):
        raise PermissionRefused(_("只有承办单位可以办理这个诉求。"))


@transaction.atomic
def accept_complaint(*, case: Case, actor: Actor, at: datetime, seen_status: str | None = None) -> Case:
    """受理 (art. 15): the decision's period is met and the mediation's begins."""
    case = advance(CASE, case, "accept", actor=actor, at=at, seen_status=seen_status)
    clocks.meet_clocks(case, ClockKind.DECIDE, at=at)
    clocks.start_clock(case, ClockKind.MEDIATE, started_at=at, at=at)
    tell(case, "accepted", _("受理投诉（第十五条）"), actor=actor, at=at, public=True)
    return case


@transaction.atomic
def refuse_complaint(
    *, case: Case, ground: str, reason: str, actor: Actor, at: datetime, seen_status: str | None = None
) -> Case:
    """不予受理 on one of the seven grounds of art. 16, with the facts in words. A person decides; no hint does (art. 17).

    Raises Refused for another ground or without facts. The decision's period is met when the person is told (`reply_case`).
    """
    if ground not in RefusalGround.values:
        raise Refused(_("请从第十六条的七种情形里选一种。"))
    case = advance(
        CASE, case, "refuse", actor=actor, at=at, reason=reason, seen_status=seen_status, ground=ground,
        changes={"refusal_ground": ground, "decision_reason": clean(reason)[:1000], "outcome": Outcome.REFUSED},
    )  # fmt: skip
    title = _("不予受理：%(article)s") % {"article": article_of(ground)}
    tell(case, "refused", title, actor=actor, at=at, text=case.decision_reason, public=True)
    return case


@transaction.atomic
def start_appraisal(
    *,
    case: Case,
    item: str,
    actor: Actor,
    at: datetime,
    institution: str = "",
    designated: bool = False,
    seen_status: str | None = None,
) -> Appraisal:
    """送鉴定、检测: its time does not count for the mediation (art. 22). Raises Refused without saying what is examined."""
    if not clean(item):
        raise Refused(_("请写明鉴定检测事项。"))
    case = advance(CASE, case, "suspend", actor=actor, at=at, seen_status=seen_status)
    appraisal = Appraisal.objects.create(
        case=case, item=clean(item)[:200], institution=clean(institution)[:120], designated=designated, started_at=at
    )
    clocks.revise_clocks(case, clocks.Why.PAUSE, at=at, kinds=[ClockKind.MEDIATE])
    tell(
        case,
        "appraisal",
        _("送鉴定检测，调解期限暂停（第二十二条）"),
        actor=actor,
        at=at,
        text=appraisal.item,
        public=True,
    )
    return appraisal


@transaction.atomic
def end_appraisal(*, case: Case, result: str, actor: Actor, at: datetime, seen_status: str | None = None) -> Case:
    """The appraisal is over; the mediation's period goes on. Raises Refused without a result in words."""
    if not clean(result):
        raise Refused(_("请写明鉴定检测结论，没有结论的写明原因。"))
    case = advance(CASE, case, "resume", actor=actor, at=at, seen_status=seen_status)
    _close_appraisal(case, clean(result), at)
    tell(case, "appraised", _("鉴定检测结束，调解期限继续"), actor=actor, at=at, text=clean(result), public=True)
    return case


def _close_appraisal(case: Case, result: str, at: datetime) -> None:
    Appraisal.objects.filter(case=case, ended_at=None).update(ended_at=at, result=result[:1000])
    clocks.revise_clocks(case, clocks.Why.PAUSE, at=at, kinds=[ClockKind.MEDIATE])


@transaction.atomic
def terminate_mediation(
    *, case: Case, ground: str, reason: str, actor: Actor, at: datetime, seen_status: str | None = None
) -> Case:
    """终止调解 on one of the eight grounds of art. 23; both sides are to be told within the period that begins now.

    Raises Refused for another ground, without facts, or for the sixty days (23-5) before they are over.
    """
    if ground not in EndGround.values:
        raise Refused(_("请从第二十三条的八种情形里选一种。"))
    period = case.clocks.filter(kind=ClockKind.MEDIATE, met_at=None, dropped_at=None).first()
    if ground == EndGround.SIXTY_DAYS and period and (period.due_at is None or period.due_at > at):
        raise Refused(_("调解期限还没有届满，不能以“六十日内未能达成一致”终止。"))
    case = advance(
        CASE, case, "terminate", actor=actor, at=at, reason=reason, seen_status=seen_status, ground=ground,
        changes={"end_ground": ground, "decision_reason": clean(reason)[:1000], "outcome": Outcome.TERMINATED},
    )  # fmt: skip
    _close_appraisal(case, _("调解终止"), at)
    if ground == EndGround.SIXTY_DAYS and period and period.due_at:
        clocks.meet_clocks(case, ClockKind.MEDIATE, at=period.due_at)  # ending it then is what the law asks for
    else:
        clocks.meet_clocks(case, ClockKind.MEDIATE, at=at)
    clocks.start_clock(case, ClockKind.TELL_END, started_at=at, at=at)
    title = _("终止调解：%(article)s") % {"article": article_of(ground)}
    tell(case, "terminated", title, actor=actor, at=at, text=case.decision_reason, public=True)
    return case


@transaction.atomic
def note_clue(*, case: Case, text: str, found_at: datetime, actor: Actor, at: datetime) -> Clue:
    """A clue to a violation was found while handling: it is verified within its own period from discovery (art. 27)."""
    _refuse_strangers(case, actor)
    if not clean(text):
        raise Refused(_("请写明线索内容。"))
    if found_at > at:
        raise Refused(_("发现时间晚于现在，请改正。"))
    clue = Clue.objects.create(case=case, text=clean(text)[:1000], found_at=found_at)
    clocks.start_clock(case, ClockKind.CLUE, started_at=found_at, at=at, about=f"clue:{clue.pk}")
    tell(case, "clue", _("发现违法线索，限期核查（第二十七条）"), actor=actor, at=at, text=clue.text)
    record("complaints.case.clue", case, actor=actor, at=at, clue=clue.pk)
    return clue


@transaction.atomic
def verify_clue(*, clue: Clue, result: str, actor: Actor, at: datetime) -> Clue:
    """Say what verifying a clue found. Raises Refused without a result or where it was verified already."""
    _refuse_strangers(clue.case, actor)
    clue = Clue.objects.select_for_update(of=("self",)).select_related("case").get(pk=clue.pk)
    if clue.verified_at:
        raise Refused(_("这条线索已经核查。"))
    if not clean(result):
        raise Refused(_("请写明核查结果。"))
    clue.result, clue.verified_at = clean(result)[:1000], at
    clue.save(update_fields=["result", "verified_at"])
    clocks.meet_clocks(clue.case, ClockKind.CLUE, at=at, about=f"clue:{clue.pk}")
    tell(clue.case, "clue_verified", _("线索核查完毕"), actor=actor, at=at, text=clue.result)
    record("complaints.case.clue_verified", clue.case, actor=actor, at=at, clue=clue.pk)
    return clue


@transaction.atomic
def note_jurisdiction_dispute(*, case: Case, text: str, actor: Actor, at: datetime) -> Case:
    """Another bureau claims or declines the case: agree within the period, else the common superior decides (art. 33)."""
    _refuse_strangers(case, actor)
    clocks.start_clock(case, ClockKind.JURISDICTION, started_at=at, at=at)
    tell(case, "jurisdiction", _("管辖争议，开始协商（第三十三条）"), actor=actor, at=at, text=clean(text))
    record("complaints.case.jurisdiction", case, actor=actor, at=at)
    return case


@transaction.atomic
def settle_jurisdiction(*, case: Case, text: str, actor: Actor, at: datetime) -> Case:
    """The dispute over jurisdiction is over."""
    _refuse_strangers(case, actor)
    if not clocks.meet_clocks(case, ClockKind.JURISDICTION, at=at):
        raise Refused(_("没有正在协商的管辖争议。"))
    tell(case, "jurisdiction_settled", _("管辖争议已解决"), actor=actor, at=at, text=clean(text))
    record("complaints.case.jurisdiction_settled", case, actor=actor, at=at)
    return case
