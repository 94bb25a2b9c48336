"""Postings one by one on PostgreSQL: the database's own benchmark, our posting function from the same client, our service from Django, and
django-hordak from Django.

    python -m benchmarks.ledger.singles [--seconds 5] [--rounds 3] [--hordak PATH/TO/VENV/bin/python]

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
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.ledger import world
from tests.support import postgres

CLIENTS = (1, 4, 16)
WARM = 20
"""Postings of each client before it is measured: its connection, its prepared statement and the server's plans."""
SCRIPT = """\\set card random(1, {cards})
SELECT r.o_replayed FROM bench_cards c, LATERAL prepaid_post(c.book, 'redemption', 'posted', ARRAY[c.debit], ARRAY[c.credit],
 ARRAY[1::bigint], gen_random_uuid()::text, sha256('x'), now(), now(), current_date, 'api', NULL, NULL, NULL) r WHERE c.id = :card;
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
    """Postings per second through `posting.post`: each client a process of its own with one connection, as a server's worker has,
    warmed up before all start together. Like pgbench's, the figure leaves connecting out."""
    from django.db import connections

    connections.close_all()
    fork = multiprocessing.get_context("fork")
    barrier, rates = fork.Barrier(clients), fork.Array("d", clients)
    children = [fork.Process(target=_client, args=(cards, n, seconds, barrier, rates)) for n in range(clients)]
    for child in children:
        child.start()
    for child in children:
        child.join()
        if child.exitcode:
            sys.exit(f"a client ended with {child.exitcode}")
    return sum(rates)


def _client(cards: list[tuple[int, int, int]], number: int, seconds: int, barrier: Any, rates: Any) -> None:
    import random

    from django.utils import timezone

    from xiezhi.domains.prepaid.ledger.drafts import Draft, Leg, request_digest
    from xiezhi.domains.prepaid.services import posting

    rng, run = random.Random(number), time.time_ns()

    def post(name: str) -> None:
        book, debit, credit = rng.choice(cards)
        now, key = timezone.now(), f"{run}-{number}-{name}"
        request = request_digest({"redeem": debit, "amount": 1})
        posting.post(Draft(book, "redemption", (Leg(debit, credit, 1),), key, request, now), booked_at=now)

    for first in range(WARM):
        post(f"w{first}")
    barrier.wait(60)
    begun, done = time.monotonic(), 0
    while time.monotonic() < begun + seconds:
        post(str(done))
        done += 1
    rates[number] = done / (time.monotonic() - begun)


class Hordak:
    """django-hordak in an environment of its own, see hordak.py; None for `python` leaves it out."""

    def __init__(self, python: str | None, address: str, accounts: int) -> None:
        self.python, self.address = python, address
        if python:
            self._told("setup", str(accounts))

    def rate(self, clients: int, seconds: int, accounts: int) -> float | None:
        if not self.python:
            return None
        return float(self._told("run", str(clients), str(seconds), str(accounts)))

    def _told(self, *arguments: str) -> str:
        assert self.python
        command = [self.python, "-P", str(Path(__file__).with_name("hordak.py")), self.address, *arguments]
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "DJANGO"))}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=clean)
        if done.returncode:
            sys.exit(f"django-hordak: {done.stdout}{done.stderr}")
        return done.stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--hordak", help="the Python of an environment with django-hordak")
    given = parser.parse_args()
    if not given.hordak:
        print("django-hordak is left out: give --hordak PATH/TO/VENV/bin/python (see benchmarks/ledger/hordak.py)")
    with (
        postgres.PrivateCluster(()) as server,
        server.database() as ours,
        server.database() as theirs,
        server.database() as hot,
        server.database() as other,
    ):
        world.migrated(ours)
        cards = world.opened(100, 20)
        _bench_table(cards)
        hordak = Hordak(given.hordak, other, 200)
        for address, scale in ((theirs, 10), (hot, 1)):
            subprocess.run(
                [str(programs() / "pgbench"), "-i", "-q", "-s", str(scale), address], check=True, capture_output=True
            )
        print(
            "what | clients | pgbench TPC-B | function, same client | ratio | service, Django | ratio | hordak | ratio"
        )
        script, one = _script(len(cards)), _script(1)
        many = [(clients, theirs, script, cards) for clients in CLIENTS]
        for clients, bench, ours_too, spread in [*many, (4, hot, one, cards[:1]), (16, hot, one, cards[:1])]:

            def measured(
                clients: int = clients, bench: str = bench, script: str = ours_too, spread: Any = spread
            ) -> Any:
                return (
                    pgbench(bench, clients, given.seconds),
                    pgbench(ours, clients, given.seconds, "-f", script),
                    service(spread, clients, given.seconds),
                    hordak.rate(clients, given.seconds, 200 if len(spread) > 1 else 1),
                )

            _compare("one hot account" if len(spread) == 1 else "many books", clients, given.rounds, measured)


def _compare(what: str, clients: int, rounds: int, measured: Callable[[], tuple[float | None, ...]]) -> None:
    """Run the rounds and print the line. Each round's competitors run one after another, so that a busy machine slows them alike, and a
    ratio is the median of the rounds' ratios."""
    measured()  # the warm-up
    told = [measured() for _round in range(rounds)]
    line = [what, str(clients)]
    for place in range(len(told[0])):
        found = [(each[place], each[0]) for each in told]
        rates = [rate for rate, _bench in found if rate is not None]
        line.append(f"{statistics.median(rates):.0f}" if rates else "–")
        if place:
            ratios = [rate / bench for rate, bench in found if rate is not None and bench]
            line.append(f"{statistics.median(ratios):.2f}" if ratios else "–")
    print(" | ".join(line), flush=True)


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
