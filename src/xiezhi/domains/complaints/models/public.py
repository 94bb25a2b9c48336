"""What the public ways in (公众渠道) need beside the case: drafts, marks against twice, keys of Open311 clients, and the mail box."""

from typing import Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from xiezhi.domains.complaints.models.cases import Case
from xiezhi.domains.complaints.permissions import ComplaintPermission
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.privacy.fields import EncryptedTextField


class DraftQuerySet(models.QuerySet["Draft"]):
    def visible_to(self, actor: Actor) -> Self:
        """Nobody's at the desk: until it is sent, only the browser that began it knows it."""
        return self.none()


class Draft(models.Model):
    """填写中的诉求 of the web form, with the photos that were taken in already. Emptied when sent, forgotten after a day.

    `token` stands in the form: whatever is sent with it again is the same. `repeated`: what it became was there before.
    """

    token = models.CharField(max_length=43, unique=True)
    answers = EncryptedTextField(_("填写内容"), blank=True)
    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+")
    saved_at = models.DateTimeField(db_index=True)
    case = models.ForeignKey(Case, models.CASCADE, null=True, related_name="+")
    repeated = models.BooleanField(default=False)

    objects = DraftQuerySet.as_manager()

    class Meta:
        verbose_name = _("填写中的诉求")

    def __str__(self) -> str:
        return str(self.pk)


class Arrival(models.Model):
    """收到的标记: one thing that must become one case however often it comes. `key`: the way, and a keyed digest of what makes it the same."""

    key = models.CharField(max_length=90, unique=True)
    case = models.ForeignKey(Case, models.CASCADE, null=True, related_name="arrivals")
    times = models.PositiveIntegerField(default=0)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        verbose_name = _("收到的标记")

    def __str__(self) -> str:
        return str(self.pk)


class ClientKeyQuerySet(models.QuerySet["ClientKey"]):
    def visible_to(self, actor: Actor) -> Self:
        """All, for who keeps the interfaces."""
        return self if actor.can(ComplaintPermission.KEEP_CHANNELS) else self.none()


class ClientKey(models.Model):
    """Open311 接口密钥: what a client names itself by (`api_key`). Only its digest is kept; the key is shown once."""

    label = models.CharField(_("用在哪里"), max_length=60)
    start = models.CharField(_("密钥开头"), max_length=8)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(_("生成时间"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("生成人")
    )
    used_at = models.DateTimeField(_("最近使用"), null=True)
    revoked_at = models.DateTimeField(_("停用时间"), null=True)

    objects = ClientKeyQuerySet.as_manager()

    class Meta:
        verbose_name = _("Open311 接口密钥")

    def __str__(self) -> str:
        return self.label


class MailQuerySet(models.QuerySet["Mail"]):
    def visible_to(self, actor: Actor) -> Self:
        """For dispatchers: a mail belongs to no unit before it is a case."""
        return self if actor.can(ComplaintPermission.DISPATCH) else self.none()


class Mail(models.Model):
    """来信: one mail of the desk's box and what became of it. `original` is kept only of those that could not be taken in."""

    class Status(models.TextChoices):
        TAKEN = "taken", _("已成诉求")
        ADDED = "added", _("已补充到诉求")
        IGNORED = "ignored", _("不处理")
        ASIDE = "aside", _("等人工处理")
        DONE = "done", _("已人工处理")

    mark = models.CharField(max_length=64, unique=True)
    """A digest of its Message-ID, or of its bytes where it has none."""
    status = models.CharField(_("状态"), max_length=8, choices=Status)
    reason = models.CharField(_("原因"), max_length=300, blank=True)
    sender = EncryptedTextField(_("发件人"), blank=True)
    sender_digest = models.CharField(max_length=64, blank=True, db_index=True, editable=False)
    subject = EncryptedTextField(_("主题"), blank=True)
    original = EncryptedTextField(_("原信"), blank=True)
    case = models.ForeignKey(Case, models.SET_NULL, null=True, related_name="mails", verbose_name=_("诉求"))
    arrived_at = models.DateTimeField(_("收到时间"), db_index=True)
    reply_due_at = models.DateTimeField(null=True, db_index=True)
    reply_tries = models.PositiveSmallIntegerField(default=0)
    replied_at = models.DateTimeField(_("回信时间"), null=True)
    note = models.CharField(_("处理情况"), max_length=300, blank=True)

    objects = MailQuerySet.as_manager()

    class Meta:
        verbose_name = _("来信")

    def __str__(self) -> str:
        return str(self.pk)
