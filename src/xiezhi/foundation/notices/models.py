from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from xiezhi.foundation.access.actors import Actor


class NoticeQuerySet(models.QuerySet["Notice"]):
    def visible_to(self, actor: Actor) -> "NoticeQuerySet":
        """A person's own notices, whatever post they act in."""
        return self.filter(recipient_id=actor.user_id) if actor.user_id else self.none()


class Notice(models.Model):
    """One line in one person's inbox, with a link to what it is about. `key` makes sending it twice harmless."""

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

    objects = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = _("消息")
        constraints = [models.UniqueConstraint(fields=["recipient", "key"], name="notice_once")]
        indexes = [models.Index(fields=["recipient", "read_at", "-sent_at"], name="notice_inbox")]

    def __str__(self) -> str:
        return self.title
