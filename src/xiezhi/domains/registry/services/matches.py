from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from xiezhi.domains.registry import facts
from xiezhi.domains.registry.matching import normal_name
from xiezhi.domains.registry.models import PendingMatch, Premises, Subject
from xiezhi.domains.registry.services.timeline import add_to_timeline
from xiezhi.domains.registry.workflow import MATCH
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.events.services import publish
from xiezhi.foundation.files.sheets.cells import tidy_text
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.workflow.errors import Refused
from xiezhi.foundation.workflow.services import advance

SUBJECT_ROW = "registry.subject"
"""The origin of rows that tell facts of a subject; confirming one stores its facts."""


@dataclass(frozen=True)
class NamedRow:
    """A row that names a subject without its code. `payload`: JSON, whatever its sender needs to go on once the subject is known."""

    name: str
    street_text: str = ""
    address: str = ""
    payload: dict[str, Any] = field(default_factory=dict)
    row_number: int = 0


def queue_name(
    *,
    origin: str,
    organisation: Organisation,
    name: str,
    street_text: str = "",
    address: str = "",
    payload: dict[str, Any] | None = None,
    batch_id: int | None = None,
    row_number: int = 0,
    at: datetime,
) -> PendingMatch:
    """Let one named row wait for a person; see `queue_names`."""
    row = NamedRow(name, street_text, address, payload or {}, row_number)
    return queue_names(rows=[row], origin=origin, organisation=organisation, batch_id=batch_id, at=at)[0]


@transaction.atomic
def queue_names(
    *,
    rows: Sequence[NamedRow],
    origin: str,
    organisation: Organisation,
    batch_id: int | None = None,
    at: datetime,
    replaces: bool = False,
) -> list[PendingMatch]:
    """Let rows of someone's sheet wait until a person says which subject each means; one `PendingMatch` per row, in order.

    Sending the same row again (same origin, organisation, name, street, address and payload) gives back the one from before, whatever
    became of it: look at its `status`, and at `subject` and `premises` when it is matched. With `replaces` a name at a place waits only
    once: a later payload takes the place of the waiting one. `registry.name_matched` tells the origin when a person has decided.
    Writes no audit entry: the sender's batch has its own.
    """
    seen = same_names(rows, origin=origin, organisation=organisation)
    made: list[PendingMatch] = []
    found: list[PendingMatch] = []
    for row in rows:
        fresh = _pending(row, origin, organisation, batch_id, at)
        alike = seen[place_of(fresh)]
        old = next((each for each in alike if replaces or each.payload == fresh.payload), None)
        if old is None:
            alike.append(fresh)
            made.append(fresh)
        elif replaces and old.pk and old.payload != fresh.payload and old.status == PendingMatch.Status.WAITING:
            old.payload, old.batch_id, old.row_number = fresh.payload, batch_id, row.row_number
            old.save(update_fields=["payload", "batch_id", "row_number"])
        found.append(old or fresh)
    PendingMatch.objects.bulk_create(made)
    return found


Place = tuple[str, str, str]


def place_of(row: NamedRow | PendingMatch) -> Place:
    """What a named row is known by: normal name, street and address as written."""
    return normal_name(row.name), tidy_text(row.street_text)[:60], tidy_text(row.address)[:200]


def same_names(rows: Sequence[NamedRow], *, origin: str, organisation: Organisation) -> dict[Place, list[PendingMatch]]:
    """What was sent before under the same names, by place, oldest first; in a transaction the rows are locked. A query per 500 names."""
    names = sorted({normal_name(row.name) for row in rows})
    found: dict[Place, list[PendingMatch]] = defaultdict(list)
    for start in range(0, len(names), 500):
        earlier = PendingMatch.objects.filter(
            normal_name__in=names[start : start + 500], origin=origin, organisation=organisation
        ).order_by("pk")
        if transaction.get_connection().in_atomic_block:
            earlier = earlier.select_for_update(of=("self",))
        for each in earlier.select_related("subject", "premises"):
            found[place_of(each)].append(each)
    return found


def _pending(
    row: NamedRow, origin: str, organisation: Organisation, batch_id: int | None, at: datetime
) -> PendingMatch:
    name = facts.clean_name(row.name)
    return PendingMatch(
        origin=origin,
        organisation=organisation,
        batch_id=batch_id,
        row_number=row.row_number,
        name=name,
        normal_name=normal_name(name),
        street_text=tidy_text(row.street_text)[:60],
        address=tidy_text(row.address)[:200],
        payload=row.payload,
        created_at=at,
    )


@transaction.atomic
def confirm_match(
    *,
    pending: PendingMatch,
    subject: Subject,
    premises: Premises | None = None,
    actor: Actor,
    at: datetime,
    seen_status: str | None = None,
) -> PendingMatch:
    """Say that the row means `subject`, at `premises` (its only open door when None). Publishes `registry.name_matched` with
    `pending_match_id`, `origin`, `subject_id`, `premises_id`; a row of a subject list stores its facts at once.

    Raises Refused when the premises is another subject's or has to be chosen, and what `advance` raises.
    """
    if premises is None:
        doors = list(subject.premises.filter(is_open=True)[:2]) or list(subject.premises.all()[:2])
        if len(doors) != 1:
            raise Refused(_("“%(subject)s”有多个场所，请选择是哪一个。") % {"subject": subject})
        premises = doors[0]
    if premises.subject_id != subject.pk:
        raise Refused(_("所选场所不属于这家主体，请重新选择。"))
    moved = advance(
        MATCH,
        pending,
        "confirm",
        actor=actor,
        at=at,
        changes={"subject": subject, "premises": premises},
        seen_status=seen_status,
        subject=subject.pk,
        premises=premises.pk,
    )
    if moved.origin == SUBJECT_ROW:
        from xiezhi.domains.registry.services.bulk import store_confirmed

        store_confirmed(pending=moved, actor=actor, at=at)
    title = _("确认名称：来件写作“%(name)s”") % {"name": moved.name}
    add_to_timeline(
        subject=subject,
        premises=premises,
        kind="registry.name_matched",
        title=title,
        at=at,
        object_kind="registry.pendingmatch",
        object_id=str(moved.pk),
    )
    publish(
        "registry.name_matched",
        at=at,
        pending_match_id=moved.pk,
        origin=moved.origin,
        subject_id=subject.pk,
        premises_id=premises.pk,
    )
    return moved


@transaction.atomic
def dismiss_match(
    *, pending: PendingMatch, reason: str, actor: Actor, at: datetime, seen_status: str | None = None
) -> PendingMatch:
    """Say that the row means nobody in the register, and why. Publishes `registry.name_dismissed` (`pending_match_id`, `origin`).

    Raises what `advance` raises (a reason is needed).
    """
    moved = advance(
        MATCH,
        pending,
        "dismiss",
        actor=actor,
        at=at,
        reason=reason,
        changes={"reason": reason.strip()[:200]},
        seen_status=seen_status,
    )
    publish("registry.name_dismissed", at=at, pending_match_id=moved.pk, origin=moved.origin)
    return moved


@transaction.atomic
def reopen_match(*, pending: PendingMatch, actor: Actor, at: datetime, seen_status: str | None = None) -> PendingMatch:
    """Take a dismissal back: the row waits again. Publishes `registry.name_reopened` (`pending_match_id`, `origin`)."""
    changes: dict[str, Any] = {"reason": "", "decided_at": None}
    moved = advance(MATCH, pending, "reopen", actor=actor, at=at, changes=changes, seen_status=seen_status)
    publish("registry.name_reopened", at=at, pending_match_id=moved.pk, origin=moved.origin)
    return moved
