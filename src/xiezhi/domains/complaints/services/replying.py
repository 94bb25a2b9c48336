"""答复、办结、重开: what the person is told, and what follows when that was not enough."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from xiezhi.domains.complaints.models import Case, Reply, ReplyTemplate
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.services import clocks
from xiezhi.domains.complaints.services.intake import begin_cases, take_numbers
from xiezhi.domains.complaints.services.people import Person, add_party
from xiezhi.domains.complaints.services.story import tell
from xiezhi.domains.complaints.services.templates import empty_places, fill, suits, unknown_places, values_for
from xiezhi.domains.complaints.texts import clean
from xiezhi.domains.complaints.words import CaseStatus, ClockKind, Outcome
from xiezhi.domains.complaints.workflow import CASE
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.events.services import publish
from xiezhi.foundation.workflow.errors import Refused
from xiezhi.foundation.workflow.services import advance, why_not

LONGEST_REPLY = 10_000


@transaction.atomic
def reply_case(
    *,
    case: Case,
    text: str,
    actor: Actor,
    at: datetime,
    template: ReplyTemplate | None = None,
    outcome: str = "",
    way: str = "",
    batch: str = "",
    seen_status: str | None = None,
) -> Reply:
    """Tell the person what came of it. `outcome` is needed where nothing decided it yet (advice, help, reports).

    The hotline's clock and the duty to tell are met. Raises Refused without a text or outcome, or for a complaint that was neither
    accepted nor refused.
    """
    text = clean(text)
    if not text:
        raise Refused(_("请写明答复内容。"))
    if len(text) > LONGEST_REPLY:
        raise Refused(_("答复内容最多 %(most)s 个字。") % {"most": f"{LONGEST_REPLY:,}"})
    changes = {}
    if not case.outcome:
        if outcome not in Outcome.values:
            raise Refused(_("请选择办理结果。"))
        changes["outcome"] = outcome
    if case.status == CaseStatus.HANDLING:
        changes["concluded_at"] = at  # type: ignore[assignment]
    case = advance(CASE, case, "reply", actor=actor, at=at, seen_status=seen_status, changes=changes)
    reply = Reply.objects.create(
        case=case, template=template, text=text, by_id=actor.user_id or 0, at=at, way=clean(way)[:20], batch=batch[:40]
    )
    clocks.meet_clocks(case, ClockKind.TIER, ClockKind.DECIDE, ClockKind.TELL_END, ClockKind.REPORT, at=at)
    tell(case, "replied", _("答复"), actor=actor, at=at, text=text, public=True)
    publish("complaints.case_replied", at=at, case_id=case.pk)
    return reply


@dataclass(frozen=True)
class Prepared:
    """The reply that one case of a group would get; `obstacle` says why it would get none."""

    case: Case
    text: str
    obstacle: str = ""


def prepare_replies(
    *, cases: Sequence[Case], text: str, outcome: str, template: ReplyTemplate | None, actor: Actor
) -> list[Prepared]:
    """What each case would be told: `text` with its places filled from the case. Nothing is written."""
    unknown = unknown_places(text)
    found = []
    for case in cases:
        values = values_for(case, template.article if template else "")
        empty = empty_places(text, values)
        obstacle = why_not(CASE, case, CASE["reply"], actor) or ""
        if not obstacle and template and not suits(template, case):
            obstacle = _("模板“%(title)s”不适用于这件诉求的类型、状态或者结果。") % {"title": template.title}
        if not obstacle and not case.outcome and outcome not in Outcome.values:
            obstacle = _("还没有办理结果，请选择。")
        if not obstacle and (unknown or empty):
            obstacle = _("%(places)s 没有可以填的内容。") % {"places": _("、").join(unknown or empty)}
        if not obstacle and not clean(text):
            obstacle = _("请写明答复内容。")
        found.append(Prepared(case, fill(text, values), obstacle))
    return found


@transaction.atomic
def reply_together(
    *,
    cases: Sequence[Case],
    text: str,
    outcome: str,
    batch: str,
    actor: Actor,
    at: datetime,
    template: ReplyTemplate | None = None,
    way: str = "",
    seen: Mapping[int, str] | None = None,
) -> int:
    """Many cases at once, each with its own reply and its own text (all or none): for a parent's children. Returns how many.

    `seen`: {key of a case: the text that was looked at}. Raises Refused, naming them, for cases that cannot be answered now, or whose text
    would not be the one that was seen.
    """
    rows = Case.objects.select_for_update(of=("self",)).filter(pk__in=[case.pk for case in cases]).order_by("pk")
    ready = prepare_replies(cases=list(rows), text=text, outcome=outcome, template=template, actor=actor)
    stopped = [f"{each.case.number}{_('：')}{each.obstacle}" for each in ready if each.obstacle]
    if stopped:
        raise Refused(_("有 %(n)s 件现在不能答复：%(which)s") % {"n": len(stopped), "which": " ".join(stopped[:10])})
    moved = [each.case.number for each in ready if seen is not None and seen.get(each.case.pk) != each.text]
    if moved:
        raise Refused(_("%(numbers)s 的内容在您预览以后变了，请再看一遍。") % {"numbers": _("、").join(moved[:10])})
    for each in ready:
        reply_case(
            case=each.case, text=each.text, outcome=outcome, template=template, way=way, batch=batch, actor=actor, at=at
        )
    return len(ready)


@transaction.atomic
def close_case(*, case: Case, actor: Actor, at: datetime, seen_status: str | None = None) -> Case:
    """办结: nothing more is owed. Clocks still open are dropped but those of clues, which are verified whatever became of the complaint."""
    case = advance(CASE, case, "close", actor=actor, at=at, seen_status=seen_status)
    kinds = set(ClockKind.values) - {ClockKind.CLUE.value}
    clocks.drop_clocks(case, *sorted(kinds), at=at)
    tell(case, "closed", _("办结"), actor=actor, at=at, public=True)
    publish("complaints.case_closed", at=at, case_id=case.pk, subject_id=case.subject_id)
    return case


@transaction.atomic
def reopen_case(*, case: Case, reason: str, actor: Actor, at: datetime) -> Case:
    """未解决: a new case continues an answered one, with its own clocks; the old one stays as it was (重办).

    Raises Refused for a case without an answer, without a reason, or while an earlier reopening is still being handled.
    """
    actor.require(May.REGISTER)
    case = Case.objects.select_for_update(of=("self",)).get(pk=case.pk)
    if case.status not in {CaseStatus.REPLIED, CaseStatus.CLOSED}:
        raise Refused(_("只有已答复或者已办结的诉求可以重新办理。"))
    if not clean(reason):
        raise Refused(_("请写明重新办理的理由。"))
    running = case.reopenings.open().first()
    if running:
        raise Refused(_("已经在重新办理：%(number)s。") % {"number": running.number})
    again = Case(
        number=take_numbers(1, at)[0], channel=case.channel, reopened_from=case, received_at=at, arrived_at=at,
        status=CaseStatus.REGISTERED, registered_at=at, first_receiver_id=case.first_receiver_id,
    )  # fmt: skip
    return _fill_reopened(again, case, clean(reason), actor=actor, at=at)


def _fill_reopened(again: Case, case: Case, reason: str, *, actor: Actor, at: datetime) -> Case:
    for name in (
        "kind", "title", "description", "demand", "demand_text", "category_id", "urgency", "tier", "safety", "hostile",
        "happened_on", "subject_id", "premises_id", "respondent_name", "respondent_address", "mall_id", "street_id",
        "place", "longitude", "latitude", "parent_id", "search",
    ):  # fmt: skip
        setattr(again, name, getattr(case, name))
    again.save()
    for party in case.parties.all():
        add_party(
            again,
            Person(
                party.name, party.phone, party.address, party.email, party.anonymous, party.may_call_back,
                party.identity_checked, party.role,
            ),
        )  # fmt: skip
    tell(
        again,
        "reopened",
        _("由 %(number)s 重新办理") % {"number": case.number},
        actor=actor,
        at=at,
        text=reason,
        public=True,
    )
    tell(
        case,
        "reopened",
        _("重新办理：%(number)s") % {"number": again.number},
        actor=actor,
        at=at,
        text=reason,
        public=True,
    )
    record("complaints.case.reopened", again, actor=actor, at=at, number=again.number, reopened_from=case.number)
    begin_cases([again], actor=actor, at=at)
    return again
