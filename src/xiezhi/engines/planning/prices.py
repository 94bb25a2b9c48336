"""What room is worth: prices of a district's pool-days, raised until subjects that choose freely keep to capacity.

They prove how good a plan is and guide the search. The bound at any prices is valid, so nothing here needs to be
right, only good: an augmented Lagrangian, in which subjects choose in turn, may overfill pool-days up to twice, pay for
overfilling at once, and what they overfill (or leave) after a sweep raises (or lowers) the lasting price.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from xiezhi.engines.planning import choosing, kernels
from xiezhi.engines.planning.kernels import LEVELS

WORK = 2_000_000  # subjects choosing in all sweeps together
MOST_SWEEPS, FEWEST_SWEEPS = 150, 20
EARLY = 0.6  # share of the sweeps after which prices are good enough to search by
OVERFULL = 20_000  # micro-visits per minute paid on a pool-day used twice, in proportion below
PACE, LAST_PACE = 10.0, 0.1  # micro-visits per minute by which a minute too many raises the price: first and last sweep


class Ascent:
    """The climb for one district. Sweep k gives the same prices whoever asks and when; any thread may ask."""

    def __init__(self, static: kernels.Static, confirmed: kernels.State, seed: list[int]) -> None:
        """`confirmed` is a state with nothing planned but confirmed visits; it is copied, not kept."""
        self.capacity = static.capacity
        self.static = static._replace(capacity=2 * static.capacity)
        self.state = kernels.State(
            room=confirmed.room + static.capacity,
            price=np.zeros(static.capacity.shape, np.int64),
            base=np.zeros(static.capacity.shape, np.int64),
            trips=confirmed.trips.copy(),
            day=confirmed.day.copy(),
            rep=confirmed.rep.copy(),
        )
        subjects = len(static.first) - 1
        self.sweeps = max(FEWEST_SWEEPS, min(MOST_SWEEPS, WORK // max(1, subjects)))
        self.early_sweeps = int(EARLY * self.sweeps)
        self._rng = np.random.default_rng([*seed, 1])
        self._value = np.zeros(static.capacity.shape, np.float64)
        self._pace, self._slower = PACE, (LAST_PACE / PACE) ** (1 / (self.sweeps - 1))
        self._done = 0
        self._early = np.zeros(static.capacity.shape, np.int64)
        self._lock = threading.Lock()

    def early(self, advance: Callable[[int], None]) -> NDArray[np.int64]:
        """Prices to search by."""
        self._reach(self.early_sweeps, advance)
        return self._early

    def prices(self, advance: Callable[[int], None]) -> NDArray[np.int64]:
        """Prices to prove by, in whole micro-visits per minute."""
        self._reach(self.sweeps, advance)
        return self._value.astype(np.int64)

    def begin(self, advance: Callable[[int], None], until: Callable[[], bool]) -> None:
        """Climb ahead of whoever will ask, as far as the prices to search by, while not `until()`."""
        while self._done < self.early_sweeps and not until():
            self._reach(self._done + 1, advance)

    def _reach(self, sweeps: int, advance: Callable[[int], None]) -> None:
        """Take the climb so far; `advance(0)` may raise to stop."""
        while True:
            with self._lock:
                if self._done >= sweeps:
                    return
                self._sweep()
            advance(0)

    def _sweep(self) -> None:
        static, state = self.static, self.state
        weights = _weights()
        state.base[:] = self._value
        choosing.reprice(static, state, weights, np.arange(len(self.capacity)))
        choosing.sweep(static, state, weights, self._rng.permutation(len(static.first) - 1), self._done)
        too_many = self.capacity - state.room  # room starts a capacity too high
        self._value = np.maximum(0, self._value + self._pace * too_many)
        self._pace *= self._slower
        self._done += 1
        if self._done == self.early_sweeps:
            self._early = self._value.astype(np.int64)


def _weights() -> kernels.Weights:
    """Overfilling has its price by the part of capacity overfilled; what lies within costs next to nothing."""
    left = 2 * (np.arange(LEVELS) + 0.5) / LEVELS - 1  # of true capacity, negative where overfilled
    steep = OVERFULL * np.maximum(0, -left) + 20 * np.minimum(1, 1 - left)
    return kernels.Weights(
        steep=steep.astype(np.int64),
        visit=kernels.VISIT,
        wait=0,
        trip=0,
        shortage=0,
        place_all=False,
        ignore_room=False,
    )


__all__ = ["Ascent"]
