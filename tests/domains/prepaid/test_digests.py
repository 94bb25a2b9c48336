"""What is digested, and that the database and Python digest the same."""

from datetime import timedelta

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from tests.builders.cast import NOW
from tests.builders.prepaid import World
from xiezhi.domains.prepaid.ledger.digest import COLUMNS, GENESIS, digest
from xiezhi.domains.prepaid.ledger.drafts import redemption_request, request_digest
from xiezhi.domains.prepaid.ledger.shares import share_amount, share_uses
from xiezhi.domains.prepaid.models import Entry
from xiezhi.domains.prepaid.services import posting


@given(st.from_regex(r"\A[0-9]{1,24}\Z"), st.integers(-5, 2**70), st.integers(0, 100))
def test_a_redemption_asked_either_way_has_one_digest(number: str, amount: int, uses: int) -> None:
    asked = {"redeem": number, "amount": amount, "uses": uses}
    assert redemption_request(number, amount, uses) == request_digest(asked)


@given(st.dictionaries(st.text(max_size=5), st.integers()))
def test_the_order_of_fields_does_not_matter(content: dict[str, int]) -> None:
    assert request_digest(content) == request_digest(dict(reversed(content.items())))


def test_every_protected_column_changes_the_digest() -> None:
    row = [1, 2, 2, 0, "purchase", "posted", 3, 4, 5, 6, 7, NOW, NOW, None, "k", b"r", "api", None, None]
    assert len(row) == len(COLUMNS)
    before = digest(GENESIS, row)
    for place in range(len(row)):
        changed = list(row)
        changed[place] = {
            int: lambda old: old + 1, str: lambda old: old + "x", bytes: lambda old: old + b"x", type(None): lambda _old: 9
        }.get(type(row[place]), lambda old: old + timedelta(microseconds=1))(row[place])  # fmt: skip
        if COLUMNS[place] == "expires_at":
            changed[place] = NOW
        assert digest(GENESIS, changed) != before, COLUMNS[place]


@pytest.mark.postgres
def test_the_database_digests_what_python_does(world: World) -> None:
    card = world.sale(paid=10_000, bonus_fen=50, confirm_each=True).card
    held = world.redeem(card, amount_fen=4_321)
    posting.settle(
        book_id=card.merchant_id, operation=held.operation, phase="voided", key="v:1", booked_at=NOW, actor_user_id=7
    )
    previous = GENESIS
    with connection.cursor() as cursor:
        for entry in Entry.objects.order_by("sequence"):
            cursor.execute("SELECT prepaid_digest(%s, e) FROM prepaid_entry e WHERE e.id = %s", [previous, entry.pk])
            row = cursor.fetchone()
            assert row
            ours = digest(previous, [getattr(entry, name) for name in COLUMNS])
            assert bytes(row[0]) == ours == bytes(entry.digest)
            previous = ours


@given(
    st.integers(1, 10**6),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.sampled_from(["proportional", "principal_first", "bonus_first"]),
)
def test_shares_add_up_and_never_take_more_bonus_than_there_is(
    amount: int, principal: int, bonus: int, policy: str
) -> None:
    share = share_amount(amount, principal=principal, bonus=bonus, policy=policy)
    assert share.principal + share.bonus == amount
    assert 0 <= share.bonus <= bonus
    assert (share.principal <= principal) == (amount <= principal + bonus)
    assert share.principal >= 0


@given(st.integers(1, 50), st.integers(0, 10**7))
def test_uses_share_the_price_to_the_last_fen(uses: int, principal: int) -> None:
    left, taken = principal, []
    for remaining in range(uses, 0, -1):
        share = share_uses(1, principal=left, uses=remaining)
        taken.append(share.principal)
        left -= share.principal
    assert left == 0
    assert max(taken) - min(taken) <= 1
