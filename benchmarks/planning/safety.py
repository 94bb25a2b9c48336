"""Must the safety checks that a plan leaves without room be left? One CP-SAT model for each of their pools.

    python -m benchmarks.planning.safety IN OUT

A pool's safety checks, each on at most one open date, within capacity, with everything else left out: what does not fit
even then cannot fit in any plan. Travel is counted once for all of a subject's checks in the pool on a date, which is
never more than any plan needs. Where a pool can hold all its safety checks alone and the plan leaves one, that one was missed.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ortools.sat.python import cp_model

from xiezhi.engines.planning import Params, Plan, Problem
from xiezhi.engines.planning.files import read_input, read_plan
from xiezhi.engines.planning.problem import NO_ROOM
from xiezhi.engines.planning.state import make_static

SECONDS = 30  # for one pool


@dataclass(frozen=True)
class Verdict:
    """One pool: safety checks the plan left there, the fewest that any plan must leave, and whether that is proven."""

    pool: tuple[str, str, str]
    left: int
    least: int
    proven: bool


def judge(problem: Problem, params: Params, plan: Plan) -> list[Verdict]:
    """A verdict for each pool with a safety check that has open dates and no room."""
    left = np.flatnonzero(problem.safety & (plan.unplaced_reason == NO_ROOM))
    mask = make_static(problem, params).mask
    found = []
    for pool in np.unique(problem.check_pool[left]):
        least, proven = _least_left(problem, params, mask, int(pool))
        here = int((problem.check_pool[left] == pool).sum())
        found.append(Verdict(problem.pool_name(int(pool)), here, least, proven))
    return found


def _least_left(problem: Problem, params: Params, mask: np.ndarray, pool: int) -> tuple[int, bool]:
    model = cp_model.CpModel()
    members = np.flatnonzero(problem.safety & (problem.check_pool == pool) & (mask != 0).any(axis=1))
    subject = problem.check_subject
    loads: dict[int, list] = {}
    going: dict[tuple[int, int], object] = {}
    unplaced = []
    for c in members:
        dates = [d for d in range(len(problem.dates)) if int(mask[c, d >> 6]) >> (d & 63) & 1]
        here = []
        for d in dates:
            x = model.new_bool_var("")
            here.append(x)
            key = int(subject[c]), d
            if key not in going:
                going[key] = model.new_bool_var("")
                loads.setdefault(d, []).append(params.travel_minutes * going[key])
            model.add_implication(x, going[key])
            loads[d].append(int(problem.minutes[c]) * x)
        out = model.new_bool_var("")
        model.add_exactly_one([*here, out])
        unplaced.append(out)
    for d, parts in loads.items():
        model.add(sum(parts) <= int(problem.capacity[pool, d]))
    model.minimize(sum(unplaced))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = SECONDS
    solver.parameters.num_workers = 2
    status = solver.solve(model)
    return round(solver.best_objective_bound), status == cp_model.OPTIMAL


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", metavar="IN", type=Path)
    parser.add_argument("out", metavar="OUT", type=Path)
    options = parser.parse_args()
    source = read_input(options.folder)
    verdicts = judge(source.problem, source.params, read_plan(source, options.out))
    for v in verdicts:
        print(
            f"{'/'.join(filter(None, v.pool))}: {v.left} left, {v.least} must be ({'proven' if v.proven else 'bound'})"
        )
    missed = sum(max(0, v.left - v.least) for v in verdicts)
    print(f"{sum(v.left for v in verdicts)} safety checks without room, {missed} of them not shown to be unavoidable")


if __name__ == "__main__":
    main()
