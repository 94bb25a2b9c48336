"""One message out of the house, through apprise. Nothing here knows people or preferences, and nothing here logs an address."""

import logging
import re
import threading
from urllib.parse import quote

from apprise import Apprise, AppriseAsset, NotifyFormat
from apprise.plugins import NotifyBase
from django.utils.translation import gettext as _

from xiezhi.foundation.workflow.errors import Refused

SECONDS_TO_CONNECT = 3.0
SECONDS_TO_ANSWER = 6.0
PLACE = "{to}"
"""Where a channel's address names whoever is to be reached: `jsons://sms.example.cn/send?:phone={to}`."""

# Addresses are secrets. apprise quotes them in its complaints and urllib3 in its debugging, so neither reaches our log:
# `_Ear` below is the only listener, and it keeps the answer's status alone.
_log = logging.getLogger("apprise")
_log.addHandler(logging.NullHandler())
_log.propagate = False
_log.setLevel(logging.WARNING)
logging.getLogger("urllib3").setLevel(logging.INFO)


class ChannelMissing(Refused):
    """No channel of this kind is configured, so nothing was sent."""


class NotSent(Refused):
    """The other side did not take the message. The words say why, without the address. `final`: trying again will not help."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.final = final


class _Ear(logging.Handler):
    """What apprise says while it sends, which is the only place where it tells the answer's status."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []
        self.thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self.thread:
            self.said.append(record.getMessage())


def address_for(template: str, to: str) -> str:
    """The apprise address with `to` in its place, quoted so that it can be nothing but one value."""
    return template.replace(PLACE, quote(to, safe=""))


def plugin_for(address: str) -> NotifyBase | None:
    """The apprise plugin that `address` describes; None when apprise cannot read it."""
    try:
        plugin = Apprise.instantiate(address, asset=AppriseAsset(app_id="Xiezhi"), suppress_exceptions=True)
    except (TypeError, ValueError):
        return None
    return plugin if isinstance(plugin, NotifyBase) else None


def send(address: str, *, body: str, title: str = "") -> None:
    """Hand one plain-text message to the service behind the apprise `address`; returns when it was taken.

    Waits at most about 9 s, so call it outside a transaction. Raises NotSent with the reason.
    """
    plugin = plugin_for(address)
    if plugin is None:
        raise NotSent(_("通道的地址格式不对，请管理员检查消息通道设置。"), final=True)
    plugin.socket_connect_timeout, plugin.socket_read_timeout = SECONDS_TO_CONNECT, SECONDS_TO_ANSWER
    ear = _Ear()
    _log.addHandler(ear)
    try:
        taken = plugin.notify(body=body, title=title, body_format=NotifyFormat.TEXT)
    except Exception as error:  # a plugin's own fault must not stop the others' messages
        raise NotSent(_("发送时出错（%(kind)s）。") % {"kind": type(error).__name__}) from None
    finally:
        _log.removeHandler(ear)
    if not taken:
        raise _refusal(" ".join(ear.said))


def _refusal(said: str) -> NotSent:
    status = re.search(r"error=(\d{3})\b", said)
    if status is None:
        return NotSent(_("连不上消息服务，或者对方没有接收。"))
    code = int(status[1])
    final = 400 <= code < 500 and code not in {408, 425, 429}
    return NotSent(_("消息服务没有接收（HTTP %(code)s）。") % {"code": code}, final=final)
