"""What the figures are counted from: one narrow row for each case that counts, kept beside it, and months as they were published."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from xiezhi.domains.complaints.models.cases import Case, Category
from xiezhi.domains.complaints.permissions import ComplaintPermission
from xiezhi.domains.complaints.words import CallbackOutcome, CallbackSource, Channel, Kind, Outcome, Satisfaction
from xiezhi.domains.registry.models import Subject
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.rules.models import RuleVersion


class Kept(models.IntegerChoices):
    """How a case stands with one kind of period: the worst of its clocks of that kind that were not dropped."""

    NONE = 0, _("没有这项期限")
    RUNNING = 1, _("未到期")
    KEPT = 2, _("按时")
    BREACHED = 3, _("超期")


class Stage(models.TextChoices):
    OPEN = "open", _("未答复")
    REPLIED = "replied", _("已答复")
    CLOSED = "closed", _("已办结")


def _clock(title: object) -> models.PositiveSmallIntegerField:  # type: ignore[type-arg]
    return models.PositiveSmallIntegerField(title, choices=Kept, default=Kept.NONE)  # type: ignore[arg-type]


class TallyQuerySet(models.QuerySet["Tally"]):
    def visible_to(self, actor: Actor) -> Self:
        """What a post's figures are of: the district's; a department's with its stations; a station's own; a mall's, without reports."""
        if actor.can(ComplaintPermission.VIEW_FIGURES):
            if actor.district_wide:
                return self
            if actor.organisation_id is None:
                return self.none()
            if actor.organisation_id == actor.department_id:
                return self.filter(department_id=actor.department_id)
            return self.filter(unit_id=actor.organisation_id)
        if actor.can(ComplaintPermission.ANSWER) and actor.organisation_id:
            return self.filter(mall_id=actor.organisation_id).exclude(kind=Kind.REPORT)
        return self.none()


class Tally(models.Model):
    """计数行: what one registered case adds to the figures. Leads, dismissed and merged cases have none. Derived, never edited.

    A row per case and not sums per day: sums by unit × category × street × mall × channel × day are nearly as many as the cases, cannot
    give a median, and cannot lead from a number to its list. One narrow row (some 120 bytes, a tenth of a case) can do all three, and the list
    behind a number is read by the very condition that counted it. Whoever changes a case leaves a `TallyMark` in the same transaction;
    the ticker counts marked cases anew within seconds, so that no service waits for figures and none is forgotten.

    `call_due_at`: from when it waits for a callback; `close_due_at`: from when it may close without one.
    """

    case = models.OneToOneField(Case, models.CASCADE, primary_key=True, related_name="tally")
    received_on = models.DateField(_("收到日期"))
    kind = models.CharField(_("类型"), max_length=12, choices=Kind)
    channel = models.CharField(_("渠道"), max_length=12, choices=Channel)
    category = models.ForeignKey(Category, models.PROTECT, null=True, related_name="+", db_index=False)
    unit = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="+", db_index=False)
    department = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="+", db_index=False)
    street = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="+", db_index=False)
    mall = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="+", db_index=False)
    subject = models.ForeignKey(Subject, models.PROTECT, null=True, related_name="+", db_index=False)
    stage = models.CharField(_("进度"), max_length=8, choices=Stage)
    outcome = models.CharField(_("结果"), max_length=10, choices=Outcome, blank=True)
    handling_hours = models.PositiveIntegerField(_("办理小时"), null=True)
    clock_tier = _clock(_("12345 办理"))
    clock_decide = _clock(_("决定是否受理并告知"))
    clock_mediate = _clock(_("调解"))
    clock_tell_end = _clock(_("告知终止调解"))
    clock_clue = _clock(_("核查违法线索"))
    clock_report = _clock(_("核查举报"))
    clock_jurisdiction = _clock(_("协商管辖"))
    clock_mall = _clock(_("商场回应"))
    callback = models.CharField(_("回访结果"), max_length=10, choices=CallbackOutcome, blank=True)
    satisfaction = models.CharField(_("满意情况"), max_length=12, choices=Satisfaction, blank=True)
    source = models.CharField(_("回访来源"), max_length=8, choices=CallbackSource, blank=True)
    excluded = models.BooleanField(_("已批准剔除"), default=False)
    deferred_until = models.DateField(_("挂账至"), null=True)
    call_due_at = models.DateTimeField(null=True)
    close_due_at = models.DateTimeField(null=True)

    objects = TallyQuerySet.as_manager()

    class Meta:
        verbose_name = _("计数行")
        indexes = [
            models.Index(fields=["received_on"], name="tallies_by_day"),
            models.Index(fields=["unit", "received_on"], name="tallies_of_unit"),
            models.Index(fields=["mall", "received_on"], name="tallies_at_mall", condition=Q(mall__isnull=False)),
            models.Index(fields=["subject", "received_on"], name="tallies_about_subject", condition=Q(subject__isnull=False)),
            models.Index(fields=["call_due_at"], name="tallies_to_call", condition=Q(call_due_at__isnull=False)),
            models.Index(fields=["close_due_at"], name="tallies_to_close", condition=Q(close_due_at__isnull=False)),
        ]  # fmt: skip

    def __str__(self) -> str:
        return str(self.case_id)


class TallyMark(models.Model):
    """待重算: a case changed. Several marks of one case are one recount; a mark goes when what it saw was counted."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return str(self.case_id)


class Publication(models.Model):
    """公示: one month's public statistics, protected and then frozen. Never made again: a second edition of the same month would let
    readers subtract the first one from it.

    `tables`: name → {rows, columns, cells, hidden} as `engines.disclosure` gave them; hidden cells are not stored.
    """

    month = models.DateField(_("月份"), unique=True)
    made_at = models.DateTimeField(_("公布时间"))
    rule_version = models.ForeignKey(RuleVersion, models.PROTECT, related_name="+")
    tables = models.JSONField()

    class Meta:
        verbose_name = _("诉求统计公示")

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"
