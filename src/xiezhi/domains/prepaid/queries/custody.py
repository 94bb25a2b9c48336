"""Where merchants stand: owed, required, kept and covered, by day."""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet, Subquery, Sum
from django.utils import timezone

from xiezhi.domains.prepaid import rules
from xiezhi.domains.prepaid.ledger.drafts import Kind, Phase, Purse
from xiezhi.domains.prepaid.models import Account, Book, Card, DayTotal, Entry, Merchant
from xiezhi.engines.custody import CustodyRule, Day, History, last_quarter_end, over_time
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
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


_TOTALS = ("owed", "kept", "guaranteed")


def histories(merchants: Sequence[Merchant], *, first: date, last: date) -> dict[int, dict[str, History]]:
    """For each merchant what it owes, keeps in custody and has guaranteed by booking day, as far as the days from `first` to `last` and
    the quarter's end before them need it. Four queries over totals kept by day; the journal is not read."""
    ids = [merchant.pk for merchant in merchants]
    days = DayTotal.objects.filter(book__in=ids)
    ends = [_newest(ids, last_quarter_end(first)), _newest(ids, first), days.filter(day__gt=first, day__lte=last)]
    found: dict[int, dict[date, tuple[int, ...]]] = {pk: {} for pk in ids}
    for rows in ends:
        for book_id, day, *totals in rows.values_list("book_id", "day", *_TOTALS):
            found[book_id][day] = tuple(totals)
    for book_id, today, *totals in Book.objects.filter(pk__in=ids).values_list("pk", "day", *_TOTALS):
        if today is not None:
            found[book_id][today] = tuple(totals)
    return {pk: _by_name(found[pk]) for pk in ids}


def _newest(ids: Sequence[int], day: date) -> QuerySet[DayTotal]:
    """Each book's newest row of `day` or earlier."""
    up_to = DayTotal.objects.filter(book=OuterRef("pk"), day__lte=day).order_by("-day").values("pk")[:1]
    return DayTotal.objects.filter(pk__in=Book.objects.filter(pk__in=ids).values(newest=Subquery(up_to)))


def _by_name(rows: dict[date, tuple[int, ...]]) -> dict[str, History]:
    days = sorted(rows)
    owed, kept, guaranteed = (History(days, [rows[day][place] for day in days]) for place in range(3))
    return {"owed": owed, "kept": kept, "guarantee": guaranteed}


def positions(merchants: Sequence[Merchant], *, first: date, last: date) -> dict[int, list[Day]]:
    """Each merchant's days from `first` to `last`, every day under the rule in force on it."""
    found, book, days = (
        histories(merchants, first=first, last=last),
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
