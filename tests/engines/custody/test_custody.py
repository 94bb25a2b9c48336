"""Required custody and reconciliation, by properties and against brute force."""

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xiezhi.engines.custody import (
    BankItem,
    BookItem,
    CustodyRule,
    History,
    Outcome,
    last_quarter_end,
    over_time,
    reconcile,
    required_fen,
)

DAYS = st.dates(date(2024, 1, 1), date(2027, 12, 31))
FEN = st.integers(0, 10**13)


@given(DAYS)
def test_the_last_quarter_end_is_the_nearest_quarter_end_before_the_day(day: date) -> None:
    found = last_quarter_end(day)
    ends = [
        date(year, month, last) for year in range(2022, 2029) for month, last in ((3, 31), (6, 30), (9, 30), (12, 31))
    ]
    assert found == max(
        end for end in ends if end < day and (end.year, (end.month - 1) // 3) != (day.year, (day.month - 1) // 3)
    )


@given(FEN, st.integers(0, 1000))
def test_the_share_is_never_less_than_the_rule_asks_and_less_than_a_fen_more(balance: int, per_mille: int) -> None:
    exact = Fraction(balance * per_mille, 1000)
    assert exact <= required_fen(balance, per_mille) < exact + 1


def test_nothing_is_required_of_a_negative_balance() -> None:
    assert required_fen(-5, 400) == 0


@given(
    st.dictionaries(DAYS, st.integers(0, 10**9), max_size=8),
    st.dictionaries(DAYS, st.integers(0, 10**9), max_size=8),
    DAYS,
    st.sampled_from(["quarter_end", "current"]),
    st.integers(0, 1000),
)
def test_every_day_follows_from_the_histories(
    owed: dict[date, int], kept: dict[date, int], first: date, basis: str, offset: int
) -> None:
    histories = [History(sorted(each), [each[day] for day in sorted(each)]) for each in (owed, kept)]
    guarantee = History([date(2025, 1, 1)], [500])
    rule = CustodyRule(400, basis, offset)
    last = first + timedelta(days=40)
    days = over_time(first, last, [(date(2020, 1, 1), rule)], owed=histories[0], kept=histories[1], guarantee=guarantee)
    assert [day.on for day in days] == [first + timedelta(days=n) for n in range(41)]

    def at(history: dict[date, int], when: date) -> int:
        known = [day for day in history if day <= when]
        return history[max(known)] if known else 0

    for day in days:
        reference = last_quarter_end(day.on) if basis == "quarter_end" else day.on
        assert day.required == required_fen(at(owed, reference), 400)
        assert day.kept == at(kept, day.on)
        assert day.covered == (min(500, day.required * offset // 1000) if day.on >= date(2025, 1, 1) else 0)
        assert day.gap == day.required - day.kept - day.covered


def test_each_day_is_judged_by_the_rule_in_force_on_it() -> None:
    owed = History([date(2026, 6, 30)], [1_000])
    rules = [(date(2026, 7, 1), CustodyRule(200)), (date(2026, 7, 3), CustodyRule(400))]
    days = over_time(date(2026, 7, 1), date(2026, 7, 4), rules, owed=owed, kept=History(), guarantee=History())
    assert [day.required for day in days] == [200, 200, 400, 400]
    with pytest.raises(ValueError, match="no rule was in force"):
        over_time(date(2026, 6, 30), date(2026, 7, 1), rules, owed=owed, kept=History(), guarantee=History())


@pytest.mark.parametrize("wrong", [{"per_mille": 1001}, {"per_mille": 400, "basis": "monthly"}, {"per_mille": -1}])
def test_a_rule_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        CustodyRule(**wrong)  # type: ignore[arg-type]


ITEMS = st.lists(
    st.tuples(
        st.integers(0, 9), st.sampled_from([-300, -200, 100, 200, 300]), st.sampled_from(["", "", "R1", "R2", "R3"])
    ),
    max_size=7,
)
START = date(2026, 11, 2)


@given(ITEMS, ITEMS, st.integers(0, 4), st.randoms())
def test_every_item_is_in_exactly_one_finding_that_tells_the_truth(
    bank_rows: list[tuple[int, int, str]], book_rows: list[tuple[int, int, str]], days: int, chance: object
) -> None:
    bank = [BankItem(n, START + timedelta(days=d), a, r) for n, (d, a, r) in enumerate(bank_rows)]
    book = [BookItem(n, START + timedelta(days=d), a, r) for n, (d, a, r) in enumerate(book_rows)]
    findings = reconcile(bank, book, days=days)
    assert sorted(each.bank for each in findings if each.bank is not None) == list(range(len(bank)))
    assert sorted(each.book for each in findings if each.book is not None) == list(range(len(book)))
    for each in findings:
        theirs = bank[each.bank] if each.bank is not None else None
        ours = book[each.book] if each.book is not None else None
        if each.outcome == Outcome.MATCHED:
            assert theirs and ours and theirs.amount == ours.amount
            same = theirs.reference and theirs.reference == ours.reference
            near = abs((theirs.on - ours.on).days) <= days and not (theirs.reference and ours.reference)
            assert same or near
        elif each.outcome == Outcome.AMOUNT_DIFFERS:
            assert theirs and ours and theirs.reference == ours.reference and theirs.amount != ours.amount
        else:
            assert (theirs is None) == (each.outcome == Outcome.MISSING)
    extra = [bank[each.bank] for each in findings if each.outcome == Outcome.EXTRA and each.bank is not None]
    missing = [book[each.book] for each in findings if each.outcome == Outcome.MISSING and each.book is not None]
    for theirs in extra:  # nothing is left alone that could have been paired
        for ours in missing:
            assert not (theirs.reference and theirs.reference == ours.reference)
            apart = abs((theirs.on - ours.on).days) > days or bool(theirs.reference and ours.reference)
            assert theirs.amount != ours.amount or apart
    shuffled_bank, shuffled_book = list(bank), list(book)
    chance.shuffle(shuffled_bank)  # type: ignore[attr-defined]
    chance.shuffle(shuffled_book)  # type: ignore[attr-defined]
    assert reconcile(shuffled_bank, shuffled_book, days=days) == findings


def test_a_reference_with_another_amount_is_told_apart_from_a_second_payment() -> None:
    book = [BookItem(1, START, 100, "R1"), BookItem(2, START, 200, "R1")]
    findings = reconcile([BankItem(1, START, 150, "R1"), BankItem(2, START, 200, "R1")], book, days=3)
    assert [(each.outcome, each.bank, each.book) for each in findings] == [
        (Outcome.MATCHED, 2, 2),
        (Outcome.AMOUNT_DIFFERS, 1, 1),
    ]


def test_an_id_given_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        reconcile([BankItem(1, START, 1), BankItem(1, START, 2)], [], days=1)
