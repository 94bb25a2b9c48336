"""Reversals (冲正): asked for by one person, agreed by another."""

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xiezhi.domains.prepaid import forms
from xiezhi.domains.prepaid.models import Reversal
from xiezhi.domains.prepaid.permissions import PrepaidPermission as May
from xiezhi.domains.prepaid.services import reversals
from xiezhi.domains.prepaid.tables import ReversalFilters, ReversalTable
from xiezhi.domains.prepaid.views.common import act_page, merchant_of
from xiezhi.domains.prepaid.workflow import REVERSAL
from xiezhi.foundation.access.guards import needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.ui.lists import Empty, list_page


@require_GET
@needs(May.VIEW)
def reversal_list(request: DeskRequest) -> HttpResponseBase:
    """Requests to take an operation back."""
    return list_page(
        request,
        title=_("冲正申请"),
        unit=_("份申请"),
        table=ReversalTable,
        filterset=ReversalFilters,
        queryset=Reversal.objects.visible_to(request.actor).select_related("merchant__subject"),
        empty=Empty(
            _("没有冲正申请"), _("记错的业务从卡页或存管账簿提出冲正，另一位同事复核后入账。"), icon="arrow-back-up"
        ),
    )


@require_GET
@needs(May.VIEW)
def reversal_detail(request: DeskRequest, pk: int) -> HttpResponse:
    """One request, with the moves that this person may make."""
    seen = Reversal.objects.visible_to(request.actor)
    reversal = get_object_or_404(seen.select_related("merchant__subject", "card", "bank_account__bank"), pk=pk)
    context = {
        "reversal": reversal,
        "workflow": REVERSAL,
        "may_open_card": request.actor.can(May.SELL),
        "asked_by_me": reversal.requested_by == request.actor.user_id,
    }
    return render(request, "prepaid/reversal.html", context)


@require_POST
@needs(May.VIEW)
def reversal_move(request: DeskRequest, pk: int, move: str) -> HttpResponseBase:
    """One move of the table."""
    reversal = get_object_or_404(Reversal.objects.visible_to(request.actor).select_related("merchant__subject"), pk=pk)
    if move not in {"approve", "refuse", "withdraw"}:
        raise Http404
    reversals.decide_reversal(
        reversal=reversal,
        move=move,
        reason=request.POST.get("reason", ""),
        seen_status=request.POST.get("seen_status"),
        actor=request.actor,
        at=timezone.now(),
    )
    messages.success(request, _("已办理。"))
    return redirect("prepaid:reversal", pk=pk)


@require_http_methods(["GET", "POST"])
@needs(May.VIEW)
def reversal_new(request: DeskRequest, pk: int) -> HttpResponseBase:
    """Ask for an operation of a merchant's book to be taken back."""
    merchant = merchant_of(request, pk)
    if not any(request.actor.can(each) for each in (May.SUPERVISE, May.OPERATE, May.REPORT)):
        raise Http404
    given = request.GET.get("operation", "")
    form = forms.ReversalForm(request.POST or None, initial={"operation": given if given.isdecimal() else None})
    return act_page(
        request, form,
        lambda data: reversals.request_reversal(merchant=merchant, **data, actor=request.actor, at=timezone.now()),
        title=_("提出冲正"), submit=_("提交复核"), style="caution", done=_("已提交，等待另一位同事复核。"),
        back=reverse("prepaid:reversals"), then=lambda reversal: reverse("prepaid:reversal", args=[reversal.pk]),
        intro=_("原分录不会改动；复核同意后，记一笔方向相反、金额相同的分录。"),
    )  # fmt: skip
