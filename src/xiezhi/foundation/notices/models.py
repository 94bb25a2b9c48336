from datetime import time

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.notices.permissions import NoticesPermission


class ChannelKind(models.TextChoices):
    WECOM = "wecom", _("企业微信")
    DINGTALK = "dingtalk", _("钉钉")
    FEISHU = "feishu", _("飞书")
    MAIL = "mail", _("邮件")
    SMS = "sms", _("短信")


class NoticeQuerySet(models.QuerySet["Notice"]):
    def visible_to(self, actor: Actor) -> "NoticeQuerySet":
        """A person's own notices, whatever post they act in."""
        return self.filter(recipient_id=actor.user_id) if actor.user_id else self.none()


class Notice(models.Model):
    """One line in one person's inbox, with a link to what it is about. `key` makes sending it twice harmless; `routed`: it has been
    decided which channels carry it besides."""

    class Level(models.TextChoices):
        INFO = "info", _("通知")
        REMINDER = "reminder", _("提醒")
        URGENT = "urgent", _("催办")

    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notices")
    level = models.CharField(_("级别"), max_length=10, choices=Level, default=Level.INFO)
    title = models.CharField(_("标题"), max_length=200)
    body = models.TextField(_("内容"), blank=True)
    link = models.CharField(max_length=300, blank=True)
    key = models.CharField(max_length=160)
    sent_at = models.DateTimeField(_("时间"))
    read_at = models.DateTimeField(null=True)
    routed = models.BooleanField(default=False)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = _("消息")
        constraints = [models.UniqueConstraint(fields=["recipient", "key"], name="notice_once")]
        indexes = [
            models.Index(fields=["recipient", "read_at", "-sent_at"], name="notice_inbox"),
            models.Index(fields=["id"], condition=Q(routed=False), name="notice_to_route"),
        ]

    def __str__(self) -> str:
        return self.title


class Channel(models.Model):
    """One way out of the house (消息通道), set on a page. `sealed_address` is an apprise address, encrypted: nobody sees it again.

    An address without `{to}` reaches a group; `least_level` and `left_out` say which notices are posted there.
    """

    kind = models.CharField(_("通道"), max_length=10, choices=ChannelKind, primary_key=True)
    sealed_address = models.TextField(blank=True)
    least_level = models.CharField(_("最低级别"), max_length=10, choices=Notice.Level, default=Notice.Level.URGENT)
    left_out = models.JSONField(default=list)
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("消息通道")

    def __str__(self) -> str:
        return str(ChannelKind(self.kind).label)


class Wish(models.Model):
    """How one person wants one channel used (接收方式). No row: the inbox only. `sealed_address` stands for `{to}`."""

    class Mode(models.TextChoices):
        AT_ONCE = "at_once", _("随时")
        HOURLY = "hourly", _("每小时汇总")
        DAILY = "daily", _("每天汇总（上午 8:30）")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    channel = models.CharField(_("通道"), max_length=10, choices=ChannelKind)
    sealed_address = models.TextField()
    mode = models.CharField(_("何时送"), max_length=10, choices=Mode, default=Mode.AT_ONCE)
    least_level = models.CharField(_("最低级别"), max_length=10, choices=Notice.Level, default=Notice.Level.REMINDER)
    left_out = models.JSONField(default=list)
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name = _("接收方式")
        constraints = [models.UniqueConstraint(fields=["user", "channel"], name="wish_once")]

    def __str__(self) -> str:
        return str(ChannelKind(self.channel).label)


class QuietHours(models.Model):
    """When a person wants to be left alone (免打扰). No row: the defaults below. `passing`: topics whose urgent notices come through."""

    STARTS, ENDS = time(22, 0), time(7, 0)

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", primary_key=True)
    on = models.BooleanField(_("启用"), default=True)
    starts_at = models.TimeField(_("从"), default=STARTS)
    ends_at = models.TimeField(_("到"), default=ENDS)
    passing = models.JSONField(default=list)
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name = _("免打扰")

    def __str__(self) -> str:
        return f"{self.starts_at:%H:%M}–{self.ends_at:%H:%M}"


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def visible_to(self, actor: Actor) -> "DeliveryQuerySet":
        """One's own messages; all of them, without what they say, for who keeps the channels."""
        if actor.can(NoticesPermission.MANAGE):
            return self
        return self.filter(recipient_id=actor.user_id) if actor.user_id else self.none()


class Delivery(models.Model):
    """One message on its way out, or how it ended (发送记录). A person's (`recipient`), a group's, or a code to a number that is not kept."""

    class Purpose(models.TextChoices):
        NOTICES = "notices", _("消息")
        TEST = "test", _("试发")
        CODE = "code", _("验证码")
        LETTER = "letter", _("回信")

    class Status(models.TextChoices):
        PENDING = "pending", _("待发送")
        SENDING = "sending", _("发送中")
        SENT = "sent", _("已发送")
        FAILED = "failed", _("未送到")
        DROPPED = "dropped", _("不必再送")

    channel = models.CharField(_("通道"), max_length=10, choices=ChannelKind)
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+", verbose_name=_("接收人")
    )
    purpose = models.CharField(_("用途"), max_length=10, choices=Purpose, default=Purpose.NOTICES)
    status = models.CharField(_("状态"), max_length=10, choices=Status, default=Status.PENDING)
    count = models.PositiveIntegerField(_("消息条数"), default=0)
    due_at = models.DateTimeField(_("应发时间"))
    attempts = models.PositiveSmallIntegerField(_("尝试次数"), default=0)
    lease_until = models.DateTimeField(null=True)
    error = models.CharField(_("原因"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("产生时间"))
    ended_at = models.DateTimeField(_("结束时间"), null=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("发送记录")
        indexes = [
            models.Index(fields=["due_at"], condition=Q(status__in=["pending", "sending"]), name="delivery_due"),
            models.Index(fields=["recipient", "channel", "-created_at"], name="delivery_of_person"),
        ]

    def __str__(self) -> str:
        return f"{ChannelKind(self.channel).label} · {self.pk}"


class Line(models.Model):
    """One notice in one message."""

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="lines")
    notice = models.ForeignKey(Notice, models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return f"{self.delivery_id}: {self.notice_id}"
