"""A district with its cases on a PostgreSQL of its own: made once, kept in a folder, started again as often as wanted."""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from tests.support.postgres import PrivateCluster, Server

SERVER = (
    "shared_buffers=1GB", "effective_cache_size=4GB", "work_mem=16MB", "random_page_cost=1.1", "max_wal_size=4GB",
    "max_connections=100", "jit=off",
)  # fmt: skip
"""As docs/how-to/run-on-postgresql.md advises for a machine of its own; commits are durable."""
NAME = "district"


@contextlib.contextmanager
def running(folder: Path, settings: tuple[str, ...] = SERVER) -> Iterator[str]:
    """The kept district's database address; the environment names it and the site's own folder."""
    with PrivateCluster(settings, keep=folder / "postgres") as server:
        address = f"{server.url}/{NAME}"
        (folder / "site").mkdir(exist_ok=True)
        os.environ |= {
            "DATABASE_URL": address, "XIEZHI_DATA": str(folder / "site"), "XIEZHI_SECOND_FACTOR": "nobody",
            "DJANGO_SETTINGS_MODULE": "xiezhi.config.settings",
        }  # fmt: skip
        yield address


def make(folder: Path, *, cases: int, seed: int, now: datetime | None = None) -> None:
    """Make the district in `folder`, which must hold none yet."""
    if (folder / "made").exists():
        raise SystemExit(f"{folder} holds a district already; remove it or name another folder")
    began = time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - began:6.0f} s  {what}", flush=True)

    folder.mkdir(parents=True, exist_ok=True)
    with running(folder, (*SERVER, "fsync=off", "synchronous_commit=off", "full_page_writes=off")) as address:
        with psycopg_database(address):
            migrated()
        say("tables")
        from django.utils import timezone

        from benchmarks.complaints import cases as rows
        from benchmarks.complaints import district

        now = now or timezone.localtime().replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        made = district.build(random.Random(seed))
        say("organisations, firms and people")
        rows.pour(address, rows.Generator(district=made, count=cases, seed=seed, now=now), say=say)
        rows.pour_beside(address, now=now, say=say)
    (folder / "made").write_text(f"{cases} cases, seed {seed}, up to {now}\n")
    say("done")


@contextlib.contextmanager
def psycopg_database(address: str) -> Iterator[None]:
    """Make the database unless it is there."""
    from psycopg import errors, sql

    with contextlib.suppress(errors.DuplicateDatabase):
        Server.at(address).execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(NAME)))
    yield


def migrated() -> None:
    """Bring the tables up to this source, and Django with them."""
    subprocess.run([sys.executable, "-m", "xiezhi", "migrate", "--verbosity", "0"], check=True)
    import django

    django.setup()


def up(folder: Path) -> None:
    """Start it, bring its tables up to this source, say where it is, and wait to be interrupted."""
    with running(folder) as address:
        migrated()
        print(f"export DATABASE_URL={address} XIEZHI_DATA={folder / 'site'} XIEZHI_SECOND_FACTOR=nobody", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                time.sleep(3600)
