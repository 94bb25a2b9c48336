"""How much time is left until a deadline, in the words people plan by."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from asgiref.local import Local
from django.core.signals import request_finished, request_started
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from xiezhi.engines.deadlines import WorkdayTable, workdays_between
from xiezhi.foundation.calendar.queries import workday_table
from xiezhi.foundation.ui import words

_request = Local()


@dataclass(frozen=True)
class Left:
    """A deadline in words, with its tone and icon. `pending`: years it runs through whose holiday notice is not known (待通知)."""

    text: str
    tone: str
    icon: str
    pending: tuple[int, ...] = ()


def time_left(due: datetime, at: datetime) -> Left:
    """How long until `due`: overdue (urgent), today (warning), within two working days (caution), later (neutral)."""
    local, today = timezone.localtime(due), timezone.localtime(at).date()
    absolute = local.strftime("%m-%d %H:%M") if local.year == today.year else local.strftime("%Y-%m-%d %H:%M")
    if due <= at:
        late = at - due
        passed = (
            words.duration(late)
            if late < timedelta(days=1)
            else ngettext("%(n)s 天", "%(n)s 天", late.days) % {"n": late.days}
        )
        return Left(
            _("已超 %(time)s（%(due)s 截止）") % {"time": passed, "due": absolute}, "urgent", "clock-exclamation"
        )
    if local.date() == today:
        left = words.duration(due - at)
        return Left(_("剩 %(time)s（今天 %(due)s 前）") % {"time": left, "due": f"{local:%H:%M}"}, "warning", "clock")
    days = workdays_between(today, local.date(), _workdays()).workdays
    text = ngettext("剩 %(n)s 个工作日（%(due)s 前）", "剩 %(n)s 个工作日（%(due)s 前）", days)
    waiting = years_waiting(local, today)
    return Left(text % {"n": days, "due": absolute}, "caution" if days <= 2 else "neutral", "clock", waiting)


def years_waiting(due: date | datetime, today: date | None = None) -> tuple[int, ...]:
    """The years from today's to that of `due` whose holiday notice is not known: what is counted through them is provisional."""
    today = today or timezone.localdate()
    last = timezone.localtime(due).year if isinstance(due, datetime) and timezone.is_aware(due) else due.year
    known = _workdays().years
    return tuple(year for year in range(today.year, last + 1) if year not in known)


def _workdays() -> WorkdayTable:
    """The table of working days, read once per request: a list may show fifty deadlines."""
    if not getattr(_request, "open", False):
        return workday_table()
    if _request.table is None:
        _request.table = workday_table()
    return _request.table  # type: ignore[no-any-return]


def _begin(**_signal: Any) -> None:
    _request.open, _request.table = True, None


def _end(**_signal: Any) -> None:
    _request.open, _request.table = False, None


request_started.connect(_begin)
request_finished.connect(_end)
