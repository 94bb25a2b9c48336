"""From our rows to the planner's: the one place where checks, premises and team time become an `engines.planning.Problem`.

Names on the planner's side: a premises is its id, a check its id, a department its code (ties for the lead go by it), a street its
code. Time already promised to living visits is taken off the capacity, so the planner need not know those visits.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from xiezhi.domains.inspections import rules as inspection_rules
from xiezhi.domains.inspections.models import Check, IncompatiblePair, Participation
from xiezhi.domains.inspections.workflow import Answer, VisitStatus
from xiezhi.foundation.orgs.capacity import PoolKey, open_minutes, pool_for
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.rules.queries import rule_book

if (
    TYPE_CHECKING
):  # the planner is imported where it is used: most processes never plan, and its kernels take seconds to load
    from xiezhi.engines.planning import Params, Plan, Problem

DISTRICT = "district"
"""The planner's name for the district: one bureau plans one district."""


@dataclass(frozen=True)
class PlanningRules:
    """The planner's limits and which rule versions they came from."""

    params: "Params"
    version_ids: tuple[int, ...]


def planning_rules(*, on: date, max_departments: int | None = None) -> PlanningRules:
    """The limits in force on `on`; `max_departments` is the coordinator's own choice for this round (R07 only warns)."""
    from xiezhi.engines.planning import Params

    wanted = {
        "max_departments": inspection_rules.MAX_DEPARTMENTS,
        "max_on_site_minutes": inspection_rules.MAX_ON_SITE_MINUTES,
        "travel_minutes": inspection_rules.TRAVEL_MINUTES,
        "urgent_open_days": inspection_rules.URGENT_OPEN_DAYS,
    }
    book = rule_book(*wanted.values())
    found = {name: book.reading(rule, on=on) for name, rule in wanted.items()}
    values = {name: reading.value for name, reading in found.items()}
    if max_departments is not None:
        values["max_departments"] = max_departments
    return PlanningRules(Params(**values), tuple(reading.version_id for reading in found.values()))


@dataclass(frozen=True)
class Window:
    """The days on which a check may be placed in this problem, inclusive."""

    earliest: date
    latest: date


def planning_problem(
    *,
    checks: Sequence[Check],
    windows: Mapping[int, Window],
    start: date,
    end: date,
    params: "Params",
    leaving_out: Collection[int] = (),
    closed: Collection[tuple[int, date]] = (),
) -> "Problem":
    """The problem of placing `checks` (with premises, subject, department and item loaded) between `start` and `end`.

    `windows` by check id; `leaving_out`: ids of visits whose time counts as free; `closed`: (department id, date) that may not be used.
    Raises engines.planning.problem.InvalidInput when rows contradict each other.
    """
    from xiezhi.engines.planning import CapacityRow, CheckRow, Problem, SubjectRow

    premises = {check.premises_id: check.premises for check in checks}
    departments = {check.department_id: check.department.code for check in checks}
    streets = {each.pk: each.code for each in Organisation.objects.filter(kind=Organisation.Kind.STREET)}
    items = {check.item_version.item_id: check.item_version.item.code for check in checks}
    capacity = residual_capacity(
        department_ids=departments, start=start, end=end, travel_minutes=params.travel_minutes, leaving_out=leaving_out
    )
    return Problem.from_rows(
        [
            SubjectRow(
                subject_id=str(pk),
                district=DISTRICT,
                street=streets[each.street_id],
                opt_out=each.subject.joint_opt_out,
                closed_weekdays=each.closed_weekdays,
            )
            for pk, each in sorted(premises.items())
        ],
        [
            CheckRow(
                check_id=str(check.pk),
                subject_id=str(check.premises_id),
                department=departments[check.department_id],
                item=items[check.item_version.item_id],
                earliest=windows[check.pk].earliest,
                latest=windows[check.pk].latest,
                minutes=check.minutes,
                safety=check.safety,
                urgent=check.urgent,
                source=check.source,
            )
            for check in sorted(checks, key=lambda each: each.pk)
        ],
        [
            CapacityRow(
                departments[pool.department_id], DISTRICT, streets[pool.street_id] if pool.street_id else "", day, left
            )
            for pool, days in capacity.items()
            for day, left in days.items()
            if left > 0 and (pool.department_id, day) not in closed
        ],
        incompatible_items(items),
        params=params,
    )


def incompatible_items(items: Mapping[int, str]) -> list[tuple[str, str]]:
    """Pairs of item codes among `items` (id → code) that may never share a visit."""
    pairs = IncompatiblePair.objects.filter(first_id__in=items, second_id__in=items)
    return sorted((items[first], items[second]) for first, second in pairs.values_list("first_id", "second_id"))


def residual_capacity(
    *, department_ids: Iterable[int], start: date, end: date, travel_minutes: int, leaving_out: Collection[int] = ()
) -> dict[PoolKey, dict[date, int]]:
    """Open team-minutes per pool and day less what living visits have been promised; never below 0."""
    wanted = list(department_ids)
    left = {pool: dict(days) for pool, days in open_minutes(department_ids=wanted, start=start, end=end).items()}
    for pool, days in promised_minutes(
        department_ids=wanted, pools=left, start=start, end=end, travel_minutes=travel_minutes, leaving_out=leaving_out
    ).items():
        for day, minutes in days.items():
            if day in left[pool]:
                left[pool][day] = max(0, left[pool][day] - minutes)
    return left


def promised_minutes(
    *,
    department_ids: Iterable[int],
    pools: Collection[PoolKey],
    start: date,
    end: date,
    travel_minutes: int,
    leaving_out: Collection[int] = (),
) -> dict[PoolKey, dict[date, int]]:
    """What living visits take from each pool and day: the department's minutes in the visit plus travel, as the planner counts it."""
    rows = (
        Participation.objects.filter(department_id__in=list(department_ids), visit__on__range=(start, end))
        .exclude(answer__in=[Answer.DECLINED, Answer.RELEASED])
        .exclude(visit__status=VisitStatus.CANCELLED)
        .exclude(visit_id__in=list(leaving_out))
        .values_list("department_id", "visit__premises__street_id", "visit__on", "minutes")
    )
    taken: dict[PoolKey, dict[date, int]] = defaultdict(lambda: defaultdict(int))
    for department_id, street_id, day, minutes in rows:
        pool = pool_for(pools, department_id, street_id)
        if pool:
            taken[pool][day] += minutes + travel_minutes
    return taken


def unplaced_reasons(
    plan: "Plan",
    checks: Sequence[Check],
    windows: Mapping[int, Window],
    closed: Collection[tuple[int, date]] = (),
) -> dict[int, str]:
    """Why checks (by id) have no date: no_open_day or no_room.

    The planner sees only what is left of each pool; a day that is merely full is `no_room` to people.
    """
    known = {check.pk: check for check in checks}
    stuck = {int(each.check_id): each.reason for each in plan.unplaced()}
    shut = [known[pk] for pk, reason in stuck.items() if reason == "no_open_day"]
    if not shut:
        return stuck
    pools = open_minutes(
        department_ids={check.department_id for check in shut},
        start=min(windows[check.pk].earliest for check in shut),
        end=max(windows[check.pk].latest for check in shut),
    )
    for check in shut:
        pool = pool_for(pools, check.department_id, check.premises.street_id)
        window = windows[check.pk]
        for day in pools[pool] if pool else ():
            rests = str(day.isoweekday()) in check.premises.closed_weekdays
            if window.earliest <= day <= window.latest and not rests and (check.department_id, day) not in closed:
                stuck[check.pk] = "no_room"
    return stuck
