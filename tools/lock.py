"""Resolve everything again at the newest versions that fit: `make lock`. Locks hold hashes and no addresses.

For the oldest Python that Xiezhi supports, so that one lock serves every newer one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
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
    for name in ("uv", "node", "wheel", "base"):
        lock_python(name)
    lock_python("dev", "--constraint", "base.txt")  # development adds to what runs, never changes it
    lock_npm()


def lock_npm() -> None:
    """In an empty folder: beside an installed node_modules npm copies entries without their hashes."""
    npm = ["npm", "install", "--package-lock-only", "--no-progress", "--loglevel=error"]
    environment = {**os.environ, **bootstrap.node_tools()}
    with tempfile.TemporaryDirectory(prefix="xiezhi-lock-") as folder:
        for name in (".npmrc", "package.json"):
            shutil.copy(bootstrap.FRONTEND / name, folder)
        if subprocess.run(npm, cwd=folder, env=environment, check=False).returncode:
            sys.exit("✗ frontend/package.json could not be resolved; the lines above say why.")
        shutil.copy(Path(folder) / "package-lock.json", bootstrap.FRONTEND)
    print("→ frontend/package-lock.json", flush=True)


if __name__ == "__main__":
    main()
