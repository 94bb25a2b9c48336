"""The totals that each book keeps by day: equal to the journal whatever is booked when, and read without it."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.builders.cast import NOW
from tests.builders.prepaid import World
from tests.domains.prepaid.test_custody import deposit
from tests.domains.prepaid.test_screens import person
from xiezhi.domains.prepaid.models import DayTotal, Merchant
from xiezhi.domains.prepaid.queries import custody as queries
from xiezhi.domains.prepaid.queries.verification import verify_books
from xiezhi.domains.prepaid.services import custody, posting


def day(number: int) -> date:
    return timezone.localdate(NOW + timedelta(days=number))


def test_each_day_ends_with_what_the_journal_says_even_when_something_is_booked_late(world: World) -> None:
    card = world.sale(paid=10_000, at=NOW).card
    world.redeem(card, amount_fen=1_000, at=NOW + timedelta(days=5))
    deposit(world, 700, at=NOW + timedelta(days=5))
    world.redeem(card, amount_fen=100, at=NOW + timedelta(days=2))  # a till that was off line
    world.sale(paid=50, at=NOW - timedelta(days=3))
    custody.grant_guarantee(
        merchant=world.merchant, amount_fen=9, reference="G", actor=world.regulator, at=NOW + timedelta(days=5)
    )
    told = queries.positions([world.merchant], first=day(-4), last=day(6))[world.merchant.pk]
    assert [each.owed for each in told] == [0, 50, 50, 50, 10_050, 10_050, 9_950, 9_950, 9_950, 8_950, 8_950]
    assert [each.kept for each in told[-3:]] == [0, 700, 700]
    assert [queries.position(world.merchant, on=each.on) for each in told] == told
    assert verify_books().faults == ()
    DayTotal.objects.filter(day=day(2)).update(owed=9_951)
    assert [str(each) for each in verify_books().faults] == [
        f"book {world.merchant.pk}: the totals of {day(2)} are not the sum of its entries"
    ]


def test_holds_count_from_the_day_they_are_confirmed(world: World) -> None:
    card = world.sale(paid=10_000, confirm_each=True).card
    held = world.redeem(card, amount_fen=400)
    posting.settle(
        book_id=card.merchant_id, operation=held.operation, phase="confirmed", key="c", booked_at=NOW + timedelta(hours=23)
    )  # fmt: skip
    assert [queries.position(world.merchant, on=day(n)).owed for n in (0, 1)] == [10_000, 9_600]
    assert verify_books().faults == ()


def test_the_regulators_list_asks_the_same_however_many_merchants_and_never_the_journal(
    world: World, make_world: Callable[..., World]
) -> None:
    client: Client = person(world.cast["scjg"], "fund_supervisor")

    def asked() -> list[str]:
        world.sale(paid=100, at=timezone.now())
        client.get(reverse("prepaid:merchants"))
        with CaptureQueriesContext(
            connection,
        ) as found:
            assert client.get(reverse("prepaid:merchants")).status_code == 200
        return [each["sql"] for each in found]

    one = asked()
    for _number in range(3):
        make_world().sale(paid=1_000, at=timezone.now())
    several = asked()
    assert len(several) == len(one)
    assert not [sql for sql in several if "prepaid_entry" in sql or "prepaid_account" in sql]
    with CaptureQueriesContext(connection) as found:
        queries.positions(list(Merchant.objects.all()), first=day(-180), last=day(0))
    assert len(found) <= 6


@pytest.mark.parametrize("gap", [0, 1, 40, 200])
def test_a_quarters_end_is_read_however_long_ago_the_last_posting_was(world: World, gap: int) -> None:
    world.sale(paid=10_000, at=NOW - timedelta(days=gap))
    on = date(2027, 1, 2)
    assert queries.position(world.merchant, on=on).required == 4_000
