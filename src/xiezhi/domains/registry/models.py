from typing import Self

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from xiezhi.domains.registry.permissions import RegistryPermission
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.orgs.models import Organisation

WEEKDAYS = {
    "1": _("周一"),
    "2": _("周二"),
    "3": _("周三"),
    "4": _("周四"),
    "5": _("周五"),
    "6": _("周六"),
    "7": _("周日"),
}


def in_words(weekdays: str) -> str:
    """Weekdays in words: 周六、周日 for `67`; 无 for none."""
    return gettext("、").join(str(WEEKDAYS[day]) for day in weekdays) or gettext("无")


weekdays_validator = RegexValidator(r"^(?!.*(.).*\1)[1-7]*$", _("写 1 至 7 的数字，不重复；1 为周一，如 67。"))


class Scene(models.Model):
    """场景: a label that a plan can select by and a pilot can be told apart by."""

    code = models.CharField(_("代码"), max_length=30, unique=True)
    name = models.CharField(_("名称"), max_length=30, unique=True)
    undisturbed = models.BooleanField(
        _("无事不扰"), default=False, help_text=_("名单内主体不安排主动检查，法定例外除外（R11）。")
    )

    class Meta:
        verbose_name = _("场景")

    def __str__(self) -> str:
        return self.name


class SubjectQuerySet(models.QuerySet["Subject"]):
    def visible_to(self, actor: Actor) -> Self:
        """Everyone whose post works with subjects sees all of the district's; nobody else sees any."""
        return self if actor.can(RegistryPermission.VIEW) else self.none()


class Subject(models.Model):
    """经营主体, known by its 统一社会信用代码."""

    class Kind(models.TextChoices):
        COMPANY = "company", _("企业")
        INDIVIDUAL = "individual", _("个体工商户")
        COOPERATIVE = "cooperative", _("农民专业合作社")
        OTHER = "other", _("其他组织")

    class Status(models.TextChoices):
        ACTIVE = "active", _("存续")
        SUSPENDED = "suspended", _("歇业")
        DEREGISTERED = "deregistered", _("注销")
        REVOKED = "revoked", _("吊销")
        MOVED_OUT = "moved_out", _("迁出")

    class CreditClass(models.TextChoices):
        A = "A", _("A（低风险）")
        B = "B", _("B（一般）")
        C = "C", _("C（较高）")
        D = "D", _("D（高风险）")

    class RiskClass(models.TextChoices):
        LOW = "low", _("低")
        FAIR = "fair", _("一般")
        HIGHER = "higher", _("较高")
        HIGH = "high", _("高")

    code = models.CharField(_("统一社会信用代码"), max_length=18, unique=True)
    name = models.CharField(_("名称"), max_length=120, db_index=True)
    normal_name = models.CharField(max_length=120, db_index=True, editable=False)
    kind = models.CharField(_("主体类型"), max_length=12, choices=Kind, default=Kind.COMPANY)
    industry = models.CharField(_("行业代码"), max_length=6, blank=True, help_text=_("GB/T 4754，如 H6210。"))
    credit_class = models.CharField(_("信用等级"), max_length=1, choices=CreditClass, blank=True)
    risk_class = models.CharField(_("风险等级"), max_length=8, choices=RiskClass, blank=True)
    status = models.CharField(_("状态"), max_length=12, choices=Status, default=Status.ACTIVE)
    joint_opt_out = models.BooleanField(_("不参加联合检查"), default=False)
    scenes = models.ManyToManyField(Scene, blank=True, related_name="subjects", verbose_name=_("场景"))
    updated_at = models.DateTimeField(_("更新时间"))

    objects = SubjectQuerySet.as_manager()

    class Meta:
        verbose_name = _("经营主体")
        indexes = [models.Index(fields=["industry"], name="subject_by_industry")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_open(self) -> bool:
        """Whether there is still someone to inspect."""
        return self.status in {self.Status.ACTIVE, self.Status.SUSPENDED}


class PremisesQuerySet(models.QuerySet["Premises"]):
    def visible_to(self, actor: Actor) -> Self:
        """As for subjects."""
        return self if actor.can(RegistryPermission.VIEW) else self.none()


class Premises(models.Model):
    """场所: a door. Planning, visits and travel are about premises, records about the subject behind it."""

    subject = models.ForeignKey(Subject, models.PROTECT, related_name="premises", verbose_name=_("经营主体"))
    number = models.CharField(_("场所编号"), max_length=20, default="1")
    name = models.CharField(_("场所名称"), max_length=120, blank=True)
    address = models.CharField(_("地址"), max_length=200)
    street = models.ForeignKey(Organisation, models.PROTECT, related_name="premises", verbose_name=_("街道"))
    longitude = models.DecimalField(_("经度"), max_digits=9, decimal_places=6, null=True, blank=True)
    latitude = models.DecimalField(_("纬度"), max_digits=8, decimal_places=6, null=True, blank=True)
    closed_weekdays = models.CharField(_("每周休息日"), max_length=7, blank=True, validators=[weekdays_validator])
    is_open = models.BooleanField(_("在营"), default=True)

    objects = PremisesQuerySet.as_manager()

    class Meta:
        verbose_name = _("场所")
        constraints = [models.UniqueConstraint(fields=["subject", "number"], name="premises_number_once")]
        indexes = [models.Index(fields=["street", "is_open"], name="premises_by_street")]

    def __str__(self) -> str:
        return self.name or self.address

    @property
    def closed_days(self) -> str:
        """The closing days in words: 周六、周日; 无 without any."""
        return in_words(self.closed_weekdays)


class TimelineEntry(models.Model):
    """One line of a subject's timeline. `kind` is namespaced; (`object_kind`, `object_id`) leads to what it is about."""

    subject = models.ForeignKey(Subject, models.PROTECT, related_name="timeline")
    premises = models.ForeignKey(Premises, models.PROTECT, null=True, blank=True, related_name="+")
    at = models.DateTimeField(_("时间"))
    kind = models.CharField(max_length=60)
    title = models.CharField(_("事项"), max_length=200)
    object_kind = models.CharField(max_length=60, blank=True)
    object_id = models.CharField(max_length=40, blank=True)

    class Meta:
        verbose_name = _("时间线")
        indexes = [models.Index(fields=["subject", "-at"], name="timeline_newest_first")]

    def __str__(self) -> str:
        return self.title


class PendingMatchQuerySet(models.QuerySet["PendingMatch"]):
    def visible_to(self, actor: Actor) -> Self:
        """Those who may confirm see their own organisation's; district-wide posts see all."""
        if not actor.can(RegistryPermission.MATCH):
            return self.none()
        return self if actor.district_wide else self.filter(organisation_id=actor.organisation_id)


class PendingMatch(models.Model):
    """待匹配: a row of someone's sheet that named a subject without its code. `payload` is the rest of the row, for who sent it."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("待确认")
        MATCHED = "matched", _("已匹配")
        DISMISSED = "dismissed", _("不匹配")

    origin = models.CharField(max_length=60)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    batch_id = models.BigIntegerField(null=True)
    row_number = models.PositiveIntegerField(default=0)
    name = models.CharField(_("名称"), max_length=120)
    normal_name = models.CharField(max_length=120)
    street_text = models.CharField(_("街道"), max_length=60, blank=True)
    address = models.CharField(_("地址"), max_length=200, blank=True)
    payload = models.JSONField(default=dict)
    status = models.CharField(_("状态"), max_length=10, choices=Status, default=Status.WAITING)
    subject = models.ForeignKey(Subject, models.PROTECT, null=True, blank=True, related_name="+")
    premises = models.ForeignKey(Premises, models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.CharField(_("理由"), max_length=200, blank=True)
    created_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)

    objects = PendingMatchQuerySet.as_manager()

    class Meta:
        verbose_name = _("待匹配名称")
        indexes = [
            models.Index(fields=["status", "organisation"], name="matches_waiting"),
            models.Index(fields=["normal_name", "origin"], name="matches_by_name"),
        ]

    def __str__(self) -> str:
        return self.name


class TenancyQuerySet(models.QuerySet["Tenancy"]):
    def visible_to(self, actor: Actor) -> Self:
        """Whoever works with subjects sees all; a mall's operator its own tenants."""
        if actor.can(RegistryPermission.VIEW):
            return self
        return self.filter(mall_id=actor.organisation_id) if actor.organisation_id else self.none()


class Tenancy(models.Model):
    """租约: a subject rents a unit of a mall. `mall` is the body that operates it; `takes_prepayment`: it sells prepaid cards there."""

    mall = models.ForeignKey(Organisation, models.PROTECT, related_name="tenancies", verbose_name=_("商场"))
    subject = models.ForeignKey(Subject, models.PROTECT, related_name="tenancies", verbose_name=_("经营主体"))
    unit = models.CharField(_("铺位"), max_length=40)
    starts_on = models.DateField(_("租期起"))
    ends_on = models.DateField(_("租期止"), null=True, blank=True)
    takes_prepayment = models.BooleanField(_("收取预付款"), default=False)

    objects = TenancyQuerySet.as_manager()

    class Meta:
        verbose_name = _("商场租约")
        constraints = [
            models.UniqueConstraint(fields=["mall", "unit", "starts_on"], name="tenancy_once"),
            models.CheckConstraint(
                condition=models.Q(ends_on=None) | models.Q(ends_on__gte=models.F("starts_on")),
                name="tenancy_dates_in_order",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.mall} {self.unit}"
