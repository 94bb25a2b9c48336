"""Reads that pages of cases share."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import F, Q
from django.utils.translation import gettext as _

from xiezhi.domains.complaints.models import Case, CaseQuerySet, Clock, CoHandler, led_by
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.words import CaseStatus
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.rules.queries import Reading, readings_of
from xiezhi.foundation.ui.clocks import Left, time_left

MOST_HELPED = 1_000
MOST_RELATED, MOST_LINES, LONGEST_LINE = 50, 200, 600
ICONS = {
    "received": "phone", "registered": "check", "dispatched": "arrow-right", "redirected": "arrow-right",
    "signed": "check", "return_asked": "arrow-back-up", "return_decided": "gavel", "accepted": "circle-check",
    "refused": "ban", "mediation": "calendar-event", "settled": "circle-check", "terminated": "circle-x",
    "replied": "file-text", "closed": "circle-check", "merged": "link", "split": "link", "supervised": "gavel",
    "breached": "clock-exclamation", "mall_asked": "building-store", "mall_answered": "building-store",
    "attached": "paperclip", "not_attached": "paperclip", "clue": "search", "tier": "clock", "added": "edit", "withdrawn": "arrow-back-up",
}  # fmt: skip


def cases_listed(actor: Actor, *, helping: bool = False) -> CaseQuerySet:
    """The cases of an actor's list: all for district-wide posts; those that their unit leads, or (`helping`) those in which it helps."""
    visible = Case.objects.visible_to(actor).with_names()
    if actor.district_wide:
        return visible
    if helping:
        asked = CoHandler.objects.filter(unit_id=actor.organisation_id).order_by("-pk")
        return visible.filter(pk__in=list(asked.values_list("case_id", flat=True)[:MOST_HELPED])).exclude(led_by(actor))
    # One plain condition keeps the index of unit and deadline; `visible_to` would also look for helpers at every row.
    return Case.objects.filter(led_by(actor)).with_names() if actor.can(May.VIEW) else visible


def waiting_for(actor: Actor) -> CaseQuerySet:
    """What waits for this person, the soonest due first: for dispatchers leads, cases to dispatch and returns to decide; for a unit what it
    has to sign for, decide, mediate or answer."""
    wanted: list[str] = []
    if actor.can(May.DISPATCH):
        wanted += [CaseStatus.LEAD, CaseStatus.REGISTERED, CaseStatus.RETURNING]
    if actor.can(May.HANDLE):
        wanted += [CaseStatus.DISPATCHED, CaseStatus.HANDLING, CaseStatus.MEDIATING, CaseStatus.CONCLUDED]
    return cases_listed(actor).filter(status__in=wanted).order_by(F("next_due_at").asc(nulls_last=True), "pk")


@dataclass(frozen=True)
class Relation:
    """Another case and what it is to this one."""

    word: str
    case: Case


SELDOM = (
    "co_handlers", "returns", "mediations", "clues", "mall_requests", "supervisions", "applications", "handoffs", "attachments",
    "appraisals", "children", "duplicates", "parts", "reopenings",
)  # fmt: skip
"""What may belong to a case, and mostly does not."""


def answer_blanks(case: Case) -> Case:
    """Find out in one statement what of `SELDOM` the case has nothing of; whoever asks it for that has the answer without the database."""
    cells, names = [], connection.ops.quote_name
    for name in SELDOM:
        relation: Any = Case._meta.get_field(name)
        table, column = relation.related_model._meta.db_table, relation.field.column
        cells.append(f"EXISTS (SELECT 1 FROM {names(table)} WHERE {names(column)} = {int(case.pk)})")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(cells)}")  # names of ours and a number
        there = cursor.fetchone()
    blanks = {name: getattr(case, name).none() for name, found in zip(SELDOM, there, strict=True) if not found}
    # As `prefetch_related` leaves it: managers look here first, and what is asked of nothing stays nothing.
    case._prefetched_objects_cache = {**getattr(case, "_prefetched_objects_cache", {}), **blanks}  # type: ignore[attr-defined]
    return case


def related_cases(case: Case, actor: Actor) -> list[Relation]:
    """Cases that belong together with this one, as far as the actor sees them, in one query beside those that ask whether there are any."""
    columns = {"parent": "children", "duplicate_of": "duplicates", "split_from": "parts", "reopened_from": "reopenings"}
    ours = {getattr(case, f"{name}_id"): name for name in columns if getattr(case, f"{name}_id")}
    pointed_at = [name for name, others in columns.items() if getattr(case, others).exists()]
    if not ours and not pointed_at:
        return []
    pointing = Q(pk__in=list(ours))
    for name in pointed_at:
        pointing |= Q(**{name: case.pk})
    upwards = {
        "parent": _("群体诉求"), "duplicate_of": _("并入"), "split_from": _("拆自"), "reopened_from": _("重办自"),
    }  # fmt: skip
    downwards = {
        "parent": _("同类诉求"), "duplicate_of": _("重复反映"), "split_from": _("拆出的举报"), "reopened_from": _("重新办理"),
    }  # fmt: skip
    found = []
    for other in Case.objects.visible_to(actor).filter(pointing).in_brief().order_by("pk")[:MOST_RELATED]:
        down = next((name for name in columns if getattr(other, f"{name}_id") == case.pk), "")
        found.append(Relation(downwards[down] if down else upwards[ours[other.pk]], other))
    return found


def story_of(case: Case) -> list[dict[str, Any]]:
    """The case's history as the interface draws it, newest first."""
    return [
        {
            "at": line.at,
            "title": line.title,
            "text": line.text[:LONGEST_LINE],
            "who": line.organisation.short_name if line.organisation else "",
            "icon": ICONS.get(line.kind, "circle-dashed"),
            "tone": "urgent" if line.kind == "breached" else "neutral",
        }
        for line in case.events.select_related("organisation").order_by("-at", "-pk")[:MOST_LINES]
    ]


@dataclass(frozen=True)
class ClockShown:
    """A clock as a page shows it: how much is left, and by what rule."""

    clock: Clock
    left: Left | None
    reading: Reading[Any] | None


def clocks_shown(case: Case, at: datetime) -> list[ClockShown]:
    """The clocks of a case with their rules: open ones by deadline (paused last), then those that were met, newest first; two queries."""
    clocks = [clock for clock in case.clocks.all() if clock.dropped_at is None]
    readings = readings_of(clock.rule_version_id for clock in clocks)
    running = sorted(
        (clock for clock in clocks if clock.is_open), key=lambda clock: (clock.due_at is None, clock.due_at or at)
    )
    met = sorted((clock for clock in clocks if not clock.is_open), key=lambda clock: clock.met_at or at, reverse=True)
    return [
        ClockShown(
            clock,
            time_left(clock.due_at, at) if clock.is_open and clock.due_at else None,
            readings.get(clock.rule_version_id),
        )
        for clock in (*running, *met)
    ]
