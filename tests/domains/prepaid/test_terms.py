"""The time of cards: period cards recognised day by day, expired cards used again; lost cards found."""

from datetime import datetime, timedelta

import pytest

from tests.builders.cast import NOW
from tests.builders.prepaid import World, balances
from xiezhi.domains.prepaid import tasks
from xiezhi.domains.prepaid.models import Card, Entry, Merchant
from xiezhi.domains.prepaid.queries.verification import verify_books
from xiezhi.domains.prepaid.services import cards, terms
from xiezhi.foundation.audit.models import Entry as Audit
from xiezhi.foundation.workflow.errors import Refused


def days(count: int) -> datetime:
    return NOW + timedelta(days=count)


def principal(card: Card) -> int:
    return balances(card)["principal"]


def test_a_period_card_is_earned_day_by_day_once_it_cannot_be_returned_whole(world: World) -> None:
    card = world.sale(kind="period", paid=365_000, term_days=365).card
    tasks.recognise_periods(days(7))
    assert principal(card) == 365_000
    tasks.recognise_periods(days(9))  # 8 days are over
    assert principal(card) == 357_000
    tasks.recognise_periods(days(9))
    assert Entry.objects.filter(kind="recognition").count() == 1
    for day in range(10, 40):
        tasks.recognise_periods(days(day))
    assert principal(card) == 365_000 - 38_000
    tasks.recognise_periods(days(400))
    assert principal(card) == 0
    assert terms.recognise_periods(at=days(401)) == 0
    assert verify_books().faults == ()


def test_rescinded_with_100_days_left_the_holder_gets_their_part(world: World) -> None:
    """法释〔2025〕4号 第二十二条: 3,650 yuan for 365 days, 100 days left: 1,000 yuan."""
    card = world.sale(kind="period", paid=365_000, term_days=365).card
    posted = world.refund(card, at=days(265))
    assert [each.amount for each in posted.entries] == [100_000]
    late = world.sale(kind="period", paid=365_000, term_days=365).card
    Merchant.objects.filter(pk=world.merchant.pk).update(status=Merchant.Status.CLOSED)
    tasks.recognise_periods(days(300))
    late = Card.objects.select_related("merchant", "product").get(pk=late.pk)
    assert [each.amount for each in world.refund(late, at=days(300)).entries] == [365_000]


def test_a_day_costs_the_same_after_a_part_was_given_back_and_the_card_was_replaced(world: World) -> None:
    card = world.sale(kind="period", paid=1_000, term_days=30).card
    tasks.recognise_periods(days(11))
    assert principal(card) == 667
    world.refund(card, 300, at=days(11))
    lost = cards.report_lost(card=card, actor=world.owner, at=days(11))
    new = cards.reissue_card(card=lost, key="n1", actor=world.owner, at=days(11)).card
    earlier = principal(new)
    tasks.recognise_periods(days(12))
    assert principal(new) == earlier
    tasks.recognise_periods(days(31))
    assert principal(new) == 0
    assert sum(each.amount for each in Entry.objects.filter(kind="recognition")) == 700


def test_a_period_card_has_nothing_to_redeem(world: World) -> None:
    card = world.sale(kind="period", paid=1_000, term_days=30).card
    with pytest.raises(Refused, match="期限卡"):
        world.redeem(card, amount_fen=1)
    with pytest.raises(Refused, match="期限卡"):
        world.product(kind="period", price_fen=1, term_days=3, confirm_each=True)


@pytest.mark.parametrize("how", ["activated", "exchanged"])
def test_what_is_left_on_an_expired_card_can_be_used_again(world: World, how: str) -> None:
    card = world.sale(paid=10_000, kind="count", uses=4, term_days=60).card
    with pytest.raises(Refused, match="没有过期"):
        terms.activate_card(card=card, actor=world.owner, at=days(60))
    with pytest.raises(Refused, match="有效期"):
        world.redeem(card, uses=1, at=days(61))
    if how == "activated":
        again = terms.activate_card(card=card, actor=world.owner, at=days(61))
        assert Audit.objects.filter(action="prepaid.card_activated").count() == 1
    else:
        again = terms.exchange_card(card=card, key="x1", actor=world.owner, at=days(61)).card
        assert terms.exchange_card(card=card, key="x1", actor=world.owner, at=days(62)).card == again
        assert balances(card) == {"principal": 0, "bonus": 0, "uses": 0}
        assert again.number != card.number
    assert again.expires_on == days(121).date()
    world.redeem(again, uses=4, at=days(121))
    assert balances(again)["uses"] == 0
    with pytest.raises(Refused, match="没有余额"):
        terms.activate_card(card=again, actor=world.owner, at=days(130))


def test_the_time_that_is_over_is_not_activated(world: World) -> None:
    card = world.sale(kind="period", paid=1_000, term_days=30).card
    with pytest.raises(Refused, match="没有余额"):
        terms.activate_card(card=card, actor=world.owner, at=days(31))


def test_a_lost_card_that_turns_up_is_used_on(world: World) -> None:
    card = world.sale(paid=10_000).card
    lost = cards.report_lost(card=card, actor=world.owner, at=NOW)
    found = cards.report_found(card=lost, actor=world.owner, at=NOW)
    world.redeem(found, amount_fen=1)
    with pytest.raises(Refused, match="没有挂失"):
        cards.report_found(card=found, actor=world.owner, at=NOW)
