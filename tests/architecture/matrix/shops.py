"""Two merchants that sell prepaid cards, one with the mall and the bank that ask, one with neither."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from tests.builders import prepaid
from tests.builders.cast import NOW
from xiezhi.domains.prepaid.models import ApiKey, Card, Difference, Dispute, Release, Reversal, Webhook, WebhookDelivery
from xiezhi.domains.prepaid.services import bank, custody, disputes, keys, reversals, webhooks
from xiezhi.domains.registry.services.tenancies import register_tenancy
from xiezhi.foundation.orgs.models import Organisation

COLLEAGUE = 9_000_001
"""Somebody of the shop who is none of the matrix's people: a second person must agree to what they ask for."""


@dataclass(frozen=True)
class Shop:
    """What a merchant's addresses can name. `token`: the holder's link; `operation`: the sale of `card`; `disputed` another one."""

    books: prepaid.World
    card: Card
    token: str
    operation: int
    release: Release
    difference: Difference
    dispute: Dispute
    key: ApiKey
    reversal: Reversal
    delivery: int
    lease: int


def open_shop(books: prepaid.World) -> Shop:
    """Something of every kind, done by the people who would do it."""
    account, owner = books.account, books.owner
    sale = books.sale(paid=100_000)
    used = books.redeem(sale.card, amount_fen=2_000)
    custody.deposit(account=account, amount_fen=90_000, reference="B1", actor=owner, at=NOW)
    release = custody.request_release(
        account=account, amount_fen=1_000, purpose="演示支取", key="matrix", actor=owner, at=NOW
    )
    paid = books.redeem(sale.card, amount_fen=1_000)
    books.refund(sale.card, 500)
    custody.grant_guarantee(merchant=books.merchant, amount_fen=1_000, reference="G1", actor=books.regulator, at=NOW)
    Webhook.objects.create(merchant=books.merchant, url="https://till.example/hook", name=f"matrix-{books.merchant.pk}")
    webhooks.announce(books.merchant.pk, "operation.confirmed", {}, at=NOW)
    lease = register_tenancy(
        mall=prepaid.enterprise(books.cast, "演示商场"),
        subject=books.merchant.subject,
        unit="演示-9",
        starts_on=date(2026, 1, 1),
        actor=books.regulator,
        at=NOW,
    )
    text = f"账号,流水号,日期,收入,支出,参考号\n{account.number},L1,{NOW:%Y-%m-%d},5.00,,\n"
    bank.import_statements(content=text.encode(), name="流水.csv", actor=books.banker, at=NOW)
    return Shop(
        books=books,
        card=sale.card,
        token=sale.token or "",
        operation=sale.posted.operation,
        release=release,
        difference=account.differences.order_by("pk")[0],
        dispute=disputes.raise_dispute(card=sale.card, operation=used.operation, words="演示异议", at=NOW),
        reversal=reversals.request_reversal(
            merchant=books.merchant,
            operation=paid.operation,
            reason="演示冲正",
            actor=replace(owner, user_id=COLLEAGUE),
            at=NOW,
        ),
        delivery=WebhookDelivery.objects.filter(webhook__merchant=books.merchant).order_by("pk")[0].pk,
        lease=lease.pk,
        key=keys.issue_key(merchant=books.merchant, label="演示收银机", scopes=["read"], actor=owner, at=NOW),
    )


def rent_to(mall: Organisation, books: prepaid.World) -> None:
    """The merchant is a tenant of the mall."""
    register_tenancy(
        mall=mall,
        subject=books.merchant.subject,
        unit="演示-1",
        starts_on=date(2026, 1, 1),
        takes_prepayment=True,
        actor=books.regulator,
        at=NOW,
    )
