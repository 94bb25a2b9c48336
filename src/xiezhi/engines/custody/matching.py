"""Reconciliation (对账): every bank item and every book entry of a custody account is matched to at most one of the other side.

First by reference, then by equal amount and nearest day within a tolerance; what is left is missing at the bank, extra at the bank, or of
the same reference with another amount. Nothing is adjusted: differences are for people.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Outcome(StrEnum):
    """What reconciliation says of an item. MISSING: in the book, not at the bank; EXTRA: at the bank, not in the book."""

    MATCHED = "matched"
    MISSING = "missing"
    EXTRA = "extra"
    AMOUNT_DIFFERS = "amount_differs"


@dataclass(frozen=True)
class BankItem:
    """A line of the bank's statement. `amount` in fen, positive into the account; `reference` empty when the bank gives none."""

    id: int
    on: date
    amount: int
    reference: str = ""


@dataclass(frozen=True)
class BookItem:
    """A movement of the account's mirror in our book; the same signs."""

    id: int
    on: date
    amount: int
    reference: str = ""


@dataclass(frozen=True)
class Match:
    """One finding. `bank`, `book`: ids, None on the side that has nothing."""

    outcome: Outcome
    bank: int | None
    book: int | None


def reconcile(bank: Sequence[BankItem], book: Sequence[BookItem], *, days: int) -> list[Match]:
    """Pair the two sides; each item is in exactly one finding. `days`: how far apart booking days of a pair without reference may be.

    Deterministic and independent of the order given. Among pairs of equal amount and sign the nearest days are taken first.
    """
    left_bank = {item.id: item for item in bank}
    left_book = {item.id: item for item in book}
    if len(left_bank) < len(bank) or len(left_book) < len(book):
        raise ValueError("an id is given twice")
    findings = _by_reference(left_bank, left_book)
    findings += _by_amount(left_bank, left_book, days)
    findings += [Match(Outcome.EXTRA, each, None) for each in sorted(left_bank)]
    findings += [Match(Outcome.MISSING, None, each) for each in sorted(left_book)]
    return findings


def _by_reference(bank: dict[int, BankItem], book: dict[int, BookItem]) -> list[Match]:
    ours: dict[str, list[BookItem]] = defaultdict(list)
    for item in sorted(book.values(), key=lambda item: (item.on, item.id)):
        if item.reference:
            ours[item.reference].append(item)
    findings = []
    same_reference = sorted(
        (item for item in bank.values() if item.reference in ours), key=lambda item: (item.on, item.id)
    )
    for equal in (True, False):  # equal amounts first, so that a differing one does not take its place
        for theirs in same_reference:
            if theirs.id not in bank:
                continue
            candidates = [item for item in ours[theirs.reference] if item.id in book]
            chosen = next((item for item in candidates if (item.amount == theirs.amount) == equal), None)
            if chosen is None:
                continue
            outcome = Outcome.MATCHED if equal else Outcome.AMOUNT_DIFFERS
            findings.append(Match(outcome, theirs.id, chosen.id))
            del bank[theirs.id], book[chosen.id]
    return findings


def _by_amount(bank: dict[int, BankItem], book: dict[int, BookItem], days: int) -> list[Match]:
    """Never pairs two items that both carry a reference: those differ on purpose."""
    by_amount: dict[int, list[BookItem]] = defaultdict(list)
    for item in book.values():
        by_amount[item.amount].append(item)
    pairs = sorted(
        (abs((theirs.on - ours.on).days), theirs.on, theirs.id, ours.id)
        for theirs in bank.values()
        for ours in by_amount.get(theirs.amount, ())
        if abs((theirs.on - ours.on).days) <= days and not (theirs.reference and ours.reference)
    )
    findings = []
    for _distance, _on, theirs_id, ours_id in pairs:
        if theirs_id in bank and ours_id in book:
            findings.append(Match(Outcome.MATCHED, theirs_id, ours_id))
            del bank[theirs_id], book[ours_id]
    return findings
