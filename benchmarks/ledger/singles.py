"""Postings one by one on PostgreSQL: the database's own benchmark, our posting function from the same client, and our service from Django.

    python -m benchmarks.ledger.singles [--seconds 5] [--rounds 3]

Starts a server of its own with the default, durable configuration; everything runs on it, alternating, after a warm-up round.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.ledger import world
from tests.support import postgres

CLIENTS = (1, 4, 16)
SCRIPT = """\\set card random(1, {cards})
SELECT r.replayed FROM bench_cards c, LATERAL prepaid_post(c.book, 'redemption', 'posted', ARRAY[c.debit], ARRAY[c.credit],
 ARRAY[1::bigint], gen_random_uuid()::text, sha256('x'), now(), now(), 'api', NULL, NULL, NULL) r WHERE c.id = :card;
"""


def pgbench(address: str, clients: int, seconds: int, *more: str) -> float:
    """Transactions per second as pgbench tells them."""
    command = [str(programs() / "pgbench"), "-n", "-M", "simple", "-c", str(clients), "-j", str(min(2, clients))]
    done = subprocess.run(
        [*command, "-T", str(seconds), *more, address],
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ),
    )
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    if done.returncode or not found:
        sys.exit(f"pgbench: {done.stdout}{done.stderr}")
    return float(found[1])


def programs() -> Path:
    found = postgres.programs()
    if found is None:
        sys.exit(postgres.HOW_TO_GET)
    return found


def service(cards: list[tuple[int, int, int]], clients: int, seconds: int) -> float:
    """Postings per second through `posting.post`, each client a process of its own, all starting together."""
    from django.db import connections

    connections.close_all()
    fork = multiprocessing.get_context("fork")
    barrier, total = fork.Barrier(clients + 1), fork.Value("q", 0)
    children = [fork.Process(target=_client, args=(cards, n, seconds, barrier, total)) for n in range(clients)]
    for child in children:
        child.start()
    barrier.wait(60)
    begun = time.monotonic()
    for child in children:
        child.join()
    return float(total.value) / (time.monotonic() - begun)


def _client(cards: list[tuple[int, int, int]], number: int, seconds: int, barrier: Any, total: Any) -> None:
    import random

    from django.db import connection
    from django.utils import timezone

    from xiezhi.domains.prepaid.ledger.drafts import Draft, Leg, request_digest
    from xiezhi.domains.prepaid.services import posting

    connection.ensure_connection()
    rng, done, run = random.Random(number), 0, time.time_ns()
    barrier.wait(60)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        book, debit, credit = rng.choice(cards)
        now, key = timezone.now(), f"{run}-{number}-{done}"
        request = request_digest({"redeem": debit, "amount": 1})
        posting.post(Draft(book, "redemption", (Leg(debit, credit, 1),), key, request, now), booked_at=now)
        done += 1
    with total.get_lock():
        total.value += done


def median(values: list[float]) -> float:
    return statistics.median(values)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with (
        postgres.PrivateCluster(()) as server,
        server.database() as ours,
        server.database() as theirs,
        server.database() as hot,
    ):
        world.migrated(ours)
        cards = world.opened(100, 20)
        _bench_table(cards)
        for address, scale in ((theirs, 10), (hot, 1)):
            subprocess.run(
                [str(programs() / "pgbench"), "-i", "-q", "-s", str(scale), address], check=True, capture_output=True
            )
        script, one = (_script(len(cards)), _script(1))
        print(
            "what | clients | pgbench TPC-B | our function, same client | ratio | our service, Django clients | ratio"
        )
        for clients in CLIENTS:
            _compare("many books", clients, given, theirs, ours, script, cards)
        _compare("one hot account", 4, given, hot, ours, one, cards[:1])
        _compare("one hot account", 16, given, hot, ours, one, cards[:1])


def _compare(what: str, clients: int, given: Any, theirs: str, ours: str, script: str, cards: Any) -> None:
    told: dict[str, list[float]] = {"bench": [], "function": [], "service": []}
    for number in range(given.rounds + 1):  # the first is the warm-up
        measured = {
            "bench": pgbench(theirs, clients, given.seconds),
            "function": pgbench(ours, clients, given.seconds, "-f", script),
            "service": service(cards, clients, given.seconds),
        }
        if number:
            for name, value in measured.items():
                told[name].append(value)
    bench, function, through = (median(told[name]) for name in ("bench", "function", "service"))
    # Each round's three are measured one after another, so that a busy machine slows them alike: the ratio is of rounds.
    ratios = [
        median([ours / theirs for ours, theirs in zip(told[name], told["bench"], strict=True)])
        for name in ("function", "service")
    ]
    print(
        f"{what} | {clients} | {bench:.0f} | {function:.0f} | {ratios[0]:.2f} | {through:.0f} | {ratios[1]:.2f}",
        flush=True,
    )


def _bench_table(cards: list[tuple[int, int, int]]) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_cards (id bigint PRIMARY KEY, book bigint, debit bigint, credit bigint)")
        with cursor.copy("COPY bench_cards FROM STDIN") as copy:
            for number, (book, debit, credit) in enumerate(cards, start=1):
                copy.write_row((number, book, debit, credit))
        cursor.execute("ANALYZE")


def _script(cards: int) -> str:
    with tempfile.NamedTemporaryFile("w", suffix=".sql", delete=False) as file:
        file.write(SCRIPT.format(cards=cards))
    return file.name


if __name__ == "__main__":
    main()
