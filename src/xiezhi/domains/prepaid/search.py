"""What the desk's search finds here: merchants, and cards by their number. Holders are not looked through."""

from collections.abc import Sequence

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from xiezhi.domains.prepaid.models import Card, Merchant
from xiezhi.domains.prepaid.permissions import PrepaidPermission as May
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.ui.search import Found, Hit, closest, first_of, holding, register
from xiezhi.foundation.ui.statuses import look


def merchants(actor: Actor, words: Sequence[str], limit: int) -> Found:
    """By the subject's name or code."""
    seen = Merchant.objects.visible_to(actor).select_related("subject")
    rows = holding(seen, words, "subject__name", "subject__code")
    return first_of(closest(rows, words, "subject__name"), limit, _merchant)


def _merchant(row: Merchant) -> Hit:
    page, standing = reverse("prepaid:merchant", args=[row.pk]), look(row.status, Merchant.Status)
    return Hit(row.subject.name, page, row.subject.code, standing)


def cards(actor: Actor, words: Sequence[str], limit: int) -> Found:
    """By number or product."""
    rows = holding(Card.objects.visible_to(actor).select_related("product"), words, "number", "product__name")
    return first_of(closest(rows, words, "number", "-opened_at"), limit, _card)


def _card(row: Card) -> Hit:
    page, standing = reverse("prepaid:card", args=[row.pk]), look(row.status, Card.Status)
    return Hit(row.number, page, row.product.name, standing)


register(
    "prepaid.merchant",
    _("发卡经营者"),
    "wallet",
    find=merchants,
    permission=May.VIEW,
    more="prepaid:merchants",
    order=70,
)
register("prepaid.card", _("预付卡"), "credit-card", find=cards, permission=May.SELL, more="prepaid:cards", order=80)
