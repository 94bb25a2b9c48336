"""What waits for a person, on their first page."""

from collections.abc import Iterable
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from xiezhi.domains.prepaid.models import (
    Difference,
    Dispute,
    Release,
    ReleaseStatus,
    Reversal,
    ReversalStatus,
    Shortfall,
)
from xiezhi.domains.prepaid.permissions import PrepaidPermission as May
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.ui.attention import Attention


def lines_for(actor: Actor, at: datetime) -> Iterable[Attention]:
    """Shortfalls, requests, differences and objections that this person can do something about."""
    if not actor.can(May.VIEW):
        return
    short = Shortfall.objects.visible_to(actor).filter(closed_on=None).count()
    if short:
        yield Attention(
            text=_("存管资金低于应存"),
            url=reverse("prepaid:merchants"),
            tone="urgent",
            count=short,
            unit=_("家"),
            icon="wallet",
        )
    waiting = Release.objects.visible_to(actor).filter(status=ReleaseStatus.REQUESTED).count()
    if waiting and actor.can(May.SUPERVISE):
        yield Attention(
            text=_("支取申请待批准"),
            url=reverse("prepaid:releases") + "?status=requested",
            tone="caution",
            count=waiting,
            unit=_("份"),
            icon="gavel",
        )
    reversals = (
        Reversal.objects.visible_to(actor).filter(status=ReversalStatus.REQUESTED).exclude(requested_by=actor.user_id)
    )
    if reversals_waiting := (reversals.count() if actor.can(May.SUPERVISE) or actor.can(May.OPERATE) else 0):
        yield Attention(
            text=_("冲正申请待复核"),
            url=reverse("prepaid:reversals") + "?status=requested",
            tone="caution",
            count=reversals_waiting,
            unit=_("份"),
            icon="arrow-back-up",
        )
    late = Difference.objects.visible_to(actor).filter(status=Difference.Status.OPEN).count()
    if late and (actor.can(May.SUPERVISE) or actor.can(May.REPORT)):
        yield Attention(
            text=_("对账差异待处理"),
            url=reverse("prepaid:differences") + "?status=open",
            tone="warning",
            count=late,
            unit=_("条"),
            icon="alert-triangle",
        )
    objections = Dispute.objects.visible_to(actor).filter(status=Dispute.Status.OPEN).count()
    if objections and actor.can(May.OPERATE):
        yield Attention(
            text=_("持卡人异议待答复"),
            url=reverse("prepaid:disputes") + "?status=open",
            tone="caution",
            count=objections,
            unit=_("条"),
            icon="help-circle",
        )
