"""统筹成效: what joint inspection saves, each figure with its formula, and the subjects that are visited too often.

Forbidden here (R17): any ranking or target by number of checks or by fines. Nothing below takes a department, groups by department or
knows fines; a test keeps it so. A merging ratio is not total volume: the pages say both and never mix them.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import TruncMonth
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.domains.inspections.models import Check, Participation, Result, Visit
from xiezhi.domains.inspections.permissions import InspectionPermission
from xiezhi.domains.inspections.workflow import CheckStatus, VisitStatus
from xiezhi.domains.registry.models import Scene
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.ui.figures import Figure

HEADLINE = ("merge_reduction", "joint_rate", "time_saved")
"""The figures on the desk's start page."""


@dataclass(frozen=True)
class Scope:
    """Which part of the district and which days a figure is about. There is no department here, and must be none."""

    first: date
    last: date
    street: Organisation | None = None
    scene: Scene | None = None


@dataclass(frozen=True)
class Ratio:
    """A figure with what it was made of. `value` is None where the denominator is 0: unknown, not zero."""

    key: str
    label: str
    formula: str
    numerator: int
    denominator: int
    numerator_label: str
    denominator_label: str
    note: str = ""
    complement: bool = False
    percent: bool = True

    @property
    def value(self) -> float | None:
        """The ratio: numerator ÷ denominator, or one less that; None for a denominator of 0."""
        if not self.denominator:
            return None
        share = self.numerator / self.denominator
        return 1 - share if self.complement else share

    @property
    def shown(self) -> str:
        """`61.8 %`, `2.62`, or — when unknown."""
        if self.value is None:
            return "—"
        return f"{100 * self.value:.1f} %" if self.percent else f"{self.value:.2f}"


@dataclass(frozen=True)
class Tally:
    """What happened in a scope. A department-check is one department's part in one visit (家次), whoever the department is."""

    visits: int = 0
    joint_visits: int = 0
    department_checks: int = 0
    joint_department_checks: int = 0
    alone_minutes: int = 0
    planned_minutes: int = 0
    actual_minutes: int = 0
    visits_with_problems: int = 0
    due_checks: int = 0
    due_done: int = 0
    done_on_site: int = 0
    done_off_site: int = 0


def _recorded(actor: Actor, scope: Scope) -> QuerySet[Visit]:
    visits = Visit.objects.visible_to(actor).filter(status=VisitStatus.RECORDED, on__range=(scope.first, scope.last))
    if scope.street:
        visits = visits.filter(premises__street=scope.street)
    if scope.scene:
        visits = visits.filter(premises__subject__scenes=scope.scene)
    return visits


def _checks(actor: Actor, scope: Scope) -> QuerySet[Check]:
    checks = Check.objects.visible_to(actor)
    if scope.street:
        checks = checks.filter(premises__street=scope.street)
    if scope.scene:
        checks = checks.filter(premises__subject__scenes=scope.scene)
    return checks


def by_month(actor: Actor, scope: Scope) -> list[tuple[str, Tally]]:
    """The tally of every month that the scope touches, oldest first. Three queries whatever the number."""
    months = {month: Counter[str]() for month in _months(scope)}
    came = Participation.objects.filter(visit=OuterRef("pk"), arrived_at__isnull=False).order_by().values("visit")
    visits = _recorded(actor, scope).annotate(
        came=came.annotate(n=Count("pk")).values("n"),
        alone=came.annotate(n=Sum("minutes")).values("n"),
        problem=Exists(Result.objects.filter(visit=OuterRef("pk"), problem_found=True)),
    )
    columns = ("on", "came", "alone", "on_site_minutes", "started_at", "ended_at", "problem")
    for on, parts, alone, planned, started_at, ended_at, problem in visits.values_list(*columns):
        seen, parts = months[f"{on:%Y-%m}"], parts or 0
        joint = parts >= 2
        seen["visits"] += 1
        seen["joint_visits"] += joint
        seen["department_checks"] += parts
        seen["joint_department_checks"] += parts if joint else 0
        seen["alone_minutes"] += alone or 0
        seen["planned_minutes"] += planned
        seen["actual_minutes"] += int((ended_at - started_at).total_seconds() // 60)
        seen["visits_with_problems"] += problem
    done = Q(status__in=[CheckStatus.DONE, CheckStatus.DONE_OFF_SITE])
    due = _checks(actor, scope).filter(latest__range=(scope.first, scope.last)).exclude(status=CheckStatus.CANCELLED)
    grouped = due.order_by().annotate(month=TruncMonth("latest")).values_list("month")
    for month, count, finished in grouped.annotate(n=Count("pk"), m=Count("pk", filter=done)):
        months[f"{month:%Y-%m}"].update(due_checks=count, due_done=finished)
    closed = _checks(actor, scope).filter(done_at__date__range=(scope.first, scope.last))
    for status, month, count in (
        closed.order_by().annotate(month=TruncMonth("done_at")).values_list("status", "month").annotate(n=Count("pk"))
    ):
        name = "done_off_site" if status == CheckStatus.DONE_OFF_SITE else "done_on_site"
        months[f"{month:%Y-%m}"][name] += count
    return [(month, Tally(**seen)) for month, seen in months.items()]


def _months(scope: Scope) -> list[str]:
    first, last = (day.year * 12 + day.month - 1 for day in (scope.first, scope.last))
    return [f"{number // 12}-{number % 12 + 1:02d}" for number in range(first, last + 1)]


def total(months: Sequence[tuple[str, Tally]]) -> Tally:
    """All months together."""
    together = Counter[str]()
    for _month, counted in months:
        together.update(asdict(counted))
    return Tally(**together)


def ratios(counted: Tally) -> list[Ratio]:
    """The figures of a tally, each with formula, numerator and denominator."""
    done = counted.done_on_site + counted.done_off_site
    return [
        Ratio(
            "merge_reduction",
            _("合并减次率"),
            _("1 − 联合检查次数 ÷ 这些检查中各部门的检查家次"),
            counted.joint_visits,
            counted.joint_department_checks,
            _("联合检查（两个及以上部门到场）"),
            _("其中各部门的检查家次"),
            _("只说明联合检查中合并了多少，不说明检查总量的增减。"),
            complement=True,
        ),
        Ratio(
            "departments_per_visit",
            _("平均每次联合检查的部门数"),
            _("联合检查中各部门的检查家次 ÷ 联合检查次数"),
            counted.joint_department_checks,
            counted.joint_visits,
            _("联合检查中各部门的检查家次"),
            _("联合检查次数"),
            _("各地推荐 2—3 个部门；不是越多越好。"),
            percent=False,
        ),
        Ratio(
            "joint_rate",
            _("联合率"),
            _("联合检查中的检查家次 ÷ 全部检查家次"),
            counted.joint_department_checks,
            counted.department_checks,
            _("联合检查中的检查家次"),
            _("全部检查家次"),
        ),
        Ratio(
            "time_saved",
            _("企业接待时间减少"),
            _("1 − 实际在场时间 ÷ 各部门各去各的计划时间之和"),
            counted.actual_minutes,
            counted.alone_minutes,
            _("实际在场分钟（到场至离场）"),
            _("各去各的计划分钟"),
            _("按计划：在场 %(planned)s 分钟。") % {"planned": f"{counted.planned_minutes:,}"},
            complement=True,
        ),
        Ratio(
            "completion",
            _("到期任务完成率"),
            _("期内到期且已办结的检查任务 ÷ 期内到期的检查任务（不含已取消）"),
            counted.due_done,
            counted.due_checks,
            _("已办结"),
            _("期内到期"),
        ),
        Ratio(
            "off_site_share",
            _("非现场占比"),
            _("非现场办结 ÷（现场检查 + 非现场办结）"),
            counted.done_off_site,
            done,
            _("非现场办结"),
            _("期内办结"),
        ),
        Ratio(
            "finding_ratio",
            _("问题发现率"),
            _("发现问题的检查次数 ÷ 检查次数"),
            counted.visits_with_problems,
            counted.visits,
            _("发现问题的检查"),
            _("检查次数"),
            _("与次数一起看：次数下降而发现率上升，说明检查更准。"),
        ),
    ]


def doors_chart(months: Sequence[tuple[str, Tally]]) -> dict[str, Any]:
    """Doors entered against what it would have been alone, month by month."""
    rows: list[list[Any]] = [[_("月份"), _("实际进门次数"), _("各去各的次数")]]
    rows += [[month, counted.visits, counted.department_checks] for month, counted in months]
    return _bars(rows)


def time_chart(months: Sequence[tuple[str, Tally]]) -> dict[str, Any]:
    """Minutes on site against the sum of each going alone, month by month."""
    rows: list[list[Any]] = [[_("月份"), _("实际在场分钟"), _("各去各的分钟")]]
    rows += [[month, counted.actual_minutes, counted.alone_minutes] for month, counted in months]
    return _bars(rows)


def _bars(rows: list[list[Any]]) -> dict[str, Any]:
    return {
        "dataset": {"source": rows},
        "xAxis": {"type": "category"},
        "yAxis": {"type": "value"},
        "series": [{"type": "bar"}, {"type": "bar"}],
    }


def ratio_rows(months: Sequence[tuple[str, Tally]]) -> tuple[list[str], list[list[Any]]]:
    """Header and rows of the export: each month, each figure with numerator and denominator."""
    header = [_("月份"), _("指标"), _("数值"), _("分子"), _("分母"), _("算法")]
    rows: list[list[Any]] = []
    for month, counted in months:
        for each in ratios(counted):
            rows.append([month, each.label, each.shown, each.numerator, each.denominator, each.formula])
    return header, rows


def figure_of(ratio: Ratio, *, url: str = "") -> Figure:
    """A ratio as dashboards draw it: value, how it is made, and the way to its page."""
    return Figure(
        label=ratio.label,
        value=None if ratio.value is None else ratio.shown,
        definition=f"{ratio.formula}{_('。')}{ratio.note}",
        numerator=f"{ratio.numerator_label} {ratio.numerator:,}",
        denominator=f"{ratio.denominator_label} {ratio.denominator:,}",
        url=url,
    )


def headline(actor: Actor, at: datetime) -> Iterator[Figure]:
    """The first three figures of the year so far, for the desk of whoever may see them; none before anything was recorded."""
    if not actor.can(InspectionPermission.VIEW_FIGURES):
        return
    today = timezone.localdate(at)
    counted = total(by_month(actor, Scope(first=date(today.year, 1, 1), last=today)))
    if counted.visits:
        for ratio in ratios(counted):
            if ratio.key in HEADLINE:
                yield figure_of(ratio, url=reverse("inspections:figures"))
