from django.db import models
from django.utils.translation import gettext_lazy as _


class NoticesPermission(models.TextChoices):
    MANAGE = "notices.manage", _("设置消息通道，看发送记录")
