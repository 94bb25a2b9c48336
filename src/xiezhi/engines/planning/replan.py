"""Plans again after confirmations, refusals and moves, changing as little as possible.

Every visit of a subject that is not affected stays as it is. Affected subjects choose anew against the room that is
left. Only if a safety check would be left without a date may others move, one chain at a time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from xiezhi.engines.planning import choosing, kernels, relief
from xiezhi.engines.planning.outcome import make_plan
from xiezhi.engines.planning.problem import Params, Plan, Problem, day_number, day_of
from xiezhi.engines.planning.shard import load_weights, relieve
from xiezhi.engines.planning.solve import OnProgress, Run
from xiezhi.engines.planning.state import make_state, make_static

PASSES = 3
Previous = Plan | Iterable[tuple[str, dt.date, Sequence[str]]]


@dataclass(frozen=True)
class Change:
    """What became of a check: visit and date before and after; "" and None where it had or has none."""

    check_id: str
    visit_before: str
    date_before: dt.date | None
    visit_after: str
    date_after: dt.date | None


def replan(
    problem: Problem,
    previous: Previous,
    *,
    affected_subjects: Iterable[str] = (),
    avoid: Iterable[tuple[str, dt.date]] = (),
    params: Params | None = None,
    seed: int = 0,
    on_progress: OnProgress | None = None,
    workers: int | None = None,
) -> tuple[Plan, tuple[Change, ...]]:
    """The previous plan mended for `problem`, and every check whose visit date changed.

    `affected_subjects` may change; so may subjects whose former visits break a rule of the new problem, and those with
    checks the former plan did not know. `avoid` holds (check, date) refused by a department. Checks and subjects
    unknown to the problem raise `KeyError`.
    """
    params = params or Params()
    run = Run(problem, params, seed, on_progress, workers)
    with run.phase("prepare"):
        before = _former(problem, previous)
        static = make_static(problem, params)
        allowed = static._replace(mask=static.mask.copy())  # the figures are of the problem, not of the refusals
        _forbid(problem, allowed, avoid)
        state = make_state(problem, static)
        affected = _positions(problem, affected_subjects)
        affected |= {int(s) for s in problem.check_subject[before.new]}
    with run.phase("plan"):
        _mend(problem, allowed, state, before, affected, seed)
    with run.phase("bound"):
        known = previous.price if isinstance(previous, Plan) and previous.problem is problem else None
        price, least = run.bound(static, state, known)
    with run.phase("report"):
        names = _names(problem, state, before)
        plan = make_plan(problem, params, seed, static, state, price, least, names, workers)
    return replace(plan, seconds=dict(run.seconds)), _changes(plan, before)


def _positions(problem: Problem, subject_ids: Iterable[str]) -> set[int]:
    wanted = set(subject_ids)
    found = np.flatnonzero(problem.subject_ids.is_in(list(wanted)).to_numpy()) if wanted else np.zeros(0, np.int64)
    if len(found) < len(wanted):
        raise KeyError(sorted(wanted - set(problem.subject_ids.gather(found)))[0])
    return {int(s) for s in found}


@dataclass(frozen=True)
class _Former:
    """The former plan in terms of the new problem: visit number and date of each check, -1 where there was none.

    `new` marks checks the former plan did not know.
    """

    visit: NDArray[np.int64]
    date: NDArray[np.int64]
    names: Sequence[str]
    new: NDArray[np.bool_]


def _former(problem: Problem, previous: Previous) -> _Former:
    checks = len(problem.check_ids)
    visit, date = np.full(checks, -1, np.int64), np.full(checks, -1, np.int64)
    if isinstance(previous, Plan) and previous.problem is problem:
        held = previous.check_visit >= 0
        visit[held] = previous.check_visit[held]
        date[held] = previous.visit_date[previous.check_visit[held]]
        return _Former(visit, date, previous.visit_ids.to_list(), visit < -1)
    at = {c: i for i, c in enumerate(problem.check_ids)}
    names: list[str] = []
    rows = ((v.visit_id, v.date, v.check_ids) for v in previous.visits()) if isinstance(previous, Plan) else previous
    for visit_id, day, check_ids in rows:
        for check in check_ids:
            if check in at:  # a check that is no longer due simply leaves its visit
                visit[at[check]], date[at[check]] = len(names), day_number(day)
        names.append(visit_id)
    new = visit < 0
    if isinstance(previous, Plan):
        unplaced = set(previous.problem.check_ids.filter(previous.check_visit < 0))
        new &= np.array([c not in unplaced for c in problem.check_ids], bool)
    return _Former(visit, date, names, new)


def _forbid(problem: Problem, static: kernels.Static, avoid: Iterable[tuple[str, dt.date]]) -> None:
    """Close refused dates to their checks."""
    refused = list(avoid)
    if not refused:
        return
    at = {c: i for i, c in enumerate(problem.check_ids)}
    for check_id, day in refused:
        number = day_number(day)
        d = int(np.searchsorted(problem.dates, number))
        if d < len(problem.dates) and problem.dates[d] == number:
            static.mask[at[check_id], d >> 6] &= ~(np.uint64(1) << np.uint64(d & 63))


def _mend(
    problem: Problem, static: kernels.Static, state: kernels.State, former: _Former, subjects: set[int], seed: int
) -> None:
    """Restore what may stay, let the affected choose anew, and move others only for a safety check."""
    weights = load_weights()
    choosing.reprice(static, state, weights, np.arange(len(problem.capacity)))
    day = np.full(len(former.date), -1, np.int64)
    if len(problem.dates):
        at = np.minimum(np.searchsorted(problem.dates, former.date), len(problem.dates) - 1)
        day[problem.dates[at] == former.date] = at[problem.dates[at] == former.date]
    lost = np.zeros(len(problem.subject_ids), np.bool_)
    lost[sorted(subjects)] = True
    relief.restore(static, state, weights, former.visit, day, lost)
    affected = np.flatnonzero(lost)
    rng = np.random.default_rng([seed])
    for turn in range(PASSES):
        choosing.sweep(static, state, weights, rng.permutation(affected), turn)
    wanting = relief.wanting_room(static, state, affected, True)
    if len(wanting):
        districts = np.unique(problem.subject_district[wanting])
        near = np.flatnonzero(np.isin(problem.subject_district, districts))
        relieve(static, state, weights, wanting, near, 0)
        wanting = relief.wanting_room(static, state, affected, True)
        relieve(static, state, weights, wanting, near, 0, shortage=2 * kernels.UNPLACED)


def _names(problem: Problem, state: kernels.State, former: _Former) -> dict[int, str]:
    """The ids that visits keep: those of which a former visit's checks are still together on their date."""
    names: dict[int, str] = {}
    used: set[int] = set()
    dates = np.where(state.day >= 0, problem.dates[state.day], -1) if len(problem.dates) else state.day
    pinned = {int(former.visit[c]) for c in np.flatnonzero(problem.check_pin >= 0)}
    for rep in np.flatnonzero(state.rep == np.arange(len(state.rep))):
        visit = int(former.visit[rep])
        if visit >= 0 and dates[rep] == former.date[rep] and visit not in used and visit not in pinned:
            used.add(visit)
            names[int(rep)] = former.names[visit]
    return names


def _changes(plan: Plan, former: _Former) -> tuple[Change, ...]:
    problem = plan.problem
    held = plan.check_visit >= 0
    date = np.full(len(held), -1, np.int64)
    date[held] = plan.visit_date[plan.check_visit[held]]
    changes = []
    for c in np.flatnonzero(date != former.date):
        was, now = int(former.visit[c]), int(plan.check_visit[c])
        changes.append(
            Change(
                check_id=problem.check_ids[int(c)],
                visit_before=former.names[was] if was >= 0 else "",
                date_before=day_of(former.date[c]) if was >= 0 else None,
                visit_after=plan.visit_ids[now] if now >= 0 else "",
                date_after=day_of(date[c]) if now >= 0 else None,
            )
        )
    return tuple(changes)
