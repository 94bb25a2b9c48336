"""Districts share no pool: each is cut out of the problem's arrays, planned by itself and put back where it was."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from xiezhi.engines.planning import kernels
from xiezhi.engines.planning.prices import Ascent
from xiezhi.engines.planning.problem import Problem
from xiezhi.engines.planning.shard import Advance, Shard


@dataclass(frozen=True)
class Cut:
    """Where a district's subjects, checks, pools and rows of trips stand in the problem."""

    subjects: NDArray[np.int64]
    checks: NDArray[np.int64]
    pools: NDArray[np.int64]
    trips: NDArray[np.int64]
    whole: bool

    @classmethod
    def of(cls, problem: Problem, static: kernels.Static, district: int) -> Cut:
        """The cut of one district."""
        subjects = np.flatnonzero(problem.subject_district == district)
        owner = np.repeat(problem.subject_district == district, np.diff(static.first))
        departments = np.arange(len(problem.departments))
        streets = np.array([k for k, (d, _) in enumerate(problem.streets) if d == district], np.int64)
        return cls(
            subjects=subjects,
            checks=np.flatnonzero(owner),
            pools=np.flatnonzero(problem.pool_district == district),
            trips=(streets[:, None] * len(departments) + departments).ravel(),
            whole=len(problem.districts) == 1,
        )

    def static(self, static: kernels.Static) -> kernels.Static:
        """The district's own unchanging arrays, numbered from 0."""
        if self.whole:
            return static
        check = static.check[self.checks]
        check[:, kernels.POOL] = _renumbered(check[:, kernels.POOL], self.pools)
        check[:, kernels.TRIP] = _renumbered(check[:, kernels.TRIP], self.trips)
        pins = np.unique(check[check[:, kernels.PIN] >= 0, kernels.PIN])
        check[:, kernels.PIN] = _renumbered(check[:, kernels.PIN], pins)
        sizes = static.pin_first[pins + 1] - static.pin_first[pins]
        held = np.repeat(static.pin_first[pins] - (np.cumsum(sizes) - sizes), sizes) + np.arange(sizes.sum())
        counts = (static.first[1:] - static.first[:-1])[self.subjects]
        return static._replace(
            check=check,
            mask=static.mask[self.checks],
            first=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            most_departments=static.most_departments[self.subjects],
            pin_first=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32),
            pin_check=_renumbered(static.pin_check[held], self.checks),
            pin_day=static.pin_day[pins],
            capacity=static.capacity[self.pools],
        )

    def state(self, state: kernels.State) -> kernels.State:
        """The district's own part of a state."""
        if self.whole:
            return state
        return kernels.State(
            room=state.room[self.pools],
            price=state.price[self.pools],
            base=state.base[self.pools],
            trips=state.trips[self.trips],
            day=state.day[self.checks],
            rep=_renumbered(state.rep[self.checks], self.checks),
        )

    def put_back(self, state: kernels.State, own: kernels.State) -> None:
        """Enter the district's part into the state of all."""
        if own is state:
            return
        state.room[self.pools], state.trips[self.trips] = own.room, own.trips
        state.day[self.checks] = own.day
        state.rep[self.checks] = np.where(own.rep >= 0, self.checks[own.rep], -1)


def _renumbered(numbers: NDArray[np.int32], known: NDArray[np.int64]) -> NDArray[np.int32]:
    """Places in `known` (sorted, all are there); negative numbers stay."""
    places = np.searchsorted(known, numbers).astype(np.int32)
    return np.where(numbers >= 0, places, numbers).astype(np.int32)


@dataclass
class District:
    """One district's way through a run: search, then the rest of the ascent, on whatever threads are free."""

    problem: Problem
    number: int
    seed: int
    static: kernels.Static
    state: kernels.State
    price: NDArray[np.int64]
    shard: Shard | None = None
    ahead: Ascent | None = None
    pools: NDArray[np.int64] | None = None
    decided: threading.Event = field(default_factory=threading.Event)

    def search(self, advance: Advance) -> None:
        """Plan the district into the state of all."""
        cut = Cut.of(self.problem, self.static, self.number)
        shard = Shard(cut.static(self.static), cut.state(self.state), [self.seed, self.number])
        self.pools, self.ahead = cut.pools, shard.ahead

        def decide() -> None:
            self.shard, self.ahead = shard if shard.ascent else None, None
            self.decided.set()

        shard.search(advance, decide)
        cut.put_back(self.state, shard.state)

    def climb(self, advance: Advance) -> None:
        """Enter the prices that prove the plan; beside the search once it has found room to be scarce."""
        while not self.decided.wait(0.01):
            if ahead := self.ahead:
                ahead.begin(advance, self.decided.is_set)
            advance(0)
        if self.shard and self.shard.ascent:
            self.price[self.pools] = self.shard.ascent.prices(advance)
        self.shard = None


__all__ = ["Cut", "District"]
