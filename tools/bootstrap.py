"""Set a checkout up: `tools/bootstrap.py base` to run Xiezhi, `tools/bootstrap.py dev` to work on it as well.

Standard library only: it runs before anything is installed. It makes `.venv`, installs the hash-locked
requirements (uv, with pip as the fallback), puts `src` on the environment's path, installs the front-end
packages at their locked versions, builds what the browser gets, and compiles the message catalogues. A step
leaves a stamp of what it was made from, so a second run only compares stamps. Anything that is missing is
named, with how to get it.

Settings by environment: XIEZHI_INSTALLER=pip skips uv; XIEZHI_NODE=wheel ignores the machine's own Node.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"
PYTHON = BIN / "python"
STAMPS = VENV / "xiezhi-stamps.json"
REQUIREMENTS = ROOT / "requirements"
FRONTEND = ROOT / "frontend"
DIST = ROOT / "src" / "xiezhi" / "foundation" / "ui" / "static" / "ui" / "dist"
LOCALE = ROOT / "src" / "xiezhi" / "locale"
OLDEST_PYTHON = (3, 11)
OLDEST_NODE = 18
SYSTEM_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")

LAUNCHER = """\
#!/bin/sh
'''exec' "$(dirname "$(readlink -f "$0")")/python" "$0" "$@"
' '''
import sys

from xiezhi.cli import main

sys.exit(main())
"""


def say(text: str) -> None:
    print(f"→ {text}", flush=True)


def stop(problem: str, *remedies: str) -> NoReturn:
    """End with what is wrong and, line by line, how to mend it."""
    print(f"\n✗ {problem}", *(f"  {remedy}" for remedy in remedies), sep="\n", file=sys.stderr, flush=True)
    raise SystemExit(1)


def run(*command: str | Path, cwd: Path = ROOT, env: dict[str, str] | None = None) -> bool:
    """Run a command with its output shown; whether it succeeded."""
    merged = {**os.environ, **(env or {})}
    try:
        done = subprocess.run([str(part) for part in command], cwd=cwd, env=merged, check=False)
    except (FileNotFoundError, PermissionError):
        return False
    return done.returncode == 0


def answer(*command: str | Path) -> str | None:
    """What a command prints, or None when it is missing or fails (a shim may be found and still not run)."""
    line = [str(part) for part in command]
    try:
        done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def digest(files: Iterable[Path], *extra: str) -> str:
    """One hash over files' paths and contents and over `extra`."""
    total = hashlib.sha256()
    for file in files:
        total.update(f"{file.relative_to(ROOT)}\0".encode())
        total.update(hashlib.sha256(file.read_bytes()).digest())
    for text in extra:
        total.update(f"\0{text}".encode())
    return total.hexdigest()


def read_stamps() -> dict[str, str]:
    with contextlib.suppress(OSError, ValueError):
        return dict(json.loads(STAMPS.read_text("utf-8")))
    return {}


def write_stamp(name: str, value: str) -> None:
    stamps = read_stamps() | {name: value}
    draft = STAMPS.with_suffix(".new")
    draft.write_text(json.dumps(stamps, indent=1), "utf-8")
    draft.replace(STAMPS)


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Two set-ups of one checkout take turns."""
    folder = ROOT / "var"
    folder.mkdir(exist_ok=True)
    with (folder / "setup.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another set-up of this checkout is running; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


# --- Python ----------------------------------------------------------------------------------------------


def environment() -> str:
    """Make `.venv` unless a working one stands; returns its Python's version."""
    probe = "import sys, pip; print('.'.join(map(str, sys.version_info[:3])))"
    version = answer(PYTHON, "-c", probe)
    if version and tuple(int(part) for part in version.split(".")[:2]) >= OLDEST_PYTHON:
        return version
    if sys.version_info < OLDEST_PYTHON:
        stop(f"Python {sys.version.split()[0]} is too old; Xiezhi needs 3.11 or newer.")
    say(f"making .venv with Python {sys.version.split()[0]}")
    if not run(sys.executable, "-m", "venv", "--clear", VENV):
        stop("Python could not make a virtual environment.", "On Debian: apt-get install python3-venv")
    version = answer(PYTHON, "-c", probe)
    if not version:
        stop(f"The environment in {VENV} does not start.", "Remove it (make clean) and try again.")
    return version


def install(lock: str) -> None:
    """Install requirements/<lock>.txt exactly: wheels only, hashes checked; with uv, or pip if uv fails."""
    file = REQUIREMENTS / f"{lock}.txt"
    exact = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", str(file)]
    pip: list[str | Path] = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    started = time.monotonic()
    if lock != "uv" and os.environ.get("XIEZHI_INSTALLER") != "pip":
        if not current("uv"):
            install("uv")
        if (BIN / "uv").exists():
            uv: list[str | Path] = [BIN / "uv", "pip", "install", "--quiet", "--python", PYTHON, *exact]
            # The machine's own certificates: behind a company's proxy uv's list refuses the connection.
            if run(*uv, env={"UV_SYSTEM_CERTS": "1", "UV_LINK_MODE": os.environ.get("UV_LINK_MODE", "copy")}):
                write_stamp(lock, fingerprint(lock))
                say(f"installed requirements/{lock}.txt ({time.monotonic() - started:.0f} s)")
                return
            say("uv could not install; trying pip, which Python brings")
    if not run(*pip, *exact):
        if lock == "uv":
            say("uv itself could not be installed; pip will do its work, more slowly")
            return
        stop(
            f"The packages in requirements/{lock}.txt could not be installed; the lines above say why.",
            "Check that this machine reaches its Python package index (pip's settings apply), then repeat.",
        )
    write_stamp(lock, fingerprint(lock))
    if lock != "uv":
        say(f"installed requirements/{lock}.txt with pip ({time.monotonic() - started:.0f} s)")


def fingerprint(lock: str) -> str:
    return digest([REQUIREMENTS / f"{lock}.txt"], str(answer(PYTHON, "-V")))


def current(lock: str) -> bool:
    return read_stamps().get(lock) == fingerprint(lock)


def link_source() -> None:
    """Put `src` on the environment's path and `xiezhi` among its commands.

    A path file rather than an editable install: nothing to build, nothing to download, and, because the line
    is relative, no encoding to go wrong when the checkout lies in a folder with a Chinese name.
    """
    site = next((VENV / "lib").glob("python3.*/site-packages"))
    line = f"{os.path.relpath(ROOT / 'src', site)}\n"
    path_file = site / "xiezhi.pth"
    if not path_file.exists() or path_file.read_text("ascii") != line:
        path_file.write_text(line, "ascii")
    command = BIN / "xiezhi"
    if not command.exists() or command.read_text("utf-8") != LAUNCHER:
        command.write_text(LAUNCHER, "utf-8")
        command.chmod(0o755)


def python_packages(profile: str) -> None:
    environment()
    # The development lock contains the base lock, so an environment made for tests also runs the product.
    if not current("dev") and not current(profile):
        install(profile)
    link_source()


# --- front end -------------------------------------------------------------------------------------------


def usable_node(node: Path | str, npm: Path | str) -> bool:
    version = answer(node, "--version") or "v0"
    return int(version.lstrip("v").split(".")[0]) >= OLDEST_NODE and answer(npm, "--version") is not None


def node_tools() -> dict[str, str]:
    """The environment in which node and npm run: the machine's own, or a wheel's installed on demand."""
    environment: dict[str, str] = {}
    # Node trusts its own list alone; behind a company's proxy that refuses every connection.
    if SYSTEM_CERTIFICATES.exists() and "NODE_EXTRA_CA_CERTS" not in os.environ:
        environment["NODE_EXTRA_CA_CERTS"] = str(SYSTEM_CERTIFICATES)
    node, npm = shutil.which("node"), shutil.which("npm")
    if os.environ.get("XIEZHI_NODE") != "wheel" and node and npm and usable_node(node, npm):
        return environment
    if not current("node"):
        say(f"no Node.js {OLDEST_NODE} or newer with npm on this machine; installing one into .venv")
        install("node")
    if not usable_node(BIN / "node", BIN / "npm"):
        stop(
            "Node.js does not start, neither the machine's nor the one from the Python wheel.",
            f"Install Node.js {OLDEST_NODE} or newer with npm, for example: apt-get install nodejs npm",
        )
    return environment | {"PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}


def front_end() -> None:
    """npm's packages at their locked versions, then our build of what the browser gets."""
    lock = [FRONTEND / name for name in (".npmrc", "package.json", "package-lock.json")]
    own = [FRONTEND / "build.mjs", FRONTEND / "icons.txt"]
    own += sorted(file for file in (FRONTEND / "src").rglob("*") if file.is_file())
    packages_wanted, build_wanted = digest(lock), digest([*lock, *own])
    packages_stamp, build_stamp = FRONTEND / "node_modules" / ".xiezhi-stamp", DIST / ".stamp"

    def holds(stamp: Path, wanted: str) -> bool:
        return stamp.is_file() and stamp.read_text("ascii") == wanted

    if holds(build_stamp, build_wanted) and holds(packages_stamp, packages_wanted):
        return
    tools = node_tools()
    if not holds(packages_stamp, packages_wanted):
        started = time.monotonic()
        if not run("npm", "ci", "--no-progress", "--loglevel=error", cwd=FRONTEND, env=tools):
            stop(
                "The front-end packages could not be installed; npm's lines above say why.",
                "Check that this machine reaches its npm registry (npm's settings apply), then repeat.",
            )
        packages_stamp.write_text(packages_wanted, "ascii")
        say(f"installed frontend/package-lock.json ({time.monotonic() - started:.0f} s)")
    if not run("node", "build.mjs", cwd=FRONTEND, env=tools):
        stop("The front end could not be built; the lines above say why.")
    build_stamp.write_text(build_wanted, "ascii")
    say("built what the browser gets")


# --- catalogues ------------------------------------------------------------------------------------------


def catalogues() -> None:
    """Compile every message catalogue that is newer than its compiled form."""

    def stale(source: Path) -> bool:
        compiled = source.with_suffix(".mo")
        return not compiled.exists() or compiled.stat().st_mtime < source.stat().st_mtime

    if any(stale(source) for source in LOCALE.glob("*/LC_MESSAGES/*.po")):
        if not run(PYTHON, ROOT / "tools" / "messages.py", "compile"):
            stop("The message catalogues could not be compiled; the lines above say where.")
        say("compiled the message catalogues")


def main(arguments: list[str]) -> None:
    if arguments not in (["base"], ["dev"]):
        stop("Say what to set up for: `bootstrap.py base` to run Xiezhi, `bootstrap.py dev` to work on it.")
    with alone():
        python_packages(arguments[0])
        front_end()
        catalogues()


if __name__ == "__main__":
    main(sys.argv[1:])
