"""Checks a plan against every rule of the contract and recomputes its figures and its bound from the prices.

Written from the contract alone: it reads `problem.py`'s data and shares no code with the solver, so that a mistake
there can't hide here. What it can't confirm it lists; an empty list is the only pass.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xiezhi.engines.planning.examine import examine
from xiezhi.engines.planning.examine_columns import BROKEN, EMPTY, LEAD, LISTED, MILLION, MINUTES, SUBJECT, Columns
from xiezhi.engines.planning.problem import Plan, Problem, day_of


@dataclass(frozen=True)
class VerifyReport:
    """What was found. `bound` and `alone` are recomputed; `ok` holds when `violations` is empty."""

    violations: tuple[str, ...]
    visits: int
    bound: int
    alone: int

    @property
    def ok(self) -> bool:
        """Whether the plan obeys every rule and its figures are true."""
        return not self.violations


def verify(
    problem: Problem,
    plan: Plan,
    *,
    workers: int | None = None,
    on_progress: Callable[[str, int, int], None] | None = None,
) -> VerifyReport:
    """Check every rule, reason and figure of `plan`; `on_progress(phase, done, total)` may raise to stop."""
    columns = _columns(problem, plan)
    subjects = len(problem.subject_ids)
    edges = np.linspace(0, subjects, max(2, min(65, subjects // 2000 + 2))).astype(np.int64)
    violations: list[str] = []
    load = np.zeros(problem.capacity.shape, np.int64)
    trips = np.zeros((len(problem.streets), len(problem.departments), max(1, len(problem.dates))), np.bool_)
    totals = np.zeros(5, np.int64)  # wait, listed pairs, bound sum, alone, safety checks unplaced

    def part(k: int) -> tuple[NDArray, NDArray, NDArray, NDArray]:
        own_load, own_trips = np.zeros_like(load), np.zeros_like(trips)
        found, sums = examine(columns, edges[k], edges[k + 1], own_load, own_trips)
        return found, sums, own_load, own_trips

    with ThreadPoolExecutor(workers) as pool:
        for k, (found, sums, own_load, own_trips) in enumerate(pool.map(part, range(len(edges) - 1))):
            violations += [_spell(problem, plan, code, index) for code, index in found]
            totals += sums
            load += own_load
            trips |= own_trips
            if on_progress:
                on_progress("verify", int(edges[k + 1]), subjects)
    over = np.argwhere(load > problem.capacity)
    for p, d in over[:LISTED]:
        name = "/".join(filter(None, problem.pool_name(int(p))))
        need, room = load[p, d], problem.capacity[p, d]
        violations.append(f"{name} on {day_of(problem.dates[d])}: {need} of {room} minutes used")
    if (plan.price < 0).any():
        violations.append("a price is negative")
    price_total = int((plan.price.astype(object) * problem.capacity).sum()) if plan.price.any() else 0
    bound = -(-(int(totals[2]) - price_total) // MILLION)
    violations += _figure_faults(problem, plan, totals, load, trips, bound)
    return VerifyReport(tuple(violations), len(plan.visit_date), bound, int(totals[3]))


def _columns(problem: Problem, plan: Plan) -> Columns:
    """Flat arrays for the kernel, in one order."""
    checks = len(problem.check_ids)
    visits = len(plan.visit_date)
    order = np.argsort(plan.check_visit, kind="stable")
    start = np.searchsorted(plan.check_visit[order], np.arange(visits + 1))
    pairs = plan.apart_a.astype(np.int64) * checks + plan.apart_b
    items = {(int(a), int(b)) for a, b in problem.incompatible}
    rows = sorted(items | {(b, a) for a, b in items})
    other = np.array([b for _, b in rows], np.int32)
    begin = np.searchsorted(np.array([a for a, _ in rows], np.int32), np.arange(len(problem.items) + 1))
    params = np.array(
        [
            plan.params.max_departments,
            plan.params.max_on_site_minutes,
            plan.params.travel_minutes,
            plan.params.urgent_open_days,
        ],
        np.int64,
    )
    pin_size = np.bincount(problem.check_pin[problem.check_pin >= 0], minlength=len(problem.pin_names))
    return Columns(
        problem.first_check,
        problem.opt_out,
        problem.closed,
        problem.subject_street,
        problem.check_department,
        problem.check_item,
        problem.check_pool,
        problem.earliest,
        problem.latest,
        problem.minutes,
        problem.safety,
        problem.urgent,
        problem.check_pin,
        problem.pin_on,
        pin_size,
        problem.dates,
        problem.capacity,
        begin.astype(np.int64),
        other,
        params,
        plan.check_visit,
        order.astype(np.int64),
        start.astype(np.int64),
        plan.visit_subject,
        plan.visit_date,
        plan.visit_lead,
        plan.visit_minutes,
        plan.unplaced_reason,
        np.sort(pairs),
        plan.price,
    )


def _spell(problem: Problem, plan: Plan, code: int, index: int) -> str:
    if code in (LEAD, MINUTES, EMPTY, SUBJECT):
        return f"visit {plan.visit_ids[int(index)]}: {BROKEN[code]}"
    return f"check {problem.check_ids[int(index)]}: {BROKEN[code]}"


def _figure_faults(
    problem: Problem, plan: Plan, totals: NDArray, load: NDArray, trips: NDArray, bound: int
) -> list[str]:
    figures = plan.figures
    reasons = plan.unplaced_reason[plan.check_visit < 0]
    held = problem.capacity > 0
    peak = float((load[held] / problem.capacity[held]).max()) if held.any() else 0.0
    truth = {
        "checks": len(problem.check_ids),
        "visits": len(plan.visit_date),
        "visits_if_each_alone": int(totals[3]),
        "lower_bound_visits": bound,
        "gap": len(plan.visit_date) / bound - 1 if bound > 0 else 0.0,
        "unplaced": {"no_open_day": int((reasons == 1).sum()), "no_room": int((reasons == 2).sum())},
        "unplaced_safety": int(totals[4]),
        "safety_wait_days": int(totals[0]),
        "trips": int(trips.sum()),
        "peak_load": peak,
    }
    faults = []
    for name, value in truth.items():
        said = getattr(figures, name)
        same = (
            abs(said - value) < 1e-6
            if isinstance(value, float)
            else (dict(said) if isinstance(value, dict) else said) == value
        )
        if not same:
            faults.append(f"report: {name} is {said}, recomputed {value}")
    if int(totals[1]) != len(plan.apart_a):
        faults.append(f"apart: {len(plan.apart_a)} pairs listed, {int(totals[1])} found")
    return faults
