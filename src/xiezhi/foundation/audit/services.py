import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection, models, transaction

from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.audit.models import Entry, Seal

GENESIS = "0" * 64
BATCH = 2_000
SEALER_LOCK = 0x58495A48  # one sealer at a time on PostgreSQL; SQLite's write lock does the same


def record(action: str, row: models.Model, /, *, actor: Actor, at: datetime, **payload: Any) -> None:
    """Add one entry about `row`, inside the caller's transaction. `payload`: JSON values without personal data."""
    record_many(action, [row], actor=actor, at=at, **payload)


def record_many(action: str, rows: list[Any], /, *, actor: Actor, at: datetime, **payload: Any) -> None:
    """The same entry for many rows in one statement. Raises RuntimeError outside a transaction."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("audit entries belong inside the transaction of the act")
    Entry.objects.bulk_create(
        Entry(
            at=at,
            action=action,
            object_kind=row._meta.label_lower,
            object_id=str(row.pk),
            actor_user_id=actor.user_id,
            actor_membership_id=actor.membership_id,
            payload=payload,
        )
        for row in rows
    )


def digest(previous: str, sequence: int, entry: Entry) -> str:
    """SHA-256 over previous digest, sequence and every field, as canonical JSON. The sequence is inside, so that a gap shows."""
    content = [
        previous,
        sequence,
        entry.pk,
        entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        entry.action,
        entry.object_kind,
        entry.object_id,
        entry.actor_user_id,
        entry.actor_membership_id,
        entry.payload,
    ]
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@transaction.atomic
def seal_entries(*, limit: int = BATCH) -> int:
    """Seal up to `limit` committed entries in order of id; returns how many. Only the ticker calls this."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SEALER_LOCK])
    last = Seal.objects.order_by("-sequence").values_list("sequence", "digest").first()
    sequence, previous = last or (0, GENESIS)
    seals = []
    for entry in Entry.objects.filter(seal=None).order_by("pk")[:limit]:
        sequence += 1
        previous = digest(previous, sequence, entry)
        seals.append(Seal(entry=entry, sequence=sequence, digest=previous))
    Seal.objects.bulk_create(seals)
    return len(seals)


@dataclass(frozen=True)
class ChainReport:
    """What a verification found: sealed entries, the unsealed tail, and the first fault if there is one."""

    sealed: int
    unsealed: int
    head: str
    fault: str | None


def _chain() -> Iterator[Seal]:
    return Seal.objects.select_related("entry").order_by("sequence").iterator(chunk_size=BATCH)


def verify_chain() -> ChainReport:
    """Recompute every hash from the entries; names the first altered, missing or re-ordered one."""
    previous, expected, fault = GENESIS, 0, None
    for seal in _chain():
        expected += 1
        if seal.sequence != expected:
            fault = f"sequence {expected} is missing (next is {seal.sequence})"
            break
        if digest(previous, seal.sequence, seal.entry) != seal.digest:
            fault = f"entry {seal.entry_id} (sequence {seal.sequence}) does not match its seal"
            break
        previous = seal.digest
    return ChainReport(expected, Entry.objects.filter(seal=None).count(), previous, fault)
