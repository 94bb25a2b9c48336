from typing import Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from xiezhi.domains.complaints.models.cases import Case
from xiezhi.domains.complaints.permissions import ComplaintPermission
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.privacy.fields import EncryptedTextField


class PartyQuerySet(models.QuerySet["ComplaintParty"]):
    def visible_to(self, actor: Actor) -> Self:
        """People of the cases that the actor sees, for posts that may open personal data. Opening is logged (`open_party`)."""
        if not actor.can(ComplaintPermission.SEE_PERSON):
            return self.none()
        return self.filter(case__in=Case.objects.visible_to(actor))


class ComplaintParty(models.Model):
    """诉求人: the only table with personal data of those who turn to us. Shown masked; whoever opens it leaves a trace.

    `phone_digest`, `address_digest`: keyed digests by which the same person's cases are found without reading anybody's data.
    """

    class Role(models.TextChoices):
        PERSON = "person", _("诉求人")
        AGENT = "agent", _("代理人")
        REPRESENTATIVE = "representative", _("代表人")
        JOINT = "joint", _("共同诉求人")

    case = models.ForeignKey(Case, models.CASCADE, related_name="parties")
    role = models.CharField(_("身份"), max_length=14, choices=Role, default=Role.PERSON)
    name = models.CharField(_("姓名"), max_length=60, blank=True)
    phone = EncryptedTextField(_("电话"), blank=True)
    address = models.CharField(_("地址"), max_length=200, blank=True)
    email = models.CharField(_("电子邮箱"), max_length=120, blank=True)
    phone_digest = models.CharField(max_length=64, blank=True, editable=False)
    address_digest = models.CharField(max_length=64, blank=True, editable=False)
    anonymous = models.BooleanField(_("匿名"), default=False)
    identity_checked = models.BooleanField(_("已核对身份"), default=False)
    may_call_back = models.BooleanField(_("愿意接受回访"), default=True)
    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="complaints_brought"
    )
    """The account with which the person sent it, where they were signed in (我的诉求)."""

    objects = PartyQuerySet.as_manager()

    class Meta:
        verbose_name = _("诉求人")
        indexes = [
            models.Index(fields=["phone_digest"], name="party_by_phone"),
            models.Index(fields=["address_digest"], name="party_by_address"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class PartyOpening(models.Model):
    """打开记录: who saw whose personal data, when and what for. Append-only."""

    party = models.ForeignKey(ComplaintParty, models.CASCADE, related_name="openings")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    membership_id = models.BigIntegerField()
    purpose = models.CharField(_("用途"), max_length=200)
    at = models.DateTimeField(_("时间"))

    class Meta:
        verbose_name = _("打开记录")

    def __str__(self) -> str:
        return f"{self.party_id} {self.at}"
