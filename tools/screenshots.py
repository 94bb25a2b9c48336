"""The pictures of the documents: chosen screenshots of the journeys, made small with pngquant. See docs/how-to/make-screenshots.md."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TAKEN, KEPT = ROOT / "var" / "screenshots", ROOT / "docs" / "images"
LARGEST_BYTES = 200_000
CHOSEN = {
    "round-desk.png": "round-desk-light.png",
    "plan-filed.png": "plan-filed.png",
    "visit-desk.png": "replanned.png",
    "answer-phone.png": "answer-phone-light.png",
    "figures-desk.png": "figures-desk-light.png",
    "card-phone.png": "prepaid-my-card-phone-light.png",
}
"""What a picture is called, and which screenshot it is."""


def main() -> int:
    """Make every picture, or none that could not be made; returns 1 and says why when one is missing or too large."""
    if shutil.which("pngquant") is None:
        print("pngquant was not found. On Debian: apt-get install pngquant", file=sys.stderr)
        return 1
    missing = [source for source in CHOSEN.values() if not (TAKEN / source).is_file()]
    if missing:
        print(f"not in {TAKEN}: {', '.join(missing)}. Run the journeys first: pytest -m journey", file=sys.stderr)
        return 1
    KEPT.mkdir(parents=True, exist_ok=True)
    too_large = [name for name, source in CHOSEN.items() if not shrink(TAKEN / source, KEPT / name)]
    for name in too_large:
        print(f"{name} is larger than {LARGEST_BYTES:,} bytes and was left as it was", file=sys.stderr)
    return 1 if too_large else 0


def shrink(source: Path, target: Path) -> bool:
    """Write `source` with at most 256 colours to `target`; False, and nothing written, when it is still too large."""
    done = subprocess.run(
        ["pngquant", "--strip", "--speed", "1", "-"], input=source.read_bytes(), stdout=subprocess.PIPE, check=True
    )
    if len(done.stdout) > LARGEST_BYTES:
        return False
    target.write_bytes(done.stdout)
    print(f"{target.relative_to(ROOT)}: {len(done.stdout):,} bytes")
    return True


if __name__ == "__main__":
    sys.exit(main())
