"""What waits for whoever manages people: requests to answer, appointments about to end, and a door left open on purpose."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.access.factors import NOBODY
from xiezhi.foundation.access.models import Elevation, Membership
from xiezhi.foundation.access.permissions import AccessPermission as May
from xiezhi.foundation.ui.attention import Attention

ENDING_WITHIN = timedelta(days=14)


def lines(actor: Actor, at: datetime) -> Iterator[Attention]:
    """The lines of the desk's list; nothing for roles that do not manage people."""
    if actor.can(May.APPROVE_ELEVATION):
        asked = Elevation.objects.visible_to(actor).filter(status=Elevation.Status.REQUESTED)
        if count := asked.exclude(membership__user_id=actor.user_id or 0).count():
            yield Attention(
                _("临时授权申请待批准"), reverse("access:elevations"), "caution", count, _("项"), icon="key"
            )
    if not actor.can(May.MANAGE_PEOPLE):
        return
    today = timezone.localdate(at)
    ending = Membership.objects.valid_on(today).filter(ends_on__lte=today + ENDING_WITHIN)
    if count := ending.count():
        url = reverse("access:people") + "?ending=on"
        yield Attention(_("14 天内到期的任职"), url, "neutral", count, _("个"), icon="calendar-event")
    if settings.SECOND_FACTOR == NOBODY:
        text = _("这里没有要求系统管理员二次验证（XIEZHI_SECOND_FACTOR=nobody）")
        yield Attention(text, reverse("mfa_index"), "caution", icon="lock")
