"""Planning on a Ray cluster: every district is a task of its own; only prices, visits and sums come back.

The tasks run the code one machine runs, so the plan is the same byte for byte. A task whose worker is lost runs again
elsewhere and gives the same answer. Ray is an extra (`pip install xiezhi[ray]`), never needed on one machine.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from xiezhi.engines.planning import bounds, kernels
from xiezhi.engines.planning.districts import Cut
from xiezhi.engines.planning.problem import NoCluster
from xiezhi.engines.planning.shard import Shard, bound_weights


class Planned(NamedTuple):
    """One district's plan, the prices that prove it, and its sums: visits each alone, least cost without and with prices."""

    state: kernels.State
    price: NDArray[np.int64]
    alone: int
    unpriced: int
    priced: int


def plan_district(static: kernels.Static, state: kernels.State, seed: list[int]) -> Planned:
    """Plan and prove one district, as `Run` does on one machine."""
    static, state = _own(static), _own(state)  # what Ray hands over is read-only, for which nothing is compiled
    shard = Shard(static, state, seed)
    shard.search(lambda _: None, lambda: None)
    price = shard.ascent.prices(lambda _: None) if shard.ascent else np.zeros(static.capacity.shape, np.int64)
    placed, members, free = state.rep >= 0, np.arange(len(static.first) - 1), np.zeros_like(state.trips)
    costs = [
        int(bounds.least_cost(static, placed, at, free, bound_weights(), members) - (at * static.capacity).sum())
        for at in (np.zeros_like(price), price)
    ]
    alone = int(bounds.alone_visits(static, placed, 0, len(members)))
    return Planned(state, price, alone, *costs)


def _own(columns: Any) -> Any:
    """The same columns, writable."""
    return type(columns)(*(np.array(c) if isinstance(c, np.ndarray) else c for c in columns))


class Cluster:
    """A connection to Ray: to a running cluster, or to workers started here for this run."""

    def __init__(self, ray: Any) -> None:
        self.ray = ray
        self.task = ray.remote(max_retries=-1)(plan_district)

    def plan(
        self, cuts: list[Cut], static: kernels.Static, state: kernels.State, seeds: list[list[int]]
    ) -> Iterator[tuple[int, Planned]]:
        """Plan the cuts; gives (place in `cuts`, plan) as they come. Raises what a task raises."""
        pending = {
            self.task.remote(cut.static(static), cut.state(state), seed): k
            for k, (cut, seed) in enumerate(zip(cuts, seeds, strict=True))
        }
        try:
            while pending:
                done, _ = self.ray.wait(list(pending), num_returns=1)
                for reference in done:
                    yield pending.pop(reference), self.ray.get(reference)
        finally:
            for reference in pending:
                self.ray.cancel(reference, force=True)


@contextmanager
def cluster(address: str | None = None, workers: int | None = None) -> Iterator[Cluster]:
    """Connect to the cluster at `address`, or start `workers` workers here; raises `NoCluster`."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError as error:
        raise NoCluster("--engine ray needs Ray, which is not installed: pip install 'xiezhi[ray]'") from error
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if address:
        options["address"] = address
    else:
        # "local" starts one of our own; without it Ray would join whatever cluster was last started on this machine.
        options |= {"address": "local", "num_cpus": workers or os.cpu_count()}
        options |= {"include_dashboard": False, "_node_ip_address": "127.0.0.1"}
    try:
        ray.init(**options)
    except (ConnectionError, OSError, RuntimeError, ValueError) as error:
        raise NoCluster(f"no Ray cluster at {address or 'this machine'}: {error}") from error
    try:
        yield Cluster(ray)
    finally:
        with suppress(Exception):
            ray.shutdown()


__all__ = ["Cluster", "NoCluster", "Planned", "cluster", "plan_district"]
