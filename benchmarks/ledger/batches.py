"""A file of redemptions: read, checked, shared out, posted and committed; and the same file once more.

python -m benchmarks.ledger.batches --database sqlite|postgresql [--rows 100000]
"""

from __future__ import annotations

import argparse
import contextlib
import os
import time
from pathlib import Path

from benchmarks.ledger import world
from tests.support import postgres


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], required=True)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with contextlib.ExitStack() as stack:
        address = None
        if given.database == "postgresql":
            address = stack.enter_context(stack.enter_context(postgres.PrivateCluster(())).database())
        measure(given, address)


def measure(given: argparse.Namespace, address: str | None) -> None:
    world.migrated(address)
    world.opened(1, 1_000)
    merchant, actor = world.merchant_actor()
    from django.utils import timezone

    from xiezhi.domains.prepaid.services.batches import post_redemptions

    folder = Path(os.environ["XIEZHI_DATA"])
    for number in range(given.rounds):
        text = (
            world.batch_file(folder / "batch.csv", given.rows, 1_000).read_text("utf-8").replace("row-", f"r{number}-")
        )
        (folder / "batch.csv").write_text(text, "utf-8")
        for what in ("posted", "again"):
            begun, before = time.monotonic(), time.process_time()
            done = post_redemptions(merchant=merchant, path=folder / "batch.csv", actor=actor, at=timezone.now())
            seconds, own = time.monotonic() - begun, time.process_time() - before
            assert not done.refused
            assert done.replayed == (given.rows if what == "again" else 0)
            told = f"{given.rows} entries in {seconds:.2f} s ({own:.2f} of processor, a server's not counted)"
            print(f"{given.database}: {what} {told}: {given.rows / seconds:.0f}/s", flush=True)


if __name__ == "__main__":
    main()
