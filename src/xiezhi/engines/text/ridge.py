"""The learner: weighted character n-grams and a class-balanced ridge classifier, solved by conjugate gradients.

Least squares on targets of ±1, one per label, in the dual: ``(Z Zᵀ + λ/√w) α = Y``, weights ``Zᵀ α``. On the texts it was chosen on it
beat a linear SVM, complement naive Bayes, word n-grams and stacks of them (docs/decisions), and its every step repeats to the bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from xiezhi.engines.text.grams import BITS, Array

ORDERS = (1, 2, 3)
ORDER_WEIGHTS = (0.9, 1.0, 0.5)
LEAST_TEXTS = 2  # an n-gram seen in one text only teaches nothing that carries over
PENALTY = 0.15
RARE = 0.06  # how far a rare label is lifted (times the logarithm of its share): macro-F1 counts all labels alike
STRANGE = 0.5  # an unknown n-gram weighs this share of the rarest known one
_TOLERANCE, _ROUNDS = 1e-3, 200


@dataclass(frozen=True)
class Weights:
    """Which buckets are looked at (sorted), how each is scaled, its weight for each label, and each label's head start."""

    columns: Array
    scale: Array
    weights: Array
    shift: Array

    def scaled(self, table: Any) -> Any:
        """The table's known buckets, sublinear, weighted by rarity, over the length of the row with its unknown ones.

        So a text in strange words has little to say for any label.
        """
        from scipy.sparse import csr_array

        place = np.minimum(np.searchsorted(self.columns, table.indices), len(self.columns) - 1)
        known = self.columns[place] == table.indices
        kept = np.concatenate([[0], np.cumsum(known)])[table.indptr]
        rarest = [self.scale[self.columns >> BITS == order - 1].max(initial=0.0) for order in ORDERS]
        strange = np.array(rarest, dtype=np.float32) * np.float32(STRANGE)
        data = (1 + np.log(table.data)) * np.where(known, self.scale[place], strange[table.indices >> BITS])
        squares = np.concatenate([[0.0], np.cumsum(data.astype(np.float64) ** 2)])
        lengths = np.sqrt(np.maximum(squares[table.indptr[1:]] - squares[table.indptr[:-1]], 1e-12))
        share = (data[known] / np.repeat(lengths, np.diff(kept))).astype(np.float32)
        return csr_array((share, place[known].astype(np.int32), kept), shape=(table.shape[0], len(self.columns)))

    def scores(self, table: Any) -> Array:
        """One score per text and label; higher is likelier. A text without a known n-gram gets the head starts."""
        scores: Array = self.scaled(table) @ self.weights + self.shift
        return scores


def fit(table: Any, labels: Array, classes: int) -> Weights:
    """Learn from a table of counts and each row's label (0 … classes - 1); every label must occur."""
    seen = np.bincount(table.indices, minlength=table.shape[1])
    columns = np.flatnonzero(seen >= LEAST_TEXTS).astype(np.int32)
    if not len(columns):  # nothing in common: every score will be zero, and confidence no better than chance
        columns = np.flatnonzero(seen)[:1].astype(np.int32) if seen.any() else np.zeros(1, dtype=np.int32)
    rarity = np.log((1 + table.shape[0]) / (1 + seen[columns])) + 1
    scale = (rarity * np.asarray(ORDER_WEIGHTS)[columns >> BITS]).astype(np.float32)
    sizes = np.bincount(labels, minlength=classes)
    shift = -RARE * np.log(sizes / len(labels))
    prepared = Weights(columns, scale, np.zeros((len(columns), classes)), shift).scaled(table)
    ridge = PENALTY / np.sqrt(len(labels) / (classes * sizes[labels]))
    targets = np.where(labels[:, None] == np.arange(classes), 1.0, -1.0)
    weights = prepared.T.tocsr() @ _solve(prepared, ridge, targets)
    return Weights(columns, scale, np.asarray(weights, dtype=np.float32), shift)


def _solve(table: Any, ridge: Array, targets: Array) -> Array:
    """Conjugate gradients on all labels at once, preconditioned by the diagonal.

    In single precision, which halves what the processor has to fetch: the tolerance is a thousand times coarser. Sums are in double.
    """
    turned = table.T.tocsr()
    weight = ridge.astype(np.float32)[:, None]
    diagonal = np.float32(1.0) + weight
    left = targets.astype(np.float32)
    answer = np.zeros_like(left)
    towards = ready = left / diagonal
    product = _dot(left, ready)
    least = _TOLERANCE**2 * _dot(left, left)
    for _ in range(_ROUNDS):
        image = table @ (turned @ towards) + weight * towards
        step = (product / np.maximum(_dot(towards, image), 1e-300)).astype(np.float32)
        answer += step * towards
        left -= step * image
        if (_dot(left, left) <= least).all():
            break
        ready = left / diagonal
        following = _dot(left, ready)
        towards = ready + (following / np.maximum(product, 1e-300)).astype(np.float32) * towards
        product = following
    return answer


def _dot(one: Array, other: Array) -> Array:
    """The inner product of each column with its like."""
    products: Array = np.einsum("ij,ij->j", one, other, dtype=np.float64)
    return products
