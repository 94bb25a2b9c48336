"""A trained model: suggests a label with a confidence, the runners-up and reasons, or says that it does not know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from xiezhi.engines.text import calibration, ridge
from xiezhi.engines.text.grams import Array, buckets, counts
from xiezhi.engines.text.normal import NUMBER, PLACE, normalise

HEAD = 80  # the first characters count twice: a message says early what it is about
LONGEST = 20_000  # characters of a text that are looked at; what follows changes nothing
_BATCH = 512
_REASONS = 4


@dataclass(frozen=True)
class Facts:
    """What a model was made from, kept inside it: enough to tell where it came from and how far to trust it.

    `out_of_fold` holds macro_f1, accuracy, ece and answered (share of texts at or above the threshold), each on texts that took no
    part in learning the scores.
    """

    texts: int
    groups: int
    per_label: Mapping[str, int]
    source_digest: str
    seed: int
    precision: float
    out_of_fold: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Reason:
    """A fragment of the (normalised) text and how much it speaks for the label; the strongest first."""

    fragment: str
    weight: float


@dataclass(frozen=True)
class Choice:
    """A label with its calibrated chance."""

    label: str
    confidence: float


@dataclass(frozen=True)
class Suggestion:
    """`label` is None below the model's threshold (信心不足); `top` holds the likeliest three all the same."""

    label: str | None
    top: tuple[Choice, ...]
    reasons: tuple[Reason, ...]

    @property
    def confidence(self) -> float:
        """The likeliest label's chance, given or not."""
        return self.top[0].confidence


@dataclass(frozen=True)
class Model:
    """Labels, weights, temperature and threshold; immutable, safe to share between threads."""

    labels: tuple[str, ...]
    weights: ridge.Weights
    temperature: float
    threshold: float
    facts: Facts

    def chances(self, texts: Sequence[str]) -> Array:
        """Calibrated probabilities: a row for each text, a column for each of `labels`."""
        found = [
            calibration.chances(self.weights.scores(tabulate(texts[at : at + _BATCH])), self.temperature)
            for at in range(0, len(texts), _BATCH)
        ]
        return np.concatenate(found) if found else np.zeros((0, len(self.labels)))

    def suggest(self, text: str, *, reasons: bool = True) -> Suggestion:
        """The suggestion for one text; an empty one is never given a label."""
        return next(self.suggest_many([text], reasons=reasons))

    def suggest_many(self, texts: Sequence[str], *, reasons: bool = False) -> Iterator[Suggestion]:
        """Suggestions in the order of the texts. Reasons take a second look at each text."""
        for text, row in zip(texts, self.chances(texts), strict=True):
            order = np.argsort(-row, kind="stable")[:3]
            top = tuple(Choice(self.labels[each], float(row[each])) for each in order)
            sure = (
                row[order[0]] >= self.threshold and self.threshold < calibration.NEVER and any(map(str.isalnum, text))
            )
            why = self.reasons(text, top[0].label) if reasons else ()
            yield Suggestion(top[0].label if sure else None, top, why)

    def reasons(self, text: str, label: str) -> tuple[Reason, ...]:
        """The fragments of the text that speak most for `label` against the other labels on average.

        Each known n-gram's share of the score is spread over the characters it covers; the best stretches are shown.
        """
        prepared = prepare(text)
        value = np.zeros(len(prepared))
        table = self.weights.scaled(tabulate([text])).tocsr()
        seen = table.indices
        margin = self.weights.weights[seen, self.labels.index(label)] - self.weights.weights[seen].mean(axis=1)
        speaks = dict(zip(seen.tolist(), (table.data * margin).tolist(), strict=True))
        for order in ridge.ORDERS:
            _, positions, found = buckets([prepared], order)
            place = np.minimum(np.searchsorted(self.weights.columns, found), len(self.weights.columns) - 1)
            known = self.weights.columns[place] == found
            times = Counter(place[known].tolist())
            for position, at in zip(positions[known].tolist(), place[known].tolist(), strict=True):
                value[position : position + order] += speaks[at] / times[at] / order
        return _stretches(prepared, value)


def prepare(text: str) -> str:
    """The text as the model sees it."""
    return normalise(text[:LONGEST])


def tabulate(texts: Sequence[str]) -> Any:
    """Counts of each text's n-grams, its head's counted twice."""
    return counts([prepare(text) for text in texts], ridge.ORDERS, head=HEAD)


def _stretches(text: str, value: Array) -> tuple[Reason, ...]:
    """Runs of 2–8 characters that speak for the label, the strongest first; the same fragment counts once, with its sum."""
    found: dict[str, float] = {}
    strong = value > max(value.max(initial=0.0) * 0.15, 1e-9)
    for mark in (PLACE, NUMBER):
        for at in (each for each, character in enumerate(text) if character == mark):
            strong[at] = False
    start = 0
    for at in range(len(text) + 1):
        if at < len(text) and strong[at] and at - start < 8:
            continue
        if at - start >= 2:
            found[text[start:at]] = found.get(text[start:at], 0.0) + float(value[start:at].sum())
        start = at if at < len(text) and strong[at] else at + 1
    best = sorted(found.items(), key=lambda each: (-each[1], each[0]))[:_REASONS]
    return tuple(Reason(fragment, round(weight, 6)) for fragment, weight in best)
