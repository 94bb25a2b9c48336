from datetime import date
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.rules.registry import Confidence


class RuleVersionQuerySet(models.QuerySet["RuleVersion"]):
    def visible_to(self, actor: Actor) -> Self:
        """Everybody who acts may see what decisions rest on; nobody else does."""
        return self if actor.role else self.none()


class RuleVersion(models.Model):
    """版本: a rule's value for a period, with its source. Never altered once in force, except that a following version ends it.

    `value` is the stored form of the rule's kind (`values`). `effective_to` is the last day, empty while open.
    """

    class Origin(models.TextChoices):
        RELEASE = "release", _("随软件提供")
        LOCAL = "local", pgettext_lazy("rule version", "本地修改")

    class Period(models.TextChoices):
        """Where a version stands on a day."""

        IN_FORCE = "in_force", pgettext_lazy("rule version", "在用")
        TO_COME = "to_come", _("未生效")
        ENDED = "ended", pgettext_lazy("rule version", "已结束")

    key = models.CharField(_("规则"), max_length=80)
    value = models.JSONField(_("取值"))
    effective_from = models.DateField(_("生效日期"))
    effective_to = models.DateField(_("失效日期"), null=True, blank=True)
    instrument = models.CharField(_("依据文件"), max_length=200, blank=True)
    article = models.CharField(_("条款"), max_length=80, blank=True)
    body = models.CharField(_("发布机关"), max_length=80, blank=True)
    jurisdiction = models.CharField(_("适用地域"), max_length=40, blank=True)
    confidence = models.CharField(_("核实情况"), max_length=20, choices=Confidence)
    note = models.CharField(_("说明"), max_length=600, blank=True)
    origin = models.CharField(_("来源"), max_length=10, choices=Origin)
    recorded_at = models.DateTimeField(_("登记时间"))

    objects = RuleVersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("规则版本")
        constraints = [
            models.UniqueConstraint(fields=["key", "effective_from"], name="rule_version_once_a_day"),
            models.CheckConstraint(
                condition=Q(effective_to=None) | Q(effective_to__gte=F("effective_from")),
                name="rule_version_dates_in_order",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.effective_from}"

    def period(self, on: date) -> Period:
        """Whether the version is in force on `on`, to come or over."""
        if self.effective_from > on:
            return self.Period.TO_COME
        return self.Period.ENDED if self.effective_to and self.effective_to < on else self.Period.IN_FORCE


class Verification(models.Model):
    """核实安排: who is to find the source of a working default, and by when. One per rule; it ends when the rule is confirmed."""

    key = models.CharField(_("规则"), max_length=80, unique=True)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+", verbose_name=_("由谁核实"))
    due_on = models.DateField(_("何时前核实"))
    note = models.CharField(_("线索"), max_length=200, blank=True)
    assigned_at = models.DateTimeField(_("安排时间"))

    class Meta:
        verbose_name = _("核实安排")

    def __str__(self) -> str:
        return f"{self.key} · {self.organisation}"
