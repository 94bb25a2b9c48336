from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from xiezhi.domains.inspections.models.checks import Check
from xiezhi.domains.inspections.models.rounds import Round
from xiezhi.domains.inspections.permissions import InspectionPermission
from xiezhi.domains.inspections.workflow import Answer, VisitStatus
from xiezhi.domains.registry.models import Premises, Subject
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.orgs.models import Officer, Organisation


class VisitQuerySet(models.QuerySet["Visit"]):
    def visible_to(self, actor: Actor) -> Self:
        """District-wide posts see every visit; department posts those their department has a part in, once they were sent out."""
        if not actor.can(InspectionPermission.VIEW):
            return self.none()
        if actor.district_wide:
            return self
        return self.filter(
            pk__in=Participation.objects.filter(department_id=actor.department_id).values("visit_id")
        ).exclude(status=VisitStatus.SUGGESTED)

    def alive(self) -> Self:
        """Visits that hold capacity: everything but cancelled ones."""
        return self.exclude(status=VisitStatus.CANCELLED)


class Visit(models.Model):
    """联合检查: one premises, one date. `why` keeps the engine's reasons for the suggestion; `revision` counts changes of date."""

    number = models.CharField(_("编号"), max_length=24, unique=True)
    round = models.ForeignKey(Round, models.PROTECT, null=True, blank=True, related_name="visits")
    premises = models.ForeignKey(Premises, models.PROTECT, related_name="visits", verbose_name=_("场所"))
    on = models.DateField(_("日期"))
    lead = models.ForeignKey(Organisation, models.PROTECT, related_name="+", verbose_name=_("牵头部门"))
    on_site_minutes = models.PositiveSmallIntegerField(_("预计在场分钟"))
    status = models.CharField(_("状态"), max_length=12, choices=VisitStatus, default=VisitStatus.SUGGESTED)
    revision = models.PositiveSmallIntegerField(default=1)
    why = models.JSONField(default=dict)
    answer_by = models.DateTimeField(_("答复期限"), null=True)
    offered_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(_("到场时间"), null=True)
    ended_at = models.DateTimeField(_("离场时间"), null=True)
    recorded_at = models.DateTimeField(null=True)
    cancel_reason = models.CharField(max_length=300, blank=True)

    objects = VisitQuerySet.as_manager()

    class Meta:
        verbose_name = _("联合检查")
        indexes = [
            models.Index(fields=["on", "status"], name="visits_by_day"),
            models.Index(fields=["status", "answer_by"], name="visits_by_deadline"),
        ]

    def __str__(self) -> str:
        return self.number


class ParticipationQuerySet(models.QuerySet["Participation"]):
    def visible_to(self, actor: Actor) -> Self:
        """A department's own participations; district-wide posts see all."""
        if not actor.can(InspectionPermission.VIEW):
            return self.none()
        return self if actor.district_wide else self.filter(department_id=actor.department_id)


class DeclineReason(models.TextChoices):
    BUSY = "busy", _("人员另有任务")
    ALREADY_DONE = "already_done", _("本周期已检查")
    OFF_SITE = "off_site", _("改为非现场")
    NOT_JOINT = "not_joint", _("不宜联合")
    OTHER = "other", _("其他")


class Participation(models.Model):
    """部门参加: one department's part in one visit and its answer. `proposed_from` is the date it asked to leave (提议改期).

    `asked_at`: when it was last asked; `reminded_at`, `escalated_at` (to its heads) and `raised_at` (to the coordinators) belong to that
    asking. `arrived_at` is empty for a department that did not come (未到场).
    """

    visit = models.ForeignKey(Visit, models.PROTECT, related_name="participations")
    department = models.ForeignKey(Organisation, models.PROTECT, related_name="participations", verbose_name=_("部门"))
    minutes = models.PositiveSmallIntegerField(_("时长（分钟）"))
    answer = models.CharField(_("答复"), max_length=10, choices=Answer, default=Answer.PENDING)
    decline_reason = models.CharField(_("不参加的原因"), max_length=12, choices=DeclineReason, blank=True)
    reason = models.CharField(_("理由"), max_length=300, blank=True)
    proposed_from = models.DateField(null=True, blank=True)
    asked_at = models.DateTimeField(_("征询时间"), null=True)
    answered_at = models.DateTimeField(_("答复时间"), null=True)
    reminded_at = models.DateTimeField(null=True)
    escalated_at = models.DateTimeField(null=True)
    raised_at = models.DateTimeField(null=True)
    arrived_at = models.DateTimeField(_("到场时间"), null=True)

    objects = ParticipationQuerySet.as_manager()

    class Meta:
        verbose_name = _("部门参加")
        constraints = [models.UniqueConstraint(fields=["visit", "department"], name="participation_once")]

    def __str__(self) -> str:
        return f"{self.visit_id} · {self.department}"


class Recusal(models.Model):
    """回避: an officer who may not inspect a subject, and why."""

    officer = models.ForeignKey(Officer, models.CASCADE, related_name="recusals")
    subject = models.ForeignKey(Subject, models.CASCADE, related_name="+")
    reason = models.CharField(_("回避事由"), max_length=100)

    class Meta:
        verbose_name = _("回避")
        constraints = [models.UniqueConstraint(fields=["officer", "subject"], name="recusal_once")]

    def __str__(self) -> str:
        return f"{self.officer_id} × {self.subject_id}"


class Attendance(models.Model):
    """到场人员: an officer present for a department, with the certificate number as it was on the day."""

    participation = models.ForeignKey(Participation, models.PROTECT, related_name="attendances")
    officer = models.ForeignKey(Officer, models.PROTECT, related_name="attendances")
    certificate_number = models.CharField(_("执法证号"), max_length=30)

    class Meta:
        verbose_name = _("到场人员")
        constraints = [models.UniqueConstraint(fields=["participation", "officer"], name="attendance_once")]

    def __str__(self) -> str:
        return f"{self.participation_id} · {self.officer_id}"


class ResultCode(models.Model):
    """检查结果代码, a table with source and version. `problem`: the code says that something was found."""

    code = models.CharField(_("代码"), max_length=4)
    text = models.CharField(_("结果"), max_length=80)
    problem = models.BooleanField(_("发现问题"))
    exclusive = models.BooleanField(_("不能与其他结果并选"), default=False)
    source = models.CharField(_("来源"), max_length=120)
    version = models.CharField(_("版本"), max_length=20)
    is_active = models.BooleanField(default=True)

    class Meta:
        verbose_name = _("检查结果代码")
        constraints = [models.UniqueConstraint(fields=["code", "version"], name="result_code_once")]

    def __str__(self) -> str:
        return self.text


class Result(models.Model):
    """检查结果 of one check: belongs to visit, department and item, never just to the visit (R09).

    `raw_codes` as chosen; `problem_found` normalised from them; `answers` per form line position: ok, problem or not_applicable.
    """

    check_task = models.OneToOneField(Check, models.PROTECT, related_name="result")
    visit = models.ForeignKey(Visit, models.PROTECT, related_name="results")
    department = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    raw_codes = models.JSONField()
    code_version = models.CharField(max_length=20)
    problem_found = models.BooleanField()
    answers = models.JSONField(default=dict)
    finding = models.TextField(_("发现的问题"), blank=True)
    order = models.TextField(_("处理意见"), blank=True)
    rectify_by = models.DateField(_("整改期限"), null=True, blank=True)
    recorded_at = models.DateTimeField()
    recorded_by_officer = models.ForeignKey(Officer, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("检查结果")
        constraints = [
            models.CheckConstraint(condition=Q(problem_found=False) | ~Q(finding=""), name="a_problem_is_described")
        ]

    def __str__(self) -> str:
        return f"{self.check_task_id}"


class ResultDraft(models.Model):
    """结果草稿: what an officer has filled in so far for one check, kept until the result is recorded. Nobody else's business."""

    check_task = models.OneToOneField(Check, models.CASCADE, related_name="result_draft")
    content = models.JSONField(default=dict)
    saved_at = models.DateTimeField()

    class Meta:
        verbose_name = _("结果草稿")

    def __str__(self) -> str:
        return f"{self.check_task_id}"
