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
from functools import partial

import numpy as np
from numpy.typing import NDArray

from xiezhi.engines.planning import bounds, kernels
from xiezhi.engines.planning.outcome import make_plan
from xiezhi.engines.planning.prices import Ascent
from xiezhi.engines.planning.problem import Params, Plan, Problem
from xiezhi.engines.planning.shard import CHUNK, SWEEPS, Advance, Shard, polishes
from xiezhi.engines.planning.state import make_state, make_static

OnProgress = Callable[[str, int, int], None]
Task = Callable[[Advance], None]


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
        plan = make_plan(problem, params, seed, static, state, price, least, workers=workers)
    return replace(plan, seconds=dict(run.seconds))


def bound_weights() -> kernels.Weights:
    """Weights of the bound: rules and prices only, all checks in, no room."""
    none = np.zeros(kernels.LEVELS, np.int64)
    return kernels.Weights(none, kernels.VISIT, wait=0, trip=0, shortage=0, place_all=True, ignore_room=True)


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

    def each(self, name: str, tasks: list[Task], total: int) -> None:
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
        """Search every district."""
        problem = self.problem

        def task(district: int) -> Task:
            return Shard(
                static,
                state,
                members=self.members(district),
                pools=np.flatnonzero(problem.pool_district == district),
                streets=np.array([k for k, (d, _) in enumerate(problem.streets) if d == district], np.int64),
                departments=len(problem.departments),
                seed=[self.seed, district],
            ).work

        sizes = np.bincount(problem.subject_district, minlength=len(problem.districts))
        largest_first = np.argsort(-sizes, kind="stable")
        total = sum((SWEEPS + polishes(int(size))) * int(size) for size in sizes)
        self.each("plan", [task(int(d)) for d in largest_first], total)

    def members(self, district: int) -> NDArray[np.int64]:
        """The subjects of a district, in the problem's order."""
        return np.flatnonzero(self.problem.subject_district == district)

    def bound(self, static: kernels.Static, state: kernels.State) -> tuple[NDArray[np.int64], tuple[int, int]]:
        """Prices, and (visits if each department goes alone, lower bound)."""
        problem, placed, weights = self.problem, state.rep >= 0, bound_weights()
        subjects, districts = len(problem.subject_ids), len(problem.districts)
        alone: list[int] = []

        def alone_in(first: int, advance: Advance) -> None:
            last = min(first + CHUNK, subjects)
            alone.append(int(bounds.alone_visits(static, placed, first, last)))
            advance(last - first)

        self.each("bound", [partial(alone_in, k) for k in range(0, subjects, CHUNK)], subjects)
        parts = [
            (d, m[k : k + CHUNK]) for d in range(districts) for m in [self.members(d)] for k in range(0, len(m), CHUNK)
        ]

        def evaluate(price: NDArray[np.int64], use: NDArray[np.int64]) -> NDArray[np.int64]:
            costs = np.zeros(districts, np.int64)
            lock = threading.Lock()

            def cost_of(district: int, order: NDArray[np.int64], advance: Advance) -> None:
                own = np.zeros_like(use)
                cost = bounds.least_cost(static, placed, price, state.trips, weights, order, own)
                with lock:  # whole numbers: the order of adding does not matter
                    costs[district] += cost
                    np.add(use, own, out=use)
                advance(len(order))

            self.each("bound", [partial(cost_of, d, order) for d, order in parts], subjects)
            return costs

        reps = np.flatnonzero(state.rep == np.arange(len(state.rep)))
        visits = np.bincount(problem.subject_district[problem.check_subject[reps]], minlength=districts)
        ascent = Ascent(problem.capacity, problem.pool_district, visits, evaluate)
        ascent.climb(subjects)
        return ascent.price, (sum(alone), -(-int(ascent.best.sum()) // kernels.VISIT))


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
