"""Proving the books: every digest, every sequence and every total computed again from the entries.

On PostgreSQL the server computes the digests where the rows are, a thread for each core; on SQLite Python does. A fault is named by the
first entry of its book that does not fit.
"""

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date

from django.db import connection, connections
from django.db.models import Case, F, Sum, When
from django.db.models.functions import TruncDate

from xiezhi.domains.prepaid.ledger.applying import Totals
from xiezhi.domains.prepaid.ledger.digest import COLUMNS, GENESIS, digest
from xiezhi.domains.prepaid.ledger.drafts import TOTALLED, Phase
from xiezhi.domains.prepaid.ledger.verifying import Fault, Report
from xiezhi.domains.prepaid.models import Book, DayTotal, Entry

PER_PART = 400_000
FETCH = 20_000
_BROKEN = """
SELECT sequence FROM (
    SELECT e.sequence, e.digest <> prepaid_digest(
        coalesce(lag(e.digest) OVER w, (SELECT p.digest FROM prepaid_entry p WHERE p.book_id = %s AND p.sequence = %s), %s), e)
        OR e.sequence <> coalesce(lag(e.sequence) OVER w, %s) + 1 AS broken
    FROM prepaid_entry e WHERE e.book_id = %s AND e.sequence > %s AND e.sequence <= %s
    WINDOW w AS (ORDER BY e.sequence)
) t WHERE broken ORDER BY sequence LIMIT 1
"""
_HELD = """
SELECT e.{side}_id AS account, SUM(h.amount) AS held FROM prepaid_entry e
JOIN prepaid_entry h ON h.book_id = e.book_id AND h.sequence = e.refers + e.leg
WHERE e.phase IN ('confirmed', 'voided', 'expired') GROUP BY e.{side}_id
"""
_SUMS = """
SELECT {side}_id AS account, SUM(CASE WHEN phase IN ('posted', 'confirmed') THEN amount ELSE 0 END) AS posted,
    SUM(CASE WHEN phase = 'pending' THEN amount ELSE 0 END) AS held
FROM prepaid_entry GROUP BY {side}_id
"""
_TOTALS = f"""
SELECT a.book_id, a.id FROM prepaid_account a
LEFT JOIN ({_SUMS.format(side="debit")}) d ON d.account = a.id
LEFT JOIN ({_SUMS.format(side="credit")}) c ON c.account = a.id
LEFT JOIN ({_HELD.format(side="debit")}) dh ON dh.account = a.id
LEFT JOIN ({_HELD.format(side="credit")}) ch ON ch.account = a.id
WHERE a.debits <> COALESCE(d.posted, 0) OR a.credits <> COALESCE(c.posted, 0)
    OR a.debits_pending <> COALESCE(d.held, 0) - COALESCE(dh.held, 0)
    OR a.credits_pending <> COALESCE(c.held, 0) - COALESCE(ch.held, 0)
ORDER BY a.book_id, a.id LIMIT 20
"""


def verify_books() -> Report:
    """Recompute everything; reports the first broken entry of each book and up to 20 totals that disagree."""
    books = [
        (book_id, last, bytes(head))
        for book_id, last, head in Book.objects.order_by("pk").values_list("pk", "last_sequence", "head")
    ]
    faults = list(_chain_faults(books))
    broken = {fault.book_id for fault in faults}
    with connection.cursor() as cursor:
        for book_id, last, head in books:
            if book_id in broken:
                continue
            rows = Entry.objects.filter(book_id=book_id).order_by("-sequence")
            end, found = rows.values_list("sequence", "digest").first() or (0, GENESIS)
            if (last, head) != (end, bytes(found)):
                faults.append(Fault(book_id, last, "the book does not end with its last entry"))
        cursor.execute(_TOTALS)
        for book_id, account_id in cursor.fetchall():
            faults.append(Fault(book_id, None, f"account {account_id} is not the sum of its entries"))
    faults += _day_faults()
    return Report(len(books), sum(last for _pk, last, _head in books), tuple(faults))


def _day_faults() -> Iterator[Fault]:
    """Totals by day that are not what the entries up to that day add up to: the first of each book."""
    proven = _days_of_entries()
    stored: dict[int, dict[date, Totals]] = defaultdict(dict)
    for book_id, day, *totals in DayTotal.objects.values_list("book_id", "day", *Totals._fields):
        stored[book_id][day] = Totals(*totals)
    for book_id, day, *totals in Book.objects.values_list("pk", "day", *Totals._fields):
        if day is not None or any(totals):
            stored[book_id][day or date.min] = Totals(*totals)
    for book_id in sorted(proven.keys() | stored.keys()):
        there, here = proven.get(book_id, {}), stored[book_id]
        told = proved = Totals(0, 0, 0)
        for day in sorted(there.keys() | here.keys()):
            told, proved = here.get(day, told), there.get(day, proved)
            if told != proved:
                yield Fault(book_id, None, f"the totals of {day} are not the sum of its entries")
                break


def _days_of_entries() -> dict[int, dict[date, Totals]]:
    """Each book's totals at the end of each day with entries, added up from the journal."""

    def change(total: str) -> Sum:
        purses = [purse for purse, name in TOTALLED.items() if name == total]
        grows, shrinks = ("credit", "debit") if total == "owed" else ("debit", "credit")
        return Sum(
            Case(When(**{f"{grows}__purse__in": purses}, then=F("amount")), default=0)
            - Case(When(**{f"{shrinks}__purse__in": purses}, then=F("amount")), default=0)
        )

    rows = (
        Entry.objects.filter(phase__in=[Phase.POSTED, Phase.CONFIRMED])
        .annotate(day=TruncDate("booked_at"))
        .values_list("book_id", "day")
        .annotate(**{f"change_{name}": change(name) for name in Totals._fields})
        .order_by("book_id", "day")
    )
    found: dict[int, dict[date, Totals]] = defaultdict(dict)
    running = Totals(0, 0, 0)
    for book_id, day, *changes in rows:
        if book_id not in found:
            running = Totals(0, 0, 0)
        running = found[book_id][day] = Totals(*(old + new for old, new in zip(running, changes, strict=True)))
    return found


def _chain_faults(books: Sequence[tuple[int, int, bytes]]) -> Iterator[Fault]:
    if connection.vendor != "postgresql":
        for book_id, _last, _head in books:
            sequence = _first_broken_here(book_id)
            if sequence is not None:
                yield Fault(book_id, sequence, "does not match its digest")
        return
    # A part begins with the digest before it, so that parts of one large book are computed side by side.
    parts = [
        (book_id, start, min(start + PER_PART, last))
        for book_id, last, _head in books
        for start in range(0, max(last, 1), PER_PART)
    ]
    seen: set[int] = set()
    for (book_id, _start, _end), sequence in zip(parts, _side_by_side(parts), strict=True):
        if sequence is not None and book_id not in seen:
            seen.add(book_id)
            yield Fault(book_id, sequence, "does not match its digest")


def _side_by_side(parts: Sequence[tuple[int, int, int]]) -> Iterator[int | None]:
    if len(parts) == 1 or connection.in_atomic_block:  # another connection would not see what is not committed
        yield from map(_first_broken_there, parts)
        return

    def apart(part: tuple[int, int, int]) -> int | None:
        try:
            return _first_broken_there(part)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        yield from pool.map(apart, parts)


def _first_broken_there(part: tuple[int, int, int]) -> int | None:
    book_id, start, end = part
    with connection.cursor() as cursor:
        cursor.execute(_BROKEN, [book_id, start, GENESIS, start, book_id, start, end])
        row = cursor.fetchone()
        return row[0] if row else None


def _first_broken_here(book_id: int) -> int | None:
    previous = GENESIS
    rows = Entry.objects.filter(book_id=book_id).order_by("sequence").values_list(*COLUMNS, "digest")
    for expected, (*values, found) in enumerate(rows.iterator(chunk_size=FETCH), start=1):
        if values[1] != expected or digest(previous, values) != bytes(found):
            return int(values[1])
        previous = bytes(found)
    return None
