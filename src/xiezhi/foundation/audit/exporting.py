"""The chain in a form in which somebody outside can verify it without our code: docs/explanation/audit-chain.md has the recipe."""

import json
from collections.abc import Iterator
from datetime import date

from xiezhi.foundation.audit.models import Head, Seal
from xiezhi.foundation.audit.services import BATCH, GENESIS, entry_as_json, head_as_json


def chain_lines(*, first: date | None = None, last: date | None = None) -> Iterator[str]:
    """Sealed entries as JSON lines in order of sequence: `sequence`, `algorithm`, `previous`, `digest`, `entry`.

    `first`, `last`: days (inclusive). The lines run without a gap from the first to the last sequence whose entry is of these days, so
    that they can be verified; an entry of another day in between is there too.
    """
    seals = Seal.objects.select_related("entry").order_by("sequence")
    wanted = seals
    if first:
        wanted = wanted.filter(entry__at__date__gte=first)
    if last:
        wanted = wanted.filter(entry__at__date__lte=last)
    begin, end = wanted.first(), wanted.last()
    if begin is None or end is None:
        return
    previous = Seal.objects.filter(sequence=begin.sequence - 1).values_list("digest", flat=True).first() or GENESIS
    for seal in seals.filter(sequence__range=(begin.sequence, end.sequence)).iterator(chunk_size=BATCH):
        line = {
            "sequence": seal.sequence,
            "algorithm": seal.algorithm,
            "previous": previous,
            "digest": seal.digest,
            "entry": entry_as_json(seal.entry),
        }
        yield json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n"
        previous = seal.digest


def head_lines() -> Iterator[str]:
    """Every signed head as a JSON line, as in heads.jsonl."""
    for head in Head.objects.order_by("on"):
        yield json.dumps(head_as_json(head), separators=(",", ":")) + "\n"
