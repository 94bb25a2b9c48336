"""What must never be committed: addresses of package registries, locks without hashes, other people's built files,
things too large to read.

The patterns are written so that this file does not match itself.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

LARGEST_BYTES = 1_000_000
LONGEST_LINE = 5_000

# Locks pin names, versions and hashes; which registry serves them is the machine's own business.
REGISTRIES = re.compile(
    r"py[p]i\.org|pythonh[o]sted\.org|registry\.n[p]mjs|registry\.y[a]rnpkg|deb\.deb[i]an\.org|unpk[g]\.com|jsdeli[v]r"
)
LOCKED_ADDRESS = re.compile(
    r'"resolved"\s*:|^\s*(--index-url|--extra-index-url|--find-links|registry\s*=)', re.MULTILINE
)
LOCKS = re.compile(r"^(requirements/.*\.txt|frontend/(package-lock\.json|package\.json|\.npmrc))$")
BUILT = re.compile(r"\.min\.(js|css|mjs)$|\.map$|\.mo$")
# Fonts, models, archives and data files of others; what we need of them comes from packages at set-up.
FOREIGN = re.compile(r"\.(woff2?|ttf|otf|eot|onnx|pt|pkl|joblib|whl|jar|zip|gz|exe|so|dll|sqlite3)$")
READ_AS_CODE = re.compile(r"\.(py|js|mjs|css|html|svg|toml|yml|yaml|md|txt|in|cfg|sh)$")


def tracked(root: Path) -> list[str]:
    """Paths that git knows or would add."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        check=True,
    )
    return sorted(path for path in listing.stdout.decode("utf-8").split("\0") if path)


def findings(root: Path) -> list[str]:
    """One line per file that should not be as it is."""
    found: list[str] = []
    for path in tracked(root):
        file = root / path
        if file.is_file() and not file.is_symlink():
            found += [f"{path}: {problem}" for problem in problems(path, file.read_bytes())]
    return found


def problems(path: str, content: bytes) -> list[str]:
    """What is wrong with a file of that path and content."""
    found = []
    if BUILT.search(path):
        found.append("a built file; it is made at set-up and never committed")
    if FOREIGN.search(path):
        found.append("fonts, models, archives and databases are not kept in the repository")
    if len(content) > LARGEST_BYTES:
        found.append(f"{len(content):,} bytes; no file here needs more than {LARGEST_BYTES:,}")
    if b"\0" in content[:8000]:
        return found
    text = content.decode("utf-8", errors="replace")
    if "\ufffd" in text and not path.startswith("tests/"):
        found.append("not UTF-8")
    if named := REGISTRIES.search(text):
        found.append(f"names a package registry ({named[0]})")
    if LOCKS.match(path) and (address := LOCKED_ADDRESS.search(text)):
        found.append(f"a lock names no address ({address[0].strip()})")
    if path.endswith("package-lock.json"):
        packages = json.loads(text)["packages"]
        bare = [name for name, entry in packages.items() if name and "integrity" not in entry]
        found += [f"{name} has no hash" for name in bare]
    is_lock = LOCKS.match(path) is not None
    if READ_AS_CODE.search(path) and not is_lock and max(map(len, text.splitlines()), default=0) > LONGEST_LINE:
        found.append("has a line that nobody wrote by hand; a minified or generated file?")
    return found
