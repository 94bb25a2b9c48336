"""Where merchants stand: owed, required, kept and covered, by day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Case, Exists, F, OuterRef, Sum, When
from django.db.models.functions import TruncDate
from django.utils import timezone

from xiezhi.domains.prepaid import rules
from xiezhi.domains.prepaid.ledger.drafts import Kind, Phase, Purse
from xiezhi.domains.prepaid.models import Account, Card, Entry, Merchant
from xiezhi.engines.custody import CustodyRule, Day, History, over_time
from xiezhi.foundation.rules.queries import Reading, RuleBook, rule_book

_POSTED = (Phase.POSTED, Phase.CONFIRMED)


def rule_for(merchant: Merchant, *, on: date, book: RuleBook | None = None) -> tuple[CustodyRule, list[Reading[Any]]]:
    """The custody rule for a merchant on a day, and the readings it rests on."""
    industry_rule = rules.CUSTODY_BY_INDUSTRY[merchant.industry]
    book = book or _book()
    share = book.reading(industry_rule, on=on)
    months = book.reading(rules.NEW_MONTHS, on=on)
    readings: list[Reading[Any]] = [share]
    if merchant.founded_on and months.value and on < _months_later(merchant.founded_on, months.value):
        new = book.reading(rules.CUSTODY_NEW, on=on)
        if new.value > share.value:
            share, readings = new, [new, months]
    basis = "quarter_end"
    if share.value == 100:
        full = book.reading(rules.CURRENT_OR_QUARTER, on=on)
        basis, readings = full.value, [*readings, full]
    offset = book.reading(rules.GUARANTEE_OFFSET, on=on)
    return CustodyRule(share.value * 10, basis, offset.value * 10), [*readings, offset]


def _book() -> RuleBook:
    return rule_book(
        *rules.CUSTODY_BY_INDUSTRY.values(),
        rules.CUSTODY_NEW,
        rules.NEW_MONTHS,
        rules.CURRENT_OR_QUARTER,
        rules.GUARANTEE_OFFSET,
    )


def _months_later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, 28))


def histories(merchants: Sequence[Merchant]) -> dict[int, dict[str, History]]:
    """For each merchant the running totals by booking day of what it owes, keeps in custody and has guaranteed: three queries."""
    found: dict[int, dict[str, History]] = {}
    ids = [merchant.pk for merchant in merchants]
    for name, purses in (
        ("owed", (Purse.PRINCIPAL, Purse.REFUNDS)),
        ("kept", (Purse.CUSTODY,)),
        ("guarantee", (Purse.GUARANTEE,)),
    ):
        changes = _changes(ids, purses, debit_grows=name != "owed")
        for pk in ids:
            running, days, balances = 0, [], []
            for day in sorted(changes.get(pk, {})):
                running += changes[pk][day]
                days.append(day)
                balances.append(running)
            found.setdefault(pk, {})[name] = History(days, balances)
    return found


def _changes(ids: Sequence[int], purses: Sequence[str], *, debit_grows: bool) -> dict[int, dict[date, int]]:
    sign = 1 if debit_grows else -1
    amount = Sum(
        Case(When(debit__purse__in=purses, then=F("amount")), default=0)
        - Case(When(credit__purse__in=purses, then=F("amount")), default=0)
    )
    rows = (
        Entry.objects.filter(book_id__in=ids, phase__in=_POSTED)
        .annotate(day=TruncDate("booked_at"))
        .values_list("book_id", "day")
        .annotate(change=amount)
        .order_by()
    )
    changes: dict[int, dict[date, int]] = {}
    for book_id, day, change in rows:
        if change:
            changes.setdefault(book_id, {})[day] = sign * int(change)
    return changes


def positions(merchants: Sequence[Merchant], *, first: date, last: date) -> dict[int, list[Day]]:
    """Each merchant's days from `first` to `last`, every day under the rule in force on it."""
    found, book, days = (
        histories(merchants),
        _book(),
        [first + timedelta(days=n) for n in range((last - first).days + 1)],
    )
    result = {}
    for merchant in merchants:
        by_day = [(day, rule_for(merchant, on=day, book=book)[0]) for day in days]
        changed = [each for n, each in enumerate(by_day) if n == 0 or each[1] != by_day[n - 1][1]]
        result[merchant.pk] = over_time(first, last, changed, **found[merchant.pk])
    return result


def position(merchant: Merchant, *, on: date) -> Day:
    """Where one merchant stands at the end of a day."""
    return positions([merchant], first=on, last=on)[merchant.pk][0]


def balances(book_id: int) -> dict[str, int]:
    """What the book's accounts hold now, cards and custody accounts added up, by purse."""
    totals = dict.fromkeys(Purse.values, 0)
    for account in Account.objects.filter(book_id=book_id).values("purse").annotate(d=Sum("debits"), c=Sum("credits")):
        shown = Account(purse=account["purse"], debits=account["d"], credits=account["c"])
        totals[account["purse"]] = shown.balance
    return totals


@dataclass(frozen=True)
class OwedRefund:
    """A refund that is not (wholly) paid yet. `left_fen` of `amount_fen` is still owed; `card`: whose holder is owed it."""

    operation: int
    card: Card
    amount_fen: int
    left_fen: int
    at: datetime


def refunds_owed(merchant: Merchant) -> list[OwedRefund]:
    """The refunds that the merchant still owes, oldest first; payments count for the oldest. Adds up to the balance of 应付退款."""
    account = Account.objects.get(book_id=merchant.pk, purse=Purse.REFUNDS)
    owed, left = [], account.balance
    if not left:
        return []
    reversed_ = Entry.objects.filter(book_id=merchant.pk, refers=OuterRef("operation"), leg=0)
    refunds = (
        Entry.objects.filter(book_id=merchant.pk, credit=account, kind=Kind.REFUND, phase__in=_POSTED)
        .exclude(Exists(reversed_))
        .select_related("debit__card__product", "debit__card__holder")
        .order_by("-sequence")
    )
    for entry in refunds.iterator(chunk_size=100):
        part = min(entry.amount, left)
        if entry.debit.card is not None:
            owed.append(OwedRefund(entry.operation, entry.debit.card, entry.amount, part, entry.at))
        left -= part
        if not left:
            break
    return owed[::-1]


def end_of(day: date) -> datetime:
    """The last moment of a day here."""
    return timezone.make_aware(datetime.combine(day, time.max))
