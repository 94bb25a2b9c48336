from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from xiezhi.domains.inspections.models.catalogue import ItemVersion
from xiezhi.domains.inspections.models.plans import PlanRow
from xiezhi.domains.inspections.permissions import InspectionPermission
from xiezhi.domains.inspections.workflow import CheckStatus
from xiezhi.domains.registry.models import Premises
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.orgs.models import Organisation


class CheckQuerySet(models.QuerySet["Check"]):
    def visible_to(self, actor: Actor) -> Self:
        """District-wide posts see every check, department posts their own department's."""
        if not actor.can(InspectionPermission.VIEW):
            return self.none()
        return self if actor.district_wide else self.filter(department_id=actor.department_id)

    def open(self) -> Self:
        """Checks that still have to be done."""
        return self.filter(
            status__in=[
                CheckStatus.OFF_SITE_FIRST,
                CheckStatus.WAITING,
                CheckStatus.SUGGESTED,
                CheckStatus.SCHEDULED,
            ]
        )


class Check(models.Model):
    """检查任务: one item due at one premises, on a day between `earliest` and `latest` (inclusive).

    `case_kind`/`case_id` say which complaint, scale or shortfall raised a 个案 check (typed reference, no foreign key between domains).
    `hold_reason` names the rule that keeps a waiting check out of rounds (R04, R10, R11); empty when nothing does.
    """

    number = models.CharField(_("任务编号"), max_length=24, unique=True)
    premises = models.ForeignKey(Premises, models.PROTECT, related_name="checks", verbose_name=_("场所"))
    department = models.ForeignKey(Organisation, models.PROTECT, related_name="checks", verbose_name=_("部门"))
    item_version = models.ForeignKey(ItemVersion, models.PROTECT, related_name="checks", verbose_name=_("检查事项"))
    source = models.CharField(_("检查类型"), max_length=10, choices=PlanRow.Source)
    earliest = models.DateField(_("最早日期"))
    latest = models.DateField(_("最晚日期"))
    minutes = models.PositiveSmallIntegerField(_("时长（分钟）"))
    safety = models.BooleanField(_("涉及安全"))
    urgent = models.BooleanField(_("紧急"), default=False)
    superior_ordered = models.BooleanField(_("上级部署"), default=False)
    plan_row = models.ForeignKey(PlanRow, models.PROTECT, null=True, blank=True, related_name="checks")
    case_kind = models.CharField(max_length=40, blank=True)
    case_id = models.CharField(max_length=60, blank=True)
    case_note = models.CharField(_("个案说明"), max_length=200, blank=True)
    on_site_reason = models.CharField(_("到现场的理由"), max_length=200, blank=True)
    status = models.CharField(_("状态"), max_length=16, choices=CheckStatus, default=CheckStatus.WAITING)
    hold_reason = models.CharField(_("暂缓依据"), max_length=40, blank=True)
    closing_reason = models.CharField(_("办结说明"), max_length=300, blank=True)
    visit = models.ForeignKey(
        "inspections.Visit", models.PROTECT, null=True, blank=True, related_name="checks", verbose_name=_("联合检查")
    )
    created_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)

    objects = CheckQuerySet.as_manager()

    class Meta:
        verbose_name = _("检查任务")
        constraints = [
            models.CheckConstraint(condition=Q(latest__gte=F("earliest")), name="check_dates_in_order"),
            models.CheckConstraint(
                condition=Q(status__in=["suggested", "scheduled", "done"], visit__isnull=False)
                | Q(status__in=["off_site_first", "waiting", "done_off_site", "cancelled"], visit__isnull=True),
                name="check_has_a_visit_when_planned",
            ),
            models.UniqueConstraint(
                fields=["case_kind", "case_id", "item_version", "premises"],
                condition=~Q(case_kind=""),
                name="case_check_once",
            ),
            models.UniqueConstraint(
                fields=["plan_row", "premises"], condition=Q(plan_row__isnull=False), name="plan_row_check_once"
            ),
        ]
        indexes = [
            models.Index(fields=["status", "earliest", "latest"], name="checks_to_plan"),
            models.Index(fields=["department", "status"], name="checks_by_department"),
        ]

    def __str__(self) -> str:
        return self.number
