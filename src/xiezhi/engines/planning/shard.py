"""The search in one district: sweeps, ejection chains, ruins, polish. Effort is counted, never timed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xiezhi.engines.planning import choosing, kernels, relief, ruins
from xiezhi.engines.planning.prices import Ascent

Advance = Callable[[int], None]

CHUNK = 20_000  # subjects between two looks at whether to stop
SWEEPS = 3  # at most, at prices that grow with load; fewer where hardly anyone could gain
ROUNDS = 6  # of ejection chains, fewer once none helps
POLISHED = 120_000  # subjects swept once more for shorter waits, at least once and at most three times each
STEPS = 30  # subjects moved in one chain
TRIES = 48  # users of a full pool-day looked at before one is moved
SHORTAGE = 300_000  # micro-visits a chain pays for passing a shortage on
ENOUGH = 500  # sweeping ends when fewer than one subject in so many could still gain
SCARCE, SCARCE_LARGE = 500, 100  # room is scarce where one in so many could: below and above `CHUNK` subjects
RUINS_EACH, RUINS_WANTING, RUINS_SCARCE, MOST_RUINS = 12, 40, 600, 300_000  # by subject; by who could gain; in all
TURNS = 6  # ruins and chains take turns


def steepness(amplitude: int, power: int) -> NDArray[np.int64]:
    """Price by what is left of a pool-day: amplitude × e^(−power × share left), in micro-visits per minute."""
    left = (np.arange(kernels.LEVELS) + 0.5) / kernels.LEVELS
    return (amplitude * np.exp(-power * left)).astype(np.int64)


def sweep_weights(steep: NDArray[np.int64], *, wait: int = 0, trip: int = 0) -> kernels.Weights:
    """Weights of a sweep that never exceeds room."""
    return kernels.Weights(
        steep=steep, visit=kernels.VISIT, wait=wait, trip=trip, shortage=0, place_all=False, ignore_room=False
    )


def load_weights(*, priced: bool = False) -> kernels.Weights:
    """Weights while visits are sought: room never exceeded, waits and trips a little, load steeply.

    `priced`: less steeply, since lasting prices tell already where room is scarce.
    """
    return sweep_weights(steepness(1000 if priced else 5000, 8), wait=100, trip=100)


def bound_weights() -> kernels.Weights:
    """Weights of the bound: rules and prices only, all checks in, no room."""
    none = np.zeros(kernels.LEVELS, np.int64)
    return kernels.Weights(none, kernels.VISIT, wait=0, trip=0, shortage=0, place_all=True, ignore_room=True)


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
    weights: kernels.Weights,
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
    weights = weights._replace(shortage=shortage)
    touched = np.zeros(len(static.first) - 1, np.int32)
    first = np.zeros(state.room.size + 1, np.int64)
    return int(relief.relieve(static, state, weights, wanting, members, STEPS, TRIES, turn, touched, first))


def polishes(members: int) -> int:
    """How many polishing sweeps a district of so many subjects gets."""
    return max(1, min(3, POLISHED // max(1, members)))


@dataclass
class Shard:
    """One district: subjects and pools that share nothing with another's, numbered from 0.

    `state` holds confirmed visits only and is filled by `search`. `ascent` is there once room has proven scarce;
    `ahead` is the same before that is known, for whoever has time to begin its climb.
    """

    static: kernels.Static
    state: kernels.State
    seed: list[int]
    ascent: Ascent | None = None
    ahead: Ascent | None = None

    def __post_init__(self) -> None:
        self.members = np.arange(len(self.static.first) - 1)
        self.pools = np.arange(len(self.static.capacity))
        self.weights = load_weights()
        if len(self.members) <= CHUNK:
            self.ahead = Ascent(self.static, self.state, self.seed)

    def search(self, advance: Advance, decided: Callable[[], None]) -> None:
        """Plan the district; `advance(subjects)` tells how much was done and may raise to stop.

        `decided()` is called once it is known whether there is an `ascent`.
        """
        static, state = self.static, self.state
        rng = np.random.default_rng(self.seed)
        confirmed = None if self.ahead else _copy(state)
        self.reprice()
        for turn in range(SWEEPS):
            self.sweep(rng.permutation(self.members), turn, advance)
            if self.wanting() * ENOUGH < len(self.members):
                advance((SWEEPS - 1 - turn) * len(self.members))
                break
        wanting = self.chains(0)
        if wanting * (SCARCE if len(self.members) <= CHUNK else SCARCE_LARGE) >= max(1, len(self.members)):
            self.ascent = Ascent(static, confirmed, self.seed) if confirmed else self.ahead
        self.ahead = None
        decided()
        if self.ascent and len(self.members) <= CHUNK:  # for more the few sweeps give prices that prove, not guide
            self.again_at_prices(self.ascent, rng, advance)
        if wanting:
            self.ruins(wanting, rng)
        self.polish(rng, advance)

    def polish(self, rng: np.random.Generator, advance: Advance) -> None:
        """Let all choose again for shorter waits and fewer trips; what comes out worse at any level is put back."""
        static, state = self.static, self.state
        before, kept = self.levels(), _copy(state)
        days = int(static.dates[-1] - static.dates[0]) + 1 if len(static.dates) else 1
        self.weights = polish_weights(days)
        state.base[:] = 0
        self.reprice()
        for turn in range(polishes(len(self.members))):
            self.sweep(rng.permutation(self.members), turn, advance)
        self.weights = load_weights()
        self.chains(ROUNDS)
        if self.levels() > before:
            _put_back(state, kept)

    def levels(self) -> tuple[int, int, int, float]:
        """What is better first in the contract's order: unplaced and visits, days waited, trips, peak of load."""
        check, state, open_days = self.static.check, self.state, self.static.capacity > 0
        safe = np.flatnonzero((check[:, kernels.SAFETY] > 0) & (state.day >= 0))
        wait = self.static.dates[state.day[safe]].astype(np.int64) - check[safe, kernels.EARLIEST]
        left = state.room[open_days] / self.static.capacity[open_days]
        trips = int(np.count_nonzero(state.trips))
        return relief.worth_all(self.static, state), int(wait.sum()), trips, -float(left.min(initial=1.0))

    def again_at_prices(self, ascent: Ascent, rng: np.random.Generator, advance: Advance) -> None:
        """Let all choose from the beginning at prices that know where room is scarce; keep the better plan."""
        static, state = self.static, self.state
        before, kept = relief.worth_all(static, state), _copy(state)
        state.base[:] = ascent.early(advance)
        self.weights = load_weights(priced=True)
        self.reprice()
        choosing.clear(static, state, self.weights, self.members)
        for turn in range(SWEEPS):
            self.sweep(rng.permutation(self.members), turn, lambda _: advance(0))
        self.chains(0)
        if relief.worth_all(static, state) > before:
            _put_back(state, kept)
            self.weights = load_weights()

    def chains(self, turn: int) -> int:
        """Rounds of chains until one does not help; returns how many subjects could still gain.

        Lasting prices are left out: what a chain passes on would cost less than any other date.
        """
        weights, base = load_weights(), self.state.base.copy()
        self.state.base[:] = 0
        if base.any():
            choosing.reprice(self.static, self.state, weights, self.pools)
        left = 0
        for step in range(ROUNDS):
            wanting = relief.wanting_room(self.static, self.state, self.members, False)
            wanting = np.concatenate([wanting, relief.wanting_fewer(self.static, self.state, self.members)])
            left = len(wanting)
            if not relieve(self.static, self.state, weights, wanting, self.members, turn + step):
                break
        safety = relief.wanting_room(self.static, self.state, self.members, True)
        relieve(self.static, self.state, weights, safety, self.members, turn, shortage=2 * kernels.UNPLACED)
        self.state.base[:] = base
        if base.any():
            self.reprice()
        return left

    def wanting(self) -> int:
        """How many subjects have a check without room or visits more than rules and dates need."""
        without = relief.wanting_room(self.static, self.state, self.members, False)
        return len(without) + len(relief.wanting_fewer(self.static, self.state, self.members))

    def ruins(self, wanting: int, rng: np.random.Generator) -> None:
        """Ruin and recreate, chains between."""
        pool = self.static.check[:, kernels.POOL]
        held = np.flatnonzero(pool >= 0)
        checks = held[np.argsort(pool[held], kind="stable")]
        first = np.searchsorted(pool[checks], np.arange(len(self.pools) + 1))
        owner = np.searchsorted(self.static.first, checks, side="right") - 1
        by_pool = first.astype(np.int64), checks.astype(np.int32), owner.astype(np.int32)
        seed = rng.integers(1, 1 << 62, 1)
        turns = min(
            MOST_RUINS, RUINS_EACH * len(self.members), (RUINS_SCARCE if self.ascent else RUINS_WANTING) * wanting
        )
        for turn in range(TURNS):
            ruins.ruin(self.static, self.state, self.weights, by_pool, turns // TURNS, seed)
            self.chains(turn)

    def reprice(self) -> None:
        """Price every pool-day by its load."""
        choosing.reprice(self.static, self.state, self.weights, self.pools)

    def sweep(self, order: NDArray[np.int64], turn: int, advance: Advance) -> None:
        """Let the subjects choose again in this order."""
        for at in range(0, len(order), CHUNK):
            part = order[at : at + CHUNK]
            choosing.sweep(self.static, self.state, self.weights, part, turn)
            advance(len(part))


def _copy(state: kernels.State) -> kernels.State:
    return kernels.State(
        state.room.copy(), state.price.copy(), state.base.copy(), state.trips.copy(), state.day.copy(), state.rep.copy()
    )


def _put_back(state: kernels.State, kept: kernels.State) -> None:
    state.room[:], state.price[:], state.base[:] = kept.room, kept.price, kept.base
    state.trips[:], state.day[:], state.rep[:] = kept.trips, kept.day, kept.rep
