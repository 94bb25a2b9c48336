"""What a session's browser and address are called on a page: enough to recognise one's own, no more."""

import ipaddress

from django.utils.translation import gettext as _

BROWSERS = (
    ("MicroMessenger", "微信"), ("DingTalk", "钉钉"), ("Edg", "Edge"), ("Firefox", "Firefox"), ("OPR", "Opera"), ("Chrome", "Chrome"), ("Safari", "Safari"),
)  # fmt: skip
SYSTEMS = (
    ("HarmonyOS", "HarmonyOS"), ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "macOS"),
    ("UOS", "统信 UOS"), ("Kylin", "麒麟"), ("Linux", "Linux"),
)  # fmt: skip


def _first(known: tuple[tuple[str, str], ...], text: str) -> str:
    return next((name for mark, name in known if mark in text), "")


def device(user_agent: str) -> str:
    """`Edge · Windows` from a browser's own description; 未知设备 where it says nothing known."""
    found = [part for part in (_first(BROWSERS, user_agent), _first(SYSTEMS, user_agent)) if part]
    return " · ".join(found) or _("未知设备")


def masked_address(ip: str) -> str:
    """`本机`, or the first half of an address: 59.64.*.*, 2409:8a00:*."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return "—"
    if address.is_loopback:
        return _("本机")
    if isinstance(address, ipaddress.IPv4Address):
        shown = ".".join(str(address).split(".")[:2]) + ".*.*"
    else:
        shown = ":".join(address.exploded.split(":")[:2]) + ":*"
    return f"{shown}（{_('内网')}）" if address.is_private else shown
