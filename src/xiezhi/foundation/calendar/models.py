from django.db import models
from django.utils.translation import gettext_lazy as _


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
