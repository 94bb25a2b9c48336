from collections.abc import Iterable
from datetime import datetime, timedelta

from django.urls import reverse
from django.utils.translation import ngettext

from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.notices.models import Delivery
from xiezhi.foundation.notices.permissions import NoticesPermission
from xiezhi.foundation.ui.attention import Attention


def undelivered(actor: Actor, at: datetime) -> Iterable[Attention]:
    """Messages of the last week that did not arrive, for who keeps the channels."""
    if not actor.can(NoticesPermission.MANAGE):
        return []
    failed = Delivery.objects.filter(status=Delivery.Status.FAILED, ended_at__gt=at - timedelta(days=7)).count()
    if not failed:
        return []
    text = ngettext("%(n)s 条消息没有送到手机、邮箱或工作群", "%(n)s 条消息没有送到手机、邮箱或工作群", failed) % {
        "n": failed
    }
    return [Attention(text, reverse("notices:log") + "?status=failed", tone="warning", count=failed, icon="bell")]
