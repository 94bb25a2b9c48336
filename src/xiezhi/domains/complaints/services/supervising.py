"""督办与提级: the ladder that the ticker climbs (承办人 → 负责人 → 督办), and what a supervisor asks."""

import logging
from datetime import datetime

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from xiezhi.domains.complaints.models import Case, Clock, MallRequest, Supervision
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.services.clocks import next_step
from xiezhi.domains.complaints.services.reckoning import STEPS, Reckoning
from xiezhi.domains.complaints.services.story import tell
from xiezhi.domains.complaints.texts import clean
from xiezhi.domains.complaints.words import ClockKind
from xiezhi.domains.complaints.workflow import own_unit
from xiezhi.foundation.access.actors import SYSTEM, Actor, PermissionRefused
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.notices.models import Notice
from xiezhi.foundation.notices.services import notify, people_holding
from xiezhi.foundation.ui import words
from xiezhi.foundation.workflow.errors import Refused

log = logging.getLogger(__name__)
PIECE = 500


def climb_ladders(*, at: datetime) -> int:
    """The ticker's: every open clock whose next step has come takes it, and what is over time is marked so. Returns how many clocks.

    Steps are remembered, so running twice, or late, tells nobody twice; a clock that fails is logged and holds up no other.
    """
    reckoning, done = Reckoning(), 0
    due = Clock.objects.filter(met_at=None, dropped_at=None, next_step_at__lte=at).order_by("next_step_at", "pk")
    for pk in list(due.values_list("pk", flat=True)[:PIECE]):
        try:
            done += _climb(pk, reckoning, at)
        except Exception:
            log.exception("the ladder of clock %s could not be climbed", pk)
    return done


@transaction.atomic
def _climb(pk: int, reckoning: Reckoning, at: datetime) -> int:
    clock = (
        Clock.objects.select_for_update(of=("self",))
        .select_related("case")
        .filter(pk=pk, met_at=None, dropped_at=None, next_step_at__lte=at)
        .first()
    )
    if clock is None:
        return 0
    moments = reckoning.ladder(clock, on=at)
    before = clock.step
    while clock.step < len(moments) and moments[clock.step] <= at:
        clock.step += 1
    if clock.due_at and clock.due_at < at and clock.breached_at is None:
        clock.breached_at = clock.due_at
        tell(clock.case, "breached", _("超期：%(kind)s") % {"kind": clock.get_kind_display()}, actor=SYSTEM, at=at)
    clock.next_step_at = next_step(clock, reckoning, at=at)
    clock.save(update_fields=["step", "breached_at", "next_step_at"])
    for step in range(before, clock.step):
        _tell_step(clock, STEPS[step], at=at)
    return 1


def _tell_step(clock: Clock, step: str, *, at: datetime) -> None:
    case, late = clock.case, clock.due_at is not None and clock.due_at <= at
    facts = {
        "number": case.number,
        "clock": clock.get_kind_display(),
        "due": words.moment(clock.due_at),
        "title": case.title,
    }
    title = (
        _("已到期限：%(number)s %(clock)s（%(due)s）") if late else _("即将到期：%(number)s %(clock)s（%(due)s 前）")
    )
    people, link = _people(clock, step, at=at)
    notify(
        people,
        key=f"complaints.clock:{clock.pk}:{step}:{facts['due']}",
        title=title % facts,
        body=case.title,
        at=at,
        link=link,
        level=Notice.Level.REMINDER if step == "officer" else Notice.Level.URGENT,
    )
    record("complaints.clock.step", case, actor=SYSTEM, at=at, clock=clock.kind, step=step)


def _people(clock: Clock, step: str, *, at: datetime) -> tuple[list[int], str]:
    """Who hears of a step, and where it leads them. A clock of a mall begins with the mall; a case without a unit with the dispatchers."""
    case, link = clock.case, reverse("complaints:case", args=[clock.case_id])
    if clock.kind == ClockKind.MALL and step == "officer":
        request = MallRequest.objects.get(pk=clock.about.removeprefix("mall:"))
        people = people_holding(May.ANSWER, organisation_ids=[request.mall_id], at=at)
        return people, reverse("complaints:mall_request", args=[request.pk])
    if step == "supervisor" or case.unit_id is None:
        return people_holding(May.SUPERVISE, organisation_ids=None, at=at), link
    if step == "head":
        return people_holding(May.APPROVE, organisation_ids=[case.unit_department_id or 0], at=at), link
    officers = people_holding(May.HANDLE, organisation_ids=[case.unit_id], at=at)
    return [case.officer_id] if case.officer_id in officers else officers, link


@transaction.atomic
def supervise_case(*, case: Case, text: str, actor: Actor, at: datetime) -> Supervision:
    """督办: ask the unit in writing how a case stands. Raises Refused without a text or for a case that has ended."""
    actor.require(May.SUPERVISE)
    if not clean(text):
        raise Refused(_("请写明督办意见。"))
    if not case.is_open or case.unit_id is None:
        raise Refused(_("只有已派单、未答复的诉求可以督办。"))
    asked = Supervision.objects.create(case=case, text=clean(text)[:500], by_id=actor.user_id, at=at)
    tell(case, "supervised", _("督办"), actor=actor, at=at, text=asked.text)
    record("complaints.case.supervised", case, actor=actor, at=at)
    people = {
        *people_holding(May.HANDLE, organisation_ids=[case.unit_id], at=at),
        *people_holding(May.APPROVE, organisation_ids=[case.unit_department_id or 0], at=at),
    }
    notify(
        people, key=f"complaints.supervised:{asked.pk}", at=at, title=_("督办 %(number)s") % {"number": case.number},
        body=asked.text, link=reverse("complaints:case", args=[case.pk]), level=Notice.Level.URGENT,
    )  # fmt: skip
    return asked


@transaction.atomic
def answer_supervision(*, asked: Supervision, answer: str, actor: Actor, at: datetime) -> Supervision:
    """The unit says how it stands. Raises Refused without a text or where it was answered."""
    if not actor.can(May.HANDLE) or not own_unit(asked.case, actor):
        raise PermissionRefused(_("只有承办单位可以回复督办。"))
    if asked.answered_at:
        raise Refused(_("这次督办已经回复。"))
    if not clean(answer):
        raise Refused(_("请写明办理情况。"))
    asked.answer, asked.answered_at = clean(answer)[:2000], at
    asked.save(update_fields=["answer", "answered_at"])
    tell(asked.case, "supervision_answered", _("回复督办"), actor=actor, at=at, text=asked.answer)
    record("complaints.case.supervision_answered", asked.case, actor=actor, at=at)
    return asked
