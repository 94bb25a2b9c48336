"""Other processes on the test's own database, and killing one in the middle of its work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from django.db import connection

WITHIN_SECONDS = 120
ROOT = Path(__file__).parents[2]
MOVED_CLOCK = Path(__file__).with_name("moved_clock")


def database_url() -> str:
    """The test database's address, for another process."""
    told = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{told['NAME']}"
    person = f"{quote(told['USER'])}:{quote(told['PASSWORD'])}"
    return f"postgres://{person}@{told['HOST'] or '127.0.0.1'}:{told['PORT'] or 5432}/{told['NAME']}"


def clock_at(moment: datetime) -> dict[str, str]:
    """Environment in which a process, and all that it starts, believes that it starts at `moment`."""
    away = int((moment - datetime.now(UTC)).total_seconds())
    return {"PYTHONPATH": str(MOVED_CLOCK), "XIEZHI_TEST_CLOCK_SHIFT": str(away)}


def other_process(folder: Path, *, clock: datetime | None = None) -> tuple[dict[str, str], Path]:
    """Environment and working folder of another process that works on the test's own database and keeps its files in `folder`.

    With `clock` it believes that it starts at that moment.
    """
    moved = clock_at(clock) if clock else {}
    environment = {
        **os.environ,
        **moved,
        "DJANGO_SETTINGS_MODULE": "xiezhi.config.settings",
        "DATABASE_URL": database_url(),
        "XIEZHI_DATA": str(folder),
        "PYTHONPATH": os.pathsep.join([*filter(None, [moved.get("PYTHONPATH")]), str(ROOT / "src"), str(ROOT)]),
    }
    return environment, folder


def kill_in_the_middle(program: str, *arguments: str, folder: Path, clock: datetime | None = None) -> None:
    """Run `python -m program ARGUMENTS… MARK` until it has made the file MARK, where it waits, and kill it there."""
    environment, cwd = other_process(folder, clock=clock)
    mark = folder / f"mark-{'-'.join(arguments)}"
    worker = subprocess.Popen(
        [sys.executable, "-m", program, *arguments, str(mark)],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
    )
    try:
        give_up = time.monotonic() + WITHIN_SECONDS
        while not mark.exists() and worker.poll() is None and time.monotonic() < give_up:
            time.sleep(0.05)
        assert mark.exists(), f"{program} never came to the point where it was to be killed"
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait()
