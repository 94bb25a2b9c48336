from datetime import datetime, timedelta

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NoticesConfig(AppConfig):
    name = "xiezhi.foundation.notices"
    label = "notices"
    verbose_name = _("消息")

    def ready(self) -> None:
        from xiezhi.foundation.audit import labels
        from xiezhi.foundation.jobs import periodic
        from xiezhi.foundation.notices.attention import undelivered
        from xiezhi.foundation.notices.models import Delivery, Notice
        from xiezhi.foundation.notices.permissions import NoticesPermission
        from xiezhi.foundation.notices.services import delivering
        from xiezhi.foundation.ui import attention, navigation
        from xiezhi.foundation.ui.statuses import dress

        periodic.register("notices.route", timedelta(seconds=2), route_all)
        periodic.register("notices.deliver", timedelta(seconds=5), lambda at: delivering.deliver_due(at=at), slow=True)
        periodic.register("notices.forget", timedelta(days=1), lambda at: delivering.forget_old(at=at))
        navigation.register(
            navigation.Item(
                _("消息通道"), "notices:channels", "bell", NoticesPermission.MANAGE.value, section="settings", order=50
            )
        )
        attention.register("notices", undelivered)
        labels.register(
            {
                "notices.channel.set": _("设置消息通道"),
                "notices.channel.remove": _("停用消息通道"),
                "notices.wish.set": _("开通或修改接收方式"),
                "notices.wish.remove": _("关闭接收方式"),
                "notices.quiet.set": _("设置免打扰"),
                "notices.resend": _("重新发送消息"),
            }
        )
        dress(
            Notice.Level,
            {
                Notice.Level.INFO: ("info-circle", "neutral"),
                Notice.Level.REMINDER: ("clock", "caution"),
                Notice.Level.URGENT: ("clock-exclamation", "urgent"),
            },
        )
        dress(
            Delivery.Status,
            {
                Delivery.Status.PENDING: ("hourglass", "neutral"),
                Delivery.Status.SENDING: ("player-play", "active"),
                Delivery.Status.SENT: ("circle-check", "good"),
                Delivery.Status.FAILED: ("circle-x", "urgent"),
                Delivery.Status.DROPPED: ("ban", "neutral"),
            },
        )


MOST_ROUNDS = 10
"""Batches in one turn of the ticker: 20,000 notices."""


def route_all(at: datetime) -> int:
    """Route everything that waits, before anything of it is sent, so that a flood becomes one message a person."""
    from xiezhi.foundation.notices.services.routing import BATCH, route_notices

    total = 0
    for _round in range(MOST_ROUNDS):
        done = route_notices(at=at)
        total += done
        if done < BATCH:
            break
    return total
