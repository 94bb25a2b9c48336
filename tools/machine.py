"""What the test suite needs from the machine itself: Chromium, a Chinese font and PostgreSQL's server programs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.support import browser, postgres  # noqa: E402


def has_chinese_font() -> bool:
    if shutil.which("fc-list"):
        found = subprocess.run(["fc-list", ":lang=zh"], capture_output=True, text=True, check=False)
        return bool(found.stdout.strip())
    return any(Path("/usr/share/fonts").rglob("NotoSansCJK*"))


NEEDED: dict[str, Callable[[], bool]] = {
    "chromium": lambda: browser.chromium() is not None,
    "fonts-noto-cjk": has_chinese_font,
    "postgresql": lambda: postgres.programs() is not None,
}


def missing() -> list[str]:
    """The Debian packages whose content this machine lacks."""
    return [package for package, present in NEEDED.items() if not present()]


def provide() -> None:
    """Install what is missing where that is ours to do; otherwise end with the command that does it."""
    packages = missing()
    if not packages:
        return
    command = f"apt-get install {' '.join(packages)}"
    if shutil.which("apt-get") is None:
        sys.exit(f"✗ The tests need {', '.join(packages)} (names of Debian's packages); install them and repeat.")
    if os.geteuid() != 0:
        sys.exit(f"✗ The tests need {', '.join(packages)}. As the administrator: {command}")
    print(f"→ {command}", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *packages]
    for step in (["apt-get", "update", "--quiet"], install):
        done = subprocess.run(
            step, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if done.returncode:
            print(done.stdout, done.stderr, sep="\n", file=sys.stderr)
    if still := missing():
        sys.exit(f"✗ {', '.join(still)} could not be installed; the lines above say why.")
