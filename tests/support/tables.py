"""The product's tables, made once in a run by `xiezhi migrate`; every database that a test wants begins as a copy of them."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.postgres import Server

DATABASE = "xiezhi.sqlite3"
TEMPLATE = "xiezhi_tables"


def sqlite_copy(target: Path) -> None:
    """Put a migrated, empty SQLite database at `target`, in place of what stands there."""
    with _only_one() as folder:
        made = folder / DATABASE
        if not made.exists():
            _migrate(folder)
    for leftover in target.parent.glob(f"{target.name}-*"):
        leftover.unlink()  # a journal belongs to the file that it was written for
    shutil.copy(made, target)


def postgres_copy(server: Server, name: str) -> str:
    """Make the migrated, empty database `name` on `server`, in place of one of that name; returns its address."""
    with _only_one() as folder:
        known = folder / f"{TEMPLATE}-{server.url.rpartition('@')[2]}"
        if not known.exists():
            server.drop(TEMPLATE)
            _migrate(folder / "beside", server.create(TEMPLATE))
            known.touch()
    server.drop(name)
    return server.create(name, like=TEMPLATE)


@contextmanager
def _only_one() -> Iterator[Path]:
    """The folder for this, shared by all parts of a run, while no other process makes anything in it."""
    folder = Path(os.environ.get("XIEZHI_TEST_TABLES") or os.environ["XIEZHI_TEST_FOLDER"]) / "tables"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def _migrate(data: Path, database_url: str = "") -> None:
    inherited = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
    told = {"DJANGO_SETTINGS_MODULE": "xiezhi.config.settings", "XIEZHI_DATA": str(data)}
    done = subprocess.run(
        [sys.executable, "-m", "xiezhi", "migrate", "--verbosity", "0"],
        env={**inherited, **told, **({"DATABASE_URL": database_url} if database_url else {})},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"the tables could not be made:\n{done.stdout}{done.stderr}")
