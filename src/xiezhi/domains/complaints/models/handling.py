from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from xiezhi.domains.complaints.models.cases import Case
from xiezhi.domains.complaints.permissions import ComplaintPermission
from xiezhi.domains.complaints.words import (
    CallbackOutcome,
    CallbackSource,
    HandoffKind,
    Kind,
    ReturnReason,
    Satisfaction,
)
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.files.models import StoredFile
from xiezhi.foundation.orgs.models import Organisation


class OfCaseQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """What belongs to the cases that the actor sees."""
        return self.filter(case__in=Case.objects.visible_to(actor))


class Attachment(models.Model):
    """附件: a photo or paper of a case. `from_person`: it came with what the person sent."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="attachments")
    file = models.ForeignKey(StoredFile, models.PROTECT, related_name="+")
    title = models.CharField(_("说明"), max_length=120, blank=True)
    from_person = models.BooleanField(default=False)
    added_at = models.DateTimeField()

    objects = OfCaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("附件")

    def __str__(self) -> str:
        return self.title or str(self.file)


class ReturnRequest(models.Model):
    """退单: the unit says why it cannot handle a case, by what basis, and whose it should be; only a dispatcher decides."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="returns")
    unit = models.ForeignKey(Organisation, models.PROTECT, related_name="+", verbose_name=_("退单单位"))
    reason_code = models.CharField(_("退单理由"), max_length=12, choices=ReturnReason)
    basis = models.CharField(_("依据"), max_length=500)
    target = models.ForeignKey(
        Organisation, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("建议承办单位")
    )
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(_("申请时间"))
    allowed = models.BooleanField(_("同意"), null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decision_note = models.CharField(_("审定意见"), max_length=500, blank=True)

    objects = OfCaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("退单")
        constraints = [
            models.UniqueConstraint(fields=["case"], condition=Q(decided_at=None), name="one_return_at_a_time")
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.reason_code}"


class Clue(models.Model):
    """违法线索 found while mediating (art. 27): verified within its own period, longer only with the head's approval."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="clues")
    text = models.CharField(_("线索内容"), max_length=1000)
    found_at = models.DateTimeField(_("发现时间"))
    result = models.CharField(_("核查结果"), max_length=1000, blank=True)
    verified_at = models.DateTimeField(null=True)

    objects = OfCaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("违法线索")

    def __str__(self) -> str:
        return self.text[:40]


class Mediation(models.Model):
    """调解: one sitting. Time, place and mediators are told in advance (art. 20)."""

    class Form(models.TextChoices):
        ON_SITE = "on_site", _("现场调解")
        REMOTE = "remote", _("电话或网络调解")
        ENTRUSTED = "entrusted", _("委托调解")

    class Result(models.TextChoices):
        AGREED = "agreed", _("达成一致")
        NOT_AGREED = "not_agreed", _("未达成一致")
        AGAIN = "again", _("另行约定再次调解")

    case = models.ForeignKey(Case, models.CASCADE, related_name="mediations")
    form = models.CharField(_("方式"), max_length=10, choices=Form, default=Form.ON_SITE)
    held_at = models.DateTimeField(_("时间"))
    place = models.CharField(_("地点"), max_length=200, blank=True)
    mediators = models.CharField(_("调解人员"), max_length=200)
    entrusted_to = models.CharField(_("受委托组织"), max_length=120, blank=True)
    told_at = models.DateTimeField(_("告知双方"), null=True)
    result = models.CharField(_("结果"), max_length=10, choices=Result, blank=True)
    note = models.CharField(_("调解情况"), max_length=2000, blank=True)
    recorded_at = models.DateTimeField(null=True)

    objects = OfCaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("调解")

    def __str__(self) -> str:
        return f"{self.case_id} {self.held_at}"


class Agreement(models.Model):
    """调解协议 (art. 24): the terms; a 调解书 in three copies unless performed at once or both sides waive it."""

    mediation = models.OneToOneField(Mediation, models.CASCADE, related_name="agreement")
    terms = models.TextField(_("协议内容"), max_length=4000)
    facts = models.TextField(_("争议事项"), max_length=4000)
    performed_at_once = models.BooleanField(_("已当场履行"), default=False)
    waived = models.BooleanField(_("双方同意不制作调解书"), default=False)
    made_at = models.DateTimeField()

    class Meta:
        verbose_name = _("调解协议")

    def __str__(self) -> str:
        return str(self.mediation_id)


class ReplyTemplate(models.Model):
    """答复模板 for a kind of case in a state or with an outcome, resting on an article. `text` has {number} {title} {respondent} {reason}
    {article} {unit} {terms} as places to fill. What was sent stays bound to its version: a change is a new one of the same code."""

    code = models.CharField(_("代码"), max_length=30)
    version = models.PositiveSmallIntegerField(_("版本"), default=1)
    title = models.CharField(_("名称"), max_length=60)
    kinds = models.CharField(_("适用类型"), max_length=80, blank=True)
    statuses = models.CharField(_("适用状态"), max_length=80, blank=True)
    outcomes = models.CharField(_("适用结果"), max_length=80, blank=True)
    article = models.CharField(_("依据条款"), max_length=60, blank=True)
    text = models.TextField(_("正文"), max_length=4000)
    is_active = models.BooleanField(_("在用"), default=True)
    made_at = models.DateTimeField(_("制定时间"), null=True)
    retired_at = models.DateTimeField(_("停用时间"), null=True)

    class Meta:
        verbose_name = _("答复模板")
        constraints = [
            models.UniqueConstraint(fields=["code", "version"], name="template_version_once"),
            models.UniqueConstraint(fields=["code"], condition=Q(is_active=True), name="one_template_in_use"),
        ]

    def __str__(self) -> str:
        return self.title


class Reply(models.Model):
    """答复: what the person was told, as it was told. `batch`: those sent together to a group share it."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="replies")
    template = models.ForeignKey(ReplyTemplate, models.PROTECT, null=True, blank=True, related_name="+")
    text = models.TextField(_("答复内容"), max_length=10_000)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(_("答复时间"))
    way = models.CharField(_("答复方式"), max_length=20, blank=True)
    batch = models.CharField(max_length=40, blank=True)

    objects = OfCaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("答复")

    def __str__(self) -> str:
        return f"{self.case_id} {self.at}"


class MallRequestQuerySet(models.QuerySet["MallRequest"]):
    def visible_to(self, actor: Actor) -> Self:
        """A mall's people what was put to their mall; the desk's people what belongs to their cases. Never a report (art. 37)."""
        if actor.can(ComplaintPermission.VIEW):
            return self.filter(case__in=Case.objects.visible_to(actor))
        if actor.can(ComplaintPermission.ANSWER) and actor.organisation_id:
            return self.filter(mall_id=actor.organisation_id).exclude(case__kind=Kind.REPORT)
        return self.none()


class MallRequest(models.Model):
    """转商场回应: what a mall is asked about a case. `told` is all of the case that the mall reads: no person's name, number or address."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="mall_requests")
    mall = models.ForeignKey(Organisation, models.PROTECT, related_name="+", verbose_name=_("商场"))
    told = models.TextField(_("转告内容"), max_length=4000)
    asked_at = models.DateTimeField(_("转出时间"))
    due_at = models.DateTimeField(_("回应期限"))
    answer = models.TextField(_("商场回应"), max_length=4000, blank=True)
    answered_at = models.DateTimeField(_("回应时间"), null=True)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    objects = MallRequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("转商场回应")
        constraints = [
            models.UniqueConstraint(fields=["case", "mall"], name="mall_asked_once"),
        ]
        indexes = [models.Index(fields=["mall", "answered_at", "due_at"], name="mall_inbox")]

    def __str__(self) -> str:
        return f"{self.case_id} · {self.mall}"


class Supervision(models.Model):
    """督办: somebody above asks how a case stands; the unit answers."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="supervisions")
    text = models.CharField(_("督办意见"), max_length=500)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(_("督办时间"))
    answer = models.CharField(_("回复"), max_length=2000, blank=True)
    answered_at = models.DateTimeField(null=True)

    objects = OfCaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("督办")

    def __str__(self) -> str:
        return f"{self.case_id} {self.at}"


class Application(models.Model):
    """申请: to leave a case out of the figures (剔除), to put it aside (挂账) or to lengthen a period. Decided once, by somebody else."""

    class Purpose(models.TextChoices):
        EXCLUDE = "exclude", _("剔除")
        DEFER = "defer", _("挂账")
        EXTEND = "extend", _("延长核查期限")

    case = models.ForeignKey(Case, models.CASCADE, related_name="applications")
    purpose = models.CharField(_("申请"), max_length=8, choices=Purpose)
    reason = models.CharField(_("理由"), max_length=1000)
    evidence = models.ManyToManyField(Attachment, blank=True, related_name="+")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(_("申请时间"))
    granted = models.BooleanField(_("批准"), null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decision_note = models.CharField(_("审批意见"), max_length=500, blank=True)
    review_on = models.DateField(_("复核日期"), null=True, blank=True)

    objects = OfCaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("申请")
        constraints = [
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=models.F("asked_by")), name="decided_by_somebody_else"
            ),
            models.UniqueConstraint(
                fields=["case", "purpose"], condition=Q(decided_at=None), name="one_application_at_a_time"
            ),
        ]
        indexes = [models.Index(fields=["case", "purpose", "granted"], name="granted_applications")]

    def __str__(self) -> str:
        return f"{self.case_id} {self.purpose}"


class Callback(models.Model):
    """回访 (art. 26): one attempt to ask the person how it was, by us, by themselves or by the hotline. Added to, never overwritten: an
    entry that `corrects` another one takes its place. `satisfaction` empty unless they answered; `reference`: where an official one came from.
    """

    case = models.ForeignKey(Case, models.CASCADE, related_name="callbacks")
    source = models.CharField(_("来源"), max_length=8, choices=CallbackSource, default=CallbackSource.OWN)
    reference = models.CharField(_("出处"), max_length=120, blank=True)
    corrects = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="corrected_by", verbose_name=_("更正")
    )
    at = models.DateTimeField(_("回访时间"))
    outcome = models.CharField(_("解决情况"), max_length=10, choices=CallbackOutcome)
    satisfaction = models.CharField(_("满意情况"), max_length=12, choices=Satisfaction, blank=True)
    note = models.CharField(_("诉求人意见"), max_length=1000, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    recorded_at = models.DateTimeField()

    objects = OfCaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("回访")
        indexes = [models.Index(fields=["case", "-at"], name="callbacks_newest")]
        constraints = [
            models.CheckConstraint(
                condition=Q(satisfaction="") | Q(outcome__in=["resolved", "partly", "unresolved"]),
                name="callback_satisfaction_of_answers",
            )
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.outcome}"


class Handoff(models.Model):
    """转办其他系统: waits until the other system says what it made of it (`complaints.handoff_taken`). One of a kind for a case."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="handoffs")
    kind = models.CharField(_("事项"), max_length=12, choices=HandoffKind)
    made_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)
    taken_at = models.DateTimeField(null=True)
    object_kind = models.CharField(max_length=60, blank=True)
    object_id = models.CharField(max_length=40, blank=True)
    note = models.CharField(max_length=200, blank=True)
    facts = models.JSONField(default=dict, blank=True)
    """What the other system is told beside the case: for a risk signal the merchant's figures."""

    class Meta:
        verbose_name = _("转办其他系统")
        constraints = [models.UniqueConstraint(fields=["case", "kind"], name="handoff_once")]
        indexes = [models.Index(fields=["taken_at", "made_at"], name="handoffs_waiting")]

    def __str__(self) -> str:
        return f"{self.case_id} {self.kind}"
