"""Where messages can go beside the inbox: one channel of each kind, told by an apprise address."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xiezhi.foundation.notices.sending import PLACE, ChannelMissing


class ChannelKind(models.TextChoices):
    WECOM = "wecom", gettext_lazy("企业微信")
    DINGTALK = "dingtalk", gettext_lazy("钉钉")
    FEISHU = "feishu", gettext_lazy("飞书")
    MAIL = "mail", gettext_lazy("邮件")
    SMS = "sms", gettext_lazy("短信")


def template_of(kind: ChannelKind) -> str:
    """The apprise address of this kind of channel. Raises ChannelMissing when none is configured."""
    address = str(settings.NOTICE_CHANNELS.get(kind.value, ""))
    if not address:
        raise ChannelMissing(_("还没有配置%(channel)s通道，请联系管理员。") % {"channel": kind.label})
    return address


def personal_template_of(kind: ChannelKind) -> str:
    """As `template_of`, and it reaches one person. Raises ChannelMissing also for a group's address, which has no `{to}`."""
    template = template_of(kind)
    if PLACE not in template:
        raise ChannelMissing(
            _("%(channel)s通道的地址里没有 {to}，发不到个人，请联系管理员。") % {"channel": kind.label}
        )
    return template
