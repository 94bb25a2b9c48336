"""Applying operations to a book held in memory: the one Python path, for SQLite and for batches on either database.

On PostgreSQL single operations go through the database function `prepaid_post`, which does the same; one state machine checks both.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from xiezhi.domains.prepaid.ledger import digest as digests
from xiezhi.domains.prepaid.ledger import drafts
from xiezhi.domains.prepaid.ledger.drafts import (
    COUNTED,
    DEBIT_GROWS,
    LIMITED,
    MOST_TOTAL,
    RESOLVING,
    TOTALLED,
    Draft,
    Kind,
    LedgerRefused,
    Leg,
    Phase,
)

_MOVES = frozenset({Phase.POSTED, Phase.CONFIRMED})


@dataclass(slots=True)
class AccountState:
    """One account as the book's lock holder sees it."""

    id: int
    purse: str
    is_open: bool
    debits: int = 0
    credits: int = 0
    debits_pending: int = 0
    credits_pending: int = 0
    changed: bool = False
    began: int = field(init=False)
    grows_by_debit: bool = field(init=False)
    limited: bool = field(init=False)
    counted: bool = field(init=False)

    def __post_init__(self) -> None:
        self.grows_by_debit, self.limited = self.purse in DEBIT_GROWS, self.purse in LIMITED
        self.began, self.counted = self.balance, self.purse in COUNTED

    @property
    def balance(self) -> int:
        """What it holds, holds not deducted."""
        return self.debits - self.credits if self.grows_by_debit else self.credits - self.debits

    def over_limits(self) -> LedgerRefused | None:
        """The refusal when more is spent and held than is there, or a total leaves 64 bits; else None."""
        debits, credits_ = self.debits + self.debits_pending, self.credits + self.credits_pending
        if debits > MOST_TOTAL or credits_ > MOST_TOTAL:
            return drafts.too_large()
        if not self.limited:
            return None
        over = credits_ > self.debits if self.grows_by_debit else debits > self.credits
        return drafts.overdrawn() if over else None


class Earlier(NamedTuple):
    """An operation that stands in the book: what a replay is compared with and what a resolution refers to."""

    operation: int
    phase: str
    kind: str
    request: bytes
    expires_at: datetime | None
    legs: tuple[Leg, ...]


class Applied(NamedTuple):
    """Where an operation stands: the sequence of its first entry, and whether it stood there before."""

    operation: int
    replayed: bool


@dataclass
class BookState:
    """A book under its lock. `by_key`, `by_operation`: at least the earlier operations that the drafts name. `settled`: operations
    among them that are resolved or reversed. `rows` collects what must be inserted, in the order of COLUMNS plus the digest."""

    id: int
    last_sequence: int
    head: bytes
    accounts: dict[int, AccountState]
    by_key: dict[str, Earlier] = field(default_factory=dict)
    by_operation: dict[int, Earlier] = field(default_factory=dict)
    settled: set[int] = field(default_factory=set)
    rows: list[tuple[Any, ...]] = field(default_factory=list)


class Totals(NamedTuple):
    """What a book owes to holders, keeps in custody and has guaranteed, in fen; or by how much that changes."""

    owed: int
    kept: int
    guaranteed: int


def change_of(book: BookState) -> Totals:
    """By how much the book's three totals have changed since its accounts were loaded."""
    moved = {"owed": 0, "kept": 0, "guaranteed": 0}
    for state in book.accounts.values():
        if state.changed and state.purse in TOTALLED:
            moved[TOTALLED[state.purse]] += state.balance - state.began
    return Totals(**moved)


def apply(book: BookState, draft: Draft, *, booked_at: datetime) -> Applied:
    """Put one operation into the book, or raise LedgerRefused and leave the book as it was."""
    drafts.check_draft(draft)
    earlier = book.by_key.get(draft.key)
    if earlier is not None:
        if earlier.request != draft.request:
            raise drafts.key_reused()
        return Applied(earlier.operation, True)
    operation = book.last_sequence + 1
    if (
        len(draft.legs) == 1 and draft.refers is None and draft.phase not in RESOLVING
    ):  # the commonest by far, and one leg undoes itself
        _append(book, draft, 0, draft.legs[0], _move(book, draft.phase, draft.legs[0], 0), operation, booked_at)
    else:
        held = _held(book, draft, booked_at)
        after: list[tuple[int, int]] = []
        try:
            for leg, amount_held in zip(draft.legs, held, strict=True):
                after.append(_move(book, draft.phase, leg, amount_held))
        except drafts.LedgerRefused:
            for leg, amount_held in zip(draft.legs[: len(after)], held, strict=False):
                _shift(book.accounts[leg.debit], book.accounts[leg.credit], draft.phase, -leg.amount, -amount_held)
            raise
        for position, (leg, balances) in enumerate(zip(draft.legs, after, strict=True)):
            _append(book, draft, position, leg, balances, operation, booked_at)
    stands = Earlier(operation, draft.phase, draft.kind, draft.request, draft.expires_at, draft.legs)
    book.by_key[draft.key] = book.by_operation[operation] = stands
    if draft.refers is not None:
        book.settled.add(draft.refers)
    return Applied(operation, False)


def _held(book: BookState, draft: Draft, booked_at: datetime) -> list[int]:
    """How much of a hold each leg sets free: all of it, whatever part of it is posted. Raises HoldGone, AlreadyReversed."""
    resolving = draft.phase in RESOLVING
    if draft.refers is None:
        if resolving:
            raise drafts.hold_gone()
        return [0] * len(draft.legs)
    referred = book.by_operation.get(draft.refers)
    if not resolving:
        _check_reversal(draft, referred, draft.refers in book.settled)
        return [0] * len(draft.legs)
    if referred is None or referred.phase != Phase.PENDING or draft.refers in book.settled:
        raise drafts.hold_gone()
    expired = referred.expires_at is not None and referred.expires_at <= booked_at
    if expired != (draft.phase == Phase.EXPIRED) and draft.phase != Phase.VOIDED:
        raise drafts.hold_gone()
    if len(referred.legs) != len(draft.legs):
        raise drafts.hold_gone()
    for hold, leg in zip(referred.legs, draft.legs, strict=True):
        whole = draft.phase == Phase.CONFIRMED or hold.amount == leg.amount
        if (hold.debit, hold.credit) != (leg.debit, leg.credit) or leg.amount > hold.amount or not whole:
            raise drafts.hold_gone()
    return [hold.amount for hold in referred.legs]


def _check_reversal(draft: Draft, referred: Earlier | None, settled: bool) -> None:
    """A reversal turns every leg of a posted operation round, once; nothing reverses a reversal."""
    if referred is None or settled or referred.phase not in {Phase.POSTED, Phase.CONFIRMED}:
        raise drafts.already_reversed()
    turned = tuple(Leg(leg.credit, leg.debit, leg.amount) for leg in referred.legs)
    if draft.kind != Kind.REVERSAL or referred.kind == Kind.REVERSAL or draft.legs != turned:
        raise drafts.already_reversed()


def _move(book: BookState, phase: str, leg: Leg, held: int) -> tuple[int, int]:
    """Change the two accounts of a leg, or refuse and leave them; returns their balances after it."""
    try:
        debit, credit = book.accounts[leg.debit], book.accounts[leg.credit]
    except KeyError:
        raise drafts.LedgerRefused("account of another book") from None
    if debit.counted != credit.counted:
        raise drafts.LedgerRefused("fen and uses do not mix")
    if not (debit.is_open and credit.is_open) and phase not in {Phase.VOIDED, Phase.EXPIRED}:
        raise drafts.closed()
    _shift(debit, credit, phase, leg.amount, held)
    refusal = debit.over_limits() or credit.over_limits()
    if refusal is not None:
        _shift(debit, credit, phase, -leg.amount, -held)
        raise refusal
    debit.changed = credit.changed = True
    return debit.balance, credit.balance


def _shift(debit: AccountState, credit: AccountState, phase: str, amount: int, held: int) -> None:
    """Move `amount`, or `held` out of what waits; negative ones undo the same."""
    if phase == Phase.PENDING:
        debit.debits_pending += amount
        credit.credits_pending += amount
        return
    debit.debits_pending -= held
    credit.credits_pending -= held
    if phase in _MOVES:
        debit.debits += amount
        credit.credits += amount


def _append(
    book: BookState,
    draft: Draft,
    position: int,
    leg: Leg,
    balances: tuple[int, int],
    operation: int,
    booked_at: datetime,
) -> None:
    book.last_sequence += 1
    first = position == 0
    values = (
        book.id,
        book.last_sequence,
        operation,
        position,
        str(draft.kind),
        str(draft.phase),
        leg.debit,
        leg.credit,
        leg.amount,
        *balances,
        draft.at,
        booked_at,
        draft.expires_at,
        draft.key if first else "",
        draft.request if first else None,
        draft.source,
        draft.actor_user_id,
        draft.refers,
    )
    book.head = digests.digest(book.head, values)
    book.rows.append((*values, book.head))


def earlier_operations(rows: Mapping[int, list[Any]]) -> dict[int, Earlier]:
    """Operations of a book from their entries (model rows by operation, in order of leg)."""
    return {
        operation: Earlier(
            operation,
            legs[0].phase,
            legs[0].kind,
            bytes(legs[0].request),
            legs[0].expires_at,
            tuple(Leg(each.debit_id, each.credit_id, each.amount) for each in legs),
        )
        for operation, legs in rows.items()
    }
