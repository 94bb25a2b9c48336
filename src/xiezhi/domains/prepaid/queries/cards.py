"""Reading cards: balances and entries, without ever adding up a journal."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby

from django.db.models import Q
from django.utils import timezone

from xiezhi.domains.prepaid.ledger.drafts import RESOLVING, Kind, Phase, Purse
from xiezhi.domains.prepaid.models import Account, Card, Entry

PAGE = 50


@dataclass(frozen=True)
class CardEntry:
    """One movement of a card's purse as its holder reads it. `change`: signed, in fen or uses. `waiting`: held and not settled yet."""

    sequence: int
    operation: int
    kind: str
    phase: str
    purse: str
    change: int
    after: int
    at: datetime
    expires_at: datetime | None = None
    waiting: bool = False

    @property
    def kind_label(self) -> str:
        """What happened, in words."""
        return str(Kind(self.kind).label)

    @property
    def phase_label(self) -> str:
        """How it stands, in words."""
        return str(Phase(self.phase).label)

    @property
    def counts(self) -> bool:
        """Whether it moved something: posted, or a hold confirmed."""
        return self.phase in {Phase.POSTED, Phase.CONFIRMED}


def card_entries(
    card: Card, *, before: int | None = None, limit: int = PAGE, purses: Iterable[Account] | None = None
) -> list[CardEntry]:
    """The newest `limit` movements of a card, newest first; `before`: older than that sequence. `purses`: the card's accounts, where the
    caller has read them already. A purse that never held anything has no movements and is not looked for."""
    totals = Account.objects.filter(card=card) if purses is None else purses
    accounts = {each.pk: each.purse for each in totals}
    used = [each.pk for each in totals if each.debits or each.credits or each.debits_pending or each.credits_pending]
    found = {entry.sequence: entry for entry in _newest_of_each(used, before, limit)}
    newest = [found[sequence] for sequence in sorted(found, reverse=True)[:limit]]
    settled = _settled(card, newest)
    return [_told(entry, accounts, settled) for entry in newest]


def _newest_of_each(accounts: Sequence[int], before: int | None, limit: int) -> Iterable[Entry]:
    """The newest entries of each account on each side, each by its own index, in one query: the newest of all are among them."""
    older = "AND sequence < %s" if before is not None else ""
    parts: list[str] = []
    given: list[int] = []
    for side in ("debit_id", "credit_id"):
        for account in accounts:
            part = f"SELECT * FROM prepaid_entry WHERE {side} = %s {older} ORDER BY sequence DESC LIMIT {int(limit)}"
            parts.append(f"SELECT * FROM ({part}) AS p{len(parts)}")
            given += [account, before] if before is not None else [account]
    return Entry.objects.raw(" UNION ALL ".join(parts), given) if parts else ()


def _settled(card: Card, entries: Sequence[Entry]) -> set[int]:
    pending = [each.operation for each in entries if each.phase == Phase.PENDING]
    if not pending:
        return set()
    rows = Entry.objects.filter(book_id=card.merchant_id, refers__in=pending, phase__in=RESOLVING)
    return {each for each in rows.values_list("refers", flat=True) if each is not None}


def _told(entry: Entry, accounts: dict[int, str], settled: set[int]) -> CardEntry:
    out = entry.debit_id in accounts  # debits take from a card's purses
    return CardEntry(
        entry.sequence,
        entry.operation,
        entry.kind,
        entry.phase,
        accounts[entry.debit_id if out else entry.credit_id],
        -entry.amount if out else entry.amount,
        entry.debit_after if out else entry.credit_after,
        entry.at,
        entry.expires_at,
        entry.phase == Phase.PENDING and entry.operation not in settled,
    )


def card_totals(cards: Sequence[Card]) -> dict[int, dict[str, Account]]:
    """The accounts of several cards by card and purse: one query."""
    found: dict[int, dict[str, Account]] = {card.pk: {} for card in cards}
    for account in Account.objects.filter(card__in=cards):
        found[account.card_id or 0][account.purse] = account
    return found


def by_operation(entries: Sequence[CardEntry]) -> list[list[CardEntry]]:
    """What belongs together: one list for each operation, money before uses, in the order given."""
    groups = [list(group) for _operation, group in groupby(entries, key=lambda entry: entry.operation)]
    for group in groups:
        group.sort(key=lambda entry: entry.sequence)
    return groups


def operation_of(card: Card, operation: int) -> bool:
    """Whether an operation of the book touched this card."""
    accounts = list(Account.objects.filter(card=card, purse__in=[Purse.PRINCIPAL, Purse.USES, Purse.BONUS]))
    near = Entry.objects.filter(
        book_id=card.merchant_id, operation=operation, sequence__gte=operation, sequence__lt=operation + 1000
    )
    return near.filter(Q(debit__in=accounts) | Q(credit__in=accounts)).exists()


@dataclass(frozen=True)
class MonthStatement:
    """对账单: a card's principal at the beginning and end of a month, and every posted movement between, oldest first."""

    first: date
    last: date
    opening: int
    closing: int
    entries: tuple[CardEntry, ...]


def month_statement(card: Card, month: date) -> MonthStatement:
    """The statement of the month that `month` is in, by booking time here."""
    first = month.replace(day=1)
    following = (first + timedelta(days=32)).replace(day=1)
    start, end = (timezone.make_aware(datetime.combine(day, time())) for day in (first, following))
    accounts = dict(Account.objects.filter(card=card).values_list("pk", "purse"))
    ours = Q(debit__in=list(accounts)) | Q(credit__in=list(accounts))
    moved = Entry.objects.filter(ours, book_id=card.merchant_id, phase__in=[Phase.POSTED, Phase.CONFIRMED])
    within = moved.filter(booked_at__gte=start, booked_at__lt=end).order_by("sequence")
    told = tuple(_told(entry, accounts, set()) for entry in within)
    principal = next(pk for pk, purse in accounts.items() if purse == Purse.PRINCIPAL)
    before = moved.filter(Q(debit=principal) | Q(credit=principal), booked_at__lt=start).order_by("-sequence").first()
    opening = 0 if before is None else (before.debit_after if before.debit_id == principal else before.credit_after)
    closing = next((each.after for each in reversed(told) if each.purse == Purse.PRINCIPAL), opening)
    return MonthStatement(first, following - timedelta(days=1), opening, closing, told)
