"""Other ways to plan the same input: each returns a visit number and a date position per check, -1 where it has none."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from xiezhi.engines.planning import Params, Problem, solve
from xiezhi.engines.planning.state import make_static

Assignment = tuple[NDArray[np.int64], NDArray[np.int64]]
UNPLACED, UNPLACED_SAFETY = 50, 2_500  # visits that leaving a check out may save at most


class Absent(Exception):
    """The peer isn't here; says why."""


def ours(problem: Problem, params: Params, seconds: float) -> Assignment:
    """Xiezhi."""
    plan = solve(problem, params=params, seed=1)
    held = plan.check_visit >= 0
    day = np.full(len(held), -1, np.int64)
    day[held] = np.searchsorted(problem.dates, plan.visit_date[plan.check_visit[held]])
    return plan.check_visit.astype(np.int64), day


def alone(problem: Problem, params: Params, seconds: float) -> Assignment:
    """Each department plans for itself (with our planner, so that only the joining differs)."""
    return ours(problem, Params(**{**vars(params), "max_departments": 1}), seconds)


class Fit:
    """What a greedy planner needs to know: dates open to a check, room left, whether a set may be one visit."""

    def __init__(self, problem: Problem, params: Params) -> None:
        self.problem, self.params = problem, params
        mask = make_static(problem, params).mask
        days = np.arange(len(problem.dates))
        self.open = (mask[:, days >> 6] >> (days & 63).astype(np.uint64) & np.uint64(1)).astype(bool)
        self.room = problem.capacity.astype(np.int64)
        self.foes = {(int(a), int(b)) for a, b in problem.incompatible}

    def allowed(self, subject: int, checks: list[int]) -> bool:
        """Rules 2-4."""
        p = self.problem
        kinds: dict[int, int] = {}
        for c in checks:
            kinds[int(p.check_department[c])] = kinds.get(int(p.check_department[c]), 0) + int(p.minutes[c])
        limit = 1 if p.opt_out[subject] else self.params.max_departments
        if len(kinds) > limit or (len(checks) > 1 and max(kinds.values()) > self.params.max_on_site_minutes):
            return False
        return all(self.friends(a, b) for a in checks for b in checks)

    def friends(self, a: int, b: int) -> bool:
        """Whether two checks' items may meet."""
        items = int(self.problem.check_item[a]), int(self.problem.check_item[b])
        return items not in self.foes and items[::-1] not in self.foes

    def fits(self, subject: int, checks: list[int], d: int) -> bool:
        """Rules 1-5 on a date."""
        if not all(self.open[c, d] for c in checks) or not self.allowed(subject, checks):
            return False
        return all(self.room[pool, d] >= use for pool, use in self.use(checks).items())

    def use(self, checks: list[int]) -> dict[int, int]:
        """Minutes by pool."""
        p = self.problem
        used: dict[int, int] = {}
        for c in checks:
            pool = int(p.check_pool[c])
            used[pool] = used.get(pool, self.params.travel_minutes) + int(p.minutes[c])
        return used


def stabbing(problem: Problem, params: Params, seconds: float) -> Assignment:
    """Earliest deadline first: go on the last date with room for the most pressing check, take along all that fit."""
    fit = Fit(problem, params)
    visit = np.full(len(problem.check_ids), -1, np.int64)
    day = visit.copy()
    number = 0
    subjects = sorted(
        range(len(problem.subject_ids)),
        key=lambda s: int(problem.latest[problem.first_check[s] : problem.first_check[s + 1]].min(initial=1 << 30)),
    )
    for s in subjects:
        left = sorted(range(*problem.first_check[s : s + 2]), key=lambda c: (int(problem.latest[c]), c))
        while left:
            first = left.pop(0)
            dates = [d for d in np.flatnonzero(fit.open[first])[::-1] if fit.fits(s, [first], d)]
            if not dates:
                continue
            d, members = int(dates[0]), [first]
            for c in list(left):
                if fit.fits(s, [*members, c], d):
                    members.append(c)
                    left.remove(c)
            for pool, use in fit.use(members).items():
                fit.room[pool, d] -= use
            visit[members], day[members] = number, d
            number += 1
    return visit, day


def _model(problem: Problem, params: Params, backend: object) -> list[tuple[int, int, int, object]]:
    """One model for any backend: x = check on a date, y = subject visited on a date, z = department there.

    One visit per subject and date (the contract would allow two): without it the model doubles for next to nothing.
    """
    fit = Fit(problem, params)
    b = backend
    cells: list[tuple[int, int, int, object]] = []
    load: dict[tuple[int, int], list[tuple[int, object]]] = {}
    objective: list[tuple[int, object]] = []
    for s in range(len(problem.subject_ids)):
        own = range(*problem.first_check[s : s + 2])
        by_day: dict[int, list[tuple[int, object]]] = {}
        for c in own:
            mine = []
            for d in np.flatnonzero(fit.open[c]):
                x = b.bool()
                mine.append(x)
                by_day.setdefault(int(d), []).append((c, x))
                cells.append((s, c, int(d), x))
                load.setdefault((int(problem.check_pool[c]), int(d)), []).append((int(problem.minutes[c]), x))
            if mine:
                left = b.bool()
                b.equal_one([*mine, left])
                objective.append((UNPLACED_SAFETY if problem.safety[c] else UNPLACED, left))
        for d, here in by_day.items():
            y = b.bool()
            objective.append((1, y))
            kinds: dict[int, list[tuple[int, object]]] = {}
            for c, x in here:
                kinds.setdefault(int(problem.check_department[c]), []).append((c, x))
            going = []
            for mates in kinds.values():
                z = b.bool()
                going.append((1, z))
                for _, x in mates:
                    b.implies(x, z)
                b.implies(z, y)
                b.at_most([(int(problem.minutes[c]), x) for c, x in mates], params.max_on_site_minutes)
                load[(int(problem.check_pool[mates[0][0]]), d)].append((params.travel_minutes, z))
            if len(going) > 1:
                b.at_most(going, 1 if problem.opt_out[s] else params.max_departments)
            for i, (c, x) in enumerate(here):
                for e, w in here[:i]:
                    if not fit.friends(c, e):
                        b.at_most([(1, x), (1, w)], 1)
    for (pool, d), parts in load.items():
        b.at_most(parts, int(problem.capacity[pool, d]))
    b.minimise(objective)
    return cells


def _read(problem: Problem, cells: list[tuple[int, int, int, object]], value: Callable[[object], float]) -> Assignment:
    visit = np.full(len(problem.check_ids), -1, np.int64)
    day = visit.copy()
    for s, c, d, x in cells:
        if value(x) > 0.5:
            visit[c], day[c] = s * len(problem.dates) + d, d
    held = visit >= 0
    visit[held] = np.unique(visit[held], return_inverse=True)[1]
    return visit, day


def cp_sat(problem: Problem, params: Params, seconds: float) -> Assignment:
    """One CP-SAT model of everything, on 2 workers."""
    from ortools.sat.python import cp_model

    class Backend:
        def __init__(self) -> None:
            self.model = cp_model.CpModel()

        def bool(self) -> object:
            return self.model.new_bool_var("")

        def equal_one(self, xs: list) -> None:
            self.model.add_exactly_one(xs)

        def implies(self, x: object, y: object) -> None:
            self.model.add_implication(x, y)

        def at_most(self, parts: list, limit: int) -> None:
            self.model.add(sum(k * x for k, x in parts) <= limit)

        def minimise(self, parts: list) -> None:
            self.model.minimize(sum(k * x for k, x in parts))

    backend = Backend()
    cells = _model(problem, params, backend)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.num_workers = 2
    status = solver.solve(backend.model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        raise Absent(f"no plan within {seconds:g} s")
    return _read(problem, cells, solver.value)


def mip(problem: Problem, params: Params, seconds: float) -> Assignment:
    """The same model as a mixed-integer program: OR-Tools with SCIP."""
    from ortools.linear_solver import pywraplp

    solver = pywraplp.Solver.CreateSolver("SCIP")
    if solver is None:
        raise Absent("OR-Tools was built without SCIP")

    class Backend:
        def bool(self) -> object:
            return solver.BoolVar("")

        def equal_one(self, xs: list) -> None:
            solver.Add(sum(xs) == 1)

        def implies(self, x: object, y: object) -> None:
            solver.Add(x <= y)

        def at_most(self, parts: list, limit: int) -> None:
            solver.Add(sum(k * x for k, x in parts) <= limit)

        def minimise(self, parts: list) -> None:
            solver.Minimize(sum(k * x for k, x in parts))

    cells = _model(problem, params, Backend())
    solver.SetTimeLimit(int(seconds * 1000))
    if solver.Solve() not in (pywraplp.Solver.OPTIMAL, pywraplp.Solver.FEASIBLE):
        raise Absent(f"no plan within {seconds:g} s")
    return _read(problem, cells, lambda x: x.solution_value())


def highs(problem: Problem, params: Params, seconds: float) -> Assignment:
    """The same mixed-integer program with HiGHS, which OR-Tools has in MathOpt only."""
    from datetime import timedelta

    from ortools.math_opt.python import mathopt

    model = mathopt.Model()

    class Backend:
        def bool(self) -> object:
            return model.add_binary_variable()

        def equal_one(self, xs: list) -> None:
            model.add_linear_constraint(mathopt.fast_sum(xs) == 1)

        def implies(self, x: object, y: object) -> None:
            model.add_linear_constraint(x <= y)

        def at_most(self, parts: list, limit: int) -> None:
            model.add_linear_constraint(mathopt.fast_sum(k * x for k, x in parts) <= limit)

        def minimise(self, parts: list) -> None:
            model.minimize(mathopt.fast_sum(k * x for k, x in parts))

    cells = _model(problem, params, Backend())
    how = mathopt.SolveParameters(time_limit=timedelta(seconds=seconds))
    result = mathopt.solve(model, mathopt.SolverType.HIGHS, params=how)
    if not result.has_primal_feasible_solution():
        raise Absent(f"no plan within {seconds:g} s")
    values = result.variable_values()
    return _read(problem, cells, lambda x: values[x])


def timefold(problem: Problem, params: Params, seconds: float) -> Assignment:
    """Timefold is compared only where its package is installed, which it isn't here."""
    raise Absent("absent: only betas of its Python package exist, none is among our requirements")


PEERS: dict[str, Callable[[Problem, Params, float], Assignment]] = {
    "ours": ours,
    "each department alone": alone,
    "earliest-deadline stabbing": stabbing,
    "one CP-SAT model": cp_sat,
    "one MIP (SCIP)": mip,
    "one MIP (HiGHS)": highs,
    "Timefold": timefold,
}
