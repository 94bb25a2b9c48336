"""Cards at the desk, files of redemptions."""

import tempfile
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.db.models import F, OuterRef, Subquery
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xiezhi.domains.prepaid import forms
from xiezhi.domains.prepaid.ledger.drafts import Purse
from xiezhi.domains.prepaid.models import Account, Card
from xiezhi.domains.prepaid.permissions import PrepaidPermission as May
from xiezhi.domains.prepaid.queries.cards import by_operation, card_entries
from xiezhi.domains.prepaid.services import batches, cards, links, terms
from xiezhi.domains.prepaid.tables import CardFilters, CardTable
from xiezhi.domains.prepaid.views.common import act_page, own_merchant
from xiezhi.domains.prepaid.workflow import REVERSIBLE
from xiezhi.foundation.access.guards import needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.ui.forms import form_page
from xiezhi.foundation.ui.lists import Action, Empty, list_page
from xiezhi.foundation.workflow.errors import Refused


@require_GET
@needs(May.SELL)
def card_list(request: DeskRequest) -> HttpResponseBase:
    """The merchant's cards."""
    principal = Account.objects.filter(card=OuterRef("pk"), purse=Purse.PRINCIPAL).values(
        left=F("credits") - F("debits")
    )[:1]
    seen = Card.objects.visible_to(request.actor).select_related("product", "merchant__subject")
    return list_page(
        request,
        title=_("预付卡"),
        unit=_("张卡"),
        table=CardTable,
        filterset=CardFilters,
        queryset=seen.annotate(principal=Subquery(principal)),
        actions=[
            Action(_("收银页"), reverse("till"), icon="receipt"),
            Action(_("批量核销"), reverse("prepaid:batch_new"), icon="upload", permission=May.OPERATE),
        ],
        empty=Empty(_("还没有卖出卡"), _("在收银页或通过收银接口售卡后，会列在这里。"), icon="credit-card"),
    )


def _card(request: DeskRequest, pk: int) -> Card:
    seen = Card.objects.visible_to(request.actor).select_related("product", "merchant__subject", "holder", "successor")
    card: Card = get_object_or_404(seen, pk=pk)
    return card


@require_GET
@needs(May.SELL)
def card_detail(request: DeskRequest, pk: int) -> HttpResponse:
    """One card: balances, entries, what can be done."""
    card = _card(request, pk)
    before = request.GET.get("before", "")
    entries = card_entries(card, before=int(before) if before.isdecimal() else None)
    context = {
        "card": card,
        "purses": cards.accounts_of(card),
        "groups": by_operation(entries),
        "older": entries[-1].sequence if len(entries) == 50 else None,
        "reversible": REVERSIBLE,
        "may_operate": request.actor.can(May.OPERATE),
        "is_open": card.status != Card.Status.CLOSED,
        "is_expired": card.status == Card.Status.ACTIVE
        and card.expires_on is not None
        and card.expires_on < timezone.localdate(),
    }
    return render(request, "prepaid/card.html", context)


@require_http_methods(["GET", "POST"])
@needs(May.OPERATE)
def card_refund(request: DeskRequest, pk: int) -> HttpResponseBase:
    """Give principal back."""
    card, form = _card(request, pk), forms.RefundForm(request.POST or None)
    return act_page(
        request, form,
        lambda data: cards.refund(card=card, **data, actor=request.actor, at=timezone.now()),
        title=_("退款"), submit=_("确认退款"), style="caution", done=_("已转入应付退款。"), back=reverse("prepaid:card", args=[pk]),
        intro=_("只退本金；全部退还后赠送与剩余次数失效，卡停用。"),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@needs(May.OPERATE)
def card_transfer(request: DeskRequest, pk: int) -> HttpResponseBase:
    """Hand a card on."""
    card, form = _card(request, pk), forms.TransferForm(request.POST or None)

    def act(data: dict[str, Any]) -> cards.Sale:
        to = cards.HolderFacts(data["name"], data["phone"])
        return cards.transfer_card(card=card, to=to, key=data["key"], actor=request.actor, at=timezone.now())

    return act_page(
        request, form, act,
        title=_("转让"), submit=_("转到新卡"), done=_("已转到新卡，原卡停用。"), back=reverse("prepaid:card", args=[pk]),
        then=lambda sale: reverse("prepaid:card", args=[sale.card.pk]),
        intro=_("转让自通知经营者起生效，不需要经营者同意（法释〔2025〕4号 第十一条）。"),
    )  # fmt: skip


@require_POST
@needs(May.OPERATE)
def card_lost(request: DeskRequest, pk: int) -> HttpResponseBase:
    """Report a card lost (挂失)."""
    cards.report_lost(card=_card(request, pk), actor=request.actor, at=timezone.now())
    messages.success(request, _("已挂失，卡内余额不受影响。"))
    return redirect("prepaid:card", pk=pk)


@require_POST
@needs(May.OPERATE)
def card_found(request: DeskRequest, pk: int) -> HttpResponseBase:
    """Let a card that was lost and found be used again (解挂)."""
    cards.report_found(card=_card(request, pk), actor=request.actor, at=timezone.now())
    messages.success(request, _("已解挂，可以继续使用。"))
    return redirect("prepaid:card", pk=pk)


@require_POST
@needs(May.OPERATE)
def card_reissue(request: DeskRequest, pk: int) -> HttpResponseBase:
    """Replace a lost card (补卡)."""
    card = _card(request, pk)
    sale = cards.reissue_card(card=card, key=f"reissue:{card.pk}", actor=request.actor, at=timezone.now())
    messages.success(request, _("已补发新卡。"))
    return redirect("prepaid:card", pk=sale.card.pk)


@require_http_methods(["GET", "POST"])
@needs(May.OPERATE)
def card_activate(request: DeskRequest, pk: int) -> HttpResponseBase:
    """Let an expired card be used for another term."""
    card, form = _card(request, pk), forms.ConfirmForm(request.POST or None)
    return act_page(
        request, form,
        lambda _data: terms.activate_card(card=card, actor=request.actor, at=timezone.now()),
        title=_("激活过期卡"), submit=_("激活"), done=_("已激活，余额不变。"), back=reverse("prepaid:card", args=[pk]),
        intro=_("卡内余额不变，有效期按产品原来的期限从今天重新起算（法释〔2025〕4号 第二十四条）。"),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@needs(May.OPERATE)
def card_exchange(request: DeskRequest, pk: int) -> HttpResponseBase:
    """Move what is left on an expired card to a new one."""
    card, form = _card(request, pk), forms.KeyedForm(request.POST or None)
    return act_page(
        request, form,
        lambda data: terms.exchange_card(card=card, key=data["key"], actor=request.actor, at=timezone.now()),
        title=_("过期卡换卡"), submit=_("换成新卡"), done=_("已换成新卡，原卡停用。"), back=reverse("prepaid:card", args=[pk]),
        then=lambda sale: reverse("prepaid:card", args=[sale.card.pk]),
        intro=_("本金、赠送和剩余次数全部转到新卡，原卡停用（法释〔2025〕4号 第二十四条）。"),
    )  # fmt: skip


@require_POST
@needs(May.OPERATE)
def card_link(request: DeskRequest, pk: int) -> HttpResponse:
    """A new link for the holder's own pages, shown once."""
    card = _card(request, pk)
    if card.merchant_id != own_merchant(request.actor).pk:
        raise Http404
    token = links.hand_out_link(card=card, actor=request.actor, at=timezone.now())
    link = request.build_absolute_uri(reverse("my_open", args=[token]))
    return render(request, "prepaid/link.html", {"card": card, "link": link})


@require_http_methods(["GET", "POST"])
@needs(May.OPERATE)
def batch_new(request: DeskRequest) -> HttpResponseBase:
    """Redeem what a file says."""
    merchant = own_merchant(request.actor)
    form = forms.BatchForm(request.POST or None, request.FILES or None)
    page = {"title": _("批量核销"), "submit": _("整份入账"), "cancel_url": reverse("prepaid:cards")}
    if request.method == "POST" and form.is_valid():
        with tempfile.NamedTemporaryFile(prefix="xiezhi-batch-", delete=False) as file:
            for chunk in form.cleaned_data["file"].chunks():
                file.write(chunk)
        try:
            done = batches.post_redemptions(
                merchant=merchant, path=Path(file.name), actor=request.actor, at=timezone.now()
            )
        except Refused as refusal:
            form.add_error("file", str(refusal))
        else:
            if not done.refused:
                messages.success(
                    request,
                    _("入账 %(posted)s 笔，先前已入账 %(replayed)s 笔。")
                    % {"posted": done.posted, "replayed": done.replayed},
                )
                return redirect("prepaid:cards")
            return render(request, "prepaid/batch_refused.html", {"done": done}, status=422)
        finally:
            Path(file.name).unlink()
    return form_page(request, form, **page)
