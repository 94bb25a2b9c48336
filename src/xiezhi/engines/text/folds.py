"""Which texts are near-duplicates of one another, and folds that never part them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from xiezhi.engines.text.grams import Array, counts
from xiezhi.engines.text.normal import normalise

NEAR = 0.5  # share of common character 4-grams (Jaccard) from which two texts count as one
SHINGLE = 4
_BLOCK = 256  # rows compared at a time: bounds the memory


def near_duplicates(texts: Sequence[str], *, threshold: float = NEAR) -> Array:
    """A group number for each text: texts that share at least `threshold` of their 4-grams, directly or in a chain, share it.

    Texts too short for a 4-gram group by their normalised text. Groups are numbered by first appearance.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    first: dict[str, int] = {}
    own = np.array([first.setdefault(normalise(text), len(first)) for text in texts], dtype=np.int64)
    links = list(_links(counts(list(first), [SHINGLE]), threshold)) if len(first) > 1 else []
    if not links:
        return own
    left, right = (np.concatenate(side) for side in zip(*links, strict=True))
    graph = coo_array((np.ones(len(left), dtype=np.int8), (left, right)), shape=(len(first), len(first)))
    group = connected_components(graph, directed=False)[1][own]
    _, order, number = np.unique(group, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(order))[number]


def _links(table: Any, threshold: float) -> list[tuple[Array, Array]]:
    """Pairs (i < j) at or above the threshold, found block by block."""
    table.data[:] = 1
    sizes = np.diff(table.indptr).astype(np.float64)
    turned = table.T.tocsr()
    found = []
    for start in range(0, table.shape[0], _BLOCK):
        shared = (table[start : start + _BLOCK] @ turned).tocoo()
        left, right = shared.row.astype(np.int64) + start, shared.col.astype(np.int64)
        near = (left < right) & (shared.data >= threshold * (sizes[left] + sizes[right] - shared.data))
        found.append((left[near], right[near]))
    return found


def deal(groups: Array, labels: Array, *, folds: int, seed: int) -> Array:
    """A fold for each text: whole groups, each label spread as evenly as groups allow, the order shuffled by `seed`.

    Larger groups are dealt first; a group goes where its most frequent label is rarest so far, then to the smallest fold.
    """
    shuffled = np.random.default_rng(seed).permutation(int(groups.max()) + 1)
    members: list[list[int]] = [[] for _ in shuffled]
    for index, group in enumerate(groups):
        members[group].append(index)
    order = sorted(shuffled.tolist(), key=lambda group: -len(members[group]))
    held = np.zeros((folds, int(labels.max()) + 1), dtype=np.int64)
    result = np.empty(len(groups), dtype=np.int64)
    for group in order:
        label = Counter(labels[members[group]].tolist()).most_common(1)[0][0]
        fold = min(range(folds), key=lambda each: (held[each, label], held[each].sum(), each))
        result[members[group]] = fold
        np.add.at(held[fold], labels[members[group]], 1)
    return result
