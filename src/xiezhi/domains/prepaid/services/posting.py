"""Writing the ledger: open accounts, post one operation, post a batch, settle holds, reverse. Nothing else writes these tables.

Posting takes no `actor`: the service that asks has checked who may; the journal itself keeps who did it and from where.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any

from django.db import DEFAULT_DB_ALIAS, DatabaseError, IntegrityError, connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.domains.prepaid.ledger import drafts
from xiezhi.domains.prepaid.ledger.applying import (
    AccountState,
    Applied,
    BookState,
    Earlier,
    Totals,
    apply,
    change_of,
    earlier_operations,
)
from xiezhi.domains.prepaid.ledger.digest import COLUMNS
from xiezhi.domains.prepaid.ledger.drafts import Draft, Kind, LedgerRefused, Leg, Phase, Purse
from xiezhi.domains.prepaid.models import Account, BankAccount, Book, Card, DayTotal, Entry, Merchant

CHUNK = 500
_REFUSALS = {
    "XZ001": drafts.key_reused,
    "XZ002": drafts.closed,
    "XZ003": drafts.hold_gone,
    "XZ004": drafts.already_reversed,
    "23514": drafts.overdrawn,
    "22003": drafts.too_large,
}
"""What the database function raises, as the person is told."""
BOOK_PURSES = tuple(purse for purse in Purse if purse not in {Purse.PRINCIPAL, Purse.BONUS, Purse.USES, Purse.CUSTODY})


@dataclass(frozen=True)
class Posted:
    """Where an operation stands in its book: `operation` is the sequence of its first entry. `replayed`: it stood there before this request.
    `read` makes its entries, which many a caller never looks at."""

    operation: int
    replayed: bool
    read: Callable[[], tuple[Entry, ...]]

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """Its entries, in order of leg."""
        return self.read()


class BatchRefused(LedgerRefused):
    """Nothing of a batch was posted. `refusals`: position in the batch and the reason, for each operation that cannot be."""

    code = "batch_refused"

    def __init__(self, refusals: Sequence[tuple[int, LedgerRefused]]) -> None:
        super().__init__(_("有 %(count)s 笔不能入账，整批没有入账。") % {"count": len(refusals)})
        self.refusals = refusals


def open_book(merchant: Merchant) -> Book:
    """The merchant's book with the accounts that every book has."""
    book = Book.objects.create(merchant=merchant)
    Account.objects.bulk_create(Account(book=book, purse=purse) for purse in BOOK_PURSES)
    return book


def open_card_accounts(card: Card) -> dict[str, Account]:
    """The three accounts of a new card, by purse."""
    made = Account.objects.bulk_create(
        Account(book_id=card.merchant_id, purse=purse, card=card)
        for purse in (Purse.PRINCIPAL, Purse.BONUS, Purse.USES)
    )
    return {each.purse: each for each in made}


def open_custody_account(bank_account: BankAccount) -> Account:
    """The mirror of a custody bank account in its merchant's book."""
    return Account.objects.create(book_id=bank_account.merchant_id, purse=Purse.CUSTODY, bank_account=bank_account)


def close_card_accounts(card: Card) -> None:
    """Let nothing more be posted to a card. Raises LedgerRefused while anything is on it or held."""
    Book.objects.select_for_update().get(pk=card.merchant_id)
    for account in Account.objects.filter(card=card):
        if account.balance or account.held or account.credits_pending:
            raise LedgerRefused(_("卡内还有余额或待确认业务，不能停用。"))
    Account.objects.filter(card=card).update(is_open=False)


def post(draft: Draft, *, booked_at: datetime) -> Posted:
    """Post one operation, in one transaction of its own or inside the caller's. Raises LedgerRefused; then nothing was posted."""
    drafts.check_draft(draft)
    database: BaseDatabaseWrapper = connections[
        DEFAULT_DB_ALIAS
    ]  # looked up once: `connection` looks it up at every word
    if database.vendor == "postgresql":
        return _post_by_function(database, draft, booked_at)
    with transaction.atomic():
        book = _load([draft])[draft.book_id]
        applied = apply(book, draft, booked_at=booked_at)
        _save([book], booked_at)
    return standing(draft.book_id, applied.operation, replayed=applied.replayed)


_POST = (
    "SELECT * FROM prepaid_post(%s::bigint, %s::text, %s::text, %s::bigint[], %s::bigint[], %s::bigint[], %s::text, %s::bytea,"
    " %s::timestamptz, %s::timestamptz, %s::date, %s::text, %s::bigint, %s::bigint, %s::timestamptz)"
)
_FIELDS = ("id", *COLUMNS, "digest")
_AT = COLUMNS.index("at")
"""Where `at`, `booked_at` and `expires_at` stand, one after another."""


def _post_by_function(database: BaseDatabaseWrapper, draft: Draft, booked_at: datetime) -> Posted:
    """One round trip, prepared in the server, in a transaction of its own unless the caller is in one."""
    arguments = (
        draft.book_id,
        str(draft.kind),
        str(draft.phase),
        _array(leg.debit for leg in draft.legs),
        _array(leg.credit for leg in draft.legs),
        _array(leg.amount for leg in draft.legs),
        draft.key,
        draft.request,
        draft.at,
        booked_at,
        timezone.localdate(booked_at),
        draft.source,
        draft.actor_user_id,
        draft.refers,
        draft.expires_at,
    )
    try:
        if database.in_atomic_block:
            with transaction.atomic():  # a refusal must not break the caller's transaction
                rows = _prepared(database, _POST, arguments)
        else:
            rows = _prepared(database, _POST, arguments)
    except DatabaseError as error:
        refusal = _REFUSALS.get(getattr(error.__cause__, "sqlstate", None) or "")
        if refusal is None:
            raise
        raise refusal() from None
    operation, replayed = rows[0][1], rows[0][-1]
    if replayed:
        return standing(draft.book_id, operation, replayed=True)
    return Posted(operation, False, lambda: tuple(_entry(draft, booked_at, *given) for given in enumerate(rows)))


def _array(numbers: Iterable[int]) -> str:
    return f"{{{','.join(map(str, numbers))}}}"


def _prepared(database: BaseDatabaseWrapper, sql: str, arguments: Sequence[Any]) -> list[tuple[Any, ...]]:
    """What a statement answers, by a cursor of the driver itself: Django's own sends statements as text, parsed and planned every time."""
    from psycopg import Cursor

    database.ensure_connection()
    raw: Any = database.connection
    if raw.prepare_threshold is None:  # as Django leaves it; without a threshold the driver prepares nothing
        raw.prepare_threshold = 5
    with database.wrap_database_errors:
        return Cursor(raw).execute(sql, arguments, prepare=True).fetchall()


def _entry(draft: Draft, booked_at: datetime, position: int, row: Sequence[Any]) -> Entry:
    """The entry of one leg as the function has just written it."""
    pk, sequence, debit_after, credit_after, digest, _replayed = row
    leg, first = draft.legs[position], position == 0
    values = (
        pk,
        draft.book_id,
        sequence,
        sequence - position,
        position,
        str(draft.kind),
        str(draft.phase),
        *leg,
        debit_after,
        credit_after,
        draft.at,
        booked_at,
        draft.expires_at,
        draft.key if first else "",
        draft.request if first else None,
        draft.source,
        draft.actor_user_id,
        draft.refers,
        digest,
    )
    return Entry.from_db(connection.alias, _FIELDS, values)


def standing(book_id: int, operation: int, *, replayed: bool) -> Posted:
    """An operation as it stands in its book."""
    return Posted(operation, replayed, lambda: tuple(entries_of(book_id, operation)))


def post_batch(batch: Sequence[Draft], *, booked_at: datetime) -> list[Applied]:
    """Post operations of any number of books, all or none, in the order given. Locks the books in order of id.

    Raises BatchRefused naming every operation that cannot be posted (each judged as if the refused ones before it were left out).
    """
    refusals: list[tuple[int, LedgerRefused]] = []
    results: list[Applied] = []
    with transaction.atomic():
        books = _load(batch)
        for position, draft in enumerate(batch):
            try:
                results.append(apply(books[draft.book_id], draft, booked_at=booked_at))
            except LedgerRefused as refusal:
                refusals.append((position, refusal))
        if refusals:
            raise BatchRefused(refusals)
        _save(books.values(), booked_at)
    return results


def settle(
    *,
    book_id: int,
    operation: int,
    phase: str,
    key: str,
    booked_at: datetime,
    amount: int | None = None,
    source: str = "desk",
    actor_user_id: int | None = None,
) -> Posted:
    """Resolve a hold: CONFIRMED posts it (all of it, or `amount` of one with a single leg; the rest is set free), VOIDED and EXPIRED
    set it free. Raises HoldGone when there is none, or no longer."""
    held = entries_of(book_id, operation)
    if not held or (amount is not None and len(held) > 1):
        raise drafts.hold_gone()
    legs = tuple(Leg(each.debit_id, each.credit_id, amount or each.amount) for each in held)
    request = drafts.request_digest({"settle": operation, "phase": str(phase), "amount": amount})
    draft = Draft(
        book_id, held[0].kind, legs, key, request, booked_at, str(phase), source, actor_user_id, refers=operation
    )
    return post(draft, booked_at=booked_at)


def reverse(
    *,
    book_id: int,
    operation: int,
    key: str,
    booked_at: datetime,
    source: str = "desk",
    actor_user_id: int | None = None,
) -> Posted:
    """Take back a posted operation by its mirror image (冲正), once. Raises AlreadyReversed, or Overdrawn when it was spent since."""
    stands = entries_of(book_id, operation)
    if not stands:
        raise drafts.already_reversed()
    legs = tuple(Leg(each.credit_id, each.debit_id, each.amount) for each in stands)
    request = drafts.request_digest({"reverse": operation})
    draft = Draft(
        book_id, Kind.REVERSAL, legs, key, request, booked_at, Phase.POSTED, source, actor_user_id, refers=operation
    )
    return post(draft, booked_at=booked_at)


def expire_holds(*, at: datetime, then: Callable[[int, int], None] | None = None, limit: int = 500) -> int:
    """Set free the holds that have run out; returns how many. `then(book, operation)` runs in the same transaction as each.

    For the ticker: a second run finds nothing.
    """
    due = (
        Entry.objects.filter(phase=Phase.PENDING, leg=0, expires_at__lte=at)
        .exclude(kind=Kind.RELEASE)  # a release request expires with its row
        .extra(
            where=[
                "NOT EXISTS (SELECT 1 FROM prepaid_entry s WHERE s.book_id = prepaid_entry.book_id"
                " AND s.refers = prepaid_entry.operation AND s.leg = 0)"
            ]
        )
        .order_by("expires_at", "pk")
        .values_list("book_id", "operation")[:limit]
    )
    for book_id, operation in list(due):
        key = f"expire:{operation}"
        with transaction.atomic():
            settle(book_id=book_id, operation=operation, phase=Phase.EXPIRED, key=key, booked_at=at, source="system")
            if then is not None:
                then(book_id, operation)
    return len(due)


def entries_of(book_id: int, operation: int) -> list[Entry]:
    """The entries of one operation, in order of leg."""
    return list(
        Entry.objects.filter(
            book_id=book_id, operation=operation, sequence__gte=operation, sequence__lt=operation + 1000
        ).order_by("sequence")
    )


def known_operations(book_id: int, keys: Sequence[str]) -> dict[str, tuple[int, bytes]]:
    """Those of `keys` that name an operation of the book already: key → (operation, request). One query, however many there are."""
    if connection.vendor == "postgresql":
        chosen, given = "= ANY(%s)", list(keys)
    else:
        chosen, given = "IN (SELECT value FROM json_each(%s))", json.dumps(keys)  # type: ignore[assignment]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT key, operation, request FROM prepaid_entry WHERE book_id = %s AND leg = 0 AND key {chosen}",
            [book_id, given],
        )
        return {key: (operation, bytes(request)) for key, operation, request in cursor.fetchall()}


def _load(batch: Sequence[Draft]) -> dict[int, BookState]:
    """The books that a batch touches, locked in order of id, with the accounts and earlier operations that it names."""
    wanted = sorted({draft.book_id for draft in batch})
    books: dict[int, BookState] = {}
    for start in range(0, len(wanted), CHUNK):
        rows = Book.objects.select_for_update().filter(pk__in=wanted[start : start + CHUNK]).order_by("pk")
        for row in rows:
            books[row.pk] = BookState(row.pk, row.last_sequence, bytes(row.head), {})
    if len(books) < len(wanted):
        raise LedgerRefused("no such book")
    ids = sorted({each for draft in batch for leg in draft.legs for each in (leg.debit, leg.credit)})
    columns = ("id", "purse", "is_open", "debits", "credits", "debits_pending", "credits_pending")
    for start in range(0, len(ids), CHUNK):
        found = Account.objects.filter(pk__in=ids[start : start + CHUNK]).values_list("book_id", *columns)
        for book_id, *values in found:
            if book_id in books:
                books[book_id].accounts[values[0]] = AccountState(*values)
    _load_earlier(books, batch)
    return books


def _load_earlier(books: dict[int, BookState], batch: Sequence[Draft]) -> None:
    keys: dict[int, list[str]] = defaultdict(list)
    referred: dict[int, set[int]] = defaultdict(set)
    for draft in batch:
        keys[draft.book_id].append(draft.key)
        if draft.refers is not None:
            referred[draft.book_id].add(draft.refers)
    for book_id, wanted in keys.items():
        for key, (operation, request) in known_operations(book_id, wanted).items():
            books[book_id].by_key[key] = Earlier(operation, "", "", request, None, ())
    for book_id, operations in referred.items():
        numbers = sorted(operations)
        for start in range(0, len(numbers), CHUNK):
            part = numbers[start : start + CHUNK]
            legs: dict[int, list[Entry]] = defaultdict(list)
            standing = (
                Entry.objects.filter(book_id=book_id, operation__in=part).filter(_near(part)).order_by("sequence")
            )
            for entry in standing:
                legs[entry.operation].append(entry)
            books[book_id].by_operation |= earlier_operations(legs)
            settled = Entry.objects.filter(book_id=book_id, refers__in=part, leg=0).values_list("refers", flat=True)
            books[book_id].settled |= {each for each in settled if each is not None}


def _near(operations: Iterable[int]) -> Q:
    """An operation's entries follow its number: lets the database use the index by sequence."""
    near = Q()
    for each in operations:
        near |= Q(sequence__gte=each, sequence__lt=each + 1000)
    return near


def _save(books: Iterable[BookState], booked_at: datetime) -> None:
    """Write what `apply` collected: entries, changed totals, the books' heads and totals by day."""
    changed = [book for book in books if book.rows]
    rows = [row for book in changed for row in book.rows]
    if not rows:
        return
    accounts = [state for book in changed for state in book.accounts.values() if state.changed]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            _copy_rows(cursor, rows)
        else:
            _insert_rows(rows)
        _update_totals(cursor, accounts)
    day = timezone.localdate(booked_at)
    for book in changed:
        Book.objects.filter(pk=book.id).update(
            last_sequence=book.last_sequence, head=book.head, **_day_totals(book.id, change_of(book), day)
        )


def _day_totals(book_id: int, change: Totals, day: date) -> dict[str, Any]:
    """The book's columns with `change` added; a new day leaves the totals of the one before it behind. As `prepaid_post` does it."""
    if not any(change):
        return {}
    columns = {name: F(name) + value for name, value in change._asdict().items() if value}
    before = Book.objects.values("day", *Totals._fields).get(pk=book_id)
    if before["day"] == day:
        return columns
    days = DayTotal.objects.filter(book_id=book_id)
    if before["day"] is not None and before["day"] > day:  # booked late: the days since then end otherwise, too
        last = days.filter(day__lt=day).order_by("-day").values(*Totals._fields).first()
        days.get_or_create(book_id=book_id, day=day, defaults=last or dict.fromkeys(Totals._fields, 0))
        days.filter(day__gte=day).update(**columns)
        return columns
    if before["day"] is not None:
        DayTotal.objects.create(book_id=book_id, **before)
    return {**columns, "day": day}


def _columns() -> str:
    return ", ".join((*COLUMNS, "digest"))


def _copy_rows(cursor: Any, rows: Sequence[tuple[Any, ...]]) -> None:
    with cursor.copy(f"COPY prepaid_entry ({_columns()}) FROM STDIN") as copy:
        for start in range(0, len(rows), CHUNK):
            copy.write("".join(map(_copy_line, rows[start : start + CHUNK])))


def _copy_line(row: tuple[Any, ...]) -> str:
    """One line of COPY's text format. No text here needs escaping: a key's signs are few, and all other words are ours."""
    *numbers, at, booked_at, expires_at, key, request, source, actor, refers, digest = row
    expires, asked = expires_at or "\\N", "\\N" if request is None else f"\\\\x{request.hex()}"
    who, whom = "\\N" if actor is None else actor, "\\N" if refers is None else refers
    return (
        "\t".join(map(str, numbers))
        + f"\t{at}\t{booked_at}\t{expires}\t{key}\t{asked}\t{source}\t{who}\t{whom}\t\\\\x{digest.hex()}\n"
    )


def _insert_rows(rows: Sequence[tuple[Any, ...]]) -> None:
    """As the driver's own executemany takes them: Django's would look at every value of every row again."""
    written: dict[datetime | None, str | None] = {None: None}

    def stored(row: tuple[Any, ...]) -> tuple[Any, ...]:
        try:
            moments = (written[row[_AT]], written[row[_AT + 1]], written[row[_AT + 2]])
        except KeyError:
            for moment in row[_AT : _AT + 3]:
                written.setdefault(moment, moment and str(moment.astimezone(UTC).replace(tzinfo=None)))
            return stored(row)
        return (*row[:_AT], *moments, *row[_AT + 3 :])

    marks = ", ".join(["?"] * (len(COLUMNS) + 1))
    raw = connections[DEFAULT_DB_ALIAS].connection
    with connection.wrap_database_errors:
        raw.executemany(f"INSERT INTO prepaid_entry ({_columns()}) VALUES ({marks})", map(stored, rows))


def _update_totals(cursor: Any, accounts: Sequence[AccountState]) -> None:
    totals = [
        (state.debits, state.credits, state.debits_pending, state.credits_pending, state.id)
        for state in sorted(accounts, key=lambda state: state.id)
    ]
    try:
        if connection.vendor == "postgresql":
            cursor.execute(
                "UPDATE prepaid_account a SET debits = n.d, credits = n.c, debits_pending = n.dp, credits_pending = n.cp"
                " FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[]) AS n(d, c, dp, cp, id)"
                " WHERE a.id = n.id",
                [list(column) for column in zip(*totals, strict=True)],
            )
        else:
            cursor.executemany(
                "UPDATE prepaid_account SET debits = %s, credits = %s, debits_pending = %s, credits_pending = %s"
                " WHERE id = %s",
                totals,
            )
    except IntegrityError:  # the arithmetic above has refused it already; the database is the second lock on the door
        raise drafts.overdrawn() from None
