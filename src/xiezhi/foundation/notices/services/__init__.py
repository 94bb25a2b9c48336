"""Notices are put in the inbox (`inbox`), given to the channels people chose (`routing`) and carried out of the house (`delivering`)."""

from xiezhi.foundation.notices.services.choosing import (
    remove_channel,
    remove_wish,
    set_channel,
    set_quiet_hours,
    set_wish,
)
from xiezhi.foundation.notices.services.delivering import deliver_due, resend, send_code, send_letter, send_test
from xiezhi.foundation.notices.services.inbox import Told, mark_read, notify, notify_many, people_holding
from xiezhi.foundation.notices.services.routing import route_notices

__all__ = [
    "Told",
    "deliver_due",
    "mark_read",
    "notify",
    "notify_many",
    "people_holding",
    "remove_channel",
    "remove_wish",
    "resend",
    "route_notices",
    "send_code",
    "send_letter",
    "send_test",
    "set_channel",
    "set_quiet_hours",
    "set_wish",
]
