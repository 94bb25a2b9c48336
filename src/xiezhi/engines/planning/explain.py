"""Why a check has no date or two are apart, and the least change that would mend it, proven by re-solving.

The plan is put back into the solver's state once; each question changes one thing there (minutes of one pool-day, a
limit, a window), lets the one subject choose again with all others in place, reads the answer and undoes the change.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import numpy as np

from xiezhi.engines.planning import choosing, kernels, relief
from xiezhi.engines.planning.kernels import DEP, INF, MINUTES, PIN, POOL, UNPLACED, VISIT
from xiezhi.engines.planning.problem import APART_REASONS, Plan, Problem, day_of
from xiezhi.engines.planning.shard import sweep_weights
from xiezhi.engines.planning.state import make_state, make_static

WIDEN_DAYS = 366  # how far outside a window a date is looked for


@dataclass(frozen=True)
class Explanation:
    """`rule` is what stands in the way, `change` the kind of least change, with its amount, pool and dates.

    `rule`: placed, no_open_day, no_room, together, not_allowed, or a reason of the list of pairs apart.
    `change`: none, capacity (`amount` minutes on any one of `dates`), window (`amount` days), departments or
    on_site_minutes (the limit is raised by `amount`), incompatible, nothing_single. `proven`: re-solved with it.
    """

    rule: str
    change: str
    amount: int = 0
    department: str = ""
    district: str = ""
    street: str = ""
    dates: tuple[dt.date, ...] = ()
    proven: bool = False
    text: str = ""


def explain_check(problem: Problem, plan: Plan, check_id: str) -> Explanation:
    """Why the check has no date and what would give it one; `KeyError` if there is no such check."""
    return Explainer(problem, plan).check(check_id)


def explain_pair(problem: Problem, plan: Plan, check_a: str, check_b: str) -> Explanation:
    """Why two checks are apart and what would join them; `KeyError` if there is no such check."""
    return Explainer(problem, plan).pair(check_a, check_b)


class Explainer:
    """Answers many questions about one plan."""

    def __init__(self, problem: Problem, plan: Plan) -> None:
        self.problem, self.plan = problem, plan
        self.static = make_static(problem, plan.params)
        self.static = self.static._replace(capacity=problem.capacity.copy())
        self.state = make_state(problem, self.static)
        none = np.zeros(kernels.LEVELS, np.int64)
        self.weights = sweep_weights(none, wait=1)
        held = plan.check_visit >= 0
        day = np.full(len(held), -1, np.int64)
        day[held] = np.searchsorted(problem.dates, plan.visit_date[plan.check_visit[held]])
        lost = np.zeros(len(problem.subject_ids), np.bool_)
        relief.restore(self.static, self.state, self.weights, plan.check_visit.astype(np.int64), day, lost)
        if lost.any():
            raise ValueError("the plan breaks rules of the problem; verify it first")

    def check(self, check_id: str) -> Explanation:
        """See `explain_check`."""
        c = self._position(check_id)
        if self.plan.check_visit[c] >= 0:
            on = day_of(self.plan.visit_date[self.plan.check_visit[c]])
            visit = self.plan.visit_ids[int(self.plan.check_visit[c])]
            return Explanation("placed", "none", dates=(on,), proven=True, text=f"{check_id} is in {visit} on {on}")
        if self.static.mask[c].any():
            return self._more_room(c, check_id)
        return self._open_date(c, check_id)

    def pair(self, check_a: str, check_b: str) -> Explanation:
        """See `explain_pair`."""
        a, b = sorted((self._position(check_a), self._position(check_b)))
        subject = self._subject(a)
        names = f"{self.problem.check_ids[a]} and {self.problem.check_ids[b]}"
        if a == b or self._subject(b) != subject:
            return Explanation("not_allowed", "none", text=f"{names} are not two checks of one subject")
        if self.plan.check_visit[a] >= 0 and self.plan.check_visit[a] == self.plan.check_visit[b]:
            return Explanation("together", "none", proven=True, text=f"{names} share a visit")
        listed = np.flatnonzero((self.plan.apart_a == a) & (self.plan.apart_b == b))
        if not len(listed):
            return Explanation("not_allowed", "none", text=f"{names} may never be one visit: {self._obstacle(a, b)}")
        reason = APART_REASONS[self.plan.apart_reason[listed[0]]]
        return self._join(subject, a, b, reason, names)

    def _position(self, check_id: str) -> int:
        at = self.problem.check_ids.index_of(check_id)
        if at is None:
            raise KeyError(check_id)
        return int(at)

    def _subject(self, c: int) -> int:
        return int(np.searchsorted(self.problem.first_check, c, side="right")) - 1

    # One check without a date -------------------------------------------------------------------------------------

    def _more_room(self, c: int, check_id: str) -> Explanation:
        """Open dates, all full: the fewest minutes on one date that place the check, and one fewer that do not."""
        pool = int(self.static.check[c, POOL])
        needs = {d: self._need(c, d) for d in range(len(self.problem.dates)) if self._open(c, d)}
        for least in sorted(set(needs.values())):
            dates = [d for d, need in needs.items() if need == least]
            proven = all(self._placed_with(c, d, least) and not self._placed_with(c, d, least - 1) for d in dates)
            if proven:
                return self._capacity("no_room", check_id, pool, dates, least)
        return Explanation("no_room", "nothing_single", text=f"{check_id}: no single pool-day's minutes would place it")

    def _need(self, c: int, d: int) -> int:
        """Minutes its pool lacks on date d: alone, or beside its own department at that door."""
        row = self.static.check[c]
        room = int(self.state.room[row[POOL], d])
        use = int(row[MINUTES]) + self.static.travel
        own = slice(*self.problem.first_check[self._subject(c) : self._subject(c) + 2])
        beside = (self.state.day[own] == d) & (self.static.check[own, DEP] == row[DEP])
        return max(1, min(use, int(row[MINUTES]) if beside.any() else use) - room)

    def _open(self, c: int, d: int) -> bool:
        return bool(int(self.static.mask[c, d >> 6]) >> (d & 63) & 1)

    def _placed_with(self, c: int, d: int, minutes: int) -> bool:
        """Whether the subject, choosing again with so many minutes more, has a date for check c and loses none."""
        with self._minutes([(int(self.static.check[c, POOL]), d, minutes)]):
            return self._choice(self._subject(c), lambda z, n: None, must=c)

    def _open_date(self, c: int, check_id: str) -> Explanation:
        """No open date: a pool opened on a date of the window, else the nearest date outside it."""
        problem, row = self.problem, self.static.check[c]
        subject, use = self._subject(c), int(row[MINUTES]) + self.static.travel
        closed = int(problem.closed[subject])
        first, last = int(problem.earliest[c]), int(problem.latest[c])
        working = [n for n in range(first, min(last, first + WIDEN_DAYS) + 1) if not closed >> ((n + 3) % 7) & 1]
        pool = int(row[POOL])
        if pool < 0 or working:
            name = problem.pool_name(pool) if pool >= 0 else self._missing_pool(c)
            dates = tuple(day_of(n) for n in working)
            proven = bool(working) and self._placed_if_open(c, working[0], use)
            where = " ".join(filter(None, name))
            text = f"{check_id} has no open day: {use} minutes of {where} on {_span(dates)} would place it"
            return Explanation("no_open_day", "capacity", use, *name, dates=dates, proven=proven, text=text)
        opened = [
            int(n)
            for d, n in enumerate(problem.dates)
            if problem.capacity[pool, d] and self.state.room[pool, d] >= use and not closed >> ((int(n) + 3) % 7) & 1
        ]
        if not opened:
            return Explanation("no_open_day", "nothing_single", text=f"{check_id}: no single change would place it")
        nearest = min(opened, key=lambda n: (max(first - n, n - last), n))
        days = max(first - nearest, nearest - last)
        text = f"{check_id} has no open day: a window {days} days longer would reach {day_of(nearest)}"
        proven = self._placed_if_open(c, nearest, 0)
        return Explanation("no_open_day", "window", days, dates=(day_of(nearest),), proven=proven, text=text)

    def _missing_pool(self, c: int) -> tuple[str, str, str]:
        subject = self._subject(c)
        district = self.problem.districts[self.problem.subject_district[subject]]
        return self.problem.departments[self.static.check[c, DEP]], district, ""

    def _placed_if_open(self, c: int, number: int, minutes: int) -> bool:
        """Re-solve a copy of the subject's problem in which the date is open to the check with so many minutes."""
        room = np.column_stack([self.state.room, np.zeros(len(self.state.room), np.int32)])
        room = np.vstack([room, np.zeros(room.shape[1], np.int32)])
        capacity = np.column_stack([self.static.capacity, np.zeros(len(self.static.capacity), np.int32)])
        capacity = np.vstack([capacity, np.zeros(capacity.shape[1], np.int32)])
        days = len(self.problem.dates)
        known = int(np.searchsorted(self.problem.dates, number))
        d = known if known < days and self.problem.dates[known] == number else days
        pool = int(self.static.check[c, POOL])
        room[pool, d] += minutes
        capacity[pool, d] += minutes
        subject = self._subject(c)
        own = slice(*self.problem.first_check[subject : subject + 2])
        check, mask = self.static.check.copy(), np.zeros((len(self.static.mask), (days + 64) // 64), np.uint64)
        mask[:, : self.static.mask.shape[1]] = self.static.mask
        check[c, POOL] = pool if pool >= 0 else len(room) - 1
        mask[c, d >> 6] |= np.uint64(1) << np.uint64(d & 63)
        static = self.static._replace(
            check=check, mask=mask, capacity=capacity, dates=np.append(self.problem.dates, np.int32(number))
        )
        state = self.state._replace(
            room=room,
            price=np.zeros(room.shape, np.int64),
            base=np.zeros(room.shape, np.int64),
            trips=np.column_stack([self.state.trips, np.zeros(len(self.state.trips), np.int32)]),
            day=self.state.day.copy(),
            rep=self.state.rep.copy(),
        )
        placed = state.rep[own] >= 0
        choosing.sweep(static, state, self.weights, np.array([subject]), 0)
        return bool(state.rep[c] >= 0 and (state.rep[own] >= 0)[placed].all())

    # Two checks apart ---------------------------------------------------------------------------------------------

    def _obstacle(self, a: int, b: int) -> str:
        check, params = self.static.check, self.plan.params
        same = check[a, DEP] == check[b, DEP]
        if not same and self.static.most_departments[self._subject(a)] < 2:
            return "one department in a visit to this subject"
        minutes = [int(check[a, MINUTES]), int(check[b, MINUTES])]
        if (sum(minutes) if same else max(minutes)) > params.max_on_site_minutes:
            return f"more than {params.max_on_site_minutes} minutes on site"
        if not (self.static.mask[a] & self.static.mask[b]).any():
            return "no date is open to both"
        return "their items are incompatible"

    def _join(self, s: int, a: int, b: int, reason: str, names: str) -> Explanation:
        """The least single change with which the two share a visit and the subject needs no visit more."""
        if self._joined(s, a, b):
            text = f"{names}: together it would be no visit fewer; apart they wait less or fill quieter days"
            return Explanation(reason, "none", proven=True, text=text)
        attempts: dict[str, Callable[[], Explanation | None]] = {
            "no_common_room": lambda: self._join_by_room(s, a, b, reason, names),
            "departments_limit": lambda: self._join_by_departments(s, a, b, reason, names),
            "time_on_site": lambda: self._join_by_minutes(s, a, b, reason, names),
            "incompatible_third": lambda: self._join_by_items(s, a, b, reason, names),
        }
        for kind in (reason, *attempts):
            if kind in attempts and (found := attempts[kind]()):
                return found
        text = f"{names}: no single change joins them without a further visit"
        return Explanation(reason, "nothing_single", proven=True, text=text)

    def _join_by_room(self, s: int, a: int, b: int, reason: str, names: str) -> Explanation | None:
        if self.static.check[a, PIN] >= 0 or self.static.check[b, PIN] >= 0:
            return None
        found: list[tuple[int, int, int]] = []
        own = np.arange(self.problem.first_check[s], self.problem.first_check[s + 1])
        for d in range(len(self.problem.dates)):
            if not (self._open(a, d) and self._open(b, d)):
                continue
            for pool in {int(self.static.check[a, POOL]), int(self.static.check[b, POOL])}:
                used = own[(self.static.check[own, POOL] == pool)]
                enough = int(self.static.check[used, MINUTES].sum()) + self.static.travel * len(used)
                if minutes := self._least(enough, partial(self._joined_with, s, a, b, pool, d)):
                    found.append((minutes, pool, d))
        if not found:
            return None
        least, pool, _ = min(found)
        return self._capacity(reason, names, pool, [d for m, p, d in found if (m, p) == (least, pool)], least)

    def _least(self, enough: int, holds: Callable[[int], bool]) -> int:
        """The least number in 1..enough for which `holds` (which then holds for all larger), 0 if none."""
        if enough < 1 or not holds(enough):
            return 0
        low, high = 0, enough
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if holds(middle) else (middle, high)
        return high

    def _join_by_departments(self, s: int, a: int, b: int, reason: str, names: str) -> Explanation | None:
        limit = int(self.static.most_departments[s])
        try:
            for more in range(1, len(self.problem.departments)):
                self.static.most_departments[s] = limit + more
                if self._joined(s, a, b):
                    text = f"{names}: {limit + more} departments in one visit (now {limit}) would join them"
                    return Explanation(reason, "departments", more, proven=True, text=text)
                if more > self.problem.first_check[s + 1] - self.problem.first_check[s]:
                    break
        finally:
            self.static.most_departments[s] = limit
        return None

    def _join_by_minutes(self, s: int, a: int, b: int, reason: str, names: str) -> Explanation | None:
        limit, static = self.static.most_minutes, self.static
        own = slice(*self.problem.first_check[s : s + 2])

        def holds(more: int) -> bool:
            self.static = static._replace(most_minutes=limit + more)
            try:
                return self._joined(s, a, b)
            finally:
                self.static = static

        more = self._least(int(self.problem.minutes[own].sum()), holds)
        text = f"{names}: {more} more minutes on site (now {limit}) would join them"
        return Explanation(reason, "on_site_minutes", more, proven=True, text=text) if more else None

    def _join_by_items(self, s: int, a: int, b: int, reason: str, names: str) -> Explanation | None:
        static = self.static
        for k, (x, y) in enumerate(self.problem.incompatible):
            own = self.problem.check_item[slice(*self.problem.first_check[s : s + 2])]
            if x not in own or y not in own:
                continue
            pairs = np.delete(self.problem.incompatible, k, axis=0)
            both = np.unique(np.concatenate([pairs, pairs[:, ::-1]]), axis=0).reshape(-1, 2)
            begin = np.searchsorted(both[:, 0], np.arange(len(self.problem.items) + 1)).astype(np.int32)
            self.static = static._replace(
                conflict_first=begin, conflict=np.ascontiguousarray(both[:, 1]).astype(np.int32)
            )
            try:
                joined = self._joined(s, a, b)
            finally:
                self.static = static
            if joined:
                items = f"{self.problem.items[x]} and {self.problem.items[y]}"
                text = f"{names}: they would share a visit if {items} could"
                return Explanation(reason, "incompatible", proven=True, text=text)
        return None

    def _joined_with(self, s: int, a: int, b: int, pool: int, d: int, minutes: int) -> bool:
        return self._joined(s, a, b, [(pool, d, minutes)])

    def _joined(self, s: int, a: int, b: int, more: list[tuple[int, int, int]] | None = None) -> bool:
        """Whether the subject has a plan with a and b together, no check lost and no visit more than now."""

        def only_together(z: kernels.Scratch, n: int) -> None:
            where = {int(c): i for i, c in enumerate(z.atoms[:n])}
            if a not in where or b not in where:  # one is confirmed: `choose` decides whether the other may join
                return
            count = int(z.start[n])
            sets = z.sets[:count]
            one, two = sets >> where[a] & 1, sets >> where[b] & 1
            z.best[:count][one != two] = INF

        with self._minutes(more or []):
            return self._choice(s, only_together, pair=(a, b))

    def _choice(
        self,
        s: int,
        narrow: Callable[[kernels.Scratch, int], None],
        *,
        must: int = -1,
        pair: tuple[int, ...] = (),
    ) -> bool:
        """Let the subject choose among narrowed sets with others in place; the state is put back afterwards."""
        own = slice(*self.problem.first_check[s : s + 2])
        free = np.arange(own.start, own.stop)[self.static.check[own, PIN] < 0]
        n = len(free)
        if n > 14 or (pair and (self.static.check[list(pair), PIN] >= 0).any()):
            return False
        state, static, weights = self.state, self.static, self.weights
        reps, days = state.rep[own].copy(), state.day[own].copy()
        placed = reps[free - own.start] >= 0
        visits = int((reps == np.arange(own.start, own.stop)).sum())
        z = kernels.scratch(n, len(self.problem.dates))
        z.atoms[:n] = free
        choosing.lift(static, state, weights, z.atoms, n)
        count = kernels.visit_sets(static, int(static.most_departments[s]), n, z)
        kernels.price_sets(static, state.room, state.price, state.trips, weights, n, count, z)
        narrow(z, n)
        kernels.partition(static, weights, n, z)
        chosen, subset = np.zeros(n, bool), (1 << n) - 1
        made = visits - len({int(r) for r in reps[free - own.start] if r >= 0 and static.check[r, PIN] < 0})
        while subset:
            top = subset.bit_length() - 1
            k = int(z.choice[subset])
            if k < 0:
                subset &= ~(1 << top)
                continue
            taken = int(z.sets[k])
            if choosing.settle(static, state, weights, taken, kernels.cheapest_day(z, k), -1, n, z):
                chosen |= np.array([taken >> i & 1 for i in range(n)], bool)
                made += 1
            subset &= ~taken
        choosing.lift(static, state, weights, z.atoms, n)
        relief.put_back(static, state, weights, own.start, own.stop, reps, days)
        kept = bool(chosen[placed].all())
        if must >= 0:
            return kept and bool(chosen[free == must].any())
        return kept and bool(chosen[np.isin(free, pair)].all()) and made <= visits

    # ----------------------------------------------------------------------------------------------------------------

    @contextmanager
    def _minutes(self, more: list[tuple[int, int, int]]) -> Iterator[None]:
        """For a while, pool-days with more minutes."""
        for pool, d, minutes in more:
            self.state.room[pool, d] += minutes
            self.static.capacity[pool, d] += minutes
        try:
            yield
        finally:
            for pool, d, minutes in more:
                self.state.room[pool, d] -= minutes
                self.static.capacity[pool, d] -= minutes

    def _capacity(self, rule: str, names: str, pool: int, days: list[int], minutes: int) -> Explanation:
        name = self.problem.pool_name(pool)
        dates = tuple(day_of(self.problem.dates[d]) for d in sorted(days))
        where = name[0] + " in " + (name[2] or name[1])
        text = f"{names}: {minutes} more minutes of {where} on {_span(dates)} would do"
        return Explanation(rule, "capacity", minutes, *name, dates=dates, proven=True, text=text)


def _span(dates: tuple[dt.date, ...]) -> str:
    """One date, or how many to choose from."""
    if len(dates) == 1:
        return str(dates[0])
    return f"any of {len(dates)} dates {dates[0]}..{dates[-1]}"


__all__ = ["UNPLACED", "VISIT", "Explainer", "Explanation", "explain_check", "explain_pair"]
