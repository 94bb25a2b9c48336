"""From a `Problem` to the arrays the kernels work on, and the first state: confirmed visits alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from xiezhi.engines.planning import kernels
from xiezhi.engines.planning.problem import Params, Problem


def make_static(problem: Problem, params: Params) -> kernels.Static:
    """The unchanging arrays: check rows, dates open to each check, conflicts, pins."""
    checks = len(problem.check_ids)
    street = problem.subject_street[problem.check_subject]
    table = np.empty((checks, 8), np.int32)
    table[:, kernels.POOL] = problem.check_pool
    table[:, kernels.DEP] = problem.check_department
    table[:, kernels.MINUTES] = problem.minutes
    table[:, kernels.TRIP] = street * len(problem.departments) + problem.check_department
    table[:, kernels.EARLIEST] = problem.earliest
    table[:, kernels.SAFETY] = problem.safety
    table[:, kernels.ITEM] = problem.check_item
    table[:, kernels.PIN] = problem.check_pin
    mask = np.zeros((checks, (len(problem.dates) + 63) // 64), np.uint64)
    kernels.open_masks(
        table,
        mask,
        problem.first_check,
        problem.closed,
        problem.latest,
        problem.urgent,
        problem.capacity,
        problem.dates,
        params.urgent_open_days,
    )
    both = np.concatenate([problem.incompatible, problem.incompatible[:, ::-1]])
    both = np.unique(both, axis=0).astype(np.int32).reshape(-1, 2)
    pinned = np.flatnonzero(problem.check_pin >= 0)
    pinned = pinned[np.argsort(problem.check_pin[pinned], kind="stable")]
    pins = np.arange(len(problem.pin_names) + 1)
    return kernels.Static(
        check=table,
        mask=mask,
        first=problem.first_check,
        most_departments=np.where(problem.opt_out, 1, params.max_departments).astype(np.int32),
        conflict_first=np.searchsorted(both[:, 0], np.arange(len(problem.items) + 1)).astype(np.int32),
        conflict=np.ascontiguousarray(both[:, 1]),
        pin_first=np.searchsorted(problem.check_pin[pinned], pins).astype(np.int32),
        pin_check=pinned.astype(np.int32),
        pin_day=np.searchsorted(problem.dates, problem.pin_on).astype(np.int32),
        dates=problem.dates,
        capacity=problem.capacity,
        travel=params.travel_minutes,
        most_minutes=params.max_on_site_minutes,
    )


def make_state(problem: Problem, static: kernels.Static) -> kernels.State:
    """Nothing planned but the confirmed visits, which hold their room."""
    checks = len(problem.check_ids)
    state = kernels.State(
        room=problem.capacity.copy(),
        price=np.zeros(problem.capacity.shape, np.int64),
        base=np.zeros(problem.capacity.shape, np.int64),
        trips=np.zeros((len(problem.streets) * len(problem.departments), len(problem.dates)), np.int32),
        day=np.full(checks, -1, np.int32),
        rep=np.full(checks, -1, np.int32),
    )
    for pin in range(len(problem.pin_names)):
        members = static.pin_check[static.pin_first[pin] : static.pin_first[pin + 1]]
        put(static, state, members, int(static.pin_day[pin]))
    return state


def put(static: kernels.Static, state: kernels.State, checks: NDArray[np.int32], day: int) -> None:
    """Enter one visit of these checks on a date, as it stands."""
    state.rep[checks] = checks[0]
    state.day[checks] = day
    rows = static.check[checks]
    np.subtract.at(state.room[:, day], rows[:, kernels.POOL], rows[:, kernels.MINUTES])
    _, first = np.unique(rows[:, kernels.DEP], return_index=True)
    np.subtract.at(state.room[:, day], rows[first, kernels.POOL], static.travel)
    state.trips[rows[first, kernels.TRIP], day] += 1
