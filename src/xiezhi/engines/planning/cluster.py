"""Planning on a Ray cluster: every district is a task of its own; only prices, visits and sums come back.

The tasks run the code one machine runs, so the plan is the same byte for byte. A task whose worker is lost runs again
elsewhere and gives the same answer. Ray is an extra (`pip install xiezhi[ray]`), never needed on one machine.

The nodes of a cluster have Xiezhi installed, the same as here: sending the source along would not bring what it
needs compiled. Each task looks whether its node's is the same before it plans.
"""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numba
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


class OtherCode(Exception):
    """A worker's Xiezhi, or what it computes with, is not the same as here."""


@functools.cache
def fingerprint() -> str:
    """What decides the plan beside its input: the planner's source and the versions under it."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    versions = f"Python {platform.python_version()}, NumPy {np.__version__}, Numba {numba.__version__}"
    return f"planner {digest.hexdigest()[:12]}, {versions}"


def plan_district_alike(alike: str, static: kernels.Static, state: kernels.State, seed: list[int]) -> Planned:
    """`plan_district` on a worker whose `fingerprint` is `alike`; raises `OtherCode`."""
    if (here := fingerprint()) != alike:
        raise OtherCode(f"{platform.node()} has {here}")
    return plan_district(static, state, seed)


def _own(columns: Any) -> Any:
    """The same columns, writable."""
    return type(columns)(*(np.array(c) if isinstance(c, np.ndarray) else c for c in columns))


class Cluster:
    """A connection to Ray: to a running cluster, or to workers started here for this run."""

    def __init__(self, ray: Any) -> None:
        self.ray = ray
        self.task = ray.remote(max_retries=-1)(plan_district_alike)

    def plan(
        self, cuts: list[Cut], static: kernels.Static, state: kernels.State, seeds: list[list[int]]
    ) -> Iterator[tuple[int, Planned]]:
        """Plan the cuts; gives (place in `cuts`, plan) as they come. Raises `NoCluster` or what a task raises."""
        alike = fingerprint()
        pending = {
            self.task.remote(alike, cut.static(static), cut.state(state), seed): k
            for k, (cut, seed) in enumerate(zip(cuts, seeds, strict=True))
        }
        try:
            while pending:
                done, _ = self.ray.wait(list(pending), num_returns=1)
                for reference in done:
                    yield pending.pop(reference), self.ray.get(reference)
        except (OtherCode, ImportError, RuntimeError) as error:
            if isinstance(error, RuntimeError) and "import on the worker" not in str(error):
                raise
            raise NoCluster(
                f"a worker can't run this planner ({_first_line(error)}; here {alike}): "
                "install the same Xiezhi, Python and packages on every node of the cluster"
            ) from error
        finally:
            for reference in pending:
                self.ray.cancel(reference, force=True)


@contextmanager
def cluster(
    address: str | None = None, workers: int | None = None, token_file: Path | None = None
) -> Iterator[Cluster]:
    """Connect to the cluster at `address`, or start `workers` workers here; raises `NoCluster`.

    A cluster's token comes from `token_file`, RAY_AUTH_TOKEN, RAY_AUTH_TOKEN_PATH or ~/.ray/auth_token, in this order.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if address:
        _probe(address)
        _hand_over(token_file)
        os.environ.setdefault("RAY_NUM_REDIS_GET_RETRIES", "3")  # it answers; 20 more seconds mend no wrong token
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
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        with suppress(Exception):
            ray.shutdown()
        raise NoCluster(_refused(address, error)) from error
    try:
        yield Cluster(ray)
    finally:
        with suppress(Exception):
            ray.shutdown()


def _probe(address: str) -> None:
    """See that something answers: Ray itself would try for minutes."""
    host, colon, port = address.rpartition(":")
    if not colon or not host or not port.isdecimal():
        raise NoCluster(f"--address {address}: write HOST:PORT, as `ray start` on the head node prints it")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
    except (OSError, OverflowError) as error:
        raise NoCluster(
            f"nothing answers at {address} ({error}): see that the head node runs and its port can be reached from here"
        ) from error


def _hand_over(token_file: Path | None) -> None:
    """Let Ray send the token there is: with an address given it sends none unless told to."""
    if token_file:
        try:
            empty = not token_file.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise NoCluster(f"--token-file {token_file} can't be read: {error}") from error
        if empty:
            raise NoCluster(f"--token-file {token_file} is empty: put the cluster's token into it")
        os.environ.pop("RAY_AUTH_TOKEN", None)  # Ray would prefer it
        os.environ |= {"RAY_AUTH_TOKEN_PATH": str(token_file.resolve()), "RAY_AUTH_MODE": "token"}
        return
    given = os.environ.get("RAY_AUTH_TOKEN") or os.environ.get("RAY_AUTH_TOKEN_PATH")
    if given or (Path.home() / ".ray" / "auth_token").exists():
        os.environ.setdefault("RAY_AUTH_MODE", "token")


def _refused(address: str | None, error: Exception) -> str:
    """What to mend where Ray did not let us in."""
    if not address:
        return f"Ray could not start workers on this machine: {_first_line(error)}"
    if "version mismatch" in str(error).lower():
        versions = " ".join(str(error).split())
        return f"the cluster at {address} has other versions: install the same Ray and Python here. {versions}"
    if isinstance(error, OSError) or type(error).__name__ == "AuthenticationError":
        return (
            f"the Ray cluster at {address} did not let us in, its token is missing or wrong: give the file that holds it"
            " with --token-file (or RAY_AUTH_TOKEN_PATH, or the token itself in RAY_AUTH_TOKEN), and the address as"
            " `ray start` printed it (Ray takes 127.0.0.1 for this machine's other address)"
        )
    return f"the Ray cluster at {address} could not be joined: {_first_line(error)}"


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[-1] if isinstance(error, OtherCode) else lines[0] if lines else type(error).__name__


__all__ = ["Cluster", "NoCluster", "OtherCode", "Planned", "cluster", "fingerprint", "plan_district"]
