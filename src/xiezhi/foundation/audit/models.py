from django.db import models
from django.utils.translation import gettext_lazy as _


class Entry(models.Model):
    """One act. `object_kind` is `app.model`; `payload` holds codes, numbers and ids, never names or phone numbers."""

    at = models.DateTimeField(_("时间"))
    action = models.CharField(_("动作"), max_length=80)
    object_kind = models.CharField(max_length=60)
    object_id = models.CharField(max_length=40)
    actor_user_id = models.BigIntegerField(null=True)
    actor_membership_id = models.BigIntegerField(null=True)
    payload = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("审计记录")
        indexes = [models.Index(fields=["object_kind", "object_id", "at"], name="audit_by_object")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.action}"


class Seal(models.Model):
    """The place of one entry in the chain: number without gaps, hash over the previous hash and the entry."""

    entry = models.OneToOneField(Entry, models.PROTECT, related_name="seal")
    sequence = models.BigIntegerField(unique=True)
    digest = models.CharField(max_length=64)

    class Meta:
        verbose_name = _("审计封存")

    def __str__(self) -> str:
        return f"{self.sequence}:{self.digest[:12]}"
