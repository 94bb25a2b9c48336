"""The till (收银页): one page for a phone, to sell a card and to redeem."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from xiezhi.domains.prepaid import forms
from xiezhi.domains.prepaid.models import Card
from xiezhi.domains.prepaid.permissions import PrepaidPermission as May
from xiezhi.domains.prepaid.services import cards
from xiezhi.domains.prepaid.views.common import own_merchant
from xiezhi.foundation.access.guards import needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.ui.forms import saved
from xiezhi.foundation.workflow.errors import Refused


@require_http_methods(["GET", "POST"])
@needs(May.SELL)
def till(request: DeskRequest) -> HttpResponse:
    """Redeem, the commonest act, first; selling below. What was done stays on the page until the next."""
    merchant, act = own_merchant(request.actor), request.POST.get("act", "")
    redeem = forms.TillRedeemForm(request.POST if act == "redeem" else None, prefix="r")
    sell = forms.TillSellForm(request.POST if act == "sell" else None, prefix="s", merchant=merchant)
    context: dict[str, Any] = {"merchant": merchant}
    if act == "redeem":
        posted = saved(redeem, lambda data: _redeem(request, data))
        if posted is not None:
            card = Card.objects.select_related("product").get(
                merchant=merchant, number=redeem.cleaned_data["number"].strip()
            )
            context["done"] = {"card": card, "posted": posted, "purses": cards.accounts_of(card)}
            redeem = forms.TillRedeemForm(prefix="r")
    elif act == "sell":
        sale = saved(sell, lambda data: _sell(request, data))
        if sale is not None:
            link = request.build_absolute_uri(reverse("my_open", args=[sale.token])) if sale.token else ""
            context["sold"] = {"card": sale.card, "purses": cards.accounts_of(sale.card), "link": link}
            sell = forms.TillSellForm(prefix="s", merchant=merchant)
    status = 422 if redeem.errors or sell.errors else 200
    return render(request, "prepaid/till.html", {**context, "redeem": redeem, "sell": sell}, status=status)


def _redeem(request: DeskRequest, data: dict[str, Any]) -> Any:
    seen = Card.objects.visible_to(request.actor).select_related("product", "merchant")
    card = seen.filter(number="".join(data["number"].split())).first()
    if card is None:
        raise Refused(_("没有这张卡，请核对卡号。"))
    return cards.redeem(
        card=card,
        amount_fen=data["amount_fen"] or 0,
        uses=data["uses"] or 0,
        key=data["key"],
        actor=request.actor,
        at=timezone.now(),
        source="till",
    )


def _sell(request: DeskRequest, data: dict[str, Any]) -> cards.Sale:
    holder = cards.HolderFacts(data["name"], data["phone"])
    return cards.sell_card(
        product=data["product"],
        paid_fen=data["paid_fen"],
        holder=holder,
        key=data["key"],
        actor=request.actor,
        at=timezone.now(),
        source="till",
    )
