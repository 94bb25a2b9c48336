"""怎样才能: the least change that would give a check a date, or join two, as things stand now; proven by solving with it.

Asked on demand for one door: its waiting and not yet confirmed checks are planned again beside everything already promised elsewhere,
and the planner says what is missing. Nothing is saved.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from xiezhi.domains.inspections.models import Check, Leftover
from xiezhi.domains.inspections.services.problems import Window, planning_problem, planning_rules
from xiezhi.domains.inspections.workflow import CheckStatus
from xiezhi.foundation.orgs.models import Organisation

if TYPE_CHECKING:
    from xiezhi.engines.planning import Explanation

SEED = 1
DATES_NAMED = 5


@dataclass(frozen=True)
class Way:
    """What stands in the way now and the least change that would help, each a sentence; `proven`: solved again with the change."""

    obstacle: str
    change: str
    proven: bool


def way_for(leftover: Leftover, *, today: date) -> Way:
    """The way out for a check that a round left unplaced, or for a pair that it left apart."""
    from xiezhi.engines.planning import explain_check, explain_pair, solve

    check, other = leftover.check_task, leftover.other_check
    if check.status not in {CheckStatus.WAITING, CheckStatus.SUGGESTED}:
        return Way(
            _("这项任务现在是“%(status)s”，不再需要排期。") % {"status": CheckStatus(check.status).label}, "", True
        )
    checks = _movable(check)
    limit = leftover.round.max_departments
    params = planning_rules(on=today, max_departments=limit).params
    start = max(today, min(each.earliest for each in checks))
    end = max(each.latest for each in checks)
    if end < start:
        return Way(_("时限已经过去。"), _("请部门撤回这项任务，或按新的时限重新报送。"), True)
    windows = {each.pk: Window(max(each.earliest, start), each.latest) for each in checks if each.latest >= start}
    checks = [each for each in checks if each.pk in windows]
    problem = planning_problem(
        checks=checks,
        windows=windows,
        start=start,
        end=end,
        params=params,
        leaving_out=[each.visit_id for each in checks if each.visit_id],
    )
    plan = solve(problem, params=params, seed=SEED, workers=1)
    if other is None:
        return _in_words(explain_check(problem, plan, str(check.pk)))
    if other.pk not in windows:
        return Way(_("另一项任务已经排定或办结，不再变动。"), "", True)
    return _in_words(explain_pair(problem, plan, str(check.pk), str(other.pk)))


def _movable(check: Check) -> Sequence[Check]:
    """The door's checks that no department has promised yet."""
    return list(
        Check.objects.filter(premises_id=check.premises_id, status__in=[CheckStatus.WAITING, CheckStatus.SUGGESTED])
        .exclude(visit__status="confirmed")
        .select_related("premises__subject", "department", "item_version__item")
        .order_by("pk")
    )


def _in_words(found: "Explanation") -> Way:
    obstacles = {
        "placed": _("现在有余力，可以排上。"),
        "together": _("现在可以合在一次检查里。"),
        "no_open_day": _("时限内没有可用的力量。"),
        "no_room": _("时限内的力量都已排满。"),
        "departments_limit": _("合在一起会超过一次的部门数。"),
        "incompatible_third": _("与同场的另一事项不宜同场。"),
        "time_on_site": _("合在一起在场时间过长。"),
        "no_common_room": _("没有各部门都有余力的日子。"),
        "better_elsewhere": _("分开排能少跑一次门。"),
        "not_allowed": _("规则不允许这两项合在一起。"),
    }
    return Way(obstacles[found.rule], _change(found), found.proven)


def _change(found: "Explanation") -> str:
    names = dict(
        Organisation.objects.filter(code__in=[found.department, found.street]).values_list("code", "short_name")
    )
    pool = names.get(found.department, "") + (
        names.get(found.street, "") and f"{_('（')}{names[found.street]}{_('）')}"
    )
    days = _("、").join(date_format(day, "m-d") for day in found.dates[:DATES_NAMED])
    if len(found.dates) > DATES_NAMED:
        days = _("%(days)s 等 %(n)d 天") % {"days": days, "n": len(found.dates)}
    words = {
        "none": _("在下一轮统筹里就会排上。")
        if found.rule in {"placed", "together"}
        else _("合在一起并不会少跑一次门；分开排，等得更短或力量更匀。"),
        "capacity": _("%(pool)s在 %(days)s 中任一天多 %(amount)d 分钟，就能排上。"),
        "window": _("时限放宽 %(amount)d 天（到 %(days)s），就能排上。"),
        "departments": _("一次允许多 %(amount)d 个部门，就能合在一起。"),
        "on_site_minutes": _("在场时间上限放宽 %(amount)d 分钟，就能合在一起。"),
        "incompatible": _("取消这两项“不宜同场”的限制，才能合在一起。"),
        "nothing_single": _("没有哪一处单独的改变能做到。"),
    }
    return words[found.change] % {"pool": pool, "days": days, "amount": found.amount}
