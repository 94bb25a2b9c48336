"""The time of cards: period cards recognised day by day (按期确认), expired cards used again (激活、换卡; 法释〔2025〕4号 第二十四条)."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.domains.prepaid.ledger.drafts import Draft, Kind, request_digest
from xiezhi.domains.prepaid.models import Card, Merchant, Product
from xiezhi.domains.prepaid.permissions import PrepaidPermission as May
from xiezhi.domains.prepaid.queries.cards import card_totals
from xiezhi.domains.prepaid.services import posting
from xiezhi.domains.prepaid.services.cards import (
    Sale,
    accounts_of,
    lock_book,
    move_to_new_card,
    moved,
    recognise_card,
    recognition,
)
from xiezhi.domains.prepaid.services.merchants import require_own
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.workflow.errors import Refused

CHUNK = 500


def recognise_periods(*, at: datetime) -> int:
    """Recognise the days of all period cards that are over, up to yesterday; returns how many cards moved. Idempotent, for the ticker.

    A merchant that has closed serves no more days: what is left then stays the holders' (法释〔2025〕4号 第二十二条).
    """
    yesterday = timezone.localdate(at) - timedelta(days=1)
    due = (
        Card.objects.filter(product__kind=Product.Kind.PERIOD, status__in=[Card.Status.ACTIVE, Card.Status.LOST])
        .exclude(merchant__status=Merchant.Status.CLOSED)
        .exclude(recognised_on__gte=yesterday)
        .exclude(recognised_on__gte=F("expires_on"))
        .order_by("merchant_id", "pk")
        .values_list("merchant_id", "pk")
    )
    by_merchant: dict[int, list[int]] = {}
    for merchant_id, pk in due:
        by_merchant.setdefault(merchant_id, []).append(pk)
    count = 0
    for merchant_id, ids in by_merchant.items():
        for start in range(0, len(ids), CHUNK):
            count += _recognise(merchant_id, ids[start : start + CHUNK], yesterday, at)
    return count


@transaction.atomic
def _recognise(merchant_id: int, ids: Sequence[int], through: date, at: datetime) -> int:
    lock_book(merchant_id)
    batch: list[Draft] = []
    cards = list(Card.objects.filter(pk__in=ids).select_related("product"))
    totals = card_totals(cards)
    for card in cards:
        draft, card.recognised_on = recognition(card, totals[card.pk], through, at)
        if draft is not None:
            batch.append(draft)
    posting.post_batch(batch, booked_at=at)
    Card.objects.bulk_update([card for card in cards if card.recognised_on is not None], ["recognised_on"])
    return len(batch)


@transaction.atomic
def activate_card(*, card: Card, actor: Actor, at: datetime) -> Card:
    """Let an expired card be used for its product's term once more (激活). Raises Refused when it has not expired, or nothing is on it."""
    require_own(card.merchant, actor, May.OPERATE)
    lock_book(card.merchant_id)
    locked: Card = Card.objects.select_for_update(of=("self",)).select_related("product", "merchant").get(pk=card.pk)
    _require_expired(locked, at)
    if not any(each.balance for each in accounts_of(locked).values()):
        raise Refused(_("卡内没有余额，不需要办理。"))
    before, locked.expires_on = locked.expires_on, _new_term(locked, at)
    locked.save(update_fields=["expires_on"])
    record("prepaid.card_activated", locked, actor=actor, at=at, before=str(before), after=str(locked.expires_on))
    return locked


@transaction.atomic
def exchange_card(*, card: Card, key: str, actor: Actor, at: datetime) -> Sale:
    """Move what is on an expired card to a new one of the same product and holder, with a new term (换卡). The same key gives the same card.

    Raises Refused when it has not expired, or nothing is on it.
    """
    require_own(card.merchant, actor, May.OPERATE)
    request = request_digest({"exchange": card.number})
    lock_book(card.merchant_id)
    if (earlier := moved(card, key, request)) is not None:
        return earlier
    locked: Card = Card.objects.select_related("product", "merchant", "holder").get(pk=card.pk)
    _require_expired(locked, at)
    return move_to_new_card(
        locked, locked.holder, None, Kind.EXCHANGE, key, request, actor, at, expires_on=_new_term(locked, at)
    )


def _require_expired(card: Card, at: datetime) -> None:
    if card.status == Card.Status.LOST:
        raise Refused(_("这张卡已经挂失，请先补卡。"))
    if card.status != Card.Status.ACTIVE:
        raise Refused(_("这张卡已经停用，不能激活或换卡。"))
    if card.expires_on is None or timezone.localdate(at) <= card.expires_on:
        raise Refused(_("这张卡没有过期，可以继续使用。"))
    if card.product.kind == Product.Kind.PERIOD:
        recognise_card(card=card, through=card.expires_on, at=at)


def _new_term(card: Card, at: datetime) -> date:
    """As long as the product gave it at first: no rule says how long an activated card is valid."""
    days = card.product.term_days or (card.expires_on or date.max).toordinal() - card.opened_at.toordinal()
    return timezone.localdate(at) + timedelta(days=days)
