from typing import Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.privacy.fields import EncryptedTextField
from xiezhi.foundation.privacy.permissions import PrivacyPermission


class OpeningQuerySet(models.QuerySet["Opening"]):
    def visible_to(self, actor: Actor) -> Self:
        """Administrators see every opening; everybody else those of their own data."""
        if actor.can(PrivacyPermission.MANAGE):
            return self
        return self.about(actor)

    def about(self, actor: Actor) -> Self:
        """Openings of the actor's own data, as far as an account is known by it."""
        return self.filter(of_id=actor.user_id) if actor.user_id else self.none()


class Opening(models.Model):
    """查看记录: who read whose personal data in full, when and what for. Only ever added; what was read is not in it."""

    kind = models.CharField(_("数据"), max_length=60)
    object_id = models.BigIntegerField(_("编号"))
    fields = models.JSONField(_("内容"), default=list)
    reason = models.CharField(_("用途"), max_length=200, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("谁"))
    membership_id = models.BigIntegerField()
    of = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("谁的")
    )
    at = models.DateTimeField(_("时间"))

    objects = OpeningQuerySet.as_manager()

    class Meta:
        verbose_name = _("查看记录")
        indexes = [
            models.Index(fields=["-at"], name="openings_newest"),
            models.Index(fields=["of"], name="openings_of"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id}"


class RequestQuerySet(models.QuerySet["Request"]):
    def visible_to(self, actor: Actor) -> Self:
        """Administrators handle all requests."""
        return self if actor.can(PrivacyPermission.MANAGE) else self.none()


class Request(models.Model):
    """个人申请: somebody wants a copy of what is held about them, or its erasure. `sought` is what they are found by; it goes when the
    request is done. `outcome`: per row what became of it and why, without anybody's data."""

    class Status(models.TextChoices):
        OPEN = "open", _("待办理")
        DONE = "done", _("已删除")
        CLOSED = "closed", _("已办结")

    class By(models.TextChoices):
        PHONE = "phone", _("手机号")
        NAME = "name", _("姓名")
        EMAIL = "email", _("电子邮箱")

    found_by = models.CharField(_("按什么查找"), max_length=8, choices=By, default=By.PHONE)
    sought = EncryptedTextField(_("查找内容"), blank=True)
    identity = models.CharField(_("怎样核实的身份"), max_length=200)
    status = models.CharField(_("状态"), max_length=8, choices=Status, default=Status.OPEN)
    outcome = models.JSONField(_("结果"), default=list)
    copied_at = models.DateTimeField(_("提供副本"), null=True)
    asked_at = models.DateTimeField(_("登记时间"))
    closed_at = models.DateTimeField(_("办结时间"), null=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("办理人"))

    objects = RequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("个人申请")
        indexes = [models.Index(fields=["-asked_at"], name="requests_newest")]

    def __str__(self) -> str:
        return f"{self.get_found_by_display()} {self.pk}"
