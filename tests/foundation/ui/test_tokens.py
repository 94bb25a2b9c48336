"""The theme's colour pairs meet WCAG AA, in light and in dark, as the style sheet really says them."""

import re
from pathlib import Path

import pytest

TOKENS = Path(__file__).resolve().parents[3] / "frontend" / "src" / "styles" / "parts" / "tokens.css"
TONES = ("urgent", "caution", "warning", "good")
TEXT = 4.5
SHAPES = 3.0
PAIRS = [
    *[("ink", ground, TEXT) for ground in ("canvas", "surface", "raised", "primary-tint")],
    *[("ink", f"{tone}-tint", TEXT) for tone in TONES],
    *[("muted", ground, TEXT) for ground in ("canvas", "surface", "raised")],
    *[("link", ground, TEXT) for ground in ("canvas", "surface", "raised", "primary-tint")],
    *[(tone, f"{tone}-tint", TEXT) for tone in TONES],
    *[(tone, ground, TEXT) for tone in TONES for ground in ("surface", "canvas")],
    ("primary-fg", "primary", TEXT),
    ("primary-fg", "primary-hover", TEXT),
    ("solid-fg", "urgent", TEXT),
    ("solid-fg", "urgent-hover", TEXT),
    ("line-strong", "surface", SHAPES),
    ("line-strong", "canvas", SHAPES),
]


def palettes() -> dict[str, dict[str, str]]:
    text = TOKENS.read_text("utf-8")
    light, dark = text.split("@media (prefers-color-scheme: dark)", 1)
    read = re.compile(r"--xz-([a-z-]+): (#[0-9a-f]{6});")
    light_tokens = dict(read.findall(light))
    return {"light": light_tokens, "dark": light_tokens | dict(read.findall(dark))}


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_measured_as_wcag_does() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("fore", "ground", "least"), PAIRS)
def test_pairs_are_legible(scheme: str, fore: str, ground: str, least: float) -> None:
    tokens = palettes()[scheme]
    assert contrast(tokens[fore], tokens[ground]) >= least
