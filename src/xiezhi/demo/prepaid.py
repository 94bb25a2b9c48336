"""Prepaid funds of the demo district: two merchants of the demo's mall, one that keeps too little in custody, one that keeps enough.

Nobody in them exists; telephone numbers are of a range that is not given out, account and card numbers belong to no bank.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db import transaction
from django.utils import timezone

from xiezhi.demo.complaints import MALL
from xiezhi.demo.load import PASSWORD, People, Say
from xiezhi.demo.plans import Quarter
from xiezhi.domains.prepaid.models import BankAccount, Card, Entry, Merchant, Product
from xiezhi.domains.prepaid.services import bank, cards, custody, disputes, merchants, reversals
from xiezhi.domains.registry.models import Subject
from xiezhi.domains.registry.services import register_tenancy
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.access.services import actor_for, appoint, open_account
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.orgs.services import create_organisation

CARDS = 12
FIRST_DAYS = 70
"""How many days ago the first card was sold: before the last quarter ended, so that custody is due."""


@dataclass(frozen=True)
class Shop:
    """One merchant: who, a word of its name, what it sells, and what part of the money it put into custody, in per cent."""

    code: str
    name: str
    trade: str
    username: str
    industry: str
    kept: int
    products: tuple[dict[str, object], ...]


SHOPS = (
    Shop(
        "YSFIT", "演示健身会馆", "健身", "gym", "fitness", 20,
        (
            {"code": "COUNT-20", "name": "私教 20 次卡", "kind": "count", "price_fen": 300_000, "uses": 20, "term_days": 365, "confirm_each": True},
            {"code": "STORED", "name": "储值卡", "kind": "stored"},
        ),
    ),
    Shop("YSWASH", "演示洗衣店", "洗衣", "laundry", "commerce", 70, ({"code": "STORED", "name": "储值卡", "kind": "stored"},)),
)  # fmt: skip


def load_prepaid(people: People, quarter: Quarter, *, say: Say) -> None:
    """Two merchants with cards sold, used and refunded over ten weeks, a bank's statement with a fee nobody booked, one objection and one
    correction that waits for a second person."""
    say("selling prepaid cards and keeping their money")
    with transaction.atomic():
        opened = quarter.today - timedelta(days=FIRST_DAYS)
        district = Organisation.objects.get(kind="district")
        keeper = _organisation(people, district, "YSBANK", "演示存管银行", opened)
        regulator = _person(people, Organisation.objects.get(code="SCJG"), "scjg-funds", "fund_supervisor", opened)
        banker = _person(people, keeper, "bank", "bank", opened)
        for number, shop in enumerate(SHOPS):
            merchant, account = _open(people, district, keeper, regulator, number, shop, opened)
            _trade(people[shop.username], merchant, account, number, shop, opened, quarter.today)
            _bank_says(banker, account, quarter.today, fee=number == 0)
        _leave_something_to_do(people, quarter.today)


def _at(day: date, hour: int = 10, minute: int = 0) -> datetime:
    return timezone.make_aware(datetime.combine(day, time(hour, minute)))


def _organisation(people: People, district: Organisation, code: str, name: str, day: date) -> Organisation:
    return create_organisation(
        kind="enterprise", code=code, name=name, short_name=name, parent=district, actor=people["admin"], at=_at(day)
    )


def _person(people: People, home: Organisation, username: str, role: str, day: date) -> Actor:
    at, admin = _at(day), people["admin"]
    user = open_account(username=username, display_name=f"演示{username}", password=PASSWORD, actor=admin, at=at)
    post = appoint(user=user, organisation=home, role=role, starts_on=day, actor=admin, at=at)
    actor = people.actors[username] = actor_for(post)
    return actor


def _open(
    people: People,
    district: Organisation,
    keeper: Organisation,
    regulator: Actor,
    number: int,
    shop: Shop,
    day: date,
) -> tuple[Merchant, BankAccount]:
    body = _organisation(people, district, shop.code, shop.name, day)
    owner = _person(people, body, shop.username, "merchant", day)
    free = Subject.objects.filter(tenancies=None).order_by("-pk")
    subject = free.filter(name__contains=shop.trade).first() or free[number]
    merchant = merchants.register_merchant(
        subject=subject,
        industry=shop.industry,
        founded_on=date(2019, 5, 6),
        organisation=body,
        actor=regulator,
        at=_at(day),
    )
    register_tenancy(
        mall=Organisation.objects.get(name=MALL), subject=subject, unit=f"B1-{number + 1:02d}", starts_on=day,
        takes_prepayment=True, actor=regulator, at=_at(day),
    )  # fmt: skip
    account = merchants.open_bank_account(
        merchant=merchant, bank=keeper, number=f"6200000000880{number}", actor=regulator, at=_at(day)
    )
    for facts in shop.products:
        merchants.add_product(merchant=merchant, actor=owner, at=_at(day), **facts)  # type: ignore[arg-type]
    return merchant, account


def _trade(
    owner: Actor, merchant: Merchant, account: BankAccount, number: int, shop: Shop, first: date, today: date
) -> None:
    products = list(Product.objects.filter(merchant=merchant).order_by("pk"))
    paid_in = 0
    for turn in range(CARDS):
        product, day = products[turn % len(products)], first + timedelta(days=1 + 5 * turn)
        paid = product.price_fen or (50_000 + 10_000 * (turn % 5))
        holder = cards.HolderFacts(f"演示顾客{turn + 1}", f"19900{number}{turn:05d}")
        sale = cards.sell_card(
            product=product, paid_fen=paid, holder=holder, key=f"demo-{turn}", actor=owner, at=_at(day)
        )
        paid_in += paid
        spent, uses = (0, 2) if product.uses else (6_800 + 100 * turn, 0)
        used_at = _at(min(day + timedelta(days=3), today))
        cards.redeem(card=sale.card, amount_fen=spent, uses=uses, key=f"demo-{turn}-a", actor=owner, at=used_at)
        if turn % 4 == 3:
            kept = paid * 4 * shop.kept // 100
            custody.deposit(
                account=account, amount_fen=kept, reference=f"YS{number}{turn:02d}", actor=owner, at=_at(day, 15)
            )


def _bank_says(banker: Actor, account: BankAccount, today: date, *, fee: bool) -> None:
    """The bank's statement of what was paid in, with a fee that the book does not know where `fee`."""
    rows = ["账号,流水号,日期,收入,支出,参考号"]
    booked = Entry.objects.filter(book_id=account.merchant_id, debit=account.account).order_by("sequence")
    for line, entry in enumerate(booked, start=1):
        day, yuan = timezone.localdate(entry.at), f"{entry.amount // 100}.{entry.amount % 100:02d}"
        rows.append(f"{account.number},L{line:03d},{day:%Y-%m-%d},{yuan},,{entry.key.removeprefix('ref:')}")
    if fee:
        rows.append(f"{account.number},L900,{today - timedelta(days=2):%Y-%m-%d},,12.50,FEE-01")
    content = "\n".join(rows).encode()
    bank.import_statements(content=content, name=f"流水-{account.number[-4:]}.csv", actor=banker, at=_at(today, 8))


def _leave_something_to_do(people: People, today: date) -> None:
    gym = people["gym"]
    held = Card.objects.visible_to(gym).select_related("product", "merchant__subject")
    counted, stored = held.filter(product__uses__gt=0)[0], held.filter(product__uses=0)[0]
    at = _at(today, 9)
    used = cards.redeem(card=stored, amount_fen=3_000, key="demo-wrong", actor=gym, at=at)
    reversals.request_reversal(
        merchant=stored.merchant, operation=used.operation, reason="同一单刷了两次", actor=gym, at=at
    )
    disputes.raise_dispute(card=stored, operation=used.operation, words="这一笔我没有消费，请核对。", at=at)
    cards.redeem(card=counted, uses=1, key="demo-waiting", actor=gym, at=at)  # waits for the holder
    cards.refund(card=stored, amount_fen=10_000, key="demo-refund", actor=gym, at=at)
    laundry = people["laundry"]
    account = BankAccount.objects.get(merchant__in=Merchant.objects.visible_to(laundry))
    custody.request_release(
        account=account, amount_fen=20_000, purpose="支付洗涤设备维修费", key="demo-release", actor=laundry, at=at
    )
    custody.check_custody(Merchant.objects.all(), at=at)
