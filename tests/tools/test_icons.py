"""An icon that is not in the sprite shows nothing and complains to nobody: every name in use must be in icons.txt."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
IN_TEMPLATES = re.compile(r"""\{%\s*icon\s+["']([^"']+)["']""")
AS_ARGUMENT = re.compile(r"""\bicon\s*=\s*"([a-z0-9-]+)\"""")
IN_LOOKS = re.compile(r"""\("([a-z0-9-]+)", "(?:neutral|active|good|caution|warning|urgent)"\)""")


def test_every_icon_in_use_is_in_the_sprite() -> None:
    lines = (ROOT / "frontend" / "icons.txt").read_text("utf-8").splitlines()
    names = {line.partition("#")[0].strip() for line in lines}
    ids = {f"{name.removeprefix('filled/')}-filled" if name.startswith("filled/") else name for name in names}
    used: dict[str, str] = {}
    for file in sorted((ROOT / "src").rglob("*")):
        if file.suffix in {".html", ".py"}:
            text = file.read_text("utf-8")
            for pattern in (IN_TEMPLATES, AS_ARGUMENT, IN_LOOKS):
                used.update({name: str(file.relative_to(ROOT)) for name in pattern.findall(text)})
    assert used, "no icon found at all: has the template tag been renamed?"
    missing = {name: file for name, file in used.items() if name not in ids}
    assert not missing, f"add to frontend/icons.txt: {missing}"
