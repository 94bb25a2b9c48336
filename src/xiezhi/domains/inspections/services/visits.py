"""From suggestion to offer: visits are made, sent to their departments, or taken back."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import BigIntegerField, Case, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.domains.inspections.models import Check, Participation, Replan, Round, Visit
from xiezhi.domains.inspections.services import telling
from xiezhi.domains.inspections.services.composition import (
    LIVING,
    OPEN_TO_ANSWERS,
    Clock,
    checks_of,
    lock_visits,
    lock_visits_of,
    make_of,
    release_checks,
    settle,
)
from xiezhi.domains.inspections.services.numbering import take_numbers
from xiezhi.domains.inspections.workflow import CHECK, PARTICIPATION, VISIT, VisitStatus
from xiezhi.domains.registry.models import Premises
from xiezhi.foundation.access.actors import SYSTEM, Actor
from xiezhi.foundation.audit.services import record, record_many
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.workflow.services import CHUNK, advance, advance_many

BATCH = 2_000


@dataclass(frozen=True)
class VisitDraft:
    """A visit before it exists. `checks` wait, are of `premises`, and have `department` loaded.

    `why`: `reason` (urgent, safety_joint, joint, single), `window` (two ISO dates), `doors_if_alone` (departments), and for one that
    came of a re-planning `from_id`, `from_visit`, `from_on`.
    """

    premises: Premises
    on: date
    checks: Sequence[Check]
    lead: Organisation
    on_site_minutes: int
    why: Mapping[str, Any] = field(default_factory=dict)


def why_of(checks: Sequence[Check]) -> dict[str, Any]:
    """The reasons that a visit of these checks shows: see `VisitDraft.why`."""
    departments = len({check.department_id for check in checks})
    if any(check.urgent for check in checks):
        reason = "urgent"
    elif departments > 1:
        reason = "safety_joint" if any(check.safety for check in checks) else "joint"
    else:
        reason = "single"
    window = [max(check.earliest for check in checks).isoformat(), min(check.latest for check in checks).isoformat()]
    return {"reason": reason, "window": window, "doors_if_alone": departments}


def draft_of(premises: Premises, on: date, checks: Sequence[Check]) -> VisitDraft:
    """The draft of a visit of these checks, with lead, minutes and reasons worked out from them."""
    make = make_of(checks)
    return VisitDraft(premises, on, checks, make.lead, make.on_site_minutes, why_of(checks))


@transaction.atomic
def create_visits(drafts: Sequence[VisitDraft], *, round_: Round | None, actor: Actor, at: datetime) -> list[Visit]:
    """Make suggested visits in a few statements however many; their checks become suggested. In the order given.

    Raises ValueError for a draft without checks or with another door's checks, Refused when a check does not wait any more,
    PermissionRefused for an actor who runs no rounds (the system may). Holds the visits' number series until commit.
    """
    if not drafts:
        return []
    for draft in drafts:
        if not draft.checks or any(check.premises_id != draft.premises.pk for check in draft.checks):
            raise ValueError("a visit has at least one check, all of one premises")
    numbers = take_numbers("V", timezone.localtime(at).year, len(drafts))
    visits = Visit.objects.bulk_create(
        [
            Visit(
                number=number,
                round=round_,
                premises=draft.premises,
                on=draft.on,
                lead=draft.lead,
                on_site_minutes=draft.on_site_minutes,
                why=dict(draft.why),
            )
            for number, draft in zip(numbers, drafts, strict=True)
        ],
        batch_size=BATCH,
    )
    Participation.objects.bulk_create(
        [
            Participation(visit=visit, department_id=department_id, minutes=minutes)
            for visit, draft in zip(visits, drafts, strict=True)
            for department_id, minutes in sorted(make_of(draft.checks).minutes.items())
        ],
        batch_size=BATCH,
    )
    pairs = [(check, visit) for visit, draft in zip(visits, drafts, strict=True) for check in draft.checks]
    for start in range(0, len(pairs), CHUNK):
        _suggest(pairs[start : start + CHUNK], actor=actor, at=at)
    record_many("inspections.visit.create", visits, actor=actor, at=at, round=round_.number if round_ else None)
    return visits


def _suggest(pairs: Sequence[tuple[Check, Visit]], *, actor: Actor, at: datetime) -> None:
    whens = [When(pk=check.pk, then=Value(visit.pk)) for check, visit in pairs]
    target = Case(*whens, output_field=BigIntegerField())
    advance_many(CHECK, [check for check, _visit in pairs], "suggest", actor=actor, at=at, changes={"visit": target})


def create_visit(
    *,
    round_: Round | None = None,
    premises: Premises,
    on: date,
    checks: Sequence[Check],
    lead: Organisation | None = None,
    on_site_minutes: int | None = None,
    why: Mapping[str, Any] | None = None,
    actor: Actor,
    at: datetime,
) -> Visit:
    """Make one suggested visit; lead, minutes and reasons are worked out from the checks where left out. Raises as `create_visits`."""
    plain = draft_of(premises, on, checks)
    draft = VisitDraft(
        premises,
        on,
        checks,
        lead or plain.lead,
        on_site_minutes or plain.on_site_minutes,
        why if why is not None else plain.why,
    )
    return create_visits([draft], round_=round_, actor=actor, at=at)[0]


@transaction.atomic
def offer_visits(*, visits: Sequence[Visit], actor: Actor, at: datetime) -> None:
    """Send suggested visits to their departments: each gets a deadline, each department's heads one notice.

    Raises Refused when one is not a suggestion any more.
    """
    clock = Clock.on(timezone.localdate(at))
    by_day: dict[date, list[Visit]] = defaultdict(list)
    for visit in sorted(visits, key=lambda each: each.pk):
        by_day[visit.on].append(visit)
    by_deadline: dict[datetime, list[Visit]] = defaultdict(list)
    for on, those in by_day.items():
        by_deadline[clock.answer_by(on=on, at=at)] += those
    for answer_by, those in by_deadline.items():
        advance_many(VISIT, those, "offer", actor=actor, at=at, changes={"answer_by": answer_by})
        for visit in those:
            visit.status, visit.answer_by, visit.offered_at = VisitStatus.OFFERED, answer_by, at
    offered = sorted(visits, key=lambda each: each.pk)
    per_department: dict[int, list[Visit]] = defaultdict(list)
    known = {visit.pk: visit for visit in offered}
    for start in range(0, len(offered), CHUNK):
        mine = Participation.objects.filter(visit_id__in=[visit.pk for visit in offered[start : start + CHUNK]])
        mine.update(asked_at=at)
        for visit_id, department_id in mine.order_by("visit_id").values_list("visit_id", "department_id"):
            per_department[department_id].append(known[visit_id])
    with_names = {
        visit.pk: visit
        for visit in Visit.objects.filter(
            pk__in={each.pk for those in per_department.values() for each in _named(those)}
        ).select_related("premises__subject")
    }
    for department_id, those in sorted(per_department.items()):
        telling.tell_offered(department_id, [with_names.get(visit.pk, visit) for visit in those], at=at)


def _named(visits: Sequence[Visit]) -> set[Visit]:
    """Those that a notice names or that its key is made of; the others are only counted."""
    return {*visits[:5], visits[-1]}


@transaction.atomic
def cancel_suggestions(*, round_: Round, reason: str, actor: Actor, at: datetime) -> None:
    """Take back every suggestion of a round that was thrown away: the visits are cancelled, their checks wait again."""
    visits = list(Visit.objects.filter(round=round_, status=VisitStatus.SUGGESTED).order_by("pk"))
    checks = list(Check.objects.filter(visit__in=[visit.pk for visit in visits]).order_by("pk"))
    advance_many(VISIT, visits, "cancel", actor=actor, at=at, changes={"cancel_reason": reason[:300]})
    release_checks(checks, at=at, because="round_discarded")


@transaction.atomic
def cancel_visit(*, visit: Visit, reason: str, actor: Actor, at: datetime, seen_status: str | None = None) -> Visit:
    """The coordinator cancels a visit that has not begun. What departments had been asked for is planned anew at once, not on that day.

    Raises Refused without a reason or when it has begun, Stale when it changed since the page was opened.
    """
    from xiezhi.domains.inspections.services.replanning import replan_after

    lock_visits_of(visit.premises)
    was_offered = Visit.objects.filter(pk=visit.pk).exclude(status=VisitStatus.SUGGESTED).exists()
    gone = advance(
        VISIT,
        visit,
        "cancel",
        actor=actor,
        at=at,
        reason=reason,
        changes={"cancel_reason": reason[:300]},
        seen_status=seen_status,
    )
    checks = checks_of(gone)
    release_checks(checks, at=at, because="visit_cancelled")
    if was_offered:
        replan_after(
            visit=gone,
            checks=checks,
            cause=Replan.Cause.CANCELLED,
            reason=reason,
            department=None,
            closed={(check.department_id, gone.on) for check in checks},
            at=at,
        )
    return gone


@transaction.atomic
def mend_visits(*, visit_ids: Collection[int], why: str, actor: Actor, at: datetime) -> None:
    """After checks left visits for good (cancelled, done elsewhere): departments without checks leave, minutes and lead follow,
    an empty visit dissolves, and one that only waited for who left is confirmed.

    Whoever calls this locked the visits before touching their checks (`composition.lock_visits`). `why` is shown to the departments.
    """
    for visit in lock_visits(visit_ids).values():
        if visit.status not in {VisitStatus.SUGGESTED, *OPEN_TO_ANSWERS}:
            continue
        checks = checks_of(visit)
        minutes = make_of(checks).minutes if checks else {}
        gone = []
        for part in visit.participations.filter(answer__in=LIVING).order_by("pk"):
            if part.department_id not in minutes:
                advance(PARTICIPATION, part, "leave", actor=SYSTEM, at=at, changes={"reason": why[:300]})
                gone.append(part.department_id)
            elif part.minutes != minutes[part.department_id]:
                part.minutes = minutes[part.department_id]
                part.save(update_fields=["minutes"])
        if checks:
            make = make_of(checks)
            visit.lead, visit.on_site_minutes = make.lead, make.on_site_minutes
            visit.save(update_fields=["lead", "on_site_minutes"])
        record("inspections.visit.mend", visit, actor=actor, at=at, departments_gone=len(gone), checks=len(checks))
        was_offered = visit.status != VisitStatus.SUGGESTED
        settle(visit, at=at, because="checks_gone")
        if was_offered and gone:
            title = _("不再需要参加：%(visit)s") % {"visit": telling.name_of(visit)}
            telling.tell_changed(visit, gone, key=f"mended:{at.isoformat()}", title=title, body=why, at=at)
