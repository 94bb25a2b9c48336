from collections.abc import Iterator
from datetime import datetime

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.calendar.permissions import CalendarPermission
from xiezhi.foundation.calendar.queries import pending_years
from xiezhi.foundation.ui.attention import Attention

NOTICES_COME_IN = 11
"""November: in the last years the State Council's notice for the next year came out between 25 October and mid-November."""


def missing_notices(actor: Actor, at: datetime) -> Iterator[Attention]:
    """For whoever enters notices: this year's or, from November on, the next year's is not there."""
    if not actor.can(CalendarPermission.IMPORT):
        return
    today = timezone.localdate(at)
    last = today.year + (today.month >= NOTICES_COME_IN)
    for year in pending_years(today.year, last):
        yield Attention(
            text=_("%(year)s 年放假安排还没有录入，跨到那一年的期限都是暂定的") % {"year": year},
            url=f"{reverse('calendar:import')}?year={year}",
            tone="urgent" if year == today.year else "caution",
            icon="calendar-event",
        )
