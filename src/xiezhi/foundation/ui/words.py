"""How the interface writes dates, times, money, deadlines and masked text. Pure functions; tags and exports share them."""

import re
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

UNKNOWN = "—"


def weekday(value: date) -> str:
    """周一 … 周日."""
    names = (_("周一"), _("周二"), _("周三"), _("周四"), _("周五"), _("周六"), _("周日"))
    return names[value.weekday()]


def day(value: date | datetime | None) -> str:
    """`2026-11-23（周一）`; a moment is taken in local time; — for None."""
    if value is None:
        return UNKNOWN
    if isinstance(value, datetime):
        value = timezone.localtime(value).date()
    return _("%(date)s（%(weekday)s）") % {"date": value.isoformat(), "weekday": weekday(value)}


def moment(value: datetime | None) -> str:
    """`2026-11-23 14:30` in local time; — for None."""
    return UNKNOWN if value is None else timezone.localtime(value).strftime("%Y-%m-%d %H:%M")


def money(fen: int | None) -> str:
    """`¥1,234.50` from integer fen; — for None. Raises TypeError for anything but an integer."""
    if fen is None:
        return UNKNOWN
    if isinstance(fen, bool) or not isinstance(fen, int):
        raise TypeError(f"money is integer fen, not {type(fen).__name__}")
    sign = "−" if fen < 0 else ""
    return f"{sign}¥{Decimal(abs(fen)) / 100:,.2f}"


def minutes(value: int | None) -> str:
    """`2 小时 30 分钟` from integer minutes; — for None."""
    if value is None:
        return UNKNOWN
    hours, rest = divmod(value, 60)
    parts = []
    if hours:
        parts.append(ngettext("%(n)s 小时", "%(n)s 小时", hours) % {"n": f"{hours:,}"})
    if rest or not hours:
        parts.append(ngettext("%(n)s 分钟", "%(n)s 分钟", rest) % {"n": rest})
    return " ".join(parts)


def duration(value: timedelta) -> str:
    """Time taken or left, rounded to what a person waits by: 不到 1 分钟, 3 分钟, 1 小时 5 分钟."""
    total = int(value.total_seconds())
    return _("不到 1 分钟") if total < 60 else minutes(total // 60)


def ago(value: datetime, at: datetime) -> str:
    """3 分钟前; written beside or over the absolute time, never alone."""
    passed = at - value
    if passed < timedelta(minutes=1):
        return _("刚刚")
    if passed < timedelta(days=1):
        return _("%(time)s前") % {"time": minutes(int(passed.total_seconds()) // 60)}
    return ngettext("%(n)s 天前", "%(n)s 天前", passed.days) % {"n": passed.days}


def masked(text: str | None) -> str:
    """A name, number or address of a person with its middle hidden: 张**, 138****5678, z***@example.cn; — for nothing."""
    text = (text or "").strip()
    if not text:
        return UNKNOWN
    if "@" in text:
        name, _at, host = text.partition("@")
        return f"{name[:1]}***@{host}"
    if len(re.sub(r"\D", "", text)) >= 7:
        return f"{text[:3]}{'*' * max(4, len(text) - 7)}{text[-4:]}"
    return text[0] + "*" * max(1, min(2, len(text) - 1))
