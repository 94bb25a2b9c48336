"""Visits for tests: brought to the state asked for by the people who would bring them there."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.utils import timezone

from tests.builders.cast import DEPARTMENTS, NOW, TODAY, Cast
from tests.builders.inspections import given_check, given_premises
from xiezhi.domains.inspections.models import Check, Participation, Visit
from xiezhi.domains.inspections.services.confirmation import confirm_part
from xiezhi.domains.inspections.services.results import Found, finish_visit, record_result, start_visit
from xiezhi.domains.inspections.services.visits import create_visit, offer_visits
from xiezhi.domains.registry.models import Premises
from xiezhi.foundation.orgs.services import set_team_pattern

VISIT_DAY = TODAY + timedelta(days=14)
"""Monday 2026-12-07: two weeks from now, in the window of `given_check`."""
ORDER = ("offered", "confirmed", "under_way", "recorded")


def moment(day: date, hour: int = 9, minute: int = 0) -> datetime:
    """A time of day in Beijing."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=NOW.tzinfo)


def given_teams(
    cast: Cast, *departments: str, teams: int = 1, minutes: int = 360, weekdays: str = "12345", street: str = ""
) -> None:
    """Teams from New Year on for these departments (all of them when none is named), in one pool for the district or for a street."""
    for code in departments or DEPARTMENTS:
        set_team_pattern(
            department=cast[code],
            street=cast[street] if street else None,
            weekdays=weekdays,
            teams=teams,
            minutes_per_team=minutes,
            starts_on=date(2026, 1, 1),
            actor=cast.actor(f"{code}.planner"),
            at=NOW,
        )


def given_visit(
    cast: Cast,
    *departments: str,
    status: str = "offered",
    on: date = VISIT_DAY,
    premises: Premises | None = None,
    checks: Sequence[Check] = (),
    urgent: Sequence[str] = (),
    at: datetime = NOW,
    **check_fields: Any,
) -> Visit:
    """A visit with one check per department (`urgent` ones as cases), or of the given `checks`, in the state asked for."""
    premises = premises or (checks[0].premises if checks else given_premises(cast))
    checks = list(checks) or [
        given_check(cast, premises, code, urgent=code in urgent, at=at, **check_fields) for code in departments
    ]
    visit = create_visit(premises=premises, on=on, checks=checks, actor=cast.actor("coordinator"), at=at)
    if status in ORDER:
        offer_visits(visits=[visit], actor=cast.actor("coordinator"), at=at)
    if status in ORDER[1:]:
        for part in visit.participations.order_by("pk"):
            confirm(cast, part, at=at)
    if status in ORDER[2:]:
        for part in visit.participations.order_by("pk"):
            arrive(cast, visit, part.department.code)
    if status == "recorded":
        for check in Check.objects.filter(visit=visit).select_related("department"):
            find(cast, check)
        lead = visit.participations.order_by("pk")[0].department.code
        finish_visit(visit=visit, actor=cast.actor(f"{lead}.inspector"), at=moment(on, 11))
    visit.refresh_from_db()
    return visit


def part_of(visit: Visit, department: str) -> Participation:
    """A department's part, as it is stored now."""
    return Participation.objects.select_related("visit__premises", "department").get(
        visit=visit, department__code=department
    )


def confirm(cast: Cast, part: Participation, *, at: datetime = NOW) -> Participation:
    """Its own head confirms."""
    head = cast.actor(f"{part.department.code}.head")
    return confirm_part(participation=part, actor=head, at=at)


def arrive(cast: Cast, visit: Visit, department: str, *, at: datetime | None = None) -> Visit:
    """Two of the department's officers come on the visit's day."""
    return start_visit(
        visit=visit,
        officers=cast.officers[department][:2],
        actor=cast.actor(f"{department}.inspector"),
        at=at or moment(visit.on, 9, 30),
    )


def find(cast: Cast, check: Check, *codes: str, at: datetime | None = None, **found: Any) -> Any:
    """The department's inspector records a result; nothing found unless told otherwise."""
    check.refresh_from_db()
    assert check.visit
    answers = {str(line.position): "ok" for line in check.item_version.form_lines.all()}
    return record_result(
        check=check,
        found=Found(codes=codes or ("1",), **{"answers": answers, **found}),
        actor=cast.actor(f"{check.department.code}.inspector"),
        at=at or moment(check.visit.on, 10),
    )


def local_day(value: datetime) -> date:
    """The day of a moment in Beijing."""
    return timezone.localdate(value)
