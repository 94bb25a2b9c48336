from pathlib import Path

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.files import owners
from xiezhi.foundation.files.kinds import IMAGES, Kind
from xiezhi.foundation.files.scanning import Scan
from xiezhi.foundation.orgs.models import Organisation


class StoredFileQuerySet(models.QuerySet["StoredFile"]):
    def visible_to(self, actor: Actor) -> "StoredFileQuerySet":
        """The files of every object that the actor sees. One that belongs to nothing yet is seen by whoever uploaded it."""
        loose = Q(owner_kind="", uploaded_by_id=actor.user_id) if actor.user_id else Q(pk__in=())
        return self.filter(loose | owners.seen_by(actor))

    def of(self, owner: models.Model) -> "StoredFileQuerySet":
        """The files of one object, which the caller has found through its own `visible_to`."""
        return self.filter(owner_kind=owners.kind_of(owner), owner_id=owner.pk)


class StoredFile(models.Model):
    """One upload. Its content lies at a path made of the digest; several uploads of one content share it.

    `received_digest` is of what came in, which for pictures is not what is kept. `owner_kind` and `owner_id`: what it belongs to.
    """

    digest = models.CharField(max_length=64)
    received_digest = models.CharField(max_length=64, blank=True)
    display_name = models.CharField(_("文件名"), max_length=150)
    size = models.BigIntegerField(_("大小"))
    kind = models.CharField(_("格式"), max_length=10, choices=Kind)
    organisation = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="+", verbose_name=_("机构"))
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("上传人")
    )
    membership_id = models.BigIntegerField(null=True)
    uploaded_at = models.DateTimeField(_("上传时间"))
    scan = models.CharField(_("查毒"), max_length=10, choices=Scan, default=Scan.ABSENT)
    owner_kind = models.CharField(max_length=80, blank=True)
    owner_id = models.BigIntegerField(null=True)

    objects = StoredFileQuerySet.as_manager()

    class Meta:
        verbose_name = _("文件")
        indexes = [
            models.Index(fields=["organisation", "digest"], name="file_by_content"),
            models.Index(fields=["owner_kind", "owner_id"], name="file_by_owner"),
            models.Index(fields=["digest"], name="file_by_digest"),
        ]

    def __str__(self) -> str:
        return self.display_name

    @property
    def is_image(self) -> bool:
        """Whether a page can show it in an <img>."""
        return self.kind in IMAGES

    @property
    def path(self) -> Path:
        """Where the content lies."""
        return content_path(self.digest)


def content_path(digest: str) -> Path:
    """Where content with this SHA-256 lies under MEDIA_ROOT."""
    return Path(settings.MEDIA_ROOT) / "content" / digest[:2] / digest
