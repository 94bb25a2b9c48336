"""What a planning problem and a plan are: frozen columns, no computation beyond looking things up.

Columns are numpy arrays; names are kept once and referred to by position. Dates are days since 1970-01-01.
Everything here is data that the solver and the verifier may both read; neither finds rules here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Mapping

Ints = NDArray[np.int32]
Bools = NDArray[np.bool_]

EPOCH = dt.date(1970, 1, 1)
NO_OPEN_DAY, NO_ROOM = 1, 2
UNPLACED_REASONS = ("", "no_open_day", "no_room")
APART_REASONS = (
    "departments_limit",
    "incompatible_third",
    "time_on_site",
    "no_common_room",
    "better_elsewhere",
)
SOURCES = ("routine", "random", "special", "case")


def day_number(day: dt.date) -> int:
    """Days from 1970-01-01 to `day`."""
    return (day - EPOCH).days


def day_of(number: int) -> dt.date:
    """The date `number` days after 1970-01-01."""
    return EPOCH + dt.timedelta(days=int(number))


@dataclass(frozen=True)
class Params:
    """Limits of a joint visit. Working defaults of the bureau, not law; minutes are whole."""

    max_departments: int = 3
    max_on_site_minutes: int = 240
    travel_minutes: int = 20
    urgent_open_days: int = 2


@dataclass(frozen=True)
class InputError:
    """One thing wrong with the input. `row` counts data rows from 1; 0 stands for the whole file."""

    file: str
    row: int
    column: str
    message: str

    def __str__(self) -> str:
        where = f"row {self.row}" if self.row else "whole file"
        return f"{self.file}, {where}, {self.column}: {self.message}"


class InvalidInput(Exception):
    """The input breaks the contract. `errors` lists every fault found, in file and row order."""

    def __init__(self, errors: Sequence[InputError]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(map(str, self.errors)))


class NoCluster(Exception):
    """There is no cluster to plan on; says why and what to do."""


@dataclass(frozen=True)
class SubjectRow:
    """One premises. `closed_weekdays` are ISO digits, 1 = Monday."""

    subject_id: str
    district: str
    street: str
    lon: float = 0.0
    lat: float = 0.0
    opt_out: bool = False
    closed_weekdays: str = ""


@dataclass(frozen=True)
class CheckRow:
    """One check due at a subject; dates are inclusive; a pin names a visit already confirmed."""

    check_id: str
    subject_id: str
    department: str
    item: str
    earliest: dt.date
    latest: dt.date
    minutes: int
    safety: bool = False
    urgent: bool = False
    source: str = "routine"
    pinned_visit: str = ""
    pinned_on: dt.date | None = None


@dataclass(frozen=True)
class CapacityRow:
    """Minutes a department has on a date: in one street, or (`street` empty) in the whole district."""

    department: str
    district: str
    street: str
    date: dt.date
    minutes: int


@dataclass(frozen=True, eq=False)
class Problem:
    """A validated instance. Checks are grouped by subject: those of subject s are `first_check[s]:first_check[s+1]`.

    `departments` are in code-point order, so a smaller index wins ties for the lead. `capacity[p, d]` is in
    minutes for pool p on `dates[d]`; `dates` are the dates open to any pool. `check_pool` is -1 where the
    department has no pool in reach of the subject.
    """

    subject_ids: pl.Series
    check_ids: pl.Series
    departments: tuple[str, ...]
    items: tuple[str, ...]
    districts: tuple[str, ...]
    streets: tuple[tuple[int, str], ...]
    pin_names: tuple[str, ...]

    subject_district: Ints
    subject_street: Ints
    opt_out: Bools
    closed: NDArray[np.uint8]
    first_check: NDArray[np.int64]

    check_department: Ints
    check_item: Ints
    check_pool: Ints
    earliest: Ints
    latest: Ints
    minutes: Ints
    safety: Bools
    urgent: Bools
    check_pin: Ints

    pin_on: Ints
    pool_department: Ints
    pool_district: Ints
    pool_street: Ints
    dates: Ints
    capacity: Ints
    incompatible: Ints

    @classmethod
    def from_rows(
        cls,
        subjects: Iterable[SubjectRow],
        checks: Iterable[CheckRow],
        capacity: Iterable[CapacityRow],
        incompatible: Iterable[tuple[str, str]] = (),
        *,
        params: Params | None = None,
    ) -> Problem:
        """Build a problem from plain rows. Raises `InvalidInput`, with rows counted from 1 in the order given."""
        from xiezhi.engines.planning.tables import problem_from_rows

        return problem_from_rows(subjects, checks, capacity, incompatible, params or Params())

    @property
    def check_subject(self) -> Ints:
        """The subject of each check."""
        return np.repeat(np.arange(len(self.subject_ids), dtype=np.int32), np.diff(self.first_check))

    def pool_name(self, pool: int) -> tuple[str, str, str]:
        """(department, district, street); the street is empty for a district's pool."""
        street = int(self.pool_street[pool])
        return (
            self.departments[self.pool_department[pool]],
            self.districts[self.pool_district[pool]],
            "" if street < 0 else self.streets[street][1],
        )


@dataclass(frozen=True)
class Visit:
    """One visit, spelled out."""

    visit_id: str
    subject_id: str
    date: dt.date
    lead: str
    departments: tuple[str, ...]
    on_site_minutes: int
    check_ids: tuple[str, ...]


@dataclass(frozen=True)
class Unplaced:
    """A check without a date: the reason code and the pool and dates it stands for."""

    check_id: str
    reason: str
    detail: str


@dataclass(frozen=True)
class Figures:
    """What a plan is worth; `lower_bound_visits` is proven by `Plan.price` (see docs/explanation/planning.md)."""

    checks: int
    visits: int
    visits_if_each_alone: int
    lower_bound_visits: int
    gap: float
    unplaced: Mapping[str, int]
    unplaced_safety: int
    safety_wait_days: int
    trips: int
    peak_load: float


@dataclass(frozen=True, eq=False)
class Plan:
    """Which check goes into which visit. Visits are ordered by subject, then date, then first check."""

    problem: Problem
    params: Params
    seed: int
    check_visit: Ints
    visit_ids: pl.Series
    visit_subject: Ints
    visit_date: Ints
    visit_lead: Ints
    visit_minutes: Ints
    unplaced_reason: NDArray[np.uint8]
    apart_a: Ints
    apart_b: Ints
    apart_reason: NDArray[np.uint8]
    price: NDArray[np.int64]
    figures: Figures
    seconds: Mapping[str, float] = field(default_factory=dict)

    def visits(self) -> Iterator[Visit]:
        """Every visit, in order."""
        problem = self.problem
        placed = np.flatnonzero(self.check_visit >= 0)
        order = placed[np.argsort(self.check_visit[placed], kind="stable")]
        ends = np.searchsorted(self.check_visit[order], np.arange(len(self.visit_ids) + 1))
        for visit, visit_id in enumerate(self.visit_ids):
            checks = order[ends[visit] : ends[visit + 1]]
            yield Visit(
                visit_id=visit_id,
                subject_id=problem.subject_ids[int(self.visit_subject[visit])],
                date=day_of(self.visit_date[visit]),
                lead=problem.departments[self.visit_lead[visit]],
                departments=tuple(problem.departments[d] for d in np.unique(problem.check_department[checks])),
                on_site_minutes=int(self.visit_minutes[visit]),
                check_ids=tuple(problem.check_ids[int(c)] for c in checks),
            )

    def unplaced(self) -> Iterator[Unplaced]:
        """Every check without a date, in the problem's order."""
        for check in np.flatnonzero(self.check_visit < 0):
            reason = UNPLACED_REASONS[self.unplaced_reason[check]]
            yield Unplaced(self.problem.check_ids[int(check)], reason, self.detail(int(check)))

    def detail(self, check: int) -> str:
        """The pool and the dates an unplaced check could have drawn on."""
        problem = self.problem
        first, last = day_of(problem.earliest[check]), day_of(problem.latest[check])
        pool = int(problem.check_pool[check])
        if pool < 0:
            return f"{problem.departments[problem.check_department[check]]}: no pool {first}..{last}"
        return f"{'/'.join(filter(None, problem.pool_name(pool)))} {first}..{last}"

    def apart(self) -> Iterator[tuple[str, str, str]]:
        """(check, check, reason) for each pair that could share a visit and does not."""
        ids = self.problem.check_ids
        for a, b, reason in zip(self.apart_a, self.apart_b, self.apart_reason, strict=True):
            yield ids[int(a)], ids[int(b)], APART_REASONS[reason]

    def prices(self) -> Iterator[tuple[str, str, str, dt.date, int]]:
        """(department, district, street, date, micro-visits per minute) for each pool-day that is worth something."""
        for pool, day in zip(*np.nonzero(self.price), strict=True):
            yield (
                *self.problem.pool_name(int(pool)),
                day_of(self.problem.dates[day]),
                int(self.price[pool, day]),
            )

    def summary(self) -> dict[str, Any]:
        """The figures as the report writes them."""
        figures = dict(vars(self.figures))
        return figures | {"unplaced": dict(self.figures.unplaced)}
