"""答复、办结、重开: what the person is told, and what follows when that was not enough."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from xiezhi.domains.complaints.models import Agreement, Case, Reply, ReplyTemplate
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.services import clocks
from xiezhi.domains.complaints.services.intake import begin_cases, take_numbers
from xiezhi.domains.complaints.services.people import Person, add_party
from xiezhi.domains.complaints.services.story import tell
from xiezhi.domains.complaints.texts import clean
from xiezhi.domains.complaints.words import CaseStatus, ClockKind, Outcome, article_of
from xiezhi.domains.complaints.workflow import CASE
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.events.services import publish
from xiezhi.foundation.workflow.errors import Refused
from xiezhi.foundation.workflow.services import advance

LONGEST_REPLY = 10_000


def templates_for(case: Case) -> list[ReplyTemplate]:
    """The templates bound to the case's kind and outcome, in order of their codes; those without an outcome come last."""
    found = []
    for template in ReplyTemplate.objects.filter(is_active=True).order_by("code"):
        kinds, outcomes = template.kinds.split(), template.outcomes.split()
        if (not kinds or case.kind in kinds) and (not outcomes or not case.outcome or case.outcome in outcomes):
            found.append(template)
    return sorted(found, key=lambda template: (not template.outcomes, template.code))


def filled(template: ReplyTemplate, case: Case) -> str:
    """A template's text for one case. Places that it does not know stay as they are."""
    ground = case.refusal_ground or case.end_ground
    values = {
        "number": case.number,
        "title": case.title,
        "respondent": case.respondent or _("被诉方"),
        "reason": case.decision_reason,
        "article": article_of(ground) or template.article,
        "unit": str(case.unit) if case.unit else "",
        "terms": _terms(case) if "{terms}" in template.text else "",
    }
    text = template.text
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def _terms(case: Case) -> str:
    agreement = Agreement.objects.filter(mediation__case=case).order_by("-pk").first()
    return agreement.terms if agreement else ""


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


@transaction.atomic
def reply_together(*, cases: Sequence[Case], text: str, outcome: str, batch: str, actor: Actor, at: datetime) -> int:
    """One text to many cases, each with its own reply (all or none): for a parent's children. Returns how many."""
    for case in sorted(cases, key=lambda each: each.pk):
        reply_case(case=case, text=text, outcome=outcome, batch=batch, actor=actor, at=at)
    return len(cases)


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
