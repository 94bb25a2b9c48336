"""Plans (检查计划): a department opens one and may withdraw it. Its rows are in `plan_rows`, filing is in `filing`."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from xiezhi.domains.inspections.models import Check, Plan
from xiezhi.domains.inspections.services.checks import PINNED, cancel_checks
from xiezhi.domains.inspections.services.plan_rows import is_being_filed, lock_draft, require_own
from xiezhi.domains.inspections.workflow import PLAN, CheckStatus, PlanStatus
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.workflow.errors import Refused
from xiezhi.foundation.workflow.services import advance


@transaction.atomic
def open_plan(
    *,
    department: Organisation,
    title: str,
    starts_on: date,
    ends_on: date,
    kind: str = Plan.Kind.ANNUAL,
    superior_ordered: bool = False,
    approval_number: str = "",
    approved_on: date | None = None,
    published_on: date | None = None,
    actor: Actor,
    at: datetime,
) -> Plan:
    """Open an empty draft. Raises Refused for a body that may not inspect (R01), reversed dates, a period longer than one year, or a
    title that stands already in this period."""
    require_own(department.pk, actor)
    if not department.qualified:
        raise Refused(_("“%(department)s”没有行政检查主体资格，不能报送检查计划（R01）。") % {"department": department})
    _check_period(starts_on, ends_on, approved_on, superior_ordered, kind)
    if (
        Plan.objects.filter(department=department, title=title, starts_on=starts_on)
        .exclude(status=PlanStatus.WITHDRAWN)
        .exists()
    ):
        raise Refused(_("本部门已有同名、同期的计划《%(title)s》，请打开它继续，或换一个名称。") % {"title": title})
    try:
        with transaction.atomic():
            plan = Plan.objects.create(
                department=department,
                title=title,
                kind=kind,
                superior_ordered=superior_ordered,
                starts_on=starts_on,
                ends_on=ends_on,
                approval_number=approval_number,
                approved_on=approved_on,
                published_on=published_on,
                created_at=at,
            )
    except IntegrityError as error:
        raise Refused(_("本部门已有同名、同期的计划《%(title)s》。") % {"title": title}) from error
    record("inspections.plan.opened", plan, actor=actor, at=at, department=department.code)
    return plan


def _check_period(starts_on: date, ends_on: date, approved_on: date | None, superior_ordered: bool, kind: str) -> None:
    if ends_on < starts_on:
        raise Refused(_("计划期的止日早于起日，请改正。"))
    if (ends_on - starts_on).days > 365:
        raise Refused(_("一份计划最长一年，请分年编制。"))
    if superior_ordered and kind != Plan.Kind.SPECIAL:
        raise Refused(_("只有专项检查计划可以标为“上级部署”。"))
    if approved_on and approved_on > ends_on:
        raise Refused(_("批准日期晚于计划期，请核对。"))


@transaction.atomic
def amend_plan(*, plan: Plan, changes: dict[str, Any], actor: Actor, at: datetime) -> Plan:
    """Change the head of a draft: `title`, `kind`, `superior_ordered`, `starts_on`, `ends_on`, `approval_number`, `approved_on`,
    `published_on`. Raises Refused when rows would fall outside the period or the title stands already."""
    locked = lock_draft(plan, actor)
    for name, value in changes.items():
        setattr(locked, name, value)
    _check_period(locked.starts_on, locked.ends_on, locked.approved_on, locked.superior_ordered, locked.kind)
    outside = locked.rows.filter(Q(earliest__lt=locked.starts_on) | Q(latest__gt=locked.ends_on)).count()
    if outside:
        raise Refused(_("有 %(count)d 行的时间会落在计划期之外，请先改这些行。") % {"count": outside})
    try:
        with transaction.atomic():
            locked.save(update_fields=list(changes))
    except IntegrityError as error:
        raise Refused(_("本部门已有同名、同期的计划《%(title)s》。") % {"title": locked.title}) from error
    record("inspections.plan.amended", locked, actor=actor, at=at, fields=sorted(changes))
    return locked


@dataclass(frozen=True)
class Withdrawal:
    """What withdrawing a plan would do: checks that are no longer due, by state; those that stay; visits that are mended."""

    cancelled: dict[str, int]
    pinned: int
    over: int
    visits: int

    @property
    def total(self) -> int:
        """How many checks would be cancelled."""
        return sum(self.cancelled.values())


def _withdrawable(plan: Plan) -> Any:
    return Check.objects.open().filter(plan_row__plan=plan).exclude(PINNED)


def withdrawal_preview(plan: Plan) -> Withdrawal:
    """What `withdraw_plan` would do now; three queries."""
    gone = _withdrawable(plan)
    states = Counter(gone.values_list("status", flat=True))
    every = Check.objects.filter(plan_row__plan=plan)
    over = every.filter(status__in=[CheckStatus.DONE, CheckStatus.DONE_OFF_SITE, CheckStatus.CANCELLED]).count()
    return Withdrawal(
        cancelled={str(CheckStatus(status).label): count for status, count in sorted(states.items())},
        pinned=every.filter(PINNED, status=CheckStatus.SCHEDULED).count(),
        over=over,
        visits=gone.exclude(visit=None).values("visit").distinct().count(),
    )


@transaction.atomic
def withdraw_plan(*, plan: Plan, reason: str, actor: Actor, at: datetime, seen_status: str | None = None) -> Plan:
    """Withdraw a plan: its checks are no longer due, but for those done and those in a confirmed visit.

    Raises Refused while the plan is being filed, and what `advance` raises.
    """
    require_own(plan.department_id, actor)
    if is_being_filed(Plan.objects.select_for_update(of=("self",)).get(pk=plan.pk)):
        raise Refused(_("计划《%(title)s》正在报送，请等它完成。") % {"title": plan.title})
    changes = {"withdrawal_reason": reason.strip()[:300]}
    gone = advance(PLAN, plan, "withdraw", actor=actor, at=at, reason=reason, changes=changes, seen_status=seen_status)
    checks = list(_withdrawable(gone).order_by("pk"))
    if checks:
        cancel_checks(checks=checks, reason=_("检查计划已撤回：%(reason)s") % {"reason": reason}, actor=actor, at=at)
    return gone
