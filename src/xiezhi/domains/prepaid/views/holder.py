"""A card holder's own pages (我的预付卡). No account: the link on the receipt opens them, or a code sent to the
telephone they were bought with, and the browser remembers."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xiezhi.domains.prepaid import forms
from xiezhi.domains.prepaid.models import Card, Dispute, Holder
from xiezhi.domains.prepaid.queries import custody as custody_queries
from xiezhi.domains.prepaid.queries.cards import by_operation, card_entries, card_totals, month_statement
from xiezhi.domains.prepaid.services import cards, disputes
from xiezhi.domains.prepaid.services.holders import phone_digest
from xiezhi.foundation.access.guards import public
from xiezhi.foundation.accounts import number_proof
from xiezhi.foundation.ui.forms import saved
from xiezhi.foundation.workflow.errors import AlreadyDone, Refused

SESSION_KEY = "prepaid_holders"
MOST_HOLDERS = 50


@require_GET
@public
def open_link(request: HttpRequest, token: str) -> HttpResponseBase:
    """The link of a receipt: remember whose cards this browser may see, and leave the token out of the address at once."""
    holder = Holder.objects.filter(link=cards.link_digest(token)).first()
    if holder is None:
        raise Http404
    _remember(request, [holder.pk])
    return redirect("my_cards")


def _remember(request: HttpRequest, holders: list[int]) -> None:
    known = [pk for pk in request.session.get(SESSION_KEY, []) if pk not in holders]
    request.session.cycle_key()
    request.session[SESSION_KEY] = [*known, *holders][-MOST_HOLDERS:]


def _cards(request: HttpRequest) -> Any:
    mine = request.session.get(SESSION_KEY, [])
    return Card.objects.filter(holder_id__in=mine).select_related("product", "merchant__subject", "holder")


@require_GET
@public
def my_cards(request: HttpRequest) -> HttpResponse:
    """All cards of the holders that this browser knows, those in use first."""
    found = list(_cards(request).order_by("-status", "-opened_at"))
    found.sort(key=lambda card: card.status == Card.Status.CLOSED)
    totals = card_totals(found)
    return render(request, "prepaid/my/cards.html", {"cards": [(card, totals[card.pk]) for card in found]})


@require_http_methods(["GET", "POST"])
@public
def my_phone(request: HttpRequest) -> HttpResponseBase:
    """Ask for a code by the telephone number that the cards were bought with; works without the link and without an account."""
    form = forms.NumberForm(request.POST or None)

    def known(number: str) -> bool:
        return Holder.objects.filter(phone_digest=phone_digest(number)).exists()

    def ask(data: dict[str, Any]) -> bool:
        number_proof.ask(request, number=data["number"], known=known, at=timezone.now())
        return True

    if saved(form, ask):
        return redirect("my_code")
    return render(request, "prepaid/my/phone.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@public
def my_code(request: HttpRequest) -> HttpResponseBase:
    """The code from the message; every card of that number opens in this browser."""
    form = forms.CodeForm(request.POST or None)
    number = saved(form, lambda data: number_proof.prove(request.session, code=data["code"], at=timezone.now()))
    if number:
        holders = Holder.objects.filter(phone_digest=phone_digest(number)).order_by("pk")
        _remember(request, list(holders.values_list("pk", flat=True)))
        return redirect("my_cards")
    if not form.is_bound and not number_proof.is_waiting(request.session):
        return redirect("my_phone")
    return render(request, "prepaid/my/code.html", {"form": form}, status=422 if form.errors else 200)


@require_GET
@public
def my_card(request: HttpRequest, number: str) -> HttpResponse:
    """One card: what is left, what waits for the holder, and every entry."""
    card = get_object_or_404(_cards(request), number=number)
    before = request.GET.get("before", "")
    entries = card_entries(card, before=int(before) if before.isdecimal() else None)
    groups = by_operation(entries)
    disputed = dict(Dispute.objects.filter(card=card).values_list("operation", "status"))
    today = timezone.localdate()
    context = {
        "card": card,
        "purses": cards.accounts_of(card),
        "groups": [(group, disputed.get(group[0].operation)) for group in groups],
        "waiting": [group for group in groups if group[0].waiting],
        "older": entries[-1].sequence if len(entries) == 50 else None,
        "disputes": Dispute.objects.filter(card=card).order_by("-raised_at"),
        "month": today.strftime("%Y-%m"),
        "day": custody_queries.position(card.merchant, on=today),
    }
    return render(request, "prepaid/my/card.html", context)


@require_POST
@public
def my_confirm(request: HttpRequest, number: str, operation: int) -> HttpResponseBase:
    """The holder's yes or no to a redemption."""
    card = get_object_or_404(_cards(request), number=number)
    confirmed = request.POST.get("answer") == "yes"
    try:
        cards.confirm_redemption(card=card, operation=operation, confirmed=confirmed, at=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("已确认这次消费。") if confirmed else _("已取消，金额回到卡内。"))
    return redirect("my_card", number=number)


@require_http_methods(["GET", "POST"])
@public
def my_dispute(request: HttpRequest, number: str, operation: int) -> HttpResponseBase:
    """Object to an operation."""
    card = get_object_or_404(_cards(request), number=number)
    entries = [entry for entry in card_entries(card, before=operation + 20) if entry.operation == operation]
    if not entries:
        raise Http404
    form = forms.DisputeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            disputes.raise_dispute(card=card, operation=operation, words=form.cleaned_data["words"], at=timezone.now())
        except AlreadyDone as done:
            messages.success(request, str(done))
        else:
            messages.success(request, _("异议已提交，经营者和监管部门都会看到。"))
        return redirect("my_card", number=number)
    status = 422 if form.errors else 200
    return render(
        request,
        "prepaid/my/dispute.html",
        {"card": card, "group": by_operation(entries)[0], "form": form},
        status=status,
    )


@require_GET
@public
def my_statement(request: HttpRequest, number: str) -> HttpResponse:
    """One month of a card, to print or keep."""
    card = get_object_or_404(_cards(request), number=number)
    try:
        month = date.fromisoformat(f"{request.GET.get('month', '')}-01")
    except ValueError:
        month = timezone.localdate().replace(day=1)
    statement = month_statement(card, month)
    context = {"card": card, "statement": statement, "groups": by_operation(statement.entries)}
    return render(request, "prepaid/my/statement.html", context)
