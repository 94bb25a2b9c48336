"""From scores to chances that can be believed: one temperature, fitted on texts the scores were not learned from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xiezhi.engines.text.grams import Array

BINS = 10
LEAST = 0.5  # a label that is less likely than not is never suggested
NEVER = 1.0  # a threshold no confidence exceeds: the model always says it does not know


def chances(scores: Array, temperature: float) -> Array:
    """Softmax of ``scores / temperature``: rows of probabilities."""
    scaled = np.asarray(scores, dtype=np.float64) / temperature
    raised = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    shares: Array = raised / raised.sum(axis=1, keepdims=True)
    return shares


def fit_temperature(scores: Array, labels: Array) -> float:
    """The temperature of least log loss, by golden section on its logarithm (0.01 to 100)."""

    def loss(power: float) -> float:
        found = chances(scores, float(np.exp(power)))[np.arange(len(labels)), labels]
        return float(-np.log(np.maximum(found, 1e-300)).mean())

    low, high, ratio = float(np.log(0.01)), float(np.log(100.0)), (5**0.5 - 1) / 2
    for _ in range(60):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, right) if loss(left) <= loss(right) else (left, high)
    return float(np.exp((low + high) / 2))


def threshold_for(confidence: Array, right: Array, precision: float) -> float:
    """The least confidence such that of all texts at or above it a share of `precision` is right.

    Never below `LEAST`; `NEVER` if there is none.
    """
    order = np.argsort(-confidence, kind="stable")
    shares = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    confident = confidence[order]
    last_of_equals = np.append(confident[1:] < confident[:-1], True)
    enough = np.flatnonzero((shares >= precision) & last_of_equals)
    return max(float(confident[enough[-1]]), LEAST) if len(enough) else NEVER


@dataclass(frozen=True)
class Bin:
    """Texts whose confidence lies in one tenth: how many, what was claimed on average, what share was right."""

    texts: int
    claimed: float
    right: float


def reliability(confidence: Array, right: Array) -> tuple[list[Bin], float]:
    """The bins that hold texts, lowest first, and the expected calibration error: the mean gap of claim and truth over texts."""
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    bins = [
        Bin(int(here.sum()), float(confidence[here].mean()), float(right[here].mean()))
        for each in range(BINS)
        if (here := place == each).any()
    ]
    return bins, sum(each.texts * abs(each.claimed - each.right) for each in bins) / len(confidence)
