"""What complaints ask of a person on their desk."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Count, Min
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from xiezhi.domains.complaints.models import Application, CoHandler, MallRequest, Supervision, Topic
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.queries.callbacks import queue, unresolved
from xiezhi.domains.complaints.queries.cases import cases_listed, waiting_for
from xiezhi.domains.complaints.words import OPEN, CaseStatus, TopicStatus
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.ui.attention import Attention

WORK = "complaints:next"


def lines_for(actor: Actor, at: datetime) -> Iterator[Attention]:
    """Cases over time, those that wait for this post, what was asked of the unit, applications to decide; for malls what to answer."""
    if actor.can(May.ANSWER):
        asked = (
            MallRequest.objects.visible_to(actor)
            .filter(answered_at=None)
            .aggregate(n=Count("pk"), soonest=Min("due_at"))
        )
        if asked["n"]:
            tone = "urgent" if asked["soonest"] <= at else "caution"
            url = reverse("complaints:mall_requests")
            yield Attention(
                _("消费者诉求等商场回应"), url, tone, asked["n"], _("件"), asked["soonest"], "building-store"
            )
    if not actor.can(May.VIEW):
        return
    late = cases_listed(actor).filter(status__in=OPEN, next_due_at__lt=at).count()
    if late:
        url = f"{reverse('complaints:cases')}?stage=late"
        yield Attention(_("诉求已超期"), url, "urgent", late, _("件"), icon="clock-exclamation")
    waiting = waiting_for(actor).aggregate(n=Count("pk"), soonest=Min("next_due_at"))
    if waiting["n"]:
        text = _("诉求等您派单和审定") if actor.can(May.DISPATCH) else _("诉求等本单位办理")
        yield Attention(text, reverse(WORK), "active", waiting["n"], _("件"), waiting["soonest"], "phone")
    if actor.can(May.DISPATCH):
        rising = Topic.objects.visible_to(actor).filter(status=TopicStatus.RISING).count()
        if rising:
            url = f"{reverse('complaints:topics')}?status={TopicStatus.RISING}"
            yield Attention(_("未诉先办事项等您处置"), url, "warning", rising, _("项"), icon="chart-bar")
        leads = cases_listed(actor).filter(status=CaseStatus.LEAD).aggregate(n=Count("pk"), first=Min("arrived_at"))
        if leads["n"]:
            days = (at - leads["first"]).days
            text = ngettext("线索等登记编号，最早的等了 %(n)s 天", "线索等登记编号，最早的等了 %(n)s 天", days) % {
                "n": days
            }
            url = f"{reverse('complaints:cases')}?status=lead&sort=received_at"
            yield Attention(text, url, "caution" if days else "active", leads["n"], _("件"), icon="hourglass")
    if actor.can(May.CALL_BACK):
        yield from _to_call(actor, at)
    if actor.can(May.HANDLE):
        yield from _asked_of_unit(actor)
    if actor.can(May.APPROVE):
        undecided = Application.objects.visible_to(actor).filter(decided_at=None).exclude(asked_by_id=actor.user_id)
        if actor.district_wide:
            undecided = undecided.exclude(purpose=Application.Purpose.EXTEND)
        else:
            undecided = undecided.filter(purpose=Application.Purpose.EXTEND)
        first = undecided.order_by("asked_at").first()
        if first:
            url = reverse("complaints:case", args=[first.case_id])
            yield Attention(_("申请等您审批"), url, "caution", undecided.count(), _("项"), icon="gavel")


def _to_call(actor: Actor, at: datetime) -> Iterator[Attention]:
    url = reverse("complaints:callbacks")
    if count := queue(actor, at).count():
        yield Attention(_("诉求等您回访"), url, "active", count, _("件"), icon="phone")
    if count := unresolved(actor).count():
        yield Attention(_("回访未解决，等您处理"), f"{url}?what=unresolved", "caution", count, _("件"), icon="circle-x")


def _asked_of_unit(actor: Actor) -> Iterator[Attention]:
    helping = CoHandler.objects.filter(unit_id=actor.organisation_id, answered_at=None)
    if count := helping.count():
        url = f"{reverse('complaints:cases')}?helping=true"
        yield Attention(_("请本单位协办的诉求"), url, "active", count, _("件"), icon="users")
    supervised = Supervision.objects.filter(case__in=cases_listed(actor), answered_at=None).order_by("at")
    if first := supervised.first():
        url = reverse("complaints:case", args=[first.case_id])
        yield Attention(_("督办等您回复"), url, "urgent", supervised.count(), _("件"), icon="gavel")
