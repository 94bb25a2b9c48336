from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.audit.permissions import AuditPermission


class EntryQuerySet(models.QuerySet["Entry"]):
    def visible_to(self, actor: Actor) -> Self:
        """The whole audit is for district-wide posts that may read it; nobody else sees it as a list."""
        return self if actor.district_wide and actor.can(AuditPermission.READ) else self.none()


class Entry(models.Model):
    """One act. `object_kind` is `app.model`; `payload` holds codes, numbers and ids, never names or phone numbers."""

    at = models.DateTimeField(_("时间"))
    action = models.CharField(_("动作"), max_length=80)
    object_kind = models.CharField(max_length=60)
    object_id = models.CharField(max_length=40)
    actor_user_id = models.BigIntegerField(null=True)
    actor_membership_id = models.BigIntegerField(null=True)
    payload = models.JSONField(default=dict)

    objects = EntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("审计记录")
        indexes = [models.Index(fields=["object_kind", "object_id", "at"], name="audit_by_object")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.action}"


class Seal(models.Model):
    """The place of one entry in the chain: number without gaps, hash over the previous hash and the entry.

    `algorithm` is the one that made `digest` (`hashing.ALGORITHMS`); it may change from one seal to the next.
    """

    entry = models.OneToOneField(Entry, models.PROTECT, related_name="seal")
    sequence = models.BigIntegerField(unique=True)
    digest = models.CharField(max_length=64)
    algorithm = models.CharField(max_length=8, db_default="sha256")

    class Meta:
        verbose_name = _("审计封存")

    def __str__(self) -> str:
        return f"{self.sequence}:{self.digest[:12]}"


class HeadQuerySet(models.QuerySet["Head"]):
    def visible_to(self, actor: Actor) -> Self:
        """Who sees the audit sees its heads."""
        return self if actor.district_wide and actor.can(AuditPermission.READ) else self.none()


class Head(models.Model):
    """每日签名: where the chain stood on a day, signed (Ed25519). `signature` in base64; `key_id` names the public key (`signing`)."""

    on = models.DateField(_("日期"), unique=True)
    sequence = models.BigIntegerField(_("封存号"))
    digest = models.CharField(_("链头"), max_length=64)
    algorithm = models.CharField(_("摘要算法"), max_length=8)
    signed_at = models.DateTimeField(_("签名时间"))
    key_id = models.CharField(_("公钥编号"), max_length=16)
    signature = models.CharField(_("签名"), max_length=100)

    objects = HeadQuerySet.as_manager()

    class Meta:
        verbose_name = _("审计每日签名")

    def __str__(self) -> str:
        return f"{self.on} {self.sequence}:{self.digest[:12]}"
