"""What the pages of a round show: demand before it, load and gains after it."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Avg, Count, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xiezhi.domains.inspections.models import Leftover, Participation, Round, Visit
from xiezhi.domains.inspections.services.eligibility import eligible_checks
from xiezhi.domains.inspections.services.problems import planning_rules, residual_capacity
from xiezhi.domains.inspections.services.rounds import waiting_checks
from xiezhi.domains.inspections.workflow import Answer
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.calendar.queries import pending_years
from xiezhi.foundation.orgs.models import Organisation

TEAM_DAY_MINUTES = 360
MICRO = 1_000_000
REASONS = {
    "no_open_day": gettext_lazy("时限内没有可用的力量"),
    "no_room": gettext_lazy("时限内的力量都已排满"),
    "departments_limit": gettext_lazy("合在一起会超过一次的部门数"),
    "incompatible_third": gettext_lazy("与同场的另一事项不宜同场"),
    "time_on_site": gettext_lazy("合在一起在场时间过长"),
    "no_common_room": gettext_lazy("没有各部门都有余力的日子"),
    "better_elsewhere": gettext_lazy("分开排能少跑一次门"),
}


@dataclass(frozen=True)
class Demand:
    """One department before a round: checks that wait, those held by a rule, minutes needed with travel, minutes open."""

    department: Organisation
    checks: int
    held: int
    needed_minutes: int
    open_minutes: int

    @property
    def percent(self) -> int | None:
        """Needed minutes per open minutes, in per cent, as if every check went alone; None when nothing is open."""
        return round(100 * self.needed_minutes / self.open_minutes) if self.open_minutes else None


@dataclass(frozen=True)
class Preview:
    """What a round over a horizon would look at."""

    checks: int
    premises: int
    urgent: int
    safety: int
    held: int
    pending_years: tuple[int, ...]
    demand: tuple[Demand, ...]


def horizon_preview(*, start: date, end: date, on: date) -> Preview:
    """Waiting checks of a horizon, what the rules hold back, and demand against open time per department (in order of code)."""
    checks = waiting_checks(start=start, end=end)
    verdict = eligible_checks(checks, start=start, end=end, on=on)
    travel = planning_rules(on=on).params.travel_minutes
    departments = {check.department_id: check.department for check in checks}
    count, held, needed = Counter[int](), Counter[int](), Counter[int]()
    for check in checks:
        count[check.department_id] += 1
        if check.pk in verdict.held:
            held[check.department_id] += 1
        else:
            needed[check.department_id] += check.minutes + travel
    capacity = Counter[int]()
    for pool, days in residual_capacity(
        department_ids=departments, start=start, end=end, travel_minutes=travel
    ).items():
        capacity[pool.department_id] += sum(days.values())
    return Preview(
        checks=len(checks),
        premises=len({check.premises_id for check in checks}),
        urgent=sum(check.urgent for check in checks),
        safety=sum(check.safety for check in checks),
        held=len(verdict.held),
        pending_years=tuple(pending_years(start.year, end.year)),
        demand=tuple(
            Demand(each, count[pk], held[pk], needed[pk], capacity[pk])
            for pk, each in sorted(departments.items(), key=lambda pair: pair[1].code)
        ),
    )


def round_visits(round_: Round, actor: Actor) -> QuerySet[Visit]:
    """The round's visits that `actor` sees, with what a list shows."""
    return (
        Visit.objects.visible_to(actor)
        .filter(round=round_)
        .select_related("premises__subject", "premises__street", "lead")
        .annotate(
            departments=Count("participations", distinct=True),
            agreed=Count("participations", filter=Q(participations__answer=Answer.CONFIRMED), distinct=True),
        )
    )


def answers_of(round_: Round) -> list[tuple[str, int]]:
    """How the departments of a sent round have answered so far: (word, how many), in the order of the states."""
    rows = Participation.objects.filter(visit__round=round_).values_list("answer").annotate(number=Count("pk"))
    found = dict(rows)
    return [(str(Answer(value).label), found.get(value, 0)) for value in Answer.values]


def leftovers_of(round_: Round, actor: Actor) -> QuerySet[Leftover]:
    """What stayed out or apart; department posts see what concerns their own checks."""
    rows = Leftover.objects.filter(round=round_).select_related(
        "check_task__premises__subject", "check_task__department", "check_task__item_version", "other_check__department",
        "other_check__item_version",
    )  # fmt: skip
    if actor.district_wide:
        return rows
    return rows.filter(
        Q(check_task__department_id=actor.department_id) | Q(other_check__department_id=actor.department_id)
    )


def heat_map(round_: Round) -> dict[str, Any]:
    """An ECharts option: on-site minutes of each department on each day of the round's visits, with a table of the same."""
    load: dict[tuple[date, str], int] = defaultdict(int)
    rows = Participation.objects.filter(visit__round=round_).values_list(
        "visit__on", "department__short_name", "minutes"
    )
    for day, department, minutes in rows:
        load[day, department] += minutes
    days = sorted({day for day, _name in load})
    names = sorted({name for _day, name in load})
    cells = [[days.index(day), names.index(name), minutes] for (day, name), minutes in sorted(load.items())]
    return {
        "grid": {"left": 80, "right": 16, "top": 16, "bottom": 72},
        "xAxis": {"type": "category", "data": [day.strftime("%m-%d") for day in days]},
        "yAxis": {"type": "category", "data": names},
        "visualMap": {
            "min": 0,
            "max": max((minutes for *_where, minutes in cells), default=1),
            "orient": "horizontal",
            "left": "center",
            "bottom": 0,
            "inRange": {"color": ["#e6efee", "#17494d"]},
        },
        "series": [{"type": "heatmap", "name": _("在场分钟"), "data": cells}],
        "dataset": {
            "source": [
                [_("部门"), *(day.strftime("%m-%d") for day in days)],
                *([name, *(load.get((day, name), 0) for day in days)] for name in names),
            ]
        },
    }


def street_map(round_: Round) -> dict[str, Any]:
    """An ECharts option: streets where their visited premises lie (mean longitude and latitude), the dot as large as its visits."""
    rows = (
        Visit.objects.filter(round=round_, premises__longitude__isnull=False, premises__latitude__isnull=False)
        .values("premises__street__short_name")
        .annotate(visits=Count("pk"), east=Avg("premises__longitude"), north=Avg("premises__latitude"))
        .order_by("premises__street__short_name")
    )
    source: list[list[str | int | float]] = [[_("街道"), _("经度"), _("纬度"), _("进门次数")]]
    source += [
        [
            row["premises__street__short_name"],
            round(float(row["east"]), 4),
            round(float(row["north"]), 4),
            row["visits"],
        ]
        for row in rows
    ]
    most = max((int(row[3]) for row in source[1:]), default=1)
    return {
        "dataset": {"source": source},
        "grid": {"left": 56, "right": 40, "top": 24, "bottom": 64},
        "xAxis": {"type": "value", "scale": True, "axisLabel": {"formatter": "{value}°"}, "splitLine": {"show": False}},
        "yAxis": {"type": "value", "scale": True, "axisLabel": {"formatter": "{value}°"}, "splitLine": {"show": False}},
        "visualMap": {
            "dimension": 3,
            "min": 0,
            "max": most,
            "orient": "horizontal",
            "left": "center",
            "bottom": 0,
            "text": [_("多"), _("少")],
            "inRange": {"symbolSize": [10, 46], "color": ["#8fb3ae", "#17494d"]},
        },
        "series": [
            {
                "type": "scatter",
                "encode": {"x": 1, "y": 2, "tooltip": [0, 3]},
                "label": {"show": True, "formatter": "{@[0]}", "position": "bottom"},
                "labelLayout": {"hideOverlap": True},
            }
        ],
    }


def street_bars(round_: Round) -> dict[str, Any]:
    """An ECharts option: doors entered per street, joint and single, against the doors if every department went alone."""
    rows = (
        Visit.objects.filter(round=round_)
        .annotate(departments=Count("participations", distinct=True))
        .values_list("premises__street__short_name", "departments")
    )
    together, alone = Counter[str](), Counter[str]()
    for street, departments in rows:
        together[street] += 1
        alone[street] += departments
    source: list[list[str | int]] = [[_("街道"), _("各去各的"), _("合并后")]]
    source += [[street, alone[street], together[street]] for street in sorted(together)]
    return {
        "dataset": {"source": source},
        "grid": {"left": 110, "right": 24, "top": 40, "bottom": 24},
        "legend": {"top": 0},
        "xAxis": {"type": "value"},
        "yAxis": {"type": "category", "inverse": True},
        "series": [{"type": "bar"}, {"type": "bar"}],
    }


@dataclass(frozen=True)
class Gain:
    """What one more team-day of a pool in a week would save, in visits; from the plan's proven prices."""

    department: str
    street: str
    week: date
    visits: float


def gains(round_: Round, *, most: int = 12) -> list[Gain]:
    """The pools and weeks where more time would save most doors (highest price of the week × one team-day)."""
    names = dict(Organisation.objects.values_list("code", "short_name"))
    best: dict[tuple[str, str, date], int] = defaultdict(int)
    for row in round_.prices:
        day = date.fromisoformat(row["date"])
        week = date.fromordinal(day.toordinal() - day.weekday())
        key = (row["department"], row["street"], week)
        best[key] = max(best[key], row["price"])
    found = [
        Gain(names.get(department, department), names.get(street, ""), week, price * TEAM_DAY_MINUTES / MICRO)
        for (department, street, week), price in best.items()
    ]
    return sorted(found, key=lambda gain: (-gain.visits, gain.department, gain.street, gain.week))[:most]
