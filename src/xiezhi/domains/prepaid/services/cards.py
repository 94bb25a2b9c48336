"""Everything that happens to a card: sold, used, confirmed, refunded, handed on, lost and replaced."""

import hashlib
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from stdnum import luhn

from xiezhi.domains.prepaid import rules
from xiezhi.domains.prepaid.ledger import drafts
from xiezhi.domains.prepaid.ledger.drafts import Draft, Kind, Leg, Phase, Purse, redemption_request, request_digest
from xiezhi.domains.prepaid.ledger.shares import Share, share_amount, share_uses
from xiezhi.domains.prepaid.models import Account, Book, Card, Entry, Holder, Merchant, Product
from xiezhi.domains.prepaid.permissions import PrepaidPermission as May
from xiezhi.domains.prepaid.services import posting
from xiezhi.domains.prepaid.services.holders import phone_digest
from xiezhi.domains.prepaid.services.merchants import check_caps, require_own
from xiezhi.domains.prepaid.services.posting import Posted
from xiezhi.domains.prepaid.services.webhooks import announce_settled
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.rules.queries import reading
from xiezhi.foundation.workflow.errors import Refused

LINK_BYTES = 16


@dataclass(frozen=True)
class HolderFacts:
    """Who buys or receives a card. Empty for an anonymous card."""

    name: str = ""
    phone: str = ""


@dataclass(frozen=True)
class Sale:
    """A card and the operation that filled it. `token`: opens the holder's own pages; None when it was given out before."""

    card: Card
    posted: Posted
    token: str | None


@transaction.atomic
def sell_card(
    *,
    product: Product,
    paid_fen: int,
    holder: HolderFacts,
    key: str,
    actor: Actor,
    at: datetime,
    source: str = "desk",
) -> Sale:
    """Sell a card, filled with what was paid and the product's bonus or uses. The same key again gives the same card.

    Raises Refused when the merchant may not issue, the product is not sold at this price, or a cap is passed.
    """
    merchant = product.merchant
    require_own(merchant, actor, May.SELL)
    request = request_digest({"sell": product.code, "paid": paid_fen, "name": holder.name, "phone": holder.phone})
    lock_book(merchant.pk)
    if (posted := replayed(merchant.pk, key, request)) is not None:
        card_id = posted.entries[0].credit.card_id
        return Sale(Card.objects.select_related("product", "merchant").get(pk=card_id), posted, None)
    _check_sale(product, paid_fen, at)
    if product.named and not holder.phone.strip():
        raise Refused(_("记名卡须填写持卡人手机号。"))
    found, token = _holder(merchant, holder)
    expires_on = timezone.localdate(at) + timedelta(days=product.term_days) if product.term_days else None
    card = Card.objects.create(
        merchant=merchant, number=_number(merchant), product=product, holder=found, opened_at=at, expires_on=expires_on
    )
    of_card = posting.open_card_accounts(card)
    legs = _filling(of_card, paid_fen, product.bonus_fen, product.uses)
    draft = Draft(merchant.pk, Kind.PURCHASE, legs, key, request, at, source=source, actor_user_id=actor.user_id)
    return Sale(card, posting.post(draft, booked_at=at), token)


@transaction.atomic
def top_up(
    *, card: Card, paid_fen: int, bonus_fen: int = 0, key: str, actor: Actor, at: datetime, source: str = "desk"
) -> Posted:
    """Add to a stored value card. What it then holds must stay within the cap. Raises Refused."""
    require_own(card.merchant, actor, May.SELL)
    request = request_digest({"top_up": card.number, "paid": paid_fen, "bonus": bonus_fen})
    lock_book(card.merchant_id)
    if (posted := replayed(card.merchant_id, key, request)) is not None:
        return posted
    require_usable(card, at)
    if card.product.kind != Product.Kind.STORED:
        raise Refused(_("只有储值卡可以充值，其他卡请另购。"))
    _check_issuing(card.merchant)
    drafts.check_amount(paid_fen)
    of_card = accounts_of(card)
    check_caps(card.product, paid_fen + of_card[Purse.PRINCIPAL].balance, on=timezone.localdate(at))
    legs = _filling(of_card, paid_fen, bonus_fen, 0)
    draft = Draft(card.merchant_id, Kind.PURCHASE, legs, key, request, at, source=source, actor_user_id=actor.user_id)
    return posting.post(draft, booked_at=at)


def redeem(
    *,
    card: Card,
    amount_fen: int = 0,
    uses: int = 0,
    key: str,
    actor: Actor,
    at: datetime,
    booked_at: datetime | None = None,
    source: str = "desk",
) -> Posted:
    """Spend from a card: fen of a stored value card, uses of a count or course card (a period card's time is recognised by itself, see
    services/terms.py). Held until the holder confirms where the product says so. Raises Overdrawn when there is not enough, Refused for
    a card that cannot be used."""
    require_own(card.merchant, actor, May.SELL)
    request = redemption_request(card.number, amount_fen, uses)
    counted = card.product.kind in {Product.Kind.COUNT, Product.Kind.COURSE}
    shared = counted or card.product.bonus_fen > 0 or card.product.confirm_each
    # A plain redemption is one statement, a transaction of its own; shares must be of what is there when they are posted.
    with _locked(card.merchant_id) if shared else nullcontext():
        of_card = accounts_of(card)
        try:
            require_usable(card, at)
            share = _share(card, of_card, amount_fen, uses, at)
        except Refused:
            if (posted := replayed(card.merchant_id, key, request)) is not None:
                return posted
            raise
        draft = Draft(
            card.merchant_id,
            Kind.REDEMPTION,
            _spending(of_card, share),
            key,
            request,
            at,
            phase=Phase.PENDING if card.product.confirm_each else Phase.POSTED,
            source=source,
            actor_user_id=actor.user_id,
            expires_at=at + timedelta(hours=reading(rules.CONFIRM_HOURS, on=timezone.localdate(at)).value)
            if card.product.confirm_each
            else None,
        )
        return posting.post(draft, booked_at=booked_at or at)


def confirm_redemption(*, card: Card, operation: int, confirmed: bool, at: datetime, source: str = "holder") -> Posted:
    """The holder's answer to a held redemption: post it, or set it free. Raises HoldGone when it is over already."""
    held = posting.entries_of(card.merchant_id, operation)
    principal = accounts_of(card)[Purse.PRINCIPAL].pk
    if not held or held[0].kind != Kind.REDEMPTION or principal not in {each.debit_id for each in held}:
        raise drafts.hold_gone()
    phase = Phase.CONFIRMED if confirmed else Phase.VOIDED
    key = f"{source}:{phase}:{operation}"
    with transaction.atomic():
        posted = posting.settle(
            book_id=card.merchant_id, operation=operation, phase=phase, key=key, booked_at=at, source=source
        )
        if not posted.replayed:
            announce_settled(card.merchant_id, operation, phase, at=at)
    return posted


@transaction.atomic
def refund(*, card: Card, amount_fen: int | None, key: str, actor: Actor, at: datetime, source: str = "desk") -> Posted:
    """Owe the holder principal back (None: all of it; then bonus and uses lapse and the card is closed). Never more than is left, of a
    period card what the days to come are worth (法释〔2025〕4号 第二十二条): bonus does not become cash. Raises Overdrawn, Closed."""
    require_own(card.merchant, actor, May.OPERATE)
    request = request_digest({"refund": card.number, "amount": amount_fen})
    lock_book(card.merchant_id)
    if (posted := replayed(card.merchant_id, key, request)) is not None:
        return posted
    if card.merchant.status != Merchant.Status.CLOSED:  # who has closed serves no more days
        recognise_card(card=card, through=timezone.localdate(at), at=at)
    of_card, ours = accounts_of(card), book_accounts(card.merchant_id)
    principal = of_card[Purse.PRINCIPAL]
    if any(each.held for each in of_card.values()):
        raise Refused(_("卡上有待确认的核销，请等持卡人确认或取消后再退款。"))
    if not principal.is_open:
        raise drafts.closed()
    amount = principal.balance if amount_fen is None else drafts.check_amount(amount_fen)
    if amount > principal.balance or not amount:
        raise drafts.overdrawn()
    whole = amount == principal.balance
    legs = [Leg(principal.pk, ours[Purse.REFUNDS], amount)]
    if whole:
        legs += _lapse(of_card, ours)
    draft = Draft(
        card.merchant_id, Kind.REFUND, tuple(legs), key, request, at, source=source, actor_user_id=actor.user_id
    )
    posted = posting.post(draft, booked_at=at)
    if whole:
        _close(card, at)
    return posted


@transaction.atomic
def transfer_card(*, card: Card, to: HolderFacts, key: str, actor: Actor, at: datetime) -> Sale:
    """Hand a card on to another person: everything moves to a new card. Effective when the merchant is told (法释〔2025〕4号 第十一条):
    there is no consent to ask for. Raises Refused for a lost, closed or expired card."""
    require_own(card.merchant, actor, May.OPERATE)
    request = request_digest({"transfer": card.number, "name": to.name, "phone": to.phone})
    lock_book(card.merchant_id)
    if (earlier := moved(card, key, request)) is not None:
        return earlier
    require_usable(card, at)
    if not to.phone.strip():
        raise Refused(_("请填写受让人手机号。"))
    holder, token = _holder(card.merchant, to)
    return move_to_new_card(card, holder, token, Kind.TRANSFER, key, request, actor, at)


@transaction.atomic
def report_lost(*, card: Card, actor: Actor, at: datetime) -> Card:
    """Let nobody use a lost named card until it is replaced (挂失). Raises Refused for an anonymous or closed card."""
    require_own(card.merchant, actor, May.OPERATE)
    locked: Card = Card.objects.select_for_update(of=("self",)).select_related("product", "merchant").get(pk=card.pk)
    if locked.status != Card.Status.ACTIVE or not locked.product.named:
        raise Refused(_("只有正常使用中的记名卡可以挂失。"))
    locked.status = Card.Status.LOST
    locked.save(update_fields=["status"])
    record("prepaid.card_reported_lost", locked, actor=actor, at=at)
    return locked


@transaction.atomic
def report_found(*, card: Card, actor: Actor, at: datetime) -> Card:
    """Let a card that was reported lost be used again (解挂), as long as it was not replaced. Raises Refused for any other card."""
    require_own(card.merchant, actor, May.OPERATE)
    locked: Card = Card.objects.select_for_update(of=("self",)).select_related("product", "merchant").get(pk=card.pk)
    if locked.status != Card.Status.LOST:
        raise Refused(_("这张卡没有挂失，不用解挂。"))
    locked.status = Card.Status.ACTIVE
    locked.save(update_fields=["status"])
    record("prepaid.card_found", locked, actor=actor, at=at)
    return locked


@transaction.atomic
def reissue_card(*, card: Card, key: str, actor: Actor, at: datetime) -> Sale:
    """Replace a lost card: everything moves to a new number of the same holder, who gets a new link. Raises Refused when not reported lost."""
    require_own(card.merchant, actor, May.OPERATE)
    request = request_digest({"reissue": card.number})
    lock_book(card.merchant_id)
    if (earlier := moved(card, key, request)) is not None:
        return earlier
    if Card.objects.get(pk=card.pk).status != Card.Status.LOST:
        raise Refused(_("请先挂失，再补卡。"))
    token = renew_link(card.holder)
    return move_to_new_card(card, card.holder, token, Kind.REISSUE, key, request, actor, at)


def recognise_card(*, card: Card, through: date, at: datetime) -> None:
    """Give the merchant what a period card's days up to `through` are worth of what is left (按期确认). The book must be locked."""
    draft, day = recognition(card, accounts_of(card), through, at)
    if draft is not None:
        posting.post(draft, booked_at=at)
    if day is not None:
        Card.objects.filter(pk=card.pk).update(recognised_on=day)


def recognition(
    card: Card, of_card: dict[str, Account], through: date, at: datetime
) -> tuple[Draft | None, date | None]:
    """What recognises a period card's days up to `through`, and the last of them; None where there is nothing to do.

    The part of what is left that falls on the days gone by, so that a day costs the same before and after a part was refunded, and
    the last day takes the last fen. Nothing as long as the card can be returned whole.
    """
    if card.product.kind != Product.Kind.PERIOD or card.expires_on is None:
        return None, None
    bought = timezone.localdate(card.opened_at)
    since, until = card.recognised_on or bought, min(through, card.expires_on)
    returnable = reading(rules.RETURN_DAYS, on=bought).value
    if until <= since or through <= bought + timedelta(days=returnable):
        return None, None
    principal = of_card[Purse.PRINCIPAL]
    if not principal.is_open or not principal.available:
        return None, until
    share = share_uses((until - since).days, principal=principal.available, uses=(card.expires_on - since).days)
    if not share.principal:
        return None, until
    legs = (Leg(principal.pk, book_accounts(card.merchant_id)[Purse.EARNED], share.principal),)
    request = request_digest({"period": card.number, "through": until})
    key = f"period:{card.pk}:{until:%Y%m%d}"
    return Draft(card.merchant_id, Kind.RECOGNITION, legs, key, request, at, source="system"), until


def renew_link(holder: Holder) -> str:
    """A new token for the holder's own pages; the one before it opens nothing any more. Only its digest is kept."""
    token = secrets.token_urlsafe(LINK_BYTES)
    Holder.objects.filter(pk=holder.pk).update(link=link_digest(token))
    return token


def link_digest(token: str) -> bytes:
    """What is kept of a holder's token."""
    return hashlib.sha256(token.encode()).digest()


def accounts_of(card: Card) -> dict[str, Account]:
    """The card's accounts by purse."""
    return {each.purse: each for each in Account.objects.filter(card=card)}


def book_accounts(book_id: int) -> dict[str, int]:
    """Ids of the accounts that are the book's own, by purse."""
    own = Account.objects.filter(book_id=book_id, card=None, bank_account=None)
    return dict(own.values_list("purse", "pk"))


@contextmanager
def _locked(book_id: int) -> Iterator[None]:
    with transaction.atomic():
        lock_book(book_id)
        yield


def lock_book(book_id: int) -> None:
    """Hold the book until the transaction ends."""
    Book.objects.select_for_update().get(pk=book_id)


def replayed(book_id: int, key: str, request: bytes) -> Posted | None:
    """The operation that `key` names already; None when it is new. Raises KeyReused for another request."""
    first = Entry.objects.filter(book_id=book_id, key=key, leg=0).first()
    if first is None:
        return None
    if bytes(first.request or b"") != request:
        raise drafts.key_reused()
    return posting.standing(book_id, first.operation, replayed=True)


def require_usable(card: Card, at: datetime) -> None:
    """Raise Refused unless the card can be used at `at`."""
    if card.status == Card.Status.CLOSED:
        raise drafts.closed()
    if card.status == Card.Status.LOST:
        raise Refused(_("这张卡已经挂失，请先补卡。"))
    if card.expires_on is not None and timezone.localdate(at) > card.expires_on:
        raise Refused(_("这张卡已过有效期。余额仍然保留，可以办理激活、换卡或退款。"))


def _check_sale(product: Product, paid_fen: int, at: datetime) -> None:
    _check_issuing(product.merchant)
    drafts.check_amount(paid_fen)
    if not product.is_sold:
        raise Refused(_("这个产品已经停售。"))
    if product.price_fen is not None and paid_fen != product.price_fen:
        raise Refused(_("实付金额与产品售价不一致，请核对。"))
    check_caps(product, paid_fen, on=timezone.localdate(at))


def _check_issuing(merchant: Merchant) -> None:
    if merchant.status != Merchant.Status.ACTIVE:
        raise Refused(_("经营者已被停止发卡，不能售卡或充值。原有卡可以继续使用和退款。"))


def _holder(merchant: Merchant, facts: HolderFacts) -> tuple[Holder, str | None]:
    phone = facts.phone.strip()[:20]
    key = phone_digest(phone)
    known = Holder.objects.filter(merchant=merchant, phone_digest=key).first() if key else None
    if known is not None:
        return known, None
    token = secrets.token_urlsafe(LINK_BYTES)
    made = Holder.objects.create(
        merchant=merchant, name=facts.name.strip()[:60], phone=phone, phone_digest=key, link=link_digest(token)
    )
    return made, token


def _number(merchant: Merchant) -> str:
    body = f"{merchant.pk:05d}{secrets.randbelow(10**10):010d}"
    return body + luhn.calc_check_digit(body)


def _filling(of_card: dict[str, Account], paid: int, bonus: int, uses: int) -> tuple[Leg, ...]:
    ours = book_accounts(of_card[Purse.PRINCIPAL].book_id)
    legs = [Leg(ours[Purse.FUNDS], of_card[Purse.PRINCIPAL].pk, paid)]
    if bonus:
        legs.append(Leg(ours[Purse.BONUS_ISSUED], of_card[Purse.BONUS].pk, bonus))
    if uses:
        legs.append(Leg(ours[Purse.USES_ISSUED], of_card[Purse.USES].pk, uses))
    return tuple(legs)


def _share(card: Card, of_card: dict[str, Account], amount: int, uses: int, at: datetime) -> Share:
    principal, bonus = of_card[Purse.PRINCIPAL], of_card[Purse.BONUS]
    if card.product.kind in {Product.Kind.COUNT, Product.Kind.COURSE}:
        if amount:
            raise Refused(_("次卡和课程卡按次核销，请填次数。"))
        drafts.check_amount(uses)
        if uses > of_card[Purse.USES].available:
            raise drafts.overdrawn()
        return share_uses(uses, principal=principal.available, uses=of_card[Purse.USES].available)
    if card.product.kind == Product.Kind.PERIOD:
        raise Refused(_("期限卡按天自动确认消费，不用核销。"))
    if uses:
        raise Refused(_("这张卡按金额核销，请填金额。"))
    drafts.check_amount(amount)
    if not bonus.available:
        return Share(amount)
    policy = reading(rules.BONUS_SPLIT, on=timezone.localdate(at)).value
    return share_amount(amount, principal=principal.available, bonus=bonus.available, policy=policy)


def _spending(of_card: dict[str, Account], share: Share) -> tuple[Leg, ...]:
    ours = book_accounts(of_card[Purse.PRINCIPAL].book_id)
    legs = []
    if share.principal:
        legs.append(Leg(of_card[Purse.PRINCIPAL].pk, ours[Purse.EARNED], share.principal))
    if share.bonus:
        legs.append(Leg(of_card[Purse.BONUS].pk, ours[Purse.BONUS_ISSUED], share.bonus))
    if share.uses:
        legs.append(Leg(of_card[Purse.USES].pk, ours[Purse.USES_ISSUED], share.uses))
    return tuple(legs)


def _lapse(of_card: dict[str, Account], ours: dict[str, int]) -> Iterable[Leg]:
    for purse, against in ((Purse.BONUS, Purse.BONUS_ISSUED), (Purse.USES, Purse.USES_ISSUED)):
        if of_card[purse].balance:
            yield Leg(of_card[purse].pk, ours[against], of_card[purse].balance)


def moved(card: Card, key: str, request: bytes) -> Sale | None:
    """The new card and the operation that `key` names already, when it moved this card; None when it is new. Raises KeyReused."""
    posted = replayed(card.merchant_id, key, request)
    if posted is None:
        return None
    return Sale(Card.objects.select_related("product", "merchant").get(predecessor=card), posted, None)


def move_to_new_card(
    card: Card,
    holder: Holder,
    token: str | None,
    kind: str,
    key: str,
    request: bytes,
    actor: Actor,
    at: datetime,
    expires_on: date | None = None,
) -> Sale:
    """Everything on a card to a new one, the old one closed; `expires_on`: a new term, else the old one's. The book must be locked.

    Raises Refused while something is held, or when nothing is on the card.
    """
    before = accounts_of(card)
    if any(each.held for each in before.values()):
        raise Refused(_("卡上有待确认的核销，请等持卡人确认或取消后再办。"))
    new = Card.objects.create(
        merchant=card.merchant,
        number=_number(card.merchant),
        product=card.product,
        holder=holder,
        opened_at=at,
        expires_on=expires_on or card.expires_on,
        recognised_on=card.recognised_on,
    )
    after = posting.open_card_accounts(new)
    legs = tuple(
        Leg(before[purse].pk, after[purse].pk, before[purse].balance)
        for purse in (Purse.PRINCIPAL, Purse.BONUS, Purse.USES)
        if before[purse].balance
    )
    if not legs:
        raise Refused(_("卡内没有余额，不需要办理。"))
    draft = Draft(card.merchant_id, kind, legs, key, request, at, actor_user_id=actor.user_id)
    posted = posting.post(draft, booked_at=at)
    _close(card, at, successor=new)
    return Sale(new, posted, token)


def _close(card: Card, at: datetime, **more: Any) -> None:
    posting.close_card_accounts(card)
    Card.objects.filter(pk=card.pk).update(status=Card.Status.CLOSED, closed_at=at, **more)
