"""Plans a problem: subjects choose their visits in turn at prices that grow with load, then full pools are relieved.

Districts share no pool, so each is a shard of its own: one thread works on one shard at a time and the result does
not depend on how many threads there are. Effort is counted in sweeps and steps, never in seconds.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from xiezhi.engines.planning import bounds, choosing, kernels, relief
from xiezhi.engines.planning.outcome import make_plan
from xiezhi.engines.planning.problem import Params, Plan, Problem
from xiezhi.engines.planning.state import make_state, make_static

OnProgress = Callable[[str, int, int], None]
CHUNK = 20_000  # subjects between two looks at whether to stop
SWEEPS = 3
ROUNDS = 3  # of ejection chains
STEPS = 12  # subjects moved in one chain
TRIES = 24  # users of a full pool-day looked at before one is moved
SHORTAGE = 300_000  # what a chain pays for passing a shortage on


def solve(
    problem: Problem,
    *,
    params: Params | None = None,
    seed: int = 0,
    on_progress: OnProgress | None = None,
    workers: int | None = None,
) -> Plan:
    """Plan all checks. `on_progress(phase, done, total)` is called from the calling thread and may raise to cancel.

    The same problem, params and seed give the same plan for any number of `workers` (threads).
    """
    params = params or Params()
    run = Run(problem, params, seed, on_progress, workers)
    with run.phase("prepare"):
        static = make_static(problem, params)
        state = make_state(problem, static)
    with run.phase("plan"):
        run.plan(static, state)
    with run.phase("bound"):
        price, least = run.bound(static, state)
    with run.phase("report"):
        plan = make_plan(problem, params, seed, static, state, price, least)
    return replace(plan, seconds=dict(run.seconds))


def steepness(amplitude: int, power: int) -> NDArray[np.int64]:
    """Price by what is left of a pool-day: amplitude × e^(−power × share left), in micro-visits per minute."""
    left = (np.arange(kernels.LEVELS) + 0.5) / kernels.LEVELS
    return (amplitude * np.exp(-power * left)).astype(np.int64)


def sweep_weights(steep: NDArray[np.int64], *, wait: int = 0, trip: int = 0) -> kernels.Weights:
    """Weights of a sweep that never exceeds room."""
    return kernels.Weights(
        steep=steep, visit=kernels.VISIT, wait=wait, trip=trip, shortage=0, place_all=False, ignore_room=False
    )


def bound_weights() -> kernels.Weights:
    """Weights of the bound: rules and prices only, all checks in, no room."""
    none = np.zeros(kernels.LEVELS, np.int64)
    return kernels.Weights(none, kernels.VISIT, wait=0, trip=0, shortage=0, place_all=True, ignore_room=True)


def final_weights() -> kernels.Weights:
    """Weights once the plan stands: room never exceeded, load priced as in the last sweeps."""
    return sweep_weights(steepness(5000, 8), wait=100, trip=100)


def relieve(
    static: kernels.Static, state: kernels.State, wanting: NDArray[np.int64], members: NDArray[np.int64], turn: int
) -> int:
    """Start an ejection chain from each subject in `wanting`, moving `members`; returns how many helped."""
    weights = final_weights()._replace(shortage=SHORTAGE)
    touched = np.zeros(len(static.first) - 1, np.int32)
    first = np.zeros(state.room.size + 1, np.int64)
    return int(relief.relieve(static, state, weights, wanting, members, STEPS, TRIES, turn, touched, first))


@dataclass(frozen=True)
class Shard:
    """One district: subjects and pools that share nothing with another's."""

    static: kernels.Static
    state: kernels.State
    members: NDArray[np.int64]
    pools: NDArray[np.int64]
    seed: list[int]

    def work(self, advance: Callable[[int], None]) -> None:
        """Plan the district; `advance(subjects)` tells how much was done and may raise to stop."""
        static, state, members = self.static, self.state, self.members
        rng = np.random.default_rng(self.seed)
        weights = final_weights()
        choosing.reprice(static, state, weights, self.pools)
        for turn in range(SWEEPS):
            self.sweep(weights, rng.permutation(members), turn, advance)
        for turn in range(ROUNDS):
            wanting = relief.wanting_room(static, state, members, False)
            relieve(
                static, state, np.concatenate([wanting, relief.wanting_fewer(static, state, members)]), members, turn
            )
            advance(len(members))

    def sweep(
        self, weights: kernels.Weights, order: NDArray[np.int64], turn: int, advance: Callable[[int], None]
    ) -> None:
        """Let the subjects choose again in this order."""
        for at in range(0, len(order), CHUNK):
            part = order[at : at + CHUNK]
            choosing.sweep(self.static, self.state, weights, part, turn)
            advance(len(part))


@dataclass
class Run:
    """One run's threads, progress and clock readings."""

    problem: Problem
    params: Params
    seed: int
    on_progress: OnProgress | None = None
    workers: int | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    stop: threading.Event = field(default_factory=threading.Event)

    def phase(self, name: str) -> Phase:
        """Time a phase and name it to whoever watches."""
        return Phase(self, name)

    def each(self, name: str, tasks: list[Callable[[Callable[[int], None]], None]], total: int) -> None:
        """Run the tasks on threads; each reports how much it did. Raises what a task or the watcher raises."""
        done = [0]
        lock = threading.Lock()

        def advance(amount: int) -> None:
            with lock:
                done[0] += amount
            if self.stop.is_set():
                raise _Stopped

        with ThreadPoolExecutor(self.workers or os.cpu_count() or 1) as pool:
            pending: set[Future[None]] = {pool.submit(task, advance) for task in tasks}
            try:
                while pending:
                    finished, pending = wait(pending, timeout=0.2, return_when=FIRST_COMPLETED)
                    for future in finished:
                        future.result()
                    if self.on_progress:
                        self.on_progress(name, min(done[0], total), total)
            except BaseException:
                self.stop.set()
                for future in pending:
                    future.cancel()
                raise

    def plan(self, static: kernels.Static, state: kernels.State) -> None:
        """Sweep every district."""
        problem = self.problem
        subjects = len(problem.subject_ids)
        by_district = np.argsort(problem.subject_district, kind="stable")
        ends = np.searchsorted(problem.subject_district[by_district], np.arange(len(problem.districts) + 1))

        def task(district: int) -> Callable[[Callable[[int], None]], None]:
            members = by_district[ends[district] : ends[district + 1]]
            pools = np.flatnonzero(problem.pool_district == district)
            return Shard(static, state, members, pools, [self.seed, district]).work

        largest_first = np.argsort(-np.diff(ends), kind="stable")
        self.each("plan", [task(int(d)) for d in largest_first], (SWEEPS + ROUNDS) * subjects)

    def bound(self, static: kernels.Static, state: kernels.State) -> tuple[NDArray[np.int64], tuple[int, int]]:
        """Prices, and (visits if each department goes alone, lower bound)."""
        price = np.zeros(self.problem.capacity.shape, np.int64)
        placed = state.rep >= 0
        alone = self.total("bound", lambda first, last: int(bounds.alone_visits(static, placed, first, last)))
        weights = bound_weights()
        cost = self.total(
            "bound",
            lambda first, last: int(bounds.least_cost(static, placed, price, state.trips, weights, first, last)),
        )
        return price, (alone, -(-cost // kernels.VISIT))

    def total(self, name: str, part: Callable[[int, int], int]) -> int:
        """Sum of `part(first, last)` over all subjects, on all threads."""
        subjects = len(self.problem.subject_ids)
        sums: list[int] = []

        def task(first: int) -> Callable[[Callable[[int], None]], None]:
            def work(advance: Callable[[int], None]) -> None:
                last = min(first + CHUNK, subjects)
                sums.append(part(first, last))
                advance(last - first)

            return work

        self.each(name, [task(first) for first in range(0, subjects, CHUNK)], subjects)
        return sum(sums)


class _Stopped(Exception):
    """A watcher asked to stop; raised in the threads so that they end."""


@dataclass
class Phase:
    """A timed phase."""

    run: Run
    name: str
    began: float = 0.0

    def __enter__(self) -> None:
        self.began = time.perf_counter()
        if self.run.on_progress:
            self.run.on_progress(self.name, 0, 1)

    def __exit__(self, *error: object) -> None:
        self.run.seconds[self.name] = round(time.perf_counter() - self.began, 3)
