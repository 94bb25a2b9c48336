"""Plans, bounds and the verifier held against every possible plan of tiny instances."""

from __future__ import annotations

import datetime as dt
import random
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba.core.dispatcher import Dispatcher

from benchmarks.planning import instances, safety
from benchmarks.planning.peers import cp_sat
from tests.engines.planning.tiny import World, make, objective_of, pin_some, placed_in
from xiezhi.engines import planning
from xiezhi.engines.planning import Params, Plan, bounds, choosing, examine_costs, hosts, relief, solve, verify
from xiezhi.engines.planning.problem import day_number
from xiezhi.engines.planning.shard import Shard
from xiezhi.engines.planning.tables import Faults, build

INSTANCES = 500


def test_tight_instances_obey_all_rules_and_come_close_to_the_best() -> None:
    """Every plan passes, none is better than the best, the bound never exceeds the best, most plans are the best."""
    to_visits = to_wait = 0
    for seed in range(INSTANCES):
        rows = make(seed)
        world, problem = World(rows), rows.problem()
        plan = solve(problem, params=rows.params, seed=seed, workers=1)
        report = verify(problem, plan, workers=1)
        assert report.ok, (seed, report.violations)
        reached, best = objective_of(plan, world), world.best()
        assert reached is not None and reached >= best, seed
        assert plan.figures.lower_bound_visits <= world.best(placed_in(plan))[2], seed
        assert plan.figures.unplaced_safety == reached[0] and plan.figures.visits == reached[2]
        assert plan.figures.safety_wait_days == reached[3] and plan.figures.trips == reached[4]
        to_visits += reached[:3] == best[:3]
        to_wait += reached[:4] == best[:4]
    assert to_visits >= 0.97 * INSTANCES
    assert to_wait >= 0.93 * INSTANCES


def test_with_room_to_spare_the_visits_are_the_least_possible() -> None:
    for seed in range(200):
        rows = make(seed, loose=True, checks=6)
        world = World(rows)
        plan = solve(rows.problem(), params=rows.params, seed=seed, workers=1)
        reached, best = objective_of(plan, world), world.best()
        assert reached is not None and reached[:4] == best[:4], seed
        assert plan.figures.gap == 0, seed


def test_confirmed_visits_stand_and_others_join_only_as_rule_8_allows() -> None:
    joined = 0
    for seed in range(150):
        rows = make(seed, checks=6)
        rows = pin_some(rows, solve(rows.problem(), params=rows.params, workers=1), seed)
        world, problem = World(rows), rows.problem()
        plan = solve(problem, params=rows.params, seed=seed, workers=1)
        report = verify(problem, plan, workers=1)
        assert report.ok, (seed, report.violations)
        assert plan.figures.lower_bound_visits <= world.best(placed_in(plan))[2], seed
        for visit in plan.visits():
            pins = [world.check[c].pinned_visit for c in visit.check_ids]
            joined += "" in pins and any(pins)
    assert joined > 0


def test_the_bound_is_the_contracts_formula_at_any_prices() -> None:
    for seed in range(200):
        rows = make(seed, checks=6)
        rng = random.Random(seed)
        if seed % 2:
            rows = pin_some(rows, solve(rows.problem(), params=rows.params, workers=1), seed)
        problem = rows.problem()
        plan = solve(problem, params=rows.params, seed=seed, workers=1)
        price = np.where(problem.capacity > 0, 1, 0).astype(np.int64)
        for at in zip(*np.nonzero(price), strict=True):
            price[at] = rng.choice([0, 0, 10, 3_000, 40_000])
        priced = replace(plan, price=price)
        prices = {(d, street, on): p for d, _, street, on, p in priced.prices()}
        world = World(rows)
        expected = world.bound(placed_in(plan), prices)
        assert verify(problem, priced, workers=1).bound == expected, seed
        own = {(d, street, on): p for d, _, street, on, p in plan.prices()}
        assert plan.figures.lower_bound_visits == world.bound(placed_in(plan), own), seed


def test_polishing_gives_back_the_better_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """No level of the objective grows at the cost of one above it; it does more than nothing."""
    polish, better = Shard.polish, []

    def watched(shard: Shard, *how: Any) -> None:
        before = shard.levels()
        polish(shard, *how)
        assert shard.levels() <= before
        better.append(shard.levels() < before)

    monkeypatch.setattr(Shard, "polish", watched)
    for seed in range(150):
        rows = make(seed)
        solve(rows.problem(), params=rows.params, seed=seed, workers=1)
    assert any(better) and not all(better)


def test_a_kernel_is_compiled_once_whoever_calls_it() -> None:
    """A second compilation for narrower numbers or constants would cost as much and never be called."""
    kernels = {
        name: kernel
        for module in (choosing, hosts, relief, bounds, examine_costs)
        for name, kernel in vars(module).items()
        if isinstance(kernel, Dispatcher) and name not in ("lift", "settle", "put_back")  # these Python calls too
    }
    before = {name: len(kernel.overloads) for name, kernel in kernels.items()}  # other tests call some by themselves
    rows = make(1)
    problem = rows.problem()
    assert verify(problem, solve(problem, params=rows.params, workers=1), workers=1).ok
    for name, kernel in kernels.items():
        assert len(kernel.overloads) - before[name] <= 1, (name, kernel.signatures)


def test_small_instances_against_one_cp_sat_model() -> None:
    """CP-SAT proves the best of the first three levels; ours is never better and at most a visit worse."""
    for seed in range(4):
        tables = instances.make(instances.Size(20, 1, 2, 0.8), seed, departments=3)
        problem = build(tables, Params(), Faults())
        plan = solve(problem, seed=seed, workers=1)
        exact, _ = cp_sat(problem, Params(), 60)
        figures, visits = plan.figures, len(np.unique(exact[exact >= 0]))
        ours = (figures.unplaced_safety, sum(figures.unplaced.values()), figures.visits)
        best = (int(problem.safety[exact < 0].sum()), int((exact < 0).sum()), visits)
        assert best[:2] == ours[:2] and best[2] <= ours[2] <= best[2] + 1, seed
        assert figures.lower_bound_visits <= visits, seed


def test_safety_checks_without_room_are_put_to_cp_sat_pool_by_pool() -> None:
    """What must be left is never more than the best plan leaves; ours leaves no more than that."""
    unavoidable = 0
    for seed in range(80):
        rows = make(seed)
        plan = solve(rows.problem(), params=rows.params, seed=seed, workers=1)
        for verdict in safety.judge(plan.problem, rows.params, plan):
            assert verdict.proven and verdict.left <= verdict.least <= World(rows).best()[0], seed
            unavoidable += verdict.least
    assert unavoidable > 0


def test_the_verifier_shares_no_code_with_the_solver() -> None:
    """It may read the data definitions and use the compiler's wrapper; the solver never calls it."""
    here = Path(planning.__file__).parent
    own = {"verify", "examine", "examine_columns", "examine_costs"}
    may = own | {"problem", "caching"}
    for path in here.glob("*.py"):
        used = set(re.findall(r"xiezhi\.engines\.planning\.(\w+) import", path.read_text("utf-8")))
        if path.stem in own:
            assert used <= may, path
        elif path.stem not in ("__init__", "cli"):
            assert not used & own, path


def broken(plan: Plan, kind: str) -> Plan | None:
    """The plan with one thing made wrong; None where the instance has nothing to break that way."""
    visits = list(plan.visits())
    if kind == "shifted":
        on = plan.visit_date.copy()
        on[0] = day_number(visits[0].date + dt.timedelta(days=60))
        return replace(plan, visit_date=on)
    if kind == "merged":
        for a in range(1, len(visits)):
            if visits[a].subject_id == visits[a - 1].subject_id and visits[a].date != visits[a - 1].date:
                return replace(plan, check_visit=np.where(plan.check_visit == a, a - 1, plan.check_visit))
        return None
    if kind == "foreign":
        subject = plan.visit_subject.copy()
        subject[0] = (subject[0] + 1) % max(2, len(plan.problem.subject_ids))
        return replace(plan, visit_subject=subject)
    if kind == "lead":
        if len(plan.problem.departments) < 2:
            return None
        lead = plan.visit_lead.copy()
        lead[0] = (lead[0] + 1) % len(plan.problem.departments)
        return replace(plan, visit_lead=lead)
    if kind == "minutes":
        return replace(plan, visit_minutes=plan.visit_minutes + 1)
    if kind == "dropped":
        check_visit = plan.check_visit.copy()
        check_visit[np.flatnonzero(check_visit >= 0)[0]] = -1
        return replace(plan, check_visit=check_visit)
    if kind == "apart":
        if not len(plan.apart_a):
            return None
        return replace(plan, apart_a=plan.apart_a[1:], apart_b=plan.apart_b[1:], apart_reason=plan.apart_reason[1:])
    if kind == "price":
        return replace(plan, price=plan.price - 1)
    figure = {
        "visits": plan.figures.visits + 1,
        "lower_bound_visits": plan.figures.lower_bound_visits + 1,
        "visits_if_each_alone": plan.figures.visits_if_each_alone + 1,
        "safety_wait_days": plan.figures.safety_wait_days + 1,
        "unplaced_safety": plan.figures.unplaced_safety + 1,
        "trips": plan.figures.trips + 1,
        "peak_load": plan.figures.peak_load + 0.1,
    }
    return replace(plan, figures=replace(plan.figures, **{kind: figure[kind]}))


@pytest.mark.parametrize(
    "kind",
    [
        *("shifted", "merged", "foreign", "lead", "minutes", "dropped", "apart", "price"),
        *("visits", "lower_bound_visits", "visits_if_each_alone", "safety_wait_days", "unplaced_safety"),
        *("trips", "peak_load"),
    ],
)
def test_the_verifier_sees_every_single_fault(kind: str) -> None:
    tried = 0
    for seed in range(25):
        rows = make(seed)
        plan = solve(rows.problem(), params=rows.params, seed=seed, workers=1)
        if not plan.figures.visits or (wrong := broken(plan, kind)) is None:
            continue
        tried += 1
        assert not verify(plan.problem, wrong, workers=1).ok, seed
    assert tried >= 3


def test_the_verifier_judges_any_assignment_as_the_slow_rules_do() -> None:
    """Random plans, mostly wrong: the verifier and the spelled-out rules agree on which ones hold."""
    verdicts = {True: 0, False: 0}
    for seed in range(200):
        rows = make(seed % 60, checks=4)
        world, problem = World(rows), rows.problem()
        plan = solve(problem, params=rows.params, workers=1)
        rng = random.Random(seed)
        visits = list(plan.visits())
        if not visits:
            continue
        moved = [
            (rng.choice(sorted({c.date for c in rows.capacity})) if rng.random() < 0.4 else v.date, v.check_ids)
            for v in visits
        ]
        dates = np.array([day_number(on) for on, _ in moved], np.int32)
        ok = all(on in world.open_dates(world.check[c]) for on, checks in moved for c in checks) and world.objective(
            [(on, [world.check[c] for c in checks]) for on, checks in moved]
        )
        report = verify(problem, replace(plan, visit_date=dates), workers=1)
        # figures and pairs of a moved plan may be out of date; only the rules are compared
        rules = [v for v in report.violations if not v.startswith(("report:", "apart:")) and "pair" not in v]
        verdicts[bool(ok)] += 1
        assert bool(ok) == (not rules), (seed, rules)
    assert min(verdicts.values()) > 20
