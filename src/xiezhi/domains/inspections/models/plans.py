from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from xiezhi.domains.inspections.models.catalogue import CatalogueItem
from xiezhi.domains.inspections.permissions import InspectionPermission
from xiezhi.domains.inspections.workflow import PlanStatus
from xiezhi.domains.registry.models import Premises, Scene
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.orgs.models import Organisation


class PlanQuerySet(models.QuerySet["Plan"]):
    def visible_to(self, actor: Actor) -> Self:
        """District-wide posts see every plan, department posts their own department's."""
        if not actor.can(InspectionPermission.VIEW):
            return self.none()
        return self if actor.district_wide else self.filter(department_id=actor.department_id)


class Plan(models.Model):
    """检查计划 of one department for one period. A special one (专项) needs approval first (R13)."""

    class Kind(models.TextChoices):
        ANNUAL = "annual", _("年度计划")
        SPECIAL = "special", _("专项检查")

    department = models.ForeignKey(Organisation, models.PROTECT, related_name="plans", verbose_name=_("部门"))
    title = models.CharField(_("计划名称"), max_length=120)
    kind = models.CharField(_("计划类别"), max_length=10, choices=Kind, default=Kind.ANNUAL)
    superior_ordered = models.BooleanField(
        _("上级部署"), default=False, help_text=_("上级部署的专项检查不计入频次上限（R04）。")
    )
    starts_on = models.DateField(_("计划期起"))
    ends_on = models.DateField(_("计划期止"))
    approval_number = models.CharField(_("批准文号"), max_length=60, blank=True)
    approved_on = models.DateField(_("批准日期"), null=True, blank=True)
    published_on = models.DateField(_("公布日期"), null=True, blank=True)
    status = models.CharField(_("状态"), max_length=10, choices=PlanStatus, default=PlanStatus.DRAFT)
    created_at = models.DateTimeField()
    filed_at = models.DateTimeField(_("报送时间"), null=True)
    withdrawn_at = models.DateTimeField(null=True)
    withdrawal_reason = models.CharField(max_length=300, blank=True)
    filing_job_id = models.BigIntegerField(null=True)

    objects = PlanQuerySet.as_manager()

    class Meta:
        verbose_name = _("检查计划")
        constraints = [
            models.UniqueConstraint(
                fields=["department", "title", "starts_on"],
                condition=~Q(status=PlanStatus.WITHDRAWN),
                name="plan_title_once",
            ),
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="plan_dates_in_order"),
        ]

    def __str__(self) -> str:
        return self.title


class PlanRow(models.Model):
    """One line of a plan: a named premises, or a frame (scene, industry, street) to draw from.

    A sampling row says how many (`quantity`) or what share (`ratio_per_mille`); with neither, the rates of the credit classes hold (R12).
    """

    class Kind(models.TextChoices):
        NAMED = "named", _("指名")
        SAMPLING = "sampling", _("抽查")

    class Source(models.TextChoices):
        ROUTINE = "routine", _("日常检查")
        RANDOM = "random", _("双随机抽查")
        SPECIAL = "special", _("专项检查")
        CASE = "case", _("个案检查")

    plan = models.ForeignKey(Plan, models.PROTECT, related_name="rows")
    number = models.PositiveIntegerField(_("行号"))
    kind = models.CharField(_("方式"), max_length=10, choices=Kind)
    source = models.CharField(_("检查类型"), max_length=10, choices=Source)
    item = models.ForeignKey(CatalogueItem, models.PROTECT, related_name="+", verbose_name=_("检查事项"))
    earliest = models.DateField(_("最早日期"))
    latest = models.DateField(_("最晚日期"))
    premises = models.ForeignKey(Premises, models.PROTECT, null=True, blank=True, related_name="+")
    scene = models.ForeignKey(Scene, models.PROTECT, null=True, blank=True, related_name="+")
    industry = models.CharField(_("行业代码"), max_length=6, blank=True)
    street = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True, related_name="+")
    ratio_per_mille = models.PositiveSmallIntegerField(_("抽查比例（‰）"), null=True, blank=True)
    quantity = models.PositiveIntegerField(_("抽查数量"), null=True, blank=True)
    frequency = models.CharField(_("频次"), max_length=10, blank=True, help_text=_("=1 或 >=1"))
    on_site_reason = models.CharField(_("到现场的理由"), max_length=200, blank=True)
    section = models.CharField(_("股室"), max_length=60, blank=True)

    class Meta:
        verbose_name = _("计划明细")
        constraints = [
            models.UniqueConstraint(fields=["plan", "number"], name="plan_row_once"),
            models.CheckConstraint(condition=Q(latest__gte=F("earliest")), name="plan_row_dates_in_order"),
            models.CheckConstraint(
                condition=Q(kind="named", premises__isnull=False, ratio_per_mille=None, quantity=None)
                | (Q(kind="sampling", premises__isnull=True) & (Q(ratio_per_mille=None) | Q(quantity=None))),
                name="plan_row_named_or_sampling",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan} · {self.number}"


class Draw(models.Model):
    """抽取记录: enough for anyone to draw the same again (R12), by `engines.sampling`, from this row alone.

    A door is named "统一社会信用代码/场所编号". `frame`: stratum (credit class; "" without classes) → doors; `terms`: stratum → seed and
    how much to draw (`number` or `per_mille`); `excluded`: door → why it could not be drawn; `selected`: doors in the order of drawing.
    """

    row = models.OneToOneField(PlanRow, models.PROTECT, related_name="draw")
    algorithm = models.CharField(_("算法"), max_length=40)
    seed = models.CharField(_("种子"), max_length=64)
    frame_size = models.PositiveIntegerField(_("抽查库数量"))
    frame_digest = models.CharField(_("抽查库摘要"), max_length=64)
    frame = models.JSONField(_("抽查库"), default=dict)
    terms = models.JSONField(_("抽取条件"), default=dict)
    excluded = models.JSONField(_("未参与抽取"), default=dict)
    selected = models.JSONField(_("抽中"), default=list)
    wanted = models.PositiveIntegerField(_("应抽数量"))
    rule_version_ids = models.JSONField(default=list)
    drawn_at = models.DateTimeField(_("抽取时间"))
    drawn_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("抽取记录")

    def __str__(self) -> str:
        return f"{self.row} {self.seed[:8]}"
