from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from xiezhi.domains.inspections.models.checks import Check
from xiezhi.domains.inspections.permissions import InspectionPermission
from xiezhi.domains.inspections.workflow import RoundStatus
from xiezhi.foundation.access.actors import Actor


class RoundQuerySet(models.QuerySet["Round"]):
    def visible_to(self, actor: Actor) -> Self:
        """Whoever works with inspections sees every round; a round not yet sent is the coordinator's own business."""
        if not actor.can(InspectionPermission.VIEW):
            return self.none()
        return self if actor.can(InspectionPermission.RUN_ROUND) else self.filter(status=RoundStatus.SENT)


class Round(models.Model):
    """统筹轮次: the waiting checks whose windows meet the horizon, planned in one run.

    `figures` is the plan's report (visits, visits if each goes alone, proven bound, …); `rule_version_ids` the rules it was made under;
    `prices` what one more minute of each pool and day would be worth.
    """

    number = models.CharField(_("轮次"), max_length=24, unique=True)
    starts_on = models.DateField(_("统筹期起"))
    ends_on = models.DateField(_("统筹期止"))
    max_departments = models.PositiveSmallIntegerField(_("一次最多部门数"))
    seed = models.PositiveIntegerField(_("种子"))
    status = models.CharField(_("状态"), max_length=10, choices=RoundStatus, default=RoundStatus.PLANNING)
    job_id = models.BigIntegerField(null=True)
    figures = models.JSONField(default=dict)
    prices = models.JSONField(default=list)
    rule_version_ids = models.JSONField(default=list)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(_("建立时间"))
    ready_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(_("发送时间"), null=True)
    answer_by = models.DateTimeField(_("答复期限"), null=True)
    discard_reason = models.CharField(max_length=300, blank=True)

    objects = RoundQuerySet.as_manager()

    class Meta:
        verbose_name = _("统筹轮次")
        constraints = [
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="round_dates_in_order"),
            models.UniqueConstraint(
                fields=["status"],
                condition=Q(status__in=["planning"]),
                name="one_round_planning_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class Leftover(models.Model):
    """A check that a round left unplaced, held back or apart from another, and why, in the engine's or the rule's own code."""

    class Kind(models.TextChoices):
        UNPLACED = "unplaced", _("未能排入")
        HELD = "held", _("依规则暂缓")
        APART = "apart", _("未能合并")

    round = models.ForeignKey(Round, models.CASCADE, related_name="leftovers")
    kind = models.CharField(max_length=10, choices=Kind)
    check_task = models.ForeignKey(Check, models.PROTECT, related_name="leftovers")
    other_check = models.ForeignKey(Check, models.PROTECT, null=True, related_name="+")
    reason = models.CharField(_("原因"), max_length=40)
    detail = models.CharField(_("说明"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("未排入说明")
        indexes = [models.Index(fields=["round", "kind"], name="leftovers_by_kind")]

    def __str__(self) -> str:
        return f"{self.check_task} {self.reason}"


class Replan(models.Model):
    """What one answer or act changed in a visit: kept so that everyone concerned can see it.

    `moves`: one dict per check: `check`, `item`, `department`, `from_visit`, `from_on`, `to_visit`, `to_on` (numbers and ISO dates; `to_*`
    empty when it waits again) and `left` (why it was not placed; "" when it was).
    """

    class Cause(models.TextChoices):
        DECLINED = "declined", _("部门不参加")
        SILENT = "silent", _("逾期未答复")
        MOVED = "moved", _("改期")
        CANCELLED = "cancelled", _("取消检查")
        ABSENT = "absent", _("未到场")
        REARRANGED = "rearranged", _("为其他任务让出日期")
        EXTENDED = "extended", _("延长答复期限")

    visit = models.ForeignKey("inspections.Visit", models.PROTECT, related_name="replans")
    cause = models.CharField(_("起因"), max_length=60, choices=Cause)
    reason = models.CharField(_("理由"), max_length=300, blank=True)
    department = models.ForeignKey("orgs.Organisation", models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(_("时间"))
    moves = models.JSONField(default=list)

    class Meta:
        verbose_name = _("重新统筹")

    def __str__(self) -> str:
        return f"{self.visit_id} {self.cause}"
