"""A real Xiezhi for a test: its own folder, database and port, started by the command that a district would use."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import tables
from tests.support.postgres import free_port

READY_WITHIN_SECONDS = 90
STOPPED_WITHIN_SECONDS = 20


class Site:
    """One installation: `manage(...)` runs a command in it, `start()` and `stop()` its web, worker and ticker.

    The database is SQLite in `folder` unless a postgres:// address is given.
    """

    def __init__(self, folder: Path, database_url: str | None = None, **environment: str) -> None:
        self.folder = folder
        self.log = folder / "serve.log"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None
        inherited = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
        self.environment = {
            **inherited,
            "DJANGO_SETTINGS_MODULE": "xiezhi.config.settings",
            "XIEZHI_DATA": str(folder / "data"),
            "PYTHONUNBUFFERED": "1",
            "XIEZHI_SECOND_FACTOR": "nobody",  # journeys carry no telephone; who tests it says otherwise
            **({"DATABASE_URL": database_url} if database_url else {}),
            **environment,
        }

    def manage(self, *arguments: str, timeout_seconds: int = 300) -> str:
        """Run `xiezhi <arguments>` here and return what it printed; a failure fails the test with its words."""
        done = subprocess.run(
            [sys.executable, "-m", "xiezhi", *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_seconds,
            check=False,
        )
        if done.returncode:
            pytest.fail(f"xiezhi {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def start(self) -> None:
        """Start `xiezhi serve` and wait until it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "xiezhi", "serve", "--port", str(self.port)],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        give_up = time.monotonic() + READY_WITHIN_SECONDS
        while time.monotonic() < give_up and self.process.poll() is None:
            if self.answers():
                return
            time.sleep(0.1)
        self.stop()
        pytest.fail(f"xiezhi serve did not answer on {self.url}:\n{self.tail()}")

    def answers(self) -> bool:
        """Whether something answers at all; what it says is for the test to judge."""
        try:
            urllib.request.urlopen(self.url, timeout=5).close()
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True

    def stop(self, with_signal: signal.Signals = signal.SIGTERM) -> None:
        """Stop all that `start` started; whatever outlives the polite request is ended with its group."""
        if self.process is None:
            return
        group = self.process.pid
        if self.process.poll() is None:
            self.process.send_signal(with_signal)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=STOPPED_WITHIN_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
        self.process.wait()
        self.process = None

    def tail(self, lines: int = 60) -> str:
        """The end of the log, for a failure's message."""
        text = self.log.read_text("utf-8", errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])


@pytest.fixture(scope="session")
def make_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Site]]:
    """`make_site(name, database_url=None, **environment)`: a migrated, not yet started site; stopped at the end.

    On SQLite it begins with a copy of the run's tables; on PostgreSQL it makes its own.
    """
    sites: list[Site] = []

    def make(name: str = "site", database_url: str | None = None, **environment: str) -> Site:
        site = Site(tmp_path_factory.mktemp(name), database_url, **environment)
        sites.append(site)
        if database_url is None:
            (site.folder / "data").mkdir()
            tables.sqlite_copy(site.folder / "data" / tables.DATABASE)
        else:
            site.manage("migrate", "--verbosity", "0")
        return site

    yield make
    for site in sites:
        site.stop()


@pytest.fixture(scope="session")
def site(make_site: Callable[..., Site]) -> Site:
    """One running site with an empty database, shared by the journeys that need nothing in it."""
    made = make_site("site")
    made.start()
    return made
