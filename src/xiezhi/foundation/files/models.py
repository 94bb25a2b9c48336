from pathlib import Path

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.files.kinds import Kind
from xiezhi.foundation.orgs.models import Organisation


class StoredFileQuerySet(models.QuerySet["StoredFile"]):
    def visible_to(self, actor: Actor) -> "StoredFileQuerySet":
        """District-wide posts see all files; others see their own department's (or, without one, their organisation's)."""
        if actor.district_wide:
            return self
        home = actor.department_id or actor.organisation_id
        return self.filter(organisation_id=home) if home else self.none()


class StoredFile(models.Model):
    """One upload. Its content lies at a path made of the digest; several uploads of one content share it."""

    digest = models.CharField(max_length=64)
    display_name = models.CharField(_("文件名"), max_length=150)
    size = models.BigIntegerField(_("大小"))
    kind = models.CharField(_("格式"), max_length=10, choices=Kind)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+", verbose_name=_("机构"))
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("上传人")
    )
    membership_id = models.BigIntegerField()
    uploaded_at = models.DateTimeField(_("上传时间"))

    objects = StoredFileQuerySet.as_manager()

    class Meta:
        verbose_name = _("文件")
        indexes = [models.Index(fields=["organisation", "digest"], name="file_by_content")]

    def __str__(self) -> str:
        return self.display_name

    @property
    def path(self) -> Path:
        """Where the content lies."""
        return content_path(self.digest)


def content_path(digest: str) -> Path:
    """Where content with this SHA-256 lies under MEDIA_ROOT."""
    return Path(settings.MEDIA_ROOT) / "content" / digest[:2] / digest
