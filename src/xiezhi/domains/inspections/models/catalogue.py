from datetime import date
from typing import Self

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from xiezhi.domains.inspections.permissions import InspectionPermission
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.orgs.models import Organisation


class CatalogueQuerySet(models.QuerySet["CatalogueItem"]):
    def visible_to(self, actor: Actor) -> Self:
        """The catalogue is published: whoever works with inspections sees all of it."""
        return self if actor.can(InspectionPermission.VIEW) else self.none()


class CatalogueItem(models.Model):
    """检查事项, as it stands in the published list under one code through all its versions."""

    code = models.CharField(_("事项代码"), max_length=30, unique=True)
    department = models.ForeignKey(Organisation, models.PROTECT, related_name="items", verbose_name=_("部门"))

    objects = CatalogueQuerySet.as_manager()

    class Meta:
        verbose_name = _("检查事项")

    def __str__(self) -> str:
        return self.code


class ItemVersionQuerySet(models.QuerySet["ItemVersion"]):
    def in_force(self, day: date) -> Self:
        """The version of each item that is in force on `day`."""
        return self.filter(Q(effective_to=None) | Q(effective_to__gte=day), effective_from__lte=day)


class ItemVersion(models.Model):
    """One published wording of an item. What was checked under a version stays with it."""

    class Category(models.TextChoices):
        GENERAL = "general", _("一般")
        KEY = "key", _("重点")

    class Method(models.TextChoices):
        ON_SITE = "on_site", _("现场检查")
        WRITTEN = "written", _("书面核查")
        ONLINE = "online", _("网络检查")
        REMOTE = "remote", _("非现场监管")

    item = models.ForeignKey(CatalogueItem, models.PROTECT, related_name="versions")
    version = models.PositiveIntegerField(_("版本"))
    name = models.CharField(_("事项名称"), max_length=120)
    category = models.CharField(_("类别"), max_length=10, choices=Category, default=Category.GENERAL)
    field = models.CharField(_("领域"), max_length=60, blank=True)
    subject_kind = models.CharField(_("检查对象"), max_length=120, blank=True)
    assisting = models.CharField(_("配合部门"), max_length=120, blank=True)
    level = models.CharField(_("层级"), max_length=20, blank=True)
    legal_basis = models.TextField(_("依据"))
    content = models.TextField(_("检查内容"), blank=True)
    method = models.CharField(_("检查方式"), max_length=10, choices=Method, default=Method.ON_SITE)
    off_site_possible = models.BooleanField(_("可非现场办理"), default=False)
    minutes = models.PositiveSmallIntegerField(_("时长（分钟）"), validators=[MinValueValidator(1)])
    safety = models.BooleanField(_("涉及安全"), default=False)
    annual_cap = models.PositiveSmallIntegerField(_("年度频次上限"), null=True, blank=True)
    contact = models.CharField(_("联络科室"), max_length=60, blank=True)
    effective_from = models.DateField(_("生效日期"))
    effective_to = models.DateField(_("失效日期"), null=True, blank=True)

    objects = ItemVersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("检查事项版本")
        constraints = [
            models.UniqueConstraint(fields=["item", "version"], name="item_version_once"),
            models.UniqueConstraint(fields=["item"], condition=Q(effective_to=None), name="item_one_open_version"),
            models.CheckConstraint(
                condition=Q(effective_to=None) | Q(effective_to__gte=F("effective_from")), name="item_dates_in_order"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class FormLine(models.Model):
    """检查表单的一行: what is looked at and what counts as in order (检查项, 检查标准)."""

    version = models.ForeignKey(ItemVersion, models.PROTECT, related_name="form_lines")
    position = models.PositiveSmallIntegerField(_("序号"))
    content = models.CharField(_("检查项"), max_length=300)
    standard = models.CharField(_("检查标准"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("检查表单")
        constraints = [models.UniqueConstraint(fields=["version", "position"], name="form_line_once")]

    def __str__(self) -> str:
        return self.content


class IncompatiblePair(models.Model):
    """不宜同场: two items that may never be in one visit. `first` has the smaller id."""

    first = models.ForeignKey(CatalogueItem, models.CASCADE, related_name="+")
    second = models.ForeignKey(CatalogueItem, models.CASCADE, related_name="+")
    reason = models.CharField(_("原因"), max_length=200)

    class Meta:
        verbose_name = _("不宜同场的事项")
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="incompatible_once"),
            models.CheckConstraint(condition=Q(first_id__lt=F("second_id")), name="incompatible_ordered"),
        ]

    def __str__(self) -> str:
        return f"{self.first} × {self.second}"
