"""Prices that prove how good a plan is: a short ascent on the bound, district by district.

The bound at any prices is valid, so nothing here needs to be right, only good: where pools are tight, minutes that
plans at the current prices would overuse grow dearer, others cheaper (Polyak steps towards the plan's own visits).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from xiezhi.engines.planning import kernels

WORK = 2_000_000  # subjects priced in all
MOST_STEPS = 40
CLOSE_ENOUGH = 0.001  # gap at which no better proof is sought
KEEP = 0.9  # share of the former direction kept in the next: damps zigzag
PATIENCE = 30  # steps without gain before the step is halved

Evaluate = Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.int64]]


@dataclass
class Ascent:
    """The climb for all districts at once; each has its own step and keeps its own best prices."""

    capacity: NDArray[np.int32]
    pool_district: NDArray[np.int32]
    visits: NDArray[np.int64]
    evaluate: Evaluate
    best: NDArray[np.int64] = field(init=False)
    price: NDArray[np.int64] = field(init=False)

    def climb(self, subjects: int) -> None:
        """Fill `best` (micro-visits by district, price of capacity taken off) and `price` (that proves it)."""
        districts = len(self.visits)
        current = np.zeros(self.capacity.shape, np.float64)
        self.price = np.zeros(self.capacity.shape, np.int64)
        self.best = np.full(districts, -(1 << 62), np.int64)
        direction = np.zeros(self.capacity.shape, np.float64)
        pace, idle = np.ones(districts), np.zeros(districts, np.int64)
        for step in range(max(1, min(MOST_STEPS, WORK // max(1, subjects)))):
            rounded = current.astype(np.int64)
            use = np.zeros(self.capacity.shape, np.int64)
            reached = self.evaluate(rounded, use) - self._by_district(rounded * self.capacity)
            better = reached > self.best
            self.best = np.maximum(self.best, reached)
            pools = better[self.pool_district]
            self.price[pools] = rounded[pools]
            idle = np.where(better, 0, idle + 1)
            pace = np.where(idle >= PATIENCE, pace / 2, pace)
            idle = np.where(idle >= PATIENCE, 0, idle)
            target = self.visits * kernels.VISIT
            if (target - self.best <= CLOSE_ENOUGH * target).all():
                return
            over = (use - self.capacity).astype(np.float64)
            direction = over + (KEEP * direction if step else 0.0)
            direction[(current <= 0) & (direction < 0)] = 0
            norm = self._by_district(direction * direction)
            length = np.where(norm > 0, pace * (target - reached) / np.maximum(norm, 1), 0)
            current = np.maximum(0, current + length[self.pool_district][:, None] * direction)

    def _by_district(self, values: NDArray) -> NDArray:
        """Sums over the pools of each district."""
        sums = np.zeros(len(self.visits), values.dtype)
        np.add.at(sums, self.pool_district, values.sum(axis=1))
        return sums


__all__ = ["Ascent"]
