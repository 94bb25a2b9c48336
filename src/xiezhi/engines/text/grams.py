"""Texts as counts of character n-grams, hashed without a dictionary; NumPy throughout, so that thousands of texts take a second."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

BITS = 21  # buckets for each order of n-gram: 2 ** BITS
_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)


def hashes(texts: Sequence[str], order: int) -> tuple[Array, Array, Array]:
    """(row, position, 64-bit hash) of every n-gram of `order` characters, in reading order; none crosses from text to text.

    The hash depends on the characters alone: the same in every process, on every machine.
    """
    codes = [np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4") for text in texts]
    lengths = np.array([len(each) for each in codes], dtype=np.int64)
    joined = np.concatenate([*codes, np.zeros(order, dtype="<u4")]).astype(np.uint64)
    total = int(lengths.sum())
    rows = np.repeat(np.arange(len(codes)), lengths)
    starts = np.cumsum(lengths) - lengths
    positions = np.arange(total) - np.repeat(starts, lengths)
    hashed = np.full(total, order, dtype=np.uint64)
    for each in range(order):
        hashed = (hashed + joined[each : each + total] + np.uint64(1)) * _STEP
        hashed ^= hashed >> np.uint64(31)
    hashed = (hashed ^ (hashed >> np.uint64(29))) * _MIX
    hashed ^= hashed >> np.uint64(32)
    whole = positions + order <= np.repeat(lengths, lengths)
    return rows[whole], positions[whole], hashed[whole]


def buckets(texts: Sequence[str], order: int) -> tuple[Array, Array, Array]:
    """As `hashes`, but each n-gram's bucket: orders do not share buckets, so a bucket's order is ``(bucket >> BITS) + 1``."""
    rows, positions, hashed = hashes(texts, order)
    found = (hashed >> np.uint64(64 - BITS)).astype(np.int32) + np.int32((order - 1) << BITS)
    return rows, positions, found


def counts(texts: Sequence[str], orders: Sequence[int], *, head: int = 0) -> Any:
    """A sparse table of counts, a row for each text and a column for each bucket; what lies within the first `head` characters counts twice."""
    from scipy.sparse import coo_array

    rows, columns, values = [], [], []
    for order in orders:
        row, position, bucket = buckets(texts, order)
        rows.append(row.astype(np.int32))
        columns.append(bucket)
        values.append((1 + (position + order <= head)).astype(np.float32))
    cells = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    table = coo_array(cells, shape=(len(texts), max(orders) << BITS)).tocsr()
    table.sum_duplicates()
    return table
