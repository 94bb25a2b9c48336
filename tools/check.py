"""Everything `make check` looks at, one line each when it is well and its own words when not. `--fix` lays code out.

The checks run side by side as far as the machine has cores; the exit status is 1 if any of them found something.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import hygiene

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
PYTHON = BIN / "python"
SHOWN_LINES = 60


@dataclass(frozen=True)
class Outcome:
    good: bool
    words: str = ""


@dataclass(frozen=True)
class Check:
    name: str
    look: Callable[[], Outcome]


def environment(folder: str) -> dict[str, str]:
    """Settings as a district would have them, with a data folder of our own."""
    inherited = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
    return {
        **inherited,
        "DJANGO_SETTINGS_MODULE": "xiezhi.config.settings",
        "XIEZHI_DATA": folder,
        "XIEZHI_HTTPS": "1",
        "XIEZHI_SECRET_KEY": secrets.token_urlsafe(50),
        "XIEZHI_LOG_LEVEL": "WARNING",
    }


def running(*command: str | Path) -> Callable[[], Outcome]:
    """A check that is a command: well when it exits 0."""

    def look() -> Outcome:
        with tempfile.TemporaryDirectory(prefix="xiezhi-check-") as folder:
            done = subprocess.run(
                [str(part) for part in command],
                cwd=ROOT,
                env=environment(folder),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
        return Outcome(done.returncode == 0, done.stdout.strip())

    return look


def tidy() -> Outcome:
    """Nothing in the repository that must not be there; see hygiene.py."""
    found = hygiene.findings(ROOT)
    return Outcome(not found, "\n".join(found))


def templates() -> list[Path]:
    return sorted(file for file in (ROOT / "src").rglob("templates/**/*.html"))


def djade(*options: str) -> list[str | Path]:
    return [BIN / "djade", "--target-version", "5.2", *options, *templates()]


def checks() -> list[Check]:
    """Slow ones first, so that the last to end is not also the last to begin."""
    xiezhi = (PYTHON, "-m", "xiezhi")
    listed = [
        Check("types (mypy)", running(BIN / "mypy")),
        Check("layout (ruff format)", running(BIN / "ruff", "format", "--check", "--output-format", "concise", ".")),
        Check("lint (ruff)", running(BIN / "ruff", "check", "--output-format", "concise", ".")),
        Check("imports (import-linter)", running(BIN / "lint-imports", "--no-logo")),
        Check("migrations match the models", running(*xiezhi, "makemigrations", "--check", "--dry-run")),
        Check("system checks", running(*xiezhi, "check", "--deploy", "--fail-level", "WARNING")),
        Check("generated documents are up to date", running(*xiezhi, "generate_docs", "--check")),
        Check("message catalogues are complete", running(PYTHON, "tools/messages.py", "check")),
        Check("nothing that must not be in the repository", tidy),
    ]
    if templates():
        listed.append(Check("templates (djade)", running(*djade("--check"))))
    return listed


def inspect(check: Check) -> bool:
    started = time.monotonic()
    outcome = check.look()
    lines = [f"{'✓' if outcome.good else '✗'} {check.name} ({time.monotonic() - started:.1f} s)"]
    if not outcome.good:
        words = outcome.words.splitlines()
        lines += [*words[:SHOWN_LINES], f"… and {len(words) - SHOWN_LINES} more" if words[SHOWN_LINES:] else ""]
    print("\n".join(lines), flush=True)
    return outcome.good


def fix() -> int:
    """Lay out code and templates; what cannot be mended by a tool is left for `make check` to name."""
    commands: list[list[str | Path]] = [
        [BIN / "ruff", "check", "--fix-only", "--quiet", "."],
        [BIN / "ruff", "format", "."],
    ]
    if templates():
        commands.append(djade())
    for command in commands:
        subprocess.run([str(part) for part in command], cwd=ROOT, check=False)
    return 0


def main(arguments: list[str]) -> int:
    if arguments == ["--fix"]:
        return fix()
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 2) as pool:
        results = list(pool.map(inspect, checks()))
    failed = results.count(False)
    print(f"{len(results)} checks, {failed} found something" if failed else f"{len(results)} checks, all well")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
