"""From the solver's state to a `Plan`: visits in order, leads, reasons, figures."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl
from numpy.typing import NDArray

from xiezhi.engines.planning import kernels
from xiezhi.engines.planning.facts import apart_pairs, visit_facts
from xiezhi.engines.planning.problem import NO_OPEN_DAY, NO_ROOM, Figures, Params, Plan, Problem

CHUNK = 50_000  # subjects looked at by one thread at a time


def make_plan(
    problem: Problem,
    params: Params,
    seed: int,
    static: kernels.Static,
    state: kernels.State,
    price: NDArray[np.int64],
    least: tuple[int, int],
    names: Mapping[int, str] | None = None,
    workers: int | None = None,
) -> Plan:
    """The plan in `state`. `least` is (visits if each department goes alone, proven lower bound).

    `names` gives the visit ids to keep, by the first check of the visit.
    """
    checks = len(problem.check_ids)
    subject = problem.check_subject
    placed = state.rep >= 0
    reps = np.flatnonzero(state.rep == np.arange(checks))
    # by subject, then date; already by subject, so the stable sort is nearly done before it begins
    reps = reps[np.argsort(subject[reps].astype(np.int64) * (len(problem.dates) + 1) + state.day[reps], kind="stable")]
    number = np.full(checks, -1, np.int32)
    number[reps] = np.arange(len(reps), dtype=np.int32)
    visit = np.where(placed, number[state.rep], np.int32(-1))
    lead, minutes = np.full(len(reps), -1, np.int32), np.zeros(len(reps), np.int32)
    best = np.zeros((len(reps), 2), np.int64)

    def facts(begin: int) -> NDArray[np.int32]:
        end = min(begin + CHUNK, len(problem.subject_ids))
        visit_facts(static.check, static.first, visit, begin, end, lead, minutes, best)
        return apart_pairs(static, state, begin, end)

    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        found = list(pool.map(facts, range(0, len(problem.subject_ids), CHUNK)))
    pairs = np.concatenate([np.zeros((0, 3), np.int32), *found])
    reason = np.where(placed, 0, np.where((static.mask == 0).all(axis=1), NO_OPEN_DAY, NO_ROOM)).astype(np.uint8)
    safety = problem.safety & placed
    used = problem.capacity > 0
    loads = 1 - state.room[used] / problem.capacity[used]
    figures = Figures(
        checks=checks,
        visits=len(reps),
        visits_if_each_alone=least[0],
        lower_bound_visits=least[1],
        gap=round(len(reps) / least[1] - 1, 9) if least[1] else 0.0,
        unplaced={
            "no_open_day": int((reason == NO_OPEN_DAY).sum()),
            "no_room": int((reason == NO_ROOM).sum()),
        },
        unplaced_safety=int((problem.safety & ~placed).sum()),
        safety_wait_days=int((problem.dates[state.day[safety]] - problem.earliest[safety]).sum()) if len(reps) else 0,
        trips=int(np.count_nonzero(state.trips)),
        peak_load=round(float(loads.max()), 9) if loads.size else 0.0,
    )
    return Plan(
        problem=problem,
        params=params,
        seed=seed,
        check_visit=visit.astype(np.int32),
        visit_ids=_visit_ids(problem, state, reps, names or {}),
        visit_subject=subject[reps],
        visit_date=problem.dates[state.day[reps]] if len(reps) else np.zeros(0, np.int32),
        visit_lead=lead,
        visit_minutes=minutes,
        unplaced_reason=reason,
        apart_a=pairs[:, 0].astype(np.int32),
        apart_b=pairs[:, 1].astype(np.int32),
        apart_reason=pairs[:, 2].astype(np.uint8),
        price=price,
        figures=figures,
    )


def _visit_ids(problem: Problem, state: kernels.State, reps: NDArray[np.int64], names: Mapping[int, str]) -> pl.Series:
    """Confirmed and kept visits keep their names; the others are numbered past every name taken."""
    pin = problem.check_pin[reps]
    taken = set(problem.pin_names) | set(names.values())
    digits = max(7, len(str(len(reps) + len(taken))))
    fresh = pl.Series(np.arange(1, len(reps) + len(taken) + 1)).cast(pl.String).str.zfill(digits).str.replace("^", "V")
    if not taken:
        return fresh.alias("visit_id")
    free = iter(fresh.filter(~fresh.is_in(list(taken))).to_list())
    given = [
        problem.pin_names[p] if p >= 0 else names[int(r)] if int(r) in names else next(free)
        for p, r in zip(pin, reps, strict=True)
    ]
    return pl.Series("visit_id", given, dtype=pl.String)
