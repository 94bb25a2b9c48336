"""The search in one district: sweeps, ejection chains, shakes, polish. Effort is counted, never timed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xiezhi.engines.planning import choosing, kernels, relief

Advance = Callable[[int], None]

CHUNK = 20_000  # subjects between two looks at whether to stop
SWEEPS = 3  # at most, at prices that grow with load; fewer where hardly anyone could gain
ROUNDS = 6  # of ejection chains, fewer once none helps
POLISHED = 120_000  # subjects swept once more for shorter waits, at least once and at most three times each
STEPS = 30  # subjects moved in one chain
TRIES = 48  # users of a full pool-day looked at before one is moved
SHORTAGE = 300_000  # micro-visits a chain pays for passing a shortage on
SHAKEN = 400_000  # subjects swept again in shakes, all shakes together
MOST_SHAKES = 100
ENOUGH = 500  # shaking stops when fewer than one subject in so many could still gain
RUINED = 400_000  # subjects looked over by all ruins together, at most four ruins a subject, none above 20,000 subjects
MOST_RUINS, RUIN_SIZE = 80, 12
NOISE = 3_000  # micro-visits per minute by which shakes disturb prices, then twice, then four times as much


def steepness(amplitude: int, power: int) -> NDArray[np.int64]:
    """Price by what is left of a pool-day: amplitude × e^(−power × share left), in micro-visits per minute."""
    left = (np.arange(kernels.LEVELS) + 0.5) / kernels.LEVELS
    return (amplitude * np.exp(-power * left)).astype(np.int64)


def sweep_weights(steep: NDArray[np.int64], *, wait: int = 0, trip: int = 0) -> kernels.Weights:
    """Weights of a sweep that never exceeds room."""
    return kernels.Weights(
        steep=steep, visit=kernels.VISIT, wait=wait, trip=trip, shortage=0, place_all=False, ignore_room=False
    )


def load_weights() -> kernels.Weights:
    """Weights while visits are sought: room never exceeded, load priced steeply, waits and trips a little."""
    return sweep_weights(steepness(5000, 8), wait=100, trip=100)


def polish_weights(days: int) -> kernels.Weights:
    """Weights that keep every visit and then mind days waited, trips and load, strictly in this order.

    A subject choosing at once has up to 10 checks: 10 checks × `days` × wait < visit, 30 trips × trip < wait, and 900
    minutes × 2 < trip.
    """
    level = np.arange(kernels.LEVELS)
    busy = np.where(level < kernels.LEVELS // 8, 2, np.where(level < kernels.LEVELS // 3, 1, 0))
    visit = 30_000_000_000
    wait = max(60_000, min(1_000_000, visit // (11 * max(1, days))))
    return sweep_weights(busy.astype(np.int64), wait=wait, trip=1_900)._replace(visit=visit)


def relieve(
    static: kernels.Static,
    state: kernels.State,
    wanting: NDArray[np.int64],
    members: NDArray[np.int64],
    turn: int,
    shortage: int = SHORTAGE,
) -> int:
    """Start an ejection chain from each subject in `wanting`, moving `members`; returns how many helped.

    A chain passes a shortage on to another pool-day for `shortage` micro-visits, and leaves a check out when that
    costs less: so above `UNPLACED` it gives up routine checks for a safety check.
    """
    if not len(wanting):
        return 0
    weights = load_weights()._replace(shortage=shortage)
    touched = np.zeros(len(static.first) - 1, np.int32)
    first = np.zeros(state.room.size + 1, np.int64)
    return int(relief.relieve(static, state, weights, wanting, members, STEPS, TRIES, turn, touched, first))


def polishes(members: int) -> int:
    """How many polishing sweeps a district of so many subjects gets."""
    return max(1, min(3, POLISHED // max(1, members)))


@dataclass(frozen=True)
class Shard:
    """One district: subjects and pools that share nothing with another's."""

    static: kernels.Static
    state: kernels.State
    members: NDArray[np.int64]
    pools: NDArray[np.int64]
    streets: NDArray[np.int64]
    departments: int
    seed: list[int]

    def work(self, advance: Advance) -> None:
        """Plan the district; `advance(subjects)` tells how much was done and may raise to stop."""
        static, state = self.static, self.state
        rng = np.random.default_rng(self.seed)
        weights = load_weights()
        choosing.reprice(static, state, weights, self.pools)
        for turn in range(SWEEPS):
            self.sweep(weights, rng.permutation(self.members), turn, advance)
            if self.wanting() * ENOUGH < len(self.members):
                advance((SWEEPS - 1 - turn) * len(self.members))
                break
        self.chains(0)
        self.shakes(rng)
        self.ruins(rng)
        days = int(static.dates[-1] - static.dates[0]) + 1 if len(static.dates) else 1
        weights = polish_weights(days)
        choosing.reprice(static, state, weights, self.pools)
        for turn in range(polishes(len(self.members))):
            self.sweep(weights, rng.permutation(self.members), turn, advance)
        self.chains(ROUNDS)

    def chains(self, turn: int) -> int:
        """Rounds of chains until one does not help; returns how many subjects could still gain."""
        left = 0
        for step in range(ROUNDS):
            wanting = relief.wanting_room(self.static, self.state, self.members, False)
            wanting = np.concatenate([wanting, relief.wanting_fewer(self.static, self.state, self.members)])
            left = len(wanting)
            if not relieve(self.static, self.state, wanting, self.members, turn + step):
                break
        safety = relief.wanting_room(self.static, self.state, self.members, True)
        relieve(self.static, self.state, safety, self.members, turn, shortage=2 * kernels.UNPLACED)
        return left

    def wanting(self) -> int:
        """How many subjects have a check without room or visits more than rules and dates need."""
        without = relief.wanting_room(self.static, self.state, self.members, False)
        return len(without) + len(relief.wanting_fewer(self.static, self.state, self.members))

    def shakes(self, rng: np.random.Generator) -> None:
        """Disturb prices, sweep, relieve; go back to the best plan after each shake that did not help."""
        static, state, members = self.static, self.state, self.members
        best = relief.worth_all(static, state, members)
        for turn in range(min(MOST_SHAKES, SHAKEN // max(1, len(members)))):
            if self.wanting() * ENOUGH < len(members):
                break
            kept = self._copy()
            shape = (len(self.pools), len(static.dates))
            state.base[self.pools] = rng.integers(0, NOISE << turn % 3, shape)
            weights = load_weights()
            choosing.reprice(static, state, weights, self.pools)
            self.sweep(weights, rng.permutation(members), turn, lambda _: None)
            state.base[self.pools] = 0
            choosing.reprice(static, state, weights, self.pools)
            self.chains(turn)
            now = relief.worth_all(static, state, members)
            if now <= best:
                best = now
            else:
                self._put_back(kept)

    def ruins(self, rng: np.random.Generator) -> None:
        """Around someone who could still gain, take a dozen users of a full pool-day out and let all choose anew."""
        static, state, size = self.static, self.state, len(self.members)
        weights = load_weights()
        best = relief.worth_all(static, state, self.members)
        for turn in range(min(MOST_RUINS, 4 * size, RUINED // max(1, size)) if size <= CHUNK else 0):
            wanting = relief.wanting_room(static, state, self.members, False)
            if not len(wanting):
                wanting = relief.wanting_fewer(static, state, self.members)
            if not len(wanting):
                return
            kept = self._copy()
            group = self._around(int(rng.choice(wanting)), rng)
            choosing.clear(static, state, weights, group)
            choosing.sweep(static, state, weights, group, turn)
            relieve(static, state, relief.wanting_room(static, state, self.members, False), self.members, turn)
            now = relief.worth_all(static, state, self.members)
            if now <= best:
                best = now
            else:
                self._put_back(kept)

    def _around(self, subject: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """The subject and some of those who have a pool-day that one of its checks could use, in random order."""
        static, state = self.static, self.state
        own = np.arange(*static.first[subject : subject + 2])
        left = own[(state.rep[own] < 0) & (static.mask[own] != 0).any(axis=1)]
        check = int(rng.choice(left if len(left) else own))
        days = np.arange(len(static.dates))
        opened = static.mask[check, days >> 6] >> (days & 63).astype(np.uint64) & np.uint64(1) == 1
        if not opened.any():
            return np.array([subject])
        day, pool = int(rng.choice(days[opened])), static.check[check, kernels.POOL]
        users = np.flatnonzero((state.day == day) & (static.check[:, kernels.POOL] == pool))
        near = np.unique(np.searchsorted(static.first, users, side="right") - 1)
        near = rng.permutation(near[near != subject])[:RUIN_SIZE]
        return np.concatenate([[subject], near])

    def _copy(self) -> tuple[NDArray, ...]:
        state = self.state
        return state.rep.copy(), state.day.copy(), state.room.copy(), state.price.copy(), state.trips.copy()

    def _put_back(self, kept: tuple[NDArray, ...]) -> None:
        """Return to a copy, touching only what belongs to this district: others may be at work."""
        state = self.state
        first = self.static.first
        owner = np.zeros(len(first) - 1, np.bool_)
        owner[self.members] = True
        checks = np.repeat(owner, np.diff(first))
        rows = (self.streets[:, None] * self.departments + np.arange(self.departments)).ravel()
        state.rep[checks], state.day[checks] = kept[0][checks], kept[1][checks]
        state.room[self.pools], state.price[self.pools] = kept[2][self.pools], kept[3][self.pools]
        state.trips[rows] = kept[4][rows]

    def sweep(self, weights: kernels.Weights, order: NDArray[np.int64], turn: int, advance: Advance) -> None:
        """Let the subjects choose again in this order."""
        for at in range(0, len(order), CHUNK):
            part = order[at : at + CHUNK]
            choosing.sweep(self.static, self.state, weights, part, turn)
            advance(len(part))
