"""What administrators set about channels and people about themselves. Addresses are encrypted and never in the audit."""

from collections.abc import Collection
from datetime import datetime, time

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from xiezhi.foundation.access.actors import Actor, PermissionRefused
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.notices import sending
from xiezhi.foundation.notices.channels import fits, way_to_person
from xiezhi.foundation.notices.models import Channel, ChannelKind, QuietHours, Wish
from xiezhi.foundation.notices.permissions import NoticesPermission
from xiezhi.foundation.notices.sealing import seal, unseal
from xiezhi.foundation.notices.topics import topics
from xiezhi.foundation.workflow.errors import Refused


def _me(actor: Actor) -> int:
    if actor.user_id is None:
        raise PermissionRefused(_("请先登录。"))
    return actor.user_id


def _known(chosen: Collection[str]) -> list[str]:
    return [topic for topic in topics() if topic in chosen]


@transaction.atomic
def set_channel(
    *, kind: ChannelKind, address: str, least_level: str, left_out: Collection[str], actor: Actor, at: datetime
) -> Channel:
    """Configure a channel; an empty `address` keeps the one there is. Raises PermissionRefused, and Refused for an address that apprise
    cannot read, or none at all."""
    actor.require(NoticesPermission.MANAGE)
    row = Channel.objects.select_for_update().filter(kind=kind).first()
    if address and sending.plugin_for(sending.address_for(address, "13900000000")) is None:
        raise Refused(_("这个地址读不懂。请对照说明检查开头和各段，例如 jsons://sms.example.cn/send?:phone={to}。"))
    told = bool(settings.NOTICE_CHANNELS.get(kind.value))
    if not (address or told or (row and unseal(row.sealed_address))):
        raise Refused(_("请填写通道地址。"))
    values = {
        "least_level": least_level,
        "left_out": _known(left_out),
        "changed_at": at,
        "changed_by_id": actor.user_id,
        **({"sealed_address": seal(address)} if address and not told else {}),
    }
    row, _created = Channel.objects.update_or_create(kind=kind.value, defaults=values)
    record("notices.channel.set", row, actor=actor, at=at, address_changed=bool(address and not told))
    return row


@transaction.atomic
def remove_channel(*, kind: ChannelKind, actor: Actor, at: datetime) -> None:
    """Forget a channel's address; people's choices stay for when there is one again. Raises PermissionRefused, Refused for one that the
    environment sets, or that is not there."""
    actor.require(NoticesPermission.MANAGE)
    if settings.NOTICE_CHANNELS.get(kind.value):
        raise Refused(_("这个通道由服务器的环境变量设定，请在服务器上删去。"))
    row = Channel.objects.select_for_update().filter(kind=kind).first()
    if row is None:
        raise Refused(_("这个通道还没有设置。"))
    record("notices.channel.remove", row, actor=actor, at=at)
    row.delete()


@transaction.atomic
def set_wish(
    *,
    channel: ChannelKind,
    to: str,
    mode: str,
    least_level: str,
    left_out: Collection[str],
    actor: Actor,
    at: datetime,
) -> Wish:
    """Let one's notices also go to a channel; an empty `to` keeps the place there is. Raises ChannelMissing, and Refused for a place that
    cannot be one."""
    way_to_person(channel)
    mine = Wish.objects.select_for_update().filter(user_id=_me(actor), channel=channel).first()
    if not to and (mine is None or not unseal(mine.sealed_address)):
        raise Refused(_("请填写接收地址。"))
    if to and not fits(channel, to):
        raise Refused(_("这不像是可用的%(channel)s地址，请检查后重新填写。") % {"channel": channel.label})
    values = {
        "mode": mode,
        "least_level": least_level,
        "left_out": _known(left_out),
        "changed_at": at,
        **({"sealed_address": seal(to)} if to else {}),
    }
    wish, _created = Wish.objects.update_or_create(user_id=_me(actor), channel=channel.value, defaults=values)
    record("notices.wish.set", wish, actor=actor, at=at, channel=channel.value, mode=mode)
    return wish


@transaction.atomic
def remove_wish(*, channel: ChannelKind, actor: Actor, at: datetime) -> None:
    """Back to the inbox only, and forget the place. Raises Refused when nothing was chosen."""
    mine = Wish.objects.select_for_update().filter(user_id=_me(actor), channel=channel).first()
    if mine is None:
        raise Refused(_("您没有开通这个通道。"))
    record("notices.wish.remove", mine, actor=actor, at=at, channel=channel.value)
    mine.delete()


@transaction.atomic
def set_quiet_hours(
    *, on: bool, starts_at: time, ends_at: time, passing: Collection[str], actor: Actor, at: datetime
) -> QuietHours:
    """Say when channels are to be silent, and whose urgent notices come through all the same. Raises Refused for an empty stretch."""
    if on and starts_at == ends_at:
        raise Refused(_("起止时间相同，等于没有免打扰。请改其中一个，或者关闭免打扰。"))
    quiet, _created = QuietHours.objects.update_or_create(
        user_id=_me(actor),
        defaults={"on": on, "starts_at": starts_at, "ends_at": ends_at, "passing": _known(passing), "changed_at": at},
    )
    record("notices.quiet.set", quiet, actor=actor, at=at, on=on)
    return quiet
