"""A ledger of many entries on PostgreSQL: how long a card's page takes, and how long proving everything takes.

    python -m benchmarks.ledger.large [--entries 10000000] [--books 100]

The entries are made inside the server, one after another as the posting function would make them, so that every digest is true.
"""

from __future__ import annotations

import argparse
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg

from benchmarks.ledger import world
from tests.support import postgres

CARDS = 200
FILL = """
CREATE FUNCTION bench_fill(a_book bigint, a_count integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    cards bigint[] := ARRAY(SELECT id FROM prepaid_account WHERE book_id = a_book AND purse = 'principal' ORDER BY id);
    earned bigint := (SELECT id FROM prepaid_account WHERE book_id = a_book AND purse = 'earned');
    lefts bigint[] := ARRAY(SELECT credits - debits FROM prepaid_account
                            WHERE book_id = a_book AND purse = 'principal' ORDER BY id);
    total bigint := (SELECT credits - debits FROM prepaid_account WHERE id = earned);
    last bigint; previous bytea; e prepaid_entry; n integer; moment timestamptz := now();
BEGIN
    SELECT last_sequence, head INTO last, previous FROM prepaid_book WHERE merchant_id = a_book;
    FOR i IN 1..a_count LOOP
        n := 1 + i % array_length(cards, 1);
        last := last + 1;
        lefts[n] := lefts[n] - 1;
        total := total + 1;
        e.id := nextval('prepaid_entry_id_seq');
        e.book_id := a_book; e.sequence := last; e.operation := last; e.leg := 0; e.kind := 'redemption'; e.phase := 'posted';
        e.debit_id := cards[n]; e.credit_id := earned; e.amount := 1; e.debit_after := lefts[n]; e.credit_after := total;
        e.at := moment; e.booked_at := moment; e.expires_at := NULL; e.key := 'k' || i; e.request := '\\x00'; e.source := 'api';
        e.actor_user_id := NULL; e.refers := NULL;
        previous := prepaid_digest(previous, e);
        e.digest := previous;
        INSERT INTO prepaid_entry SELECT (e).*;
    END LOOP;
    UPDATE prepaid_book SET last_sequence = last, head = previous, owed = owed - a_count WHERE merchant_id = a_book;
    UPDATE prepaid_account a SET debits = debits + s.n FROM
        (SELECT debit_id, count(*) AS n FROM prepaid_entry WHERE book_id = a_book AND kind = 'redemption' GROUP BY 1) s
        WHERE s.debit_id = a.id;
    UPDATE prepaid_account SET credits = credits + a_count WHERE id = earned;
END $$
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=10_000_000)
    parser.add_argument("--books", type=int, default=100)
    given = parser.parse_args()
    with postgres.PrivateCluster(("shared_buffers=1GB", "max_wal_size=8GB")) as server, server.database() as address:
        world.migrated(address)
        cards = world.opened(given.books, CARDS)
        fill(address, sorted({book for book, _debit, _credit in cards}), given.entries // given.books)
        pages(cards)
        regulators_list()
        prove()


def fill(address: str, books: list[int], each: int) -> None:
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(FILL)

    def one(book: int) -> None:
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute("SELECT bench_fill(%s, %s)", [book, each])

    begun = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one, books))
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    print(f"made {each * len(books)} entries in {time.monotonic() - begun:.0f} s", flush=True)


def pages(cards: list[tuple[int, int, int]]) -> None:
    """A card's balance and its last 50 entries, 200 cards far apart, through the product's own query."""
    from xiezhi.domains.prepaid.models import Account, Card
    from xiezhi.domains.prepaid.queries.cards import card_entries

    taken: list[float] = []
    for _book, debit, _credit in cards[:: max(1, len(cards) // 200)]:
        card = Card.objects.select_related("product").get(accounts=debit)
        begun = time.monotonic()
        purses = list(Account.objects.filter(card=card))
        found: Any = (purses, card_entries(card, purses=purses))
        taken.append((time.monotonic() - begun) * 1000)
        assert len(found[1]) == 50
    told = f"median {statistics.median(taken):.1f} ms, worst {max(taken):.1f} ms"
    print(f"balance and last 50 entries of a card, {len(taken)} cards: {told}", flush=True)


def regulators_list() -> None:
    """Where every merchant stands today and at the last quarter's end."""
    from django.utils import timezone

    from xiezhi.domains.prepaid.models import Merchant
    from xiezhi.domains.prepaid.queries.custody import positions

    begun = time.monotonic()
    today = timezone.localdate()
    found = positions(list(Merchant.objects.select_related("subject")), first=today, last=today)
    print(f"custody of {len(found)} merchants: {(time.monotonic() - begun) * 1000:.0f} ms", flush=True)


def prove() -> None:
    from xiezhi.domains.prepaid.queries.verification import verify_books

    begun = time.monotonic()
    report = verify_books()
    assert not report.faults, report.faults
    print(f"verified {report.entries} entries in {time.monotonic() - begun:.1f} s", flush=True)


if __name__ == "__main__":
    main()
