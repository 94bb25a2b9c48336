"""Build a wheel that needs nothing but Python: `make wheel`. Assets and catalogues are built first and go in.

It is built from a copy, so that no earlier build's files slip in and nothing is left in the checkout but `dist/`. Beside the wheel lie the
locked requirements, for who wants exactly the versions that were tested.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import bootstrap

ROOT = bootstrap.ROOT
DIST = ROOT / "dist"
TAKEN = ("pyproject.toml", "README.md", "LICENSE", "requirements/base.in")
BUILD = "import sys; from setuptools.build_meta import build_wheel; print(build_wheel(sys.argv[1]))"


def build(into: Path) -> Path:
    """Build the wheel of the checkout as it stands into that folder; returns where it lies."""
    into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="xiezhi-wheel-") as folder:
        copy = Path(folder)
        shutil.copytree(ROOT / "src", copy / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        for name in TAKEN:
            (copy / name).parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
        done = subprocess.run(
            [sys.executable, "-c", BUILD, str(into)],
            cwd=copy, env={**os.environ, "PYTHONPATH": ""}, capture_output=True, text=True, check=False,
        )  # fmt: skip
    if done.returncode:
        bootstrap.stop("The wheel could not be built.", *done.stderr.strip().splitlines()[-10:])
    return into / done.stdout.strip().splitlines()[-1]


def main() -> None:
    if not bootstrap.current("wheel") and not bootstrap.current("dev"):
        bootstrap.install("wheel")
    wheel = build(DIST)
    shutil.copy(ROOT / "requirements" / "base.txt", DIST / "requirements.txt")
    bootstrap.say(f"{wheel.relative_to(ROOT)} ({wheel.stat().st_size / 1e6:.1f} MB), dist/requirements.txt")


if __name__ == "__main__":
    main()
