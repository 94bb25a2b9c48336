import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.db import connection, models, transaction
from django.utils import timezone

from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.audit import signing
from xiezhi.foundation.audit.hashing import algorithm_in_use, hexdigest
from xiezhi.foundation.audit.models import Entry, Head, Seal
from xiezhi.foundation.audit.privacy import masked

GENESIS = "0" * 64
BATCH = 2_000
SEALER_LOCK = 0x58495A48  # one sealer at a time on PostgreSQL; SQLite's write lock does the same


def record(action: str, row: models.Model, /, *, actor: Actor, at: datetime, **payload: Any) -> None:
    """Add one entry about `row`, inside the caller's transaction. `payload`: JSON values without personal data."""
    record_many(action, [row], actor=actor, at=at, **payload)


def record_many(action: str, rows: list[Any], /, *, actor: Actor, at: datetime, **payload: Any) -> None:
    """The same entry for many rows in one statement. Raises RuntimeError outside a transaction."""
    record_each(action, [(row, payload) for row in rows], actor=actor, at=at)


def record_each(
    action: str, entries: Iterable[tuple[models.Model, Mapping[str, Any]]], /, *, actor: Actor, at: datetime
) -> None:
    """One entry a row, each with its own payload, in one statement. Raises RuntimeError outside a transaction."""
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
            payload=masked(dict(payload)),
        )
        for row, payload in entries
    )


def entry_as_json(entry: Entry) -> dict[str, Any]:
    """Every field of an entry as an export holds it; `digest` is made of the same values."""
    return {
        "id": entry.pk,
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "action": entry.action,
        "object_kind": entry.object_kind,
        "object_id": entry.object_id,
        "actor_user_id": entry.actor_user_id,
        "actor_membership_id": entry.actor_membership_id,
        "payload": entry.payload,
    }


def digest(previous: str, sequence: int, entry: Entry, algorithm: str = "sha256") -> str:
    """Hash over previous digest, sequence and every field, as canonical JSON. The sequence is inside, so that a gap shows."""
    content = [previous, sequence, *entry_as_json(entry).values()]
    return hexdigest(json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")), algorithm)


@transaction.atomic
def seal_entries(*, limit: int = BATCH) -> int:
    """Seal up to `limit` committed entries in order of id; returns how many. Only the ticker calls this."""
    _lock_the_chain()
    algorithm = algorithm_in_use()
    last = Seal.objects.order_by("-sequence").values_list("sequence", "digest").first()
    sequence, previous = last or (0, GENESIS)
    seals = []
    for entry in Entry.objects.filter(seal=None).order_by("pk")[:limit]:
        sequence += 1
        previous = digest(previous, sequence, entry, algorithm)
        seals.append(Seal(entry=entry, sequence=sequence, digest=previous, algorithm=algorithm))
    Seal.objects.bulk_create(seals)
    return len(seals)


def _lock_the_chain() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SEALER_LOCK])


def head_as_json(head: Head) -> dict[str, Any]:
    """A head as a line of heads.jsonl."""
    return {
        "on": head.on.isoformat(),
        "sequence": head.sequence,
        "digest": head.digest,
        "algorithm": head.algorithm,
        "signed_at": head.signed_at.astimezone(UTC).isoformat(timespec="seconds"),
        "key_id": head.key_id,
        "signature": head.signature,
    }


def sign_head(*, at: datetime) -> Head | None:
    """The ticker's hourly duty: sign where the chain stands, once a day, and bring the file up to date; returns a new head if any.

    The first signature makes the key where set-up did not. Later a missing key is a fault (`signing.KeyTrouble`): a new one made in
    silence could be anybody's.
    """
    head = _sign_today(at=at)
    write_heads_file()
    return head


@transaction.atomic
def _sign_today(*, at: datetime) -> Head | None:
    _lock_the_chain()
    today = timezone.localdate(at)
    last = Seal.objects.order_by("-sequence").first()
    if last is None or Head.objects.filter(on=today).exists():
        return None
    key = signing.private_key() if Head.objects.exists() else signing.make_key()
    head = Head(
        on=today,
        sequence=last.sequence,
        digest=last.digest,
        algorithm=last.algorithm,
        signed_at=at.replace(microsecond=0),
        key_id=signing.key_id(key.public_key()),
    )
    head.signature = signing.sign(head_as_json(head), key)
    head.save(force_insert=True)
    return head


def write_heads_file() -> int:
    """Add to heads.jsonl what the table has and the file has not; returns how many lines. Lines that are there stay untouched."""
    path = signing.heads_file()
    written = {line["on"] for line in signing.lines(path)}
    missing = [head for head in Head.objects.order_by("on") if head.on.isoformat() not in written]
    if missing:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.writelines(_line(head_as_json(head)) for head in missing)
    return len(missing)


def _line(head: Mapping[str, Any]) -> str:
    return json.dumps(head, separators=(",", ":")) + "\n"
