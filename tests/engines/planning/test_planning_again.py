"""Re-planning changes as little as possible; explanations are proven by re-solving the changed problem."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from tests.engines.planning.tiny import Rows, World, make, objective_of
from xiezhi.engines.planning import (
    CapacityRow,
    CheckRow,
    Explainer,
    Params,
    Plan,
    SubjectRow,
    explain_check,
    explain_pair,
    replan,
    solve,
    verify,
)

ON = [dt.date(2026, 7, 6) + dt.timedelta(days=k) for k in range(5)]


def rows(**changed: object) -> Rows:
    """Two firms in one street, two departments with room on each day of a week."""
    base = Rows(
        subjects=(SubjectRow("S1", "D1", "A"), SubjectRow("S2", "D1", "A")),
        checks=(
            CheckRow("C1", "S1", "消防", "x", ON[0], ON[4], 60, safety=True),
            CheckRow("C2", "S1", "卫生", "y", ON[0], ON[4], 40),
            CheckRow("C3", "S2", "消防", "x", ON[0], ON[4], 60),
        ),
        capacity=tuple(CapacityRow(d, "D1", "", on, 100) for d in ("消防", "卫生") for on in ON),
    )
    return replace(base, **changed)  # type: ignore[arg-type]


def where(plan: Plan) -> dict[str, tuple[str, dt.date]]:
    return {c: (v.visit_id, v.date) for v in plan.visits() for c in v.check_ids}


def test_a_decline_moves_only_that_visit() -> None:
    problem = rows().problem()
    plan = solve(problem)
    before = where(plan)
    day = before["C1"][1]
    again, changes = replan(problem, plan, affected_subjects=["S1"], avoid=[("C1", day)])
    assert verify(problem, again).ok
    assert before["C3"] == where(again)["C3"]
    assert where(again)["C1"][1] != day and where(again)["C1"] == where(again)["C2"]
    assert {c.check_id for c in changes} == {"C1", "C2"}
    assert all(c.date_before == day and c.date_after == where(again)["C1"][1] for c in changes)


def test_refused_days_count_in_no_figure() -> None:
    """The report is of the problem as it stands; what departments refused only guides where visits go."""
    for seed in range(60):
        instance = make(seed, subjects=3, checks=6)
        problem = instance.problem()
        plan = solve(problem, params=instance.params, workers=1)
        refused = [(c, v.date) for v in plan.visits() for c in v.check_ids][:2]
        refused += [(refused[0][0], c.date) for c in instance.capacity] if refused else []
        again, _ = replan(problem, plan, avoid=refused, params=instance.params, workers=1)
        report = verify(problem, again)
        assert report.ok and report.bound == again.figures.lower_bound_visits, (seed, report.violations)


def test_confirmed_visits_stay_and_take_part() -> None:
    plan = solve(rows().problem())
    visit, day = where(plan)["C1"]
    checks = tuple(replace(c, pinned_visit=visit, pinned_on=day) if c.check_id == "C1" else c for c in rows().checks)
    problem = rows(checks=checks).problem()
    stored = [(v.visit_id, v.date, list(v.check_ids)) for v in plan.visits()]
    again, changes = replan(problem, stored, affected_subjects=["S1"])
    assert verify(problem, again).ok
    assert where(again)["C1"] == (visit, day)  # only fire was confirmed: health may not be added, and goes by itself
    assert where(again)["C2"][0] != visit
    assert {c.check_id for c in changes} <= {"C2"}


def test_a_visit_whose_day_is_shut_is_planned_anew_unasked() -> None:
    plan = solve(rows().problem())
    _, day = where(plan)["C3"]
    left = tuple(c for c in rows().capacity if (c.department, c.date) != ("消防", day))
    problem = rows(capacity=left).problem()
    again, _ = replan(problem, plan)
    assert verify(problem, again).ok and not list(again.unplaced())
    assert where(again)["C3"][1] != day


def test_a_new_check_joins_and_an_old_one_leaves() -> None:
    plan = solve(rows().problem())
    checks = (*rows().checks[1:], CheckRow("C4", "S2", "卫生", "y", ON[0], ON[4], 30))
    problem = rows(checks=checks).problem()
    again, changes = replan(problem, plan)
    assert verify(problem, again).ok
    assert where(again)["C4"][0] == where(again)["C3"][0]
    assert where(again)["C2"] == where(plan)["C2"]
    assert {c.check_id for c in changes} <= {"C3", "C4"}


def test_another_moves_only_for_a_safety_check() -> None:
    """S2's routine check holds the only room; S1's declined check needs it: by chain if safety, not at all if not."""
    capacity = (
        CapacityRow("消防", "D1", "", ON[0], 80),
        CapacityRow("消防", "D1", "", ON[1], 80),
        CapacityRow("消防", "D1", "", ON[2], 80),
    )
    for safety in (True, False):
        checks = (
            CheckRow("C1", "S1", "消防", "x", ON[0], ON[1], 60, safety=safety),
            CheckRow("C3", "S2", "消防", "x", ON[1], ON[2], 60),
        )
        problem = rows(checks=checks, capacity=capacity).problem()
        former = [("V1", ON[0], ["C1"]), ("V2", ON[1], ["C3"])]
        again, changes = replan(problem, former, affected_subjects=["S1"], avoid=[("C1", ON[0])])
        assert len(list(again.unplaced())) == (0 if safety else 1)
        assert ("C3" in {c.check_id for c in changes}) is safety


def test_an_unknown_subject_is_an_error() -> None:
    problem = rows().problem()
    with pytest.raises(KeyError):
        replan(problem, solve(problem), affected_subjects=["S9"])


def test_replanning_random_plans_keeps_all_rules_and_all_others() -> None:
    for seed in range(100):
        instance = make(seed, subjects=3, checks=6)
        problem = instance.problem()
        plan = solve(problem, params=instance.params, workers=1)
        chosen = instance.subjects[seed % len(instance.subjects)].subject_id
        again, changes = replan(problem, plan, affected_subjects=[chosen], params=instance.params, workers=1)
        assert verify(problem, again).ok, seed
        reached, former = objective_of(again, World(instance)), objective_of(plan, World(instance))
        assert reached is not None and former is not None and reached[:2] <= former[:2], seed
        mine = {c.check_id for c in instance.checks if c.subject_id == chosen}
        if not again.figures.unplaced_safety:
            assert {c.check_id for c in changes} <= mine, seed


def test_the_least_minutes_that_place_a_check_do_and_one_fewer_do_not() -> None:
    told = 0
    for seed in range(150):
        instance = make(seed)
        problem = instance.problem()
        plan = solve(problem, params=instance.params, workers=1)
        for left in plan.unplaced():
            why = explain_check(problem, plan, left.check_id)
            assert why.rule == left.reason
            if why.rule != "no_room" or why.change != "capacity":
                continue
            assert why.proven
            told += 1
            for fewer, placed in ((0, True), (1, False)):
                changed = more_minutes(instance, why.department, why.street, why.dates[0], why.amount - fewer)
                subject = next(c.subject_id for c in instance.checks if c.check_id == left.check_id)
                again, _ = replan(
                    changed.problem(), plan, affected_subjects=[subject], params=instance.params, workers=1
                )
                assert len(list(again.unplaced())) < len(list(plan.unplaced())) or not placed, (seed, left)
    assert told > 15


def more_minutes(instance: Rows, department: str, street: str, on: dt.date, minutes: int) -> Rows:
    capacity = tuple(
        replace(c, minutes=c.minutes + minutes) if (c.department, c.street, c.date) == (department, street, on) else c
        for c in instance.capacity
    )
    return replace(instance, capacity=capacity)


def test_pairs_are_explained_by_the_change_that_joins_them() -> None:
    kinds: dict[str, int] = {}
    for seed in range(120):
        instance = make(seed, checks=6)
        problem = instance.problem()
        plan = solve(problem, params=instance.params, workers=1)
        explainer = Explainer(problem, plan)
        for a, b, reason in plan.apart():
            why = explainer.pair(a, b)
            assert why.rule == reason
            kinds[why.change] = kinds.get(why.change, 0) + 1
            if why.change == "capacity":
                changed = more_minutes(instance, why.department, why.street, why.dates[0], why.amount)
                best = World(changed).best()
                assert best[:3] <= World(instance).best()[:3], seed
    assert {"none", "capacity", "departments"} <= set(kinds), kinds


def test_plain_answers() -> None:
    problem = rows().problem()
    plan = solve(problem)
    assert explain_check(problem, plan, "C1").rule == "placed"
    assert explain_pair(problem, plan, "C1", "C2").rule == "together"
    assert explain_pair(problem, plan, "C1", "C3").rule == "not_allowed"
    with pytest.raises(KeyError):
        explain_check(problem, plan, "C9")


def test_a_check_without_an_open_day_is_told_what_would_open_one() -> None:
    shut = tuple(c for c in rows().capacity if c.department != "卫生")
    problem = rows(capacity=shut).problem()
    why = explain_check(problem, solve(problem), "C2")
    assert (why.rule, why.change, why.amount, why.department, why.proven) == (
        "no_open_day",
        "capacity",
        60,
        "卫生",
        True,
    )
    closed = (SubjectRow("S1", "D1", "A", closed_weekdays="1"), SubjectRow("S2", "D1", "A"))
    checks = (CheckRow("C1", "S1", "消防", "x", ON[0], ON[0], 60), rows().checks[2])
    problem = rows(subjects=closed, checks=checks).problem()
    why = explain_check(problem, solve(problem), "C1")
    assert (why.change, why.amount, why.proven) == ("window", 1, True)


def test_params_travel_with_the_plan() -> None:
    problem = rows().problem()
    plan = solve(problem, params=Params(max_departments=1))
    assert plan.figures.visits == 3
    why = explain_pair(problem, plan, "C1", "C2")
    assert why.rule == "not_allowed" or why.change == "departments"
