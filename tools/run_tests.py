"""The whole suite, as `make test` runs it, in three parts: everything on SQLite, what touches the database again on
a real PostgreSQL (and who may do what, there alone), and the journeys in Chromium.

Each part is a pytest of its own, because a process has one database and a browser's event loop keeps Django from it.
They use every core. All parts run even if one fails; the last line adds up what passed and failed.
For a part of it call pytest itself: CONTRIBUTING.md says how.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

import machine
from tests.support.postgres import PrivateCluster

ROOT = Path(__file__).resolve().parent.parent
WORKERS = str(min(4, os.cpu_count() or 2))
ACCESS_MATRIX = "tests/architecture/test_route_matrix.py::test_the_product_answers_as_the_table_says"
"""Who may do what is the same on every database, and long to ask: it is asked on PostgreSQL."""
JOURNEYS = ("tests/journeys/test_newcomer.py", "tests/journeys", "tests/web", "tests/tools")
"""Where journeys are looked for; the longest is begun first, so that the other files share the second process meanwhile."""


@dataclass(frozen=True)
class Part:
    name: str
    arguments: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)


@dataclass
class Tally:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def add(self, report: Path) -> None:
        """Add a part's JUnit report; errors count as failures."""
        for suite in ElementTree.parse(report).getroot().iter("testsuite"):
            total, failed, skipped = (int(suite.get(key, "0")) for key in ("tests", "failures", "skipped"))
            failed += int(suite.get("errors", "0"))
            self.passed += total - failed - skipped
            self.failed += failed
            self.skipped += skipped


def parts(database_url: str) -> list[Part]:
    every_core = ("-n", WORKERS, "--dist", "worksteal")
    return [
        Part("SQLite", (*every_core, "-m", "not postgres and not journey", "--deselect", ACCESS_MATRIX)),
        Part(
            "PostgreSQL",
            (*every_core, "-m", "not journey"),
            {"DATABASE_URL": database_url, "XIEZHI_ONLY": "database", "XIEZHI_REQUIRE": "postgres"},
        ),
        Part(
            "journeys in Chromium",
            ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder", "-m", "journey", *JOURNEYS),
            {"XIEZHI_REQUIRE": "journey"},
        ),
    ]


def run(part: Part, inherited: dict[str, str], report: Path) -> bool:
    print(f"\n━━ {part.name}", flush=True)
    started = time.monotonic()
    command = [sys.executable, "-m", "pytest", *part.arguments, f"--junit-xml={report}"]
    environment = {**inherited, **part.environment}
    status = subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, check=False).returncode
    print(f"━━ {part.name}: {time.monotonic() - started:.0f} s", flush=True)
    return status == 0


def main() -> int:
    # So that the server below is stopped when this run is.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    machine.provide()
    inherited = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
    tally, good = Tally(), True
    with PrivateCluster() as server, tempfile.TemporaryDirectory(prefix="xiezhi-reports-") as folder:
        inherited["XIEZHI_TEST_TABLES"] = folder
        inherited["XIEZHI_TEST_POSTGRES"] = f"{server.url}/postgres"
        for number, part in enumerate(parts(f"{server.url}/xiezhi")):
            report = Path(folder) / f"{number}.xml"
            good &= run(part, inherited, report)
            if report.exists():
                tally.add(report)
            else:
                good = False
    if not good and not tally.failed:
        tally.failed = 1  # a part that did not run, or ran nothing of what it must
    print(f"\n{tally.passed} passed, {tally.failed} failed, {tally.skipped} skipped", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
