"""Resolve everything again at the newest versions that fit: `make lock`. Locks hold hashes and no addresses.

For the oldest Python that Xiezhi supports, so that one lock serves every newer one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import bootstrap

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements"
OPTIONS = (
    *("--generate-hashes", "--upgrade", "--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"),
    *("--python-version", "3.11", "--only-binary", ":all:", "--quiet"),
)


def lock_python(name: str, *more: str) -> None:
    command = [
        str(bootstrap.BIN / "uv"),
        "pip",
        "compile",
        *OPTIONS,
        *more,
        f"{name}.in",
        "--output-file",
        f"{name}.txt",
    ]
    environment = {**os.environ, "UV_SYSTEM_CERTS": "1"}
    if subprocess.run(command, cwd=REQUIREMENTS, env=environment, check=False).returncode:
        sys.exit(f"✗ requirements/{name}.in could not be resolved; the lines above say why.")
    print(f"→ requirements/{name}.txt", flush=True)


def main() -> None:
    if not (bootstrap.BIN / "uv").exists():
        sys.exit("✗ Locking needs uv in .venv, and set-up could not install it. Try `make setup-dev` again.")
    for name in ("uv", "node", "base"):
        lock_python(name)
    lock_python("dev", "--constraint", "base.txt")  # development adds to what runs, never changes it
    (bootstrap.FRONTEND / "package-lock.json").unlink(missing_ok=True)
    npm = [shutil.which("npm") or "npm", "install", "--package-lock-only", "--no-progress", "--loglevel=error"]
    if subprocess.run(
        npm, cwd=bootstrap.FRONTEND, env={**os.environ, **bootstrap.node_tools()}, check=False
    ).returncode:
        sys.exit("✗ frontend/package.json could not be resolved; the lines above say why.")
    print("→ frontend/package-lock.json", flush=True)


if __name__ == "__main__":
    main()
