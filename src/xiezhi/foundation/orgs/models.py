from datetime import date
from typing import Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from xiezhi.foundation.access.actors import Actor


class Organisation(models.Model):
    """机构. `parent`: a department's district, a station's (所) department, a street's district. `street`: where a station works.

    An enterprise is a body outside government whose people work here: a merchant, a mall's operator, a bank."""

    class Kind(models.TextChoices):
        DISTRICT = "district", _("区")
        DEPARTMENT = "department", _("部门")
        STREET = "street", _("街道")
        STATION = "station", _("所")
        ENTERPRISE = "enterprise", _("企业")

    kind = models.CharField(_("类别"), max_length=12, choices=Kind)
    code = models.CharField(_("代码"), max_length=20, unique=True)
    name = models.CharField(_("名称"), max_length=80, unique=True)
    short_name = models.CharField(_("简称"), max_length=20)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("上级")
    )
    street = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="stations", verbose_name=_("所在街道")
    )
    qualified = models.BooleanField(
        _("具有行政检查主体资格"), default=False, help_text=_("没有资格的机构不能实施行政检查（R01）。")
    )

    class Meta:
        verbose_name = _("机构")

    def __str__(self) -> str:
        return self.short_name or self.name

    @property
    def department_id(self) -> int | None:
        """The department that this organisation is, or belongs to; None for the district and for streets."""
        if self.kind == self.Kind.DEPARTMENT:
            return self.pk
        return self.parent_id if self.kind == self.Kind.STATION else None


class OfficerQuerySet(models.QuerySet["Officer"]):
    def visible_to(self, actor: Actor) -> Self:
        """District-wide posts see all officers; others see their own department's."""
        if actor.district_wide:
            return self
        return self.filter(department_id=actor.department_id) if actor.department_id else self.none()

    def certified_on(self, day: date) -> Self:
        """Officers in service whose certificate is valid on `day` (both ends inclusive)."""
        return self.filter(is_active=True, certificate_from__lte=day, certificate_to__gte=day)


class Officer(models.Model):
    """执法人员: a person with an enforcement certificate (执法证), who may or may not have an account."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="officer"
    )
    name = models.CharField(_("姓名"), max_length=60)
    department = models.ForeignKey(Organisation, models.PROTECT, related_name="officers", verbose_name=_("部门"))
    station = models.ForeignKey(
        Organisation,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="station_officers",
        verbose_name=_("所"),
    )
    certificate_number = models.CharField(_("执法证号"), max_length=30, unique=True)
    certificate_from = models.DateField(_("有效期起"))
    certificate_to = models.DateField(_("有效期止"))
    is_active = models.BooleanField(_("在岗"), default=True)

    objects = OfficerQuerySet.as_manager()

    class Meta:
        verbose_name = _("执法人员")
        constraints = [
            models.CheckConstraint(
                condition=Q(certificate_to__gte=F("certificate_from")), name="certificate_dates_in_order"
            )
        ]

    def __str__(self) -> str:
        return self.name


class PoolQuerySet(models.QuerySet):
    def visible_to(self, actor: Actor) -> Self:
        """District-wide posts see all pools; others see their own department's."""
        if actor.district_wide:
            return self
        return self.filter(department_id=actor.department_id) if actor.department_id else self.none()


class TeamPattern(models.Model):
    """排班: so many teams of a department (in one street, or the whole district when `street` is empty) on these weekdays."""

    department = models.ForeignKey(Organisation, models.PROTECT, related_name="team_patterns", verbose_name=_("部门"))
    street = models.ForeignKey(
        Organisation,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("街道"),
        help_text=_("留空表示全区统一调配。"),
    )
    weekdays = models.CharField(
        _("星期"),
        max_length=7,
        default="12345",
        help_text=_("1 至 7，1 为周一。"),
        validators=[RegexValidator(r"^[1-7]+$", _("请用 1 至 7 表示星期，例如 12345。"))],
    )
    teams = models.PositiveSmallIntegerField(_("队数"), validators=[MinValueValidator(1), MaxValueValidator(200)])
    minutes_per_team = models.PositiveSmallIntegerField(
        _("每队每天分钟"), default=360, validators=[MinValueValidator(30), MaxValueValidator(720)]
    )
    starts_on = models.DateField(_("开始日期"))
    ends_on = models.DateField(_("结束日期"), null=True, blank=True)

    objects = PoolQuerySet.as_manager()

    class Meta:
        verbose_name = _("排班")
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")), name="pattern_dates_in_order"
            )
        ]

    def __str__(self) -> str:
        return f"{self.department} {self.street or _('全区')} {self.teams}"


class Absence(models.Model):
    """缺勤: training, leave or campaigns that take teams out of a pool for some days."""

    department = models.ForeignKey(Organisation, models.PROTECT, related_name="absences", verbose_name=_("部门"))
    street = models.ForeignKey(
        Organisation, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("街道")
    )
    starts_on = models.DateField(_("开始日期"))
    ends_on = models.DateField(_("结束日期"))
    teams = models.PositiveSmallIntegerField(_("减少队数"), validators=[MinValueValidator(1)])
    reason = models.CharField(_("原因"), max_length=100)

    objects = PoolQuerySet.as_manager()

    class Meta:
        verbose_name = _("缺勤")
        constraints = [models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="absence_dates_in_order")]

    def __str__(self) -> str:
        return f"{self.department} {self.starts_on}–{self.ends_on}"
