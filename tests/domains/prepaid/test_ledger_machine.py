"""Random operations against a book: it must do what the naive model does, and every proof must hold after each.

Runs on whichever database the suite runs on: the Python path on SQLite, the database function on PostgreSQL, batches on both.
"""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.builders.cast import NOW, Cast
from tests.builders.prepaid import bare_card, bare_merchant
from tests.domains.prepaid.ledger_model import Move, Naive
from xiezhi.domains.prepaid.ledger.drafts import Draft, LedgerRefused, Leg, request_digest
from xiezhi.domains.prepaid.models import Account, Book
from xiezhi.domains.prepaid.queries.verification import verify_books
from xiezhi.domains.prepaid.services import posting

PAIRS = [
    ("funds", "principal"),
    ("principal", "earned"),
    ("bonus_issued", "bonus"),
    ("bonus", "bonus_issued"),
    ("uses_issued", "uses"),
    ("uses", "uses_issued"),
    ("principal", "refunds"),
    ("refunds", "funds"),
    ("principal", "principal2"),
    ("guarantee", "guarantee_given"),
    ("guarantee_given", "guarantee"),
    ("fees", "funds"),
]
AMOUNTS = st.one_of(st.integers(1, 40), st.integers(1, 10**13))


class Machine(RuleBasedStateMachine):
    """`clock` moves on by itself; a hold lives 5 minutes."""

    cast: Cast

    @initialize()
    def open(self) -> None:
        self.scope = transaction.atomic()
        self.scope.__enter__()
        merchant = bare_merchant(self.cast)
        first, second = bare_card(merchant), bare_card(merchant)
        self.book_id, self.serial, self.clock = merchant.pk, 0, NOW
        self.accounts: dict[str, int] = {}
        for account in Account.objects.filter(book_id=self.book_id):
            name = f"{account.purse}2" if account.card_id == second.pk else account.purse
            self.accounts[name] = account.pk
        purses = dict(Account.objects.filter(book_id=self.book_id).values_list("pk", "purse"))
        self.naive = Naive(purses)
        assert first.pk != second.pk

    def teardown(self) -> None:
        if hasattr(self, "scope"):
            transaction.set_rollback(True)
            self.scope.__exit__(None, None, None)

    def key(self) -> str:
        self.serial += 1
        return f"key-{self.serial}"

    def moves(self, pairs: list[tuple[str, str]], amounts: list[int]) -> list[Move]:
        return [(self.accounts[d], self.accounts[c], a) for (d, c), a in zip(pairs, amounts, strict=False)]

    def draft(self, moves: list[Move], key: str, **more: Any) -> Draft:
        request = request_digest({"moves": moves, "phase": more.get("phase", "posted")})
        return Draft(self.book_id, "purchase", tuple(Leg(*move) for move in moves), key, request, self.clock, **more)

    def take(self, moves: list[Move], key: str, operation: int) -> None:
        self.naive.answers[key] = (tuple(moves), operation)
        self.naive.moves += moves
        self.naive.posted[operation] = moves

    @rule(
        pairs=st.lists(st.sampled_from(PAIRS), min_size=1, max_size=3),
        amounts=st.lists(AMOUNTS, min_size=3, max_size=3),
    )
    def post(self, pairs: list[tuple[str, str]], amounts: list[int]) -> None:
        moves, key = self.moves(pairs, amounts), self.key()
        if not self.naive.fits(moves, pending=False):
            with pytest.raises(LedgerRefused):
                posting.post(self.draft(moves, key), booked_at=self.clock)
            return
        posted = posting.post(self.draft(moves, key), booked_at=self.clock)
        assert not posted.replayed
        assert posted.operation == self.naive.number(moves)
        self.take(moves, key, posted.operation)

    @rule(
        pairs=st.lists(st.sampled_from(PAIRS), min_size=1, max_size=2),
        amounts=st.lists(AMOUNTS, min_size=2, max_size=2),
    )
    def hold(self, pairs: list[tuple[str, str]], amounts: list[int]) -> None:
        moves, key, until = self.moves(pairs, amounts), self.key(), self.clock + timedelta(minutes=5)
        draft = self.draft(moves, key, phase="pending", expires_at=until)
        if not self.naive.fits(moves, pending=True):
            with pytest.raises(LedgerRefused):
                posting.post(draft, booked_at=self.clock)
            return
        operation = posting.post(draft, booked_at=self.clock).operation
        assert operation == self.naive.number(moves)
        self.naive.holds[operation] = (moves, until.timestamp())

    @rule(data=st.data(), phase=st.sampled_from(["confirmed", "voided", "expired"]))
    def settle(self, data: st.DataObject, phase: str) -> None:
        known = [*self.naive.holds, *self.naive.posted, 999]
        operation, key = data.draw(st.sampled_from(known)), self.key()
        hold = self.naive.holds.get(operation)
        expired = hold is not None and hold[1] <= self.clock.timestamp()
        wrong_time = (phase == "confirmed" and expired) or (phase == "expired" and not expired)
        closed = (
            hold is not None and phase == "confirmed" and any(a in self.naive.closed for m in hold[0] for a in m[:2])
        )
        if hold is None or wrong_time or closed:
            with pytest.raises(LedgerRefused):
                posting.settle(book_id=self.book_id, operation=operation, phase=phase, key=key, booked_at=self.clock)
            return
        moves, amount = hold[0], None
        if phase == "confirmed" and len(moves) == 1:
            amount = data.draw(st.integers(1, moves[0][2]))
        done = posting.settle(
            book_id=self.book_id, operation=operation, phase=phase, key=key, booked_at=self.clock, amount=amount
        )
        del self.naive.holds[operation]
        assert done.operation == self.naive.number(moves)
        if phase == "confirmed":
            self.take([(d, c, amount or a) for d, c, a in moves], key, done.operation)

    @precondition(lambda self: self.naive.posted)
    @rule(data=st.data())
    def reverse(self, data: st.DataObject) -> None:
        operation, key = data.draw(st.sampled_from(sorted(self.naive.posted))), self.key()
        moves = [(credit, debit, amount) for debit, credit, amount in self.naive.posted[operation]]
        if operation in self.naive.reversed or not self.naive.fits(moves, pending=False):
            with pytest.raises(LedgerRefused):
                posting.reverse(book_id=self.book_id, operation=operation, key=key, booked_at=self.clock)
            return
        done = posting.reverse(book_id=self.book_id, operation=operation, key=key, booked_at=self.clock)
        assert done.operation == self.naive.number(moves)
        self.naive.reversed |= {operation, done.operation}
        self.take(moves, key, done.operation)

    @precondition(lambda self: any(key in self.naive.answers for key in self.naive.answers))
    @rule(data=st.data(), other=st.booleans())
    def replay(self, data: st.DataObject, other: bool) -> None:
        key = data.draw(st.sampled_from(sorted(self.naive.answers)))
        moves, operation = self.naive.answers[key]
        if not self.made_by_post(operation):
            return
        asked = [(d, c, a + other) for d, c, a in moves]  # type: ignore[attr-defined]
        if other:
            with pytest.raises(LedgerRefused):
                posting.post(self.draft(asked, key), booked_at=self.clock)
        else:
            again = posting.post(self.draft(asked, key), booked_at=self.clock)
            assert again.replayed
            assert again.operation == operation
            assert [(e.debit_id, e.credit_id, e.amount) for e in again.entries] == list(moves)  # type: ignore[call-overload]

    def made_by_post(self, operation: int) -> bool:
        return posting.entries_of(self.book_id, operation)[0].refers is None

    @rule(
        batch=st.lists(st.tuples(st.sampled_from(PAIRS), st.integers(1, 60)), min_size=1, max_size=6),
        twice=st.booleans(),
    )
    def batch(self, batch: list[tuple[tuple[str, str], int]], twice: bool) -> None:
        """All or none; a second time changes nothing."""
        drafts, moves, trial = (
            [],
            [],
            Naive(self.naive.purses, self.naive.closed, list(self.naive.moves), self.naive.holds),
        )
        fits = True
        for pair, amount in batch:
            move = self.moves([pair], [amount])
            fits = fits and trial.fits(move, pending=False)
            trial.moves += move
            moves.append(move)
            drafts.append(self.draft(move, self.key()))
        if not fits:
            with pytest.raises(posting.BatchRefused) as refused:
                posting.post_batch(drafts, booked_at=self.clock)
            assert refused.value.refusals
            return
        done = posting.post_batch(drafts, booked_at=self.clock)
        for draft, move, applied in zip(drafts, moves, done, strict=True):
            assert applied.operation == self.naive.number(move)
            self.take(move, draft.key, applied.operation)
        if twice:
            again = posting.post_batch(drafts, booked_at=self.clock)
            assert [each.operation for each in again] == [each.operation for each in done]
            assert all(each.replayed for each in again)

    @rule()
    def close_second_card(self) -> None:
        ids = [self.accounts[name] for name in ("principal2",)]
        if any(self.naive.balance(each) or self.naive.held(each) for each in ids):
            return
        Account.objects.filter(pk__in=ids).update(is_open=False)
        self.naive.closed.update(ids)

    @rule(minutes=st.integers(1, 4))
    def wait(self, minutes: int) -> None:
        self.clock += timedelta(minutes=minutes)

    @rule()
    def tick(self) -> None:
        due = [operation for operation, (_moves, until) in self.naive.holds.items() if until <= self.clock.timestamp()]
        assert posting.expire_holds(at=self.clock) == len(due)
        lengths = sorted(len(self.naive.holds.pop(operation)[0]) for operation in due)
        self.naive.length += sum(lengths)

    @invariant()
    def equal(self) -> None:
        if not hasattr(self, "naive"):
            return
        for account in Account.objects.filter(book_id=self.book_id):
            assert account.balance == self.naive.balance(account.pk), account.purse
            if account.purse in {"principal", "bonus", "uses", "refunds", "guarantee"}:
                assert account.held == self.naive.held(account.pk)
                assert account.available >= 0
        assert Book.objects.get(pk=self.book_id).last_sequence == self.naive.length

    @invariant()
    def proven(self) -> None:
        if hasattr(self, "naive"):
            assert verify_books().faults == ()


def test_the_book_does_what_the_naive_model_does(cast: Cast) -> None:
    Machine.cast = cast
    run_state_machine_as_test(Machine, settings=settings(max_examples=10, stateful_step_count=25, deadline=None))
