"""The same matter again? Keys that an index of any database can hold, and a ranking of the candidates they bring.

A case stores up to `MOST_STORED` keys: hashes of character 3-grams chosen by winnowing (of every `WINDOW` neighbouring 3-grams, the one
with the least hash), and a key for each known fact (merchant, place). A query asks for *all* its 3-grams, so a piece of text of
``WINDOW + 2`` characters that a case shares is always found, wherever it stands in either. Keys are signed 64-bit integers.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

import numpy as np

from xiezhi.engines.text.grams import Array, hashes
from xiezhi.engines.text.normal import normalise

GRAM = 3
WINDOW = 3
MOST_STORED = 96  # rows per case, facts apart
MOST_ASKED = 64  # look-ups per query, facts apart
PER_KEY = 300  # newest cases looked at for one key: a key that many cases share says little
_LONGEST = 20_000
_POOL = 20  # candidates from which on they show what is common wording
_SATURATED = 0.02  # what a key adds that is cut off at PER_KEY: it may be in every case
_FACT = 4.0  # what a fact adds to a candidate's place on the shortlist, in rare 3-grams

Id = TypeVar("Id", bound=Hashable)


@dataclass(frozen=True)
class Params:
    """Working defaults of the ranking; a district may set its own.

    A common merchant closes `merchant` of the gap between the text's likeness and 1, a common place or mall `place`; each
    `half_life_days` between two matters halve what facts add. Levels are the least scores for being called so.
    """

    merchant: float = 0.35
    place: float = 0.15
    half_life_days: int = 90
    same: float = 0.8
    likely: float = 0.5
    similar: float = 0.25


@dataclass(frozen=True)
class Matter:
    """What a case is about: its text, known facts such as ``merchant:12`` or ``place:3``, and the day it came."""

    text: str
    facts: tuple[str, ...] = ()
    day: date | None = None


@dataclass(frozen=True)
class Match:
    """A candidate, how near it is (0–1), and why: fragments both texts hold, facts both share, days between them."""

    id: Hashable
    score: float
    level: str  # "same" | "likely" | "similar"
    likeness: float
    fragments: tuple[str, ...]
    facts: tuple[str, ...]
    days_apart: int | None


def stored_keys(text: str, facts: Iterable[str] = ()) -> tuple[int, ...]:
    """The keys a case is kept under, ascending: at most `MOST_STORED`, and one for each fact.

    Of a text with more, those with the least hashes stay: a fair sample of the whole text.
    """
    chosen = np.unique(_winnowed(_grams(text)))[:MOST_STORED]
    return tuple(sorted({*_signed(chosen), *map(fact_key, facts)}))


def query_keys(text: str, facts: Iterable[str] = ()) -> tuple[int, ...]:
    """The keys to look up: every 3-gram of a short text, of a longer one its own winnowed keys first, then its last 3-grams."""
    grams = _grams(text)
    asked = np.unique(grams)
    if len(asked) > MOST_ASKED:
        own = np.unique(_winnowed(grams))[: MOST_ASKED * 3 // 4]
        asked = np.concatenate([own, grams[len(own) - MOST_ASKED :]])
    return tuple(sorted({*_signed(asked), *map(fact_key, facts)}))


def fact_key(fact: str) -> int:
    """The key of a fact such as ``merchant:12``."""
    return int.from_bytes(
        hashlib.blake2b(fact.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big", signed=True
    )


def shortlist(rows: Iterable[tuple[int, Id]], *, facts: Iterable[str] = (), limit: int = 100) -> list[Id]:
    """The `limit` likeliest cases of (key, case) rows, best first. A key that fewer of the rows bear counts more, one cut off at `PER_KEY` next to nothing."""
    pairs = list(rows)
    spread = Counter(key for key, _ in pairs)
    known = {fact_key(each) for each in facts}
    weight = {
        key: _FACT if key in known else _SATURATED if count >= PER_KEY else 1 + math.log(PER_KEY / count)
        for key, count in spread.items()
    }
    total: dict[Id, float] = {}
    for key, case in pairs:
        total[case] = total.get(case, 0.0) + weight[key]
    return sorted(total, key=total.__getitem__, reverse=True)[:limit]


def similarity(left: str, right: str) -> float:
    """How alike two texts are by themselves (0–1): the share of the shorter one's 3-grams that the other holds, less for length.

    1 for the same text, 0 where nothing is common; a piece of a text is nearer to it than another text of the same words.
    """
    return _likeness(_Shape(left), _Shape(right), {})


def rank(
    query: Matter,
    candidates: Sequence[tuple[Id, Matter]],
    *,
    params: Params | None = None,
    limit: int = 10,
) -> list[Match]:
    """The candidates at or above `params.similar`, nearest first, equals in the order given.

    3-grams that most candidates share (a form's own words) count little. Facts alone never make a match.
    """
    settings = params or Params()
    asked = _Shape(query.text)
    shapes = [_Shape(matter.text) for _, matter in candidates]
    seen = Counter(gram for shape in shapes for gram in shape.grams)
    many = len(shapes)
    weight = {gram: math.log((many + 2) / (seen[gram] + 1)) + 0.05 for gram in asked.grams} if many >= _POOL else {}
    found = []
    for (identifier, matter), shape in zip(candidates, shapes, strict=True):
        likeness = _likeness(asked, shape, weight)
        common = tuple(sorted(set(query.facts) & set(matter.facts)))
        apart = abs((query.day - matter.day).days) if query.day and matter.day else None
        score = _score(likeness, common, apart, settings)
        level = next((name for name in ("same", "likely", "similar") if score >= getattr(settings, name)), None)
        if level:
            fragments = _fragments(asked, shape, weight)
            found.append(Match(identifier, round(score, 4), level, round(likeness, 4), fragments, common, apart))
    return sorted(found, key=lambda each: -each.score)[:limit]


def _score(likeness: float, common: Sequence[str], apart: int | None, settings: Params) -> float:
    fade = 0.5 ** ((apart or 0) / settings.half_life_days)
    gap = 1.0 - likeness
    if any(each.startswith("merchant:") for each in common):
        gap *= 1.0 - settings.merchant * fade
    if any(not each.startswith("merchant:") for each in common):
        gap *= 1.0 - settings.place * fade
    return min(1.0 - gap, likeness * 3)  # what the texts don't bear out, facts can't make


class _Shape:
    """A text's normalised form and its 3-grams (whole text if shorter)."""

    def __init__(self, text: str) -> None:
        self.text = normalise(text[:_LONGEST])
        width = min(GRAM, len(self.text))
        self.grams = {self.text[at : at + width] for at in range(len(self.text) - width + 1)} if width else set()


def _likeness(query: _Shape, other: _Shape, weight: dict[str, float]) -> float:
    if not query.grams or not other.grams:
        return 0.0
    if query.text == other.text:
        return 1.0
    both = query.grams & other.grams

    def mass(grams: set[str]) -> float:
        return sum(weight.get(each, 1.0) for each in grams) if weight else float(len(grams))

    shared, own = mass(both), mass(query.grams)
    contained = shared / own if len(query.grams) <= len(other.grams) else len(both) / len(other.grams)
    sizes = min(len(query.grams), len(other.grams)) / max(len(query.grams), len(other.grams))
    sure = min(1.0, len(both) / 8)  # two or three common 3-grams prove nothing, however short the query
    return contained * (0.75 + 0.25 * sizes) * sure


def _fragments(query: _Shape, other: _Shape, weight: dict[str, float]) -> tuple[str, ...]:
    """The longest runs of the query that the other text holds too, those of rare words first; at most three, of 3 to 20 characters."""
    runs: dict[str, float] = {}
    width, start, at = min(GRAM, len(query.text)), 0, 0
    while width and at + width <= len(query.text):
        start = at
        while at + width <= len(query.text) and query.text[at : at + width] in other.grams and at - start < 18:
            at += 1
        if at > start:
            piece = query.text[start : at + width - 1]
            runs[piece] = sum(weight.get(query.text[each : each + width], 1.0) for each in range(start, at))
        at += 1 if at == start else 0
    return tuple(sorted(runs, key=lambda each: (-runs[each], each))[:3])


def _grams(text: str) -> Array:
    return hashes([normalise(text[:_LONGEST])], GRAM)[2]


def _winnowed(grams: Array) -> Array:
    """The least hash of every window; of a text shorter than a window, its least."""
    if len(grams) <= WINDOW:
        return grams[grams.argmin() :][:1] if len(grams) else grams
    least: Array = np.lib.stride_tricks.sliding_window_view(grams, WINDOW).min(axis=1)
    return least


def _signed(keys: Array) -> list[int]:
    found: list[int] = keys.astype(np.uint64).view(np.int64).tolist()
    return found
