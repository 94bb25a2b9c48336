"""Merchants, products and cards for tests."""

import itertools
from datetime import datetime
from typing import Any

from tests.builders.cast import NOW, Cast
from tests.builders.registry import a_subject
from xiezhi.domains.prepaid.models import Account, Card, Holder, Merchant, Product
from xiezhi.domains.prepaid.services import cards, custody, merchants, posting
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.access.roles import roles
from xiezhi.foundation.orgs.models import Organisation

_serials = itertools.count(810_001)


def bare_merchant(cast: Cast, **facts: Any) -> Merchant:
    """A merchant with an empty book, and nobody who works there."""
    merchant = Merchant.objects.create(subject=a_subject(cast, next(_serials)), registered_at=NOW, **facts)
    posting.open_book(merchant)
    return merchant


def bare_card(merchant: Merchant) -> Card:
    """A card with three empty accounts."""
    serial = next(_serials)
    product = Product.objects.create(merchant=merchant, code=f"P{serial}", name="演示储值卡", created_at=NOW)
    holder = Holder.objects.create(merchant=merchant, name="演示持卡人")
    card = Card.objects.create(merchant=merchant, number=f"T{serial}", product=product, holder=holder, opened_at=NOW)
    posting.open_card_accounts(card)
    return card


def enterprise(cast: Cast, name: str) -> Organisation:
    """A body outside government."""
    code = f"E{next(_serials)}"
    return Organisation.objects.create(
        kind="enterprise", code=code, name=f"{name}{code}", short_name=name, parent=cast.district
    )


def acting(role: str, organisation: Organisation) -> Actor:
    """Somebody of that role there, without an account."""
    found = roles()[role]
    return Actor(
        role=role, permissions=found.permissions, organisation_id=organisation.pk, district_wide=found.district_wide
    )


def balances(card: Card) -> dict[str, int]:
    """What the card's accounts hold now."""
    return {each.purse: each.balance for each in Account.objects.filter(card=card)}


class World:
    """A merchant with its people, the regulator, a bank and a custody account; every act through the services."""

    def __init__(self, cast: Cast, industry: str = "commerce", **facts: Any) -> None:
        self.cast = cast
        self.regulator = acting("fund_supervisor", cast["scjg"])
        self.bank = enterprise(cast, "演示银行")
        self.body = enterprise(cast, "演示商户")
        self.owner = acting("merchant", self.body)
        self.banker = acting("bank", self.bank)
        self.merchant = merchants.register_merchant(
            subject=a_subject(cast, next(_serials)),
            industry=industry,
            organisation=self.body,
            actor=self.regulator,
            at=NOW,
            **facts,
        )
        self.account = merchants.open_bank_account(
            merchant=self.merchant,
            bank=self.bank,
            number=f"6200000000{next(_serials)}",
            actor=self.regulator,
            at=NOW,
        )

    def key(self) -> str:
        return f"test-{next(_serials)}"

    def product(self, **facts: Any) -> Product:
        code = f"P{next(_serials)}"
        given = {"name": "演示储值卡", "kind": "stored", **facts}
        return merchants.add_product(merchant=self.merchant, code=code, actor=self.owner, at=NOW, **given)

    def sell(self, product: Product, paid: int, key: str = "", at: datetime = NOW, **holder: str) -> cards.Sale:
        facts = cards.HolderFacts(
            holder.get("name", "演示持卡人"), holder.get("phone", f"1990{next(_serials):07d}") if product.named else ""
        )
        if key:
            facts = cards.HolderFacts("演示持卡人", "19900000001")
        return cards.sell_card(
            product=product, paid_fen=paid, holder=facts, key=key or self.key(), actor=self.owner, at=at
        )

    def sale(self, *, paid: int, at: datetime = NOW, **facts: Any) -> cards.Sale:
        if facts.get("kind", "stored") != "stored":
            facts["price_fen"] = paid
        return self.sell(self.product(**facts), paid, at=at)

    def redeem(self, card: Card, *, key: str = "", at: datetime = NOW, **amounts: int) -> posting.Posted:
        return cards.redeem(card=card, key=key or self.key(), actor=self.owner, at=at, **amounts)

    def refund(self, card: Card, amount_fen: int | None = None, key: str = "", at: datetime = NOW) -> posting.Posted:
        return cards.refund(card=card, amount_fen=amount_fen, key=key or self.key(), actor=self.owner, at=at)

    def pay_refund(self, amount_fen: int) -> posting.Posted:
        return custody.pay_refund(
            merchant=self.merchant, amount_fen=amount_fen, reference=self.key(), actor=self.owner, at=NOW
        )

    def reverse(self, operation: int, key: str) -> posting.Posted:
        return posting.reverse(book_id=self.merchant.pk, operation=operation, key=key, booked_at=NOW)

    def balance(self, purse: str) -> int:
        return sum(each.balance for each in Account.objects.filter(book_id=self.merchant.pk, purse=purse))
