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
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from xiezhi.engines.planning import bounds, kernels
from xiezhi.engines.planning.districts import Cut, District
from xiezhi.engines.planning.outcome import make_plan
from xiezhi.engines.planning.prices import Ascent
from xiezhi.engines.planning.problem import Params, Plan, Problem
from xiezhi.engines.planning.shard import CHUNK, SWEEPS, Advance, bound_weights, polishes
from xiezhi.engines.planning.state import make_state, make_static

if TYPE_CHECKING:
    from xiezhi.engines.planning.cluster import Cluster

OnProgress = Callable[[str, int, int], None]
Task = Callable[[Advance], None]

CLOSE_ENOUGH = 0.001  # gap of a district at which no better proof is sought afterwards


def solve(
    problem: Problem,
    *,
    params: Params | None = None,
    seed: int = 0,
    on_progress: OnProgress | None = None,
    workers: int | None = None,
    cluster: Cluster | None = None,
) -> Plan:
    """Plan all checks. `on_progress(phase, done, total)` is called from the calling thread and may raise to cancel.

    The same problem, params and seed give the same plan for any number of `workers` (threads), and on a `cluster`.
    """
    params = params or Params()
    run = Run(problem, params, seed, on_progress, workers)
    with run.phase("prepare"):
        static = make_static(problem, params)
        state = make_state(problem, static)
    if cluster:
        with run.phase("plan"):
            price, least = run.plan_on(cluster, static, state)
    else:
        with run.phase("plan"):
            price = run.plan(static, state)
        with run.phase("bound"):
            price, least = run.bound(static, state, price)
    with run.phase("report"):
        plan = make_plan(problem, params, seed, static, state, price, least, workers=workers)
    return replace(plan, seconds=dict(run.seconds))


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

    def plan(self, static: kernels.Static, state: kernels.State) -> NDArray[np.int64]:
        """Search every district; returns prices that may prove the plan."""
        problem = self.problem
        price = np.zeros(problem.capacity.shape, np.int64)
        sizes = np.bincount(problem.subject_district, minlength=len(problem.districts))
        largest_first = np.argsort(-sizes, kind="stable")
        districts = [District(problem, int(d), self.seed, static, state, price) for d in largest_first]
        total = sum((SWEEPS + polishes(int(size))) * int(size) for size in sizes)
        tasks: list[Task] = [d.search for d in districts]
        self.each("plan", tasks + [d.climb for d in districts], total)
        return price

    def bound(
        self, static: kernels.Static, state: kernels.State, price: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.int64], tuple[int, int]]:
        """Prices, and (visits if each department goes alone, lower bound).

        District by district the better of `price` and no prices at all. Without `price`, prices are sought where the
        plan is not close to the bound.
        """
        problem, placed = self.problem, state.rep >= 0
        subjects, districts = len(problem.subject_ids), len(problem.districts)
        alone: list[int] = []

        def alone_in(first: int, advance: Advance) -> None:
            last = min(first + CHUNK, subjects)
            alone.append(int(bounds.alone_visits(static, placed, first, last)))
            advance(last - first)

        self.each("bound", [partial(alone_in, k) for k in range(0, subjects, CHUNK)], subjects)
        best = self.least(static, placed, np.zeros(problem.capacity.shape, np.int64), np.arange(districts))
        if price is None:
            reps = np.flatnonzero(state.rep == np.arange(len(state.rep)))
            visits = np.bincount(problem.subject_district[problem.check_subject[reps]], minlength=districts)
            far = np.flatnonzero(visits * kernels.VISIT - best > CLOSE_ENOUGH * visits * kernels.VISIT)
            price = self.prices(static, far)
        else:
            price = price.copy()
        priced = np.unique(problem.pool_district[price.any(axis=1)]).astype(np.int64)
        with_price = self.least(static, placed, price, priced)
        return self.better(price, best, with_price), (sum(alone), _visits(np.maximum(best, with_price)))

    def better(
        self, price: NDArray[np.int64], without: NDArray[np.int64], with_price: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """The prices, 0 in districts whose bound they do not raise."""
        price[~np.isin(self.problem.pool_district, np.flatnonzero(with_price > without))] = 0
        return price

    def plan_on(
        self, cluster: Cluster, static: kernels.Static, state: kernels.State
    ) -> tuple[NDArray[np.int64], tuple[int, int]]:
        """`plan` and `bound` with every district on whatever machine is free."""
        problem = self.problem
        sizes = np.bincount(problem.subject_district, minlength=len(problem.districts))
        order = np.argsort(-sizes, kind="stable")
        cuts = [Cut.of(problem, static, int(d)) for d in order]
        price = np.zeros(problem.capacity.shape, np.int64)
        without, with_price = np.zeros(len(sizes), np.int64), np.zeros(len(sizes), np.int64)
        alone = done = 0
        for k, planned in cluster.plan(cuts, static, state, [[self.seed, int(d)] for d in order]):
            cuts[k].put_back(state, planned.state)
            price[cuts[k].pools] = planned.price
            without[order[k]], with_price[order[k]] = planned.unpriced, planned.priced
            alone, done = alone + planned.alone, done + int(sizes[order[k]])
            if self.on_progress:
                self.on_progress("plan", done, len(problem.subject_ids))
        best = _visits(np.maximum(without, with_price))
        return self.better(price, without, with_price), (alone, best)

    def prices(self, static: kernels.Static, districts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Prices for these districts, 0 in the others."""
        price = np.zeros(self.problem.capacity.shape, np.int64)
        confirmed = make_state(self.problem, static)

        def climb(district: int, advance: Advance) -> None:
            cut = Cut.of(self.problem, static, district)
            ascent = Ascent(cut.static(static), cut.state(confirmed), [self.seed, district])
            price[cut.pools] = ascent.prices(advance)

        self.each("bound", [partial(climb, int(d)) for d in districts], 1)
        return price

    def least(
        self, static: kernels.Static, placed: NDArray[np.bool_], price: NDArray[np.int64], districts: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """The bound in micro-visits by district, at these prices; a very small number for districts not asked for."""
        problem = self.problem
        costs = np.full(len(problem.districts), -(1 << 62), np.int64)
        lock = threading.Lock()
        worth = (price * problem.capacity).sum(axis=1)
        trips = np.zeros((len(problem.streets) * len(problem.departments), len(problem.dates)), np.int32)  # free here

        def cost_of(district: int, order: NDArray[np.int64], advance: Advance) -> None:
            cost = bounds.least_cost(static, placed, price, trips, bound_weights(), order)
            with lock:  # whole numbers: the order of adding does not matter
                costs[district] += cost
            advance(len(order))

        parts: list[Task] = []
        for d in districts:
            members = np.flatnonzero(problem.subject_district == d)
            costs[d] = -int(worth[problem.pool_district == d].sum())
            parts += [partial(cost_of, int(d), members[k : k + CHUNK]) for k in range(0, len(members), CHUNK)]
        self.each("bound", parts, max(1, len(problem.subject_ids)))
        return costs


def _visits(costs: NDArray[np.int64]) -> int:
    """Micro-visits of all districts as whole visits, rounded up."""
    return -(-int(costs.sum()) // kernels.VISIT)


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
