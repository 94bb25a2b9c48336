from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from xiezhi.domains.complaints.models.cases import Case
from xiezhi.domains.complaints.words import ClockKind
from xiezhi.foundation.rules.models import RuleVersion


class Clock(models.Model):
    """期限: one period running on one case. It is open until met or dropped.

    `length` as the rule says and `extra` as approved on top, in `unit`. `due_at` is empty while paused. `met_at`: done, perhaps late; `dropped_at`: no longer owed (merged, restarted, handed back). `breached_at`
    is the `due_at` that passed while it was open. `step`: how far the ladder was climbed (0 nobody, 1 officer warned, 2 head, 3 supervision).
    """

    case = models.ForeignKey(Case, models.CASCADE, related_name="clocks")
    kind = models.CharField(_("期限"), max_length=12, choices=ClockKind)
    rule_version = models.ForeignKey(RuleVersion, models.PROTECT, related_name="+")
    length = models.PositiveIntegerField()
    unit = models.CharField(max_length=8)
    extra = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField(_("起算"))
    due_at = models.DateTimeField(_("截止"), null=True)
    provisional = models.BooleanField(_("待放假通知"), default=False)
    met_at = models.DateTimeField(_("完成"), null=True)
    dropped_at = models.DateTimeField(null=True)
    breached_at = models.DateTimeField(_("超期"), null=True)
    step = models.PositiveSmallIntegerField(default=0)
    next_step_at = models.DateTimeField(null=True)
    about = models.CharField(max_length=40, blank=True)
    """What beside the case it is about, as `mall:12`; several of a kind may then run at once."""

    class Meta:
        verbose_name = _("期限")
        constraints = [
            models.UniqueConstraint(
                fields=["case", "kind", "about"],
                condition=Q(met_at=None, dropped_at=None),
                name="one_open_clock_of_a_kind",
            )
        ]
        indexes = [
            models.Index(fields=["next_step_at"], condition=Q(met_at=None, dropped_at=None), name="clocks_to_climb"),
            models.Index(fields=["kind", "met_at"], name="clocks_met"),
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.kind}"

    @property
    def is_open(self) -> bool:
        """Whether it still runs or is paused."""
        return self.met_at is None and self.dropped_at is None

    @property
    def is_late(self) -> bool:
        """Whether it was or is over time."""
        return self.breached_at is not None


class ClockRevision(models.Model):
    """旧值: what a clock said before calendar, rule, pause, restart or extension changed it. Append-only."""

    class Why(models.TextChoices):
        PAUSE = "pause", _("鉴定、检测等期间扣除")
        CALENDAR = "calendar", _("放假通知变化")
        RULE = "rule", _("规则变化")
        RESTART = "restart", _("重新起算")
        EXTENSION = "extension", _("批准延长")
        TIER = "tier", _("时限变更")

    clock = models.ForeignKey(Clock, models.CASCADE, related_name="revisions")
    at = models.DateTimeField()
    why = models.CharField(max_length=10, choices=Why)
    old_due_at = models.DateTimeField(null=True)
    new_due_at = models.DateTimeField(null=True)
    old_rule_version = models.ForeignKey(RuleVersion, models.PROTECT, related_name="+")
    was_provisional = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("期限变化")

    def __str__(self) -> str:
        return f"{self.clock_id} {self.why}"


class Appraisal(models.Model):
    """鉴定检测 (检验、检测、检定、鉴定, art. 22): its time does not count for the mediation."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="appraisals")
    item = models.CharField(_("鉴定检测事项"), max_length=200)
    institution = models.CharField(_("机构"), max_length=120, blank=True)
    designated = models.BooleanField(_("由本局指定机构"), default=False)
    started_at = models.DateTimeField(_("开始"))
    ended_at = models.DateTimeField(_("结束"), null=True)
    result = models.CharField(_("结论"), max_length=1000, blank=True)

    class Meta:
        verbose_name = _("鉴定检测")
        constraints = [
            models.UniqueConstraint(fields=["case"], condition=Q(ended_at=None), name="one_open_appraisal"),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=models.F("started_at")), name="appraisal_in_order"
            ),
        ]

    def __str__(self) -> str:
        return self.item
