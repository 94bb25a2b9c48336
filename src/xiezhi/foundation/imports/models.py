import json
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.files.models import StoredFile
from xiezhi.foundation.imports.specs import TO_SAVE, ImportSpec, Outcome, spec_for, specs_for
from xiezhi.foundation.jobs.models import Job
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.privacy.fields import EncryptedTextField


class ImportBatchQuerySet(models.QuerySet["ImportBatch"]):
    def visible_to(self, actor: Actor) -> "ImportBatchQuerySet":
        """Batches of the specs that the actor may use: their own department's, or all for district-wide posts."""
        usable = self.filter(spec_key__in=[spec.key for spec in specs_for(actor)])
        if actor.district_wide:
            return usable
        home = actor.department_id or actor.organisation_id
        return usable.filter(organisation_id=home) if home else self.none()


class ImportBatch(models.Model):
    """One sheet on its way in. `mapping`: {column key: index in header}; `fingerprint`: digest of file and options;
    `sample`: the first rows as text, for choosing columns."""

    class Status(models.TextChoices):
        UPLOADED = "uploaded", _("待对应列")
        MAPPED = "mapped", _("待核对")
        CHECKING = "checking", _("核对中")
        CHECKED = "checked", _("待导入")
        APPLYING = "applying", _("导入中")
        APPLIED = "applied", _("已导入")
        FAILED = "failed", _("未完成")
        ABANDONED = "abandoned", _("已放弃")

    OPEN = (Status.UPLOADED, Status.MAPPED, Status.CHECKING, Status.CHECKED, Status.APPLYING, Status.FAILED)
    BUSY = (Status.CHECKING, Status.APPLYING)

    spec_key = models.CharField(max_length=60)
    file = models.ForeignKey(StoredFile, models.PROTECT, related_name="+", verbose_name=_("文件"))
    fingerprint = models.CharField(max_length=64)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+", verbose_name=_("机构"))
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("上传人"))
    membership_id = models.BigIntegerField()
    status = models.CharField(_("状态"), max_length=10, choices=Status, default=Status.UPLOADED)
    sheet_name = models.CharField(_("工作表"), max_length=60, blank=True)
    sheet_names = models.JSONField(default=list)
    header = models.JSONField(default=list)
    header_number = models.PositiveIntegerField(default=0)
    notes = models.JSONField(default=list)
    sample = models.JSONField(default=list)
    mapping = models.JSONField(default=dict)
    options = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    counts = models.JSONField(default=dict)
    result = models.JSONField(default=dict)
    error = models.TextField(_("原因"), blank=True)
    job = models.ForeignKey(Job, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(_("上传时间"))
    checked_at = models.DateTimeField(_("核对时间"), null=True)
    applied_at = models.DateTimeField(_("导入时间"), null=True)
    closed_at = models.DateTimeField(null=True)

    objects = ImportBatchQuerySet.as_manager()

    class Meta:
        verbose_name = _("导入")
        indexes = [models.Index(fields=["spec_key", "organisation", "-created_at"], name="imports_by_spec")]
        constraints = [
            models.UniqueConstraint(
                fields=["spec_key", "organisation", "fingerprint"],
                condition=Q(status__in=["uploaded", "mapped", "checking", "checked", "applying", "failed"]),
                name="import_open_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.spec.title} · {self.file.display_name}"

    @property
    def spec(self) -> ImportSpec:
        """The domain's part."""
        return spec_for(self.spec_key)

    @property
    def to_save(self) -> int:
        """How many rows an apply would save."""
        return sum(self.counts.get(outcome, 0) for outcome in TO_SAVE)

    @property
    def total(self) -> int:
        """How many rows were checked."""
        return sum(self.counts.values())


class ImportRow(models.Model):
    """A checked row in waiting. `raw` follows the batch's header; `cleaned` is what the spec will save. Of a sheet with personal data
    both lie in `sealed` instead; `cells` and `to_save` read either."""

    batch = models.ForeignKey(ImportBatch, models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField(_("行号"))
    outcome = models.CharField(_("结果"), max_length=10, choices=Outcome)
    raw = models.JSONField(default=list, encoder=DjangoJSONEncoder)
    cleaned = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    changes = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    problems = models.JSONField(default=list)
    warnings = models.JSONField(default=list)
    sealed = EncryptedTextField(blank=True)

    class Meta:
        verbose_name = _("导入行")
        constraints = [models.UniqueConstraint(fields=["batch", "number"], name="import_row_once")]
        indexes = [models.Index(fields=["batch", "outcome", "number"], name="import_rows_by_outcome")]

    def __str__(self) -> str:
        return f"{self.batch_id}:{self.number}"

    def seal(self) -> "ImportRow":
        """Move what the row holds under the seal."""
        content = {"raw": self.raw, "cleaned": self.cleaned}
        self.sealed, self.raw, self.cleaned = json.dumps(content, cls=DjangoJSONEncoder, ensure_ascii=False), [], {}
        return self

    @property
    def cells(self) -> list[Any]:
        """The row as it was written."""
        cells: list[Any] = json.loads(self.sealed)["raw"] if self.sealed else self.raw
        return cells

    @property
    def to_save(self) -> dict[str, Any]:
        """What the spec settled on saving."""
        clean: dict[str, Any] = json.loads(self.sealed)["cleaned"] if self.sealed else self.cleaned
        return clean


class RememberedMapping(models.Model):
    """How an organisation last mapped a sheet with this header; offered again next time."""

    spec_key = models.CharField(max_length=60)
    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="+")
    header_digest = models.CharField(max_length=64)
    mapping = models.JSONField(default=dict)
    remembered_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["spec_key", "organisation", "header_digest"], name="mapping_once")
        ]

    def __str__(self) -> str:
        return f"{self.spec_key} {self.header_digest[:8]}"
