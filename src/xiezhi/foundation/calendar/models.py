from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from xiezhi.foundation.access.actors import Actor


class CalendarYear(models.Model):
    """年度: a year whose holiday notice is known. `document_number` is empty where it could not be established."""

    year = models.PositiveSmallIntegerField(_("年份"), primary_key=True)
    notice = models.CharField(_("通知"), max_length=120)
    document_number = models.CharField(_("文号"), max_length=40, blank=True)
    issued_on = models.DateField(_("发布日期"), null=True, blank=True)

    class Meta:
        verbose_name = _("年度")

    def __str__(self) -> str:
        return f"《{self.notice}》{self.document_number}"


class SpecialDay(models.Model):
    """特殊日: a day that differs from Monday to Friday."""

    class Kind(models.TextChoices):
        HOLIDAY = "holiday", _("放假")
        MAKEUP = "makeup", _("调休上班")

    year = models.ForeignKey(CalendarYear, models.CASCADE, related_name="days", verbose_name=_("年度"))
    day = models.DateField(_("日期"), unique=True)
    kind = models.CharField(_("类别"), max_length=10, choices=Kind)
    name = models.CharField(_("名称"), max_length=40)

    class Meta:
        verbose_name = _("特殊日")

    def __str__(self) -> str:
        return f"{self.day} {self.name}"


class CalendarVersionQuerySet(models.QuerySet["CalendarVersion"]):
    def visible_to(self, actor: Actor) -> Self:
        """Everybody who acts may see which days are worked; nobody else does."""
        return self if actor.role else self.none()


class CalendarVersion(models.Model):
    """放假安排的版本: a year's days as one notice gave them. The last one of a year is what counts; earlier ones stay for reading.

    `days`: [[ISO date, kind, name], …]. `recorded_at` and `recorded_by_id` are empty for what came with the software.
    """

    year = models.PositiveSmallIntegerField(_("年份"))
    number = models.PositiveSmallIntegerField(_("版本"))
    notice = models.CharField(_("通知"), max_length=120)
    document_number = models.CharField(_("文号"), max_length=40, blank=True)
    issued_on = models.DateField(_("发布日期"), null=True, blank=True)
    days = models.JSONField(default=list)
    reason = models.CharField(_("更正原因"), max_length=200, blank=True)
    recorded_at = models.DateTimeField(_("录入时间"), null=True)
    recorded_by_id = models.BigIntegerField(null=True)

    objects = CalendarVersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("放假安排")
        constraints = [models.UniqueConstraint(fields=["year", "number"], name="calendar_version_once")]

    def __str__(self) -> str:
        return f"{self.year} · {self.number}"


class DeadlineChange(models.Model):
    """期限重算: a stored deadline that a notice moved. The old value stays here for good; `name` is what people call the object."""

    version = models.ForeignKey(CalendarVersion, models.PROTECT, related_name="changes", verbose_name=_("放假安排"))
    object_kind = models.CharField(max_length=60)
    object_id = models.CharField(max_length=40)
    name = models.CharField(_("名称"), max_length=80)
    before = models.DateTimeField(_("原期限"))
    after = models.DateTimeField(_("新期限"))
    reason = models.CharField(_("原因"), max_length=200)
    at = models.DateTimeField(_("重算时间"))

    class Meta:
        verbose_name = _("期限重算")
        indexes = [models.Index(fields=["object_kind", "object_id", "at"], name="deadline_change_by_object")]

    def __str__(self) -> str:
        return f"{self.name} {self.before:%Y-%m-%d} → {self.after:%Y-%m-%d}"
