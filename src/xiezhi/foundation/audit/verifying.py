"""Proof of the chain: every hash recomputed, every signed head compared. Reads only."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db.models import Max, Min

from xiezhi.foundation.audit import signing
from xiezhi.foundation.audit.hashing import HashUnavailable
from xiezhi.foundation.audit.models import Entry, Head, Seal
from xiezhi.foundation.audit.services import BATCH, GENESIS, digest, head_as_json


@dataclass(frozen=True)
class Tail:
    """Entries that no seal covers yet: how many, from which id to which, and since when."""

    count: int
    first: int | None = None
    last: int | None = None
    since: datetime | None = None


@dataclass(frozen=True)
class ChainReport:
    """What a verification found: sealed entries, the unsealed tail, signed heads, and the first fault of the heads and of the chain if there is one.

    `algorithms`: how many seals each hash made, in the order of their first use.
    """

    sealed: int
    tail: Tail
    head: str
    fault: str | None
    heads: int = 0
    last_signed: str = ""
    algorithms: tuple[tuple[str, int], ...] = ()

    @property
    def unsealed(self) -> int:
        """How many entries are not sealed yet."""
        return self.tail.count


def _chain() -> Iterator[Seal]:
    return Seal.objects.select_related("entry").order_by("sequence").iterator(chunk_size=BATCH)


def verify_chain(*, heads_file: Path | None = None, public_keys: Sequence[Path] = ()) -> ChainReport:
    """Recompute every hash from the entries and compare every signed head; names the first fault.

    `heads_file` and `public_keys`: copies kept elsewhere, in place of those in the data folder. Raises signing.KeyTrouble for files that
    are not what they should be.
    """
    heads = [head_as_json(head) for head in Head.objects.order_by("on")]
    copy = list(signing.lines(heads_file or signing.heads_file()))
    given = [signing.read_public_key(path) for path in public_keys]
    trusted = {signing.key_id(key): key for key in given} if given else signing.public_keys()
    faults = [each for each in (_unlike(heads, copy) or _unsigned([*heads, *copy], trusted),) if each]
    wanted = {head["sequence"]: head for head in [*heads, *copy]} if not faults else {}
    previous, expected, counts = GENESIS, 0, dict[str, int]()
    for seal in _chain():
        broken = _broken(seal, expected + 1, previous, wanted)
        if broken:
            faults.append(broken)
            break
        expected, previous = seal.sequence, seal.digest
        counts[seal.algorithm] = counts.get(seal.algorithm, 0) + 1
    else:
        cut = next((head for number, head in sorted(wanted.items()) if number > expected), None)
        if cut:
            faults.append(
                f"the chain ends at sequence {expected}, but the head of {cut['on']} was signed at {cut['sequence']}"
            )
    last_signed = heads[-1]["on"] if heads else ""
    fault = "; ".join(faults) or None
    return ChainReport(expected, unsealed_tail(), previous, fault, len(heads), last_signed, tuple(counts.items()))


def _broken(seal: Seal, expected: int, previous: str, heads: Mapping[int, Mapping[str, Any]]) -> str | None:
    """What is wrong with one seal, given the one before it; None when nothing is."""
    if seal.sequence != expected:
        return f"sequence {expected} is missing (next is {seal.sequence})"
    try:
        computed = digest(previous, seal.sequence, seal.entry, seal.algorithm)
    except HashUnavailable as problem:
        return f"sequence {seal.sequence} cannot be verified here: {problem}"
    if computed != seal.digest:
        return f"entry {seal.entry_id} (sequence {seal.sequence}) does not match its seal"
    head = heads.get(seal.sequence)
    if head and head["digest"] != seal.digest:
        return f"sequence {seal.sequence} is not what was signed on {head['on']}: the chain was computed again"
    return None


def _unlike(heads: Iterable[Mapping[str, Any]], copy: Iterable[Mapping[str, Any]]) -> str | None:
    """A head of the file that the table has not, or has otherwise. What the file lacks is only not written yet."""
    known = {head["on"]: head for head in heads}
    for line in copy:
        if line["on"] not in known:
            return f"the head of {line['on']} stands in the file but not in the table"
        if line != known[line["on"]]:
            return f"the head of {line['on']} in the file differs from the one in the table"
    return None


def _unsigned(heads: Iterable[Mapping[str, Any]], keys: Mapping[str, Ed25519PublicKey]) -> str | None:
    for head in heads:
        key = keys.get(head["key_id"])
        if key is None:
            return f"the head of {head['on']} is signed with key {head['key_id']}, whose public key is not here"
        if not signing.is_signed_by(head, key):
            return f"the signature of the head of {head['on']} is not valid: it was forged or altered"
    return None


def unsealed_tail() -> Tail:
    """The entries without a seal."""
    rows = Entry.objects.filter(seal=None)
    found = rows.aggregate(first=Min("pk"), last=Max("pk"), since=Min("at"))
    return Tail(rows.count(), found["first"], found["last"], found["since"])
