from typing import Any, Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from xiezhi.domains.complaints.models.cases import Case
from xiezhi.domains.complaints.permissions import ComplaintPermission
from xiezhi.foundation.access.actors import Actor


class TextModelQuerySet(models.QuerySet["TextModel"]):
    def visible_to(self, actor: Actor) -> Self:
        """Everybody who looks after the models: they hold weights of pieces of words, no text and nobody's data."""
        return self if actor.can(ComplaintPermission.TEACH) else self.none()


class TextModelManager(models.Manager.from_queryset(TextModelQuerySet)):  # type: ignore[misc]  # made by Django at run time
    """Without the bytes, which are megabytes: `services.teaching.model_bytes` reads them."""

    def get_queryset(self) -> Any:
        return super().get_queryset().defer("data")


class TextModel(models.Model):
    """识别模型: one version of what was learned for 问题类别. Never changed; which one is used is a matter of `ModelUse`."""

    class Source(models.TextChoices):
        CASES = "cases", _("本台已办诉求")
        ROWS = "rows", _("上传的标注表")
        FILE = "file", _("上传的模型文件")

    version = models.PositiveIntegerField(_("版本"), unique=True)
    digest = models.CharField(_("摘要"), max_length=64, unique=True)
    data = models.BinaryField()
    source = models.CharField(_("来源"), max_length=5, choices=Source)
    note = models.CharField(_("说明"), max_length=200, blank=True)
    facts = models.JSONField(default=dict)
    macro_f1 = models.FloatField(_("宏平均 F1"), null=True)
    made_at = models.DateTimeField(_("建立时间"))
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    objects = TextModelManager()

    class Meta:
        verbose_name = _("识别模型")

    def __str__(self) -> str:
        return f"v{self.version}"


class ModelUse(models.Model):
    """启用记录: from when on which model gives the category; none means 按关键词. Added to, never rewritten; the last row counts."""

    model = models.ForeignKey(TextModel, models.PROTECT, null=True, related_name="uses")
    at = models.DateTimeField(_("启用时间"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("启用记录")

    def __str__(self) -> str:
        return f"{self.model_id} {self.at}"


class SuggestionQuerySet(models.QuerySet["Suggestion"]):
    def visible_to(self, actor: Actor) -> Self:
        """What was suggested for the cases that the actor sees."""
        return self.filter(case__in=Case.objects.visible_to(actor))


class Suggestion(models.Model):
    """识别建议 for one case and kind, as it was made at receipt, and what people decided after it. It never sets anything by itself.

    `value` is what the decision is compared with: a category's code, an organisation's or subject's key, a tier. `confidence` is empty
    where nothing measures it (keywords, lists of words). `sure` False: 信心不足, shown as such and left out of 采纳率.
    """

    class Kind(models.TextChoices):
        CATEGORY = "category", _("问题类别")
        UNIT = "unit", _("承办单位")
        URGENCY = "urgency", _("紧急程度")
        HOSTILE = "hostile", _("情绪")
        SUBJECT = "subject", _("被诉主体")
        MALL = "mall", _("商场")
        STREET = "street", _("街道")

    class Source(models.TextChoices):
        MODEL = "model", _("按模型")
        KEYWORDS = "keywords", _("按关键词")
        NAMES = "names", _("按名称")
        WORDS = "words", _("按词表")
        RECORDS = "records", _("按登记")
        DECISIONS = "decisions", _("按以往派单")

    class Outcome(models.TextChoices):
        ACCEPTED = "accepted", _("采纳")
        CORRECTED = "corrected", _("改正")

    case = models.ForeignKey(Case, models.CASCADE, related_name="suggestions")
    kind = models.CharField(_("建议"), max_length=8, choices=Kind)
    value = models.CharField(max_length=40)
    label = models.CharField(max_length=120)
    confidence = models.FloatField(null=True)
    sure = models.BooleanField()
    reasons = models.JSONField(default=list)
    source = models.CharField(max_length=9, choices=Source)
    model_digest = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField()
    decided_value = models.CharField(max_length=40, blank=True)
    outcome = models.CharField(max_length=9, choices=Outcome, blank=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    objects = SuggestionQuerySet.as_manager()

    class Meta:
        verbose_name = _("识别建议")
        constraints = [models.UniqueConstraint(fields=["case", "kind"], name="suggestion_once")]
        indexes = [models.Index(fields=["at", "kind", "sure", "outcome"], name="suggestions_counted")]

    def __str__(self) -> str:
        return f"{self.case_id} {self.kind}"


class CaseKey(models.Model):
    """查重键: under which pieces of wording and known facts a case is found again (`engines.text.nearness`). Hashes; nothing is read back."""

    pk = models.CompositePrimaryKey("key", "case_id")
    key = models.BigIntegerField()
    case = models.ForeignKey(Case, models.CASCADE, related_name="+")

    class Meta:
        verbose_name = _("查重键")

    def __str__(self) -> str:
        return f"{self.key} {self.case_id}"
