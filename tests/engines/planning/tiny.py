"""Tiny planning instances and their best plan by trying everything, straight from the contract's text."""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from xiezhi.engines.planning import CapacityRow, CheckRow, Params, Plan, Problem, SubjectRow

START = dt.date(2026, 7, 1)  # a Wednesday
DEFAULT = Params()
Objective = tuple[int, int, int, int, int, Fraction]


@dataclass(frozen=True)
class Rows:
    """An instance as plain rows."""

    subjects: tuple[SubjectRow, ...]
    checks: tuple[CheckRow, ...]
    capacity: tuple[CapacityRow, ...]
    incompatible: tuple[tuple[str, str], ...] = ()
    params: Params = DEFAULT

    def problem(self) -> Problem:
        return Problem.from_rows(self.subjects, self.checks, self.capacity, self.incompatible, params=self.params)


def day(offset: int) -> dt.date:
    return START + dt.timedelta(days=offset)


def make(seed: int, *, loose: bool = False, subjects: int = 2, checks: int = 5, days: int = 4) -> Rows:
    """A random instance that meets every rule now and then; `loose` leaves more room than could be used."""
    rng = random.Random(seed)
    departments = ["消防", "卫生", "城管", "公安"][: rng.randint(1, 4)]
    people = tuple(
        SubjectRow(
            f"S{k}",
            "D1",
            rng.choice(["A", "B"]),
            opt_out=rng.random() < 0.15,
            closed_weekdays=rng.choice(["", "", "", "67", "4", "5"]),
        )
        for k in range(rng.randint(1, subjects))
    )
    due = []
    for k in range(rng.randint(1, checks)):
        department, first = rng.choice(departments), rng.randrange(days)
        due.append(
            CheckRow(
                check_id=f"C{k}",
                subject_id=rng.choice(people).subject_id,
                department=department,
                item=f"{department}{rng.randint(1, 2)}",
                earliest=day(first),
                latest=day(rng.randint(first, days - 1)),
                minutes=rng.choice([20, 30, 50, 80, 130]),
                safety=rng.random() < 0.3,
                urgent=rng.random() < 0.2,
            )
        )
    due = [c for c in due if c.earliest <= c.latest]
    rows = []
    for department in departments:
        for street in rng.choice([("A", "B"), ("",), ("A", "")]):
            for d in range(days):
                if loose or rng.random() < 0.75:
                    minutes = 5000 if loose else rng.choice([0, 60, 100, 150, 200])
                    rows.append(CapacityRow(department, "D1", street, day(d), minutes))
    pairs = [("消防1", "卫生1")] if rng.random() < 0.3 else []
    pairs += [("消防1", "消防2")] if rng.random() < 0.2 else []
    params = Params(
        max_departments=rng.choice([1, 2, 3]),
        max_on_site_minutes=rng.choice([100, 240]),
        travel_minutes=rng.choice([0, 20]),
        urgent_open_days=rng.choice([1, 2]),
    )
    return Rows(people, tuple(due), tuple(rows), tuple(pairs), params)


class World:
    """The rules of the contract, spelled out slowly."""

    def __init__(self, rows: Rows) -> None:
        self.rows, self.params = rows, rows.params
        self.subject = {s.subject_id: s for s in rows.subjects}
        self.check = {c.check_id: c for c in rows.checks}
        self.room = {(c.department, c.street, c.date): c.minutes for c in rows.capacity}
        self.pools = {(c.department, c.street) for c in rows.capacity}
        self.foes = {frozenset(p) for p in rows.incompatible}
        self.pool = functools.cache(self._pool)  # asked again for every plan that is tried
        self.open_dates = functools.cache(self._open_dates)

    def _pool(self, check: CheckRow) -> tuple[str, str] | None:
        street = self.subject[check.subject_id].street
        for key in ((check.department, street), (check.department, "")):
            if key in self.pools:
                return key
        return None

    def _open_dates(self, check: CheckRow) -> list[dt.date]:
        pool, closed = self.pool(check), self.subject[check.subject_id].closed_weekdays
        span = (check.latest - check.earliest).days + 1
        dates = [check.earliest + dt.timedelta(days=k) for k in range(span)]
        dates = [d for d in dates if pool and self.room.get((*pool, d), 0) > 0]
        dates = [d for d in dates if str(d.isoweekday()) not in closed]
        return dates[: self.params.urgent_open_days] if check.urgent else dates

    def allowed(self, checks: Sequence[CheckRow]) -> bool:
        """Rules 2-4 and 8 (no further department) for one visit."""
        kinds = {c.department for c in checks}
        subject = self.subject[checks[0].subject_id]
        if len(kinds) > (1 if subject.opt_out else self.params.max_departments):
            return False
        pins = {c.pinned_visit for c in checks if c.pinned_visit}
        if len(pins) > 1 or (pins and kinds != {c.department for c in checks if c.pinned_visit}):
            return False
        if any(frozenset((a.item, b.item)) in self.foes for a, b in itertools.combinations(checks, 2)):
            return False
        longest = max(sum(c.minutes for c in checks if c.department == d) for d in kinds)
        return len(checks) == 1 or longest <= self.params.max_on_site_minutes

    def use(self, checks: Sequence[CheckRow]) -> dict[tuple[str, str], int]:
        used: dict[tuple[str, str], int] = {}
        for department in {c.department for c in checks}:
            own = [c for c in checks if c.department == department]
            pool = self.pool(own[0])
            assert pool
            used[pool] = sum(c.minutes for c in own) + self.params.travel_minutes
        return used

    def objective(self, visits: Sequence[tuple[dt.date, Sequence[CheckRow]]]) -> Objective | None:
        """The levels of the objective, or None if room does not suffice."""
        load: dict[tuple[str, str, dt.date], int] = {}
        for on, checks in visits:
            for pool, minutes in self.use(checks).items():
                load[(*pool, on)] = load.get((*pool, on), 0) + minutes
        if any(minutes > self.room[key] for key, minutes in load.items()):
            return None
        placed = [c for _, checks in visits for c in checks]
        left = [c for c in self.rows.checks if c not in placed]
        trips = {(c.department, self.subject[c.subject_id].street, on) for on, checks in visits for c in checks}
        wait = sum((on - c.earliest).days for on, checks in visits for c in checks if c.safety)
        peak = max((Fraction(m, self.room[k]) for k, m in load.items()), default=Fraction(0))
        return sum(c.safety for c in left), len(left), len(visits), wait, len(trips), peak

    def best(self, only: set[str] | None = None) -> Objective:
        """The best plan's objective by trying all; with `only`, of the plans that place exactly these checks."""
        checks = sorted(self.rows.checks, key=lambda c: (not c.pinned_visit, c.subject_id))
        best: list[Objective | None] = [None]

        def step(k: int, visits: list[tuple[dt.date, list[CheckRow]]], left: tuple[int, int]) -> None:
            found = best[0]
            if found and (*left, len(visits)) > found[:3]:
                return
            if k == len(checks):
                value = self.objective(visits)
                if value and (found is None or value < found):
                    best[0] = value
                return
            check = checks[k]
            if not only or check.check_id in only:
                for on, members in visits:
                    mate = members[0].subject_id == check.subject_id
                    if not mate or (check.pinned_visit and check.pinned_visit != members[0].pinned_visit):
                        continue
                    members.append(check)
                    if on in self.open_dates(check) and self.allowed(members):
                        step(k + 1, visits, left)
                    members.pop()
                if not any(check.pinned_visit and m[0].pinned_visit == check.pinned_visit for _, m in visits):
                    for on in self.open_dates(check) if not check.pinned_on else [check.pinned_on]:
                        visits.append((on, [check]))
                        if self.objective(visits):
                            step(k + 1, visits, left)
                        visits.pop()
            if not check.pinned_visit and (only is None or check.check_id not in only):
                step(k + 1, visits, (left[0] + check.safety, left[1] + 1))

        step(0, [], (0, 0))
        assert best[0] is not None
        return best[0]

    def partitions(self, checks: list[CheckRow]) -> Iterator[list[list[CheckRow]]]:
        """Every way to cut the checks into sets that rules 2-4 and 8 allow."""
        if not checks:
            yield []
            return
        first, *others = checks
        for size in range(len(others) + 1):
            for mates in itertools.combinations(others, size):
                if self.allowed([first, *mates]):
                    for cut in self.partitions([c for c in others if c not in mates]):
                        yield [[first, *mates], *cut]

    def bound(self, placed: set[str], prices: dict[tuple[str, str, dt.date], int]) -> int:
        """The contract's bound, by trying every visit plan of each subject."""
        total = 0
        for subject in self.rows.subjects:
            own = [c for c in self.rows.checks if c.subject_id == subject.subject_id and c.check_id in placed]
            costs = [cost for cut in self.partitions(own) if (cost := self._cost(cut, prices)) is not None]
            total += min(costs, default=0)
        total -= sum(price * self.room[key] for key, price in prices.items())
        return -(-total // 1_000_000)

    def _cost(self, cut: list[list[CheckRow]], prices: dict[tuple[str, str, dt.date], int]) -> int | None:
        cost = 0
        named = [c.pinned_visit for checks in cut for c in checks if c.pinned_visit]
        groups = [{c.pinned_visit for c in checks if c.pinned_visit} for checks in cut]
        if sum(len(g) for g in groups) > len(set(named)):
            return None  # a pinned visit is torn apart
        for checks in cut:
            dates = set.intersection(*(set(self.open_dates(c)) for c in checks))
            pinned = {c.pinned_on for c in checks if c.pinned_on}
            dates = dates & pinned if pinned else dates
            if not dates:
                return None
            used = self.use(checks)
            cost += 1_000_000 + min(sum(prices.get((*p, d), 0) * m for p, m in used.items()) for d in dates)
        return cost


def objective_of(plan: Plan, world: World) -> Objective | None:
    """A plan's objective by the slow rules."""
    return world.objective([(v.date, [world.check[c] for c in v.check_ids]) for v in plan.visits()])


def placed_in(plan: Plan) -> set[str]:
    return {c for v in plan.visits() for c in v.check_ids}


def pin_some(rows: Rows, plan: Plan, seed: int) -> Rows:
    """The same instance with about half of the plan's visits confirmed."""
    rng = random.Random(seed)
    confirmed = {c: v for v in plan.visits() if rng.random() < 0.5 for c in v.check_ids}
    checks = tuple(
        replace(c, pinned_visit=confirmed[c.check_id].visit_id, pinned_on=confirmed[c.check_id].date)
        if c.check_id in confirmed
        else c
        for c in rows.checks
    )
    return replace(rows, checks=checks)
