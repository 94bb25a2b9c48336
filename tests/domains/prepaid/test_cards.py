"""What happens to a card: sold, used, confirmed, refunded, handed on, lost and replaced."""

from datetime import timedelta

import pytest

from tests.builders.cast import NOW
from tests.builders.prepaid import World, balances
from xiezhi.domains.prepaid.ledger import drafts
from xiezhi.domains.prepaid.models import Card, Merchant
from xiezhi.domains.prepaid.queries.verification import verify_books
from xiezhi.domains.prepaid.services import cards, merchants, posting
from xiezhi.foundation.access.actors import PermissionRefused
from xiezhi.foundation.audit.models import Entry
from xiezhi.foundation.workflow.errors import Refused


def test_a_card_is_sold_with_its_bonus_and_spent_in_proportion(world: World) -> None:
    """The court's own example: 3,000 paid, 1,000 given, 3,594 used leaves 304.50 to refund (法释〔2025〕4号 第十八条)."""
    sale = world.sale(paid=300_000, bonus_fen=100_000)
    assert sale.token
    assert balances(sale.card) == {"principal": 300_000, "bonus": 100_000, "uses": 0}
    world.redeem(sale.card, amount_fen=359_400)
    assert balances(sale.card)["principal"] == 30_450
    assert balances(sale.card)["bonus"] == 10_150
    assert verify_books().faults == ()


def test_small_uses_never_lose_or_make_a_fen(world: World) -> None:
    card = world.sale(paid=1_000, bonus_fen=333).card
    for _time in range(40):
        world.redeem(card, amount_fen=33)
    world.redeem(card, amount_fen=13)
    assert balances(card) == {"principal": 0, "bonus": 0, "uses": 0}
    with pytest.raises(drafts.Overdrawn):
        world.redeem(card, amount_fen=1)


def test_the_same_sale_again_gives_the_same_card_and_another_under_its_key_is_refused(world: World) -> None:
    product = world.product()
    first = world.sell(product, 10_000, key="k1")
    again = world.sell(product, 10_000, key="k1")
    assert again.posted.replayed
    assert again.card == first.card
    assert again.token is None
    with pytest.raises(drafts.KeyReused):
        world.sell(product, 20_000, key="k1")
    assert Card.objects.count() == 1


def test_a_replayed_redemption_gets_its_first_answer_even_after_the_card_was_closed(world: World) -> None:
    card = world.sale(paid=10_000).card
    first = world.redeem(card, amount_fen=4_000, key="r1")
    world.refund(card)
    card.refresh_from_db()
    again = world.redeem(card, amount_fen=4_000, key="r1")
    assert again.replayed
    assert again.operation == first.operation
    assert again.entries[0].debit_after == 6_000
    with pytest.raises(drafts.Closed):
        world.redeem(card, amount_fen=1_000, key="r2")


@pytest.mark.parametrize("amount", [0, -5, 10**13 + 1, 2**63, 12.5, True, "100"])
def test_an_amount_that_is_none_is_refused(world: World, amount: object) -> None:
    card = world.sale(paid=10_000).card
    with pytest.raises(drafts.BadAmount):
        world.redeem(card, amount_fen=amount)  # type: ignore[arg-type]
    assert balances(card)["principal"] == 10_000


def test_nobody_spends_more_than_the_card_holds(world: World) -> None:
    card = world.sale(paid=10_000).card
    with pytest.raises(drafts.Overdrawn):
        world.redeem(card, amount_fen=10_001)
    world.redeem(card, amount_fen=10_000)
    assert balances(card)["principal"] == 0


def test_a_count_card_gives_its_price_away_use_by_use_to_the_last_fen(world: World) -> None:
    card = world.sale(kind="count", paid=10_000, uses=3).card
    for left in (6_667, 3_334, 0):
        world.redeem(card, uses=1)
        assert balances(card)["principal"] == left
    assert balances(card)["uses"] == 0
    with pytest.raises(drafts.Overdrawn):
        world.redeem(card, uses=1)
    with pytest.raises(Refused, match="按次核销"):
        world.redeem(card, amount_fen=100)


def test_a_redemption_that_the_holder_confirms_is_held_until_then(world: World) -> None:
    card = world.sale(paid=10_000, confirm_each=True).card
    held = world.redeem(card, amount_fen=6_000)
    assert balances(card)["principal"] == 10_000
    with pytest.raises(drafts.Overdrawn):
        world.redeem(card, amount_fen=4_001)
    cards.confirm_redemption(card=card, operation=held.operation, confirmed=True, at=NOW + timedelta(hours=1))
    assert balances(card)["principal"] == 4_000
    again = cards.confirm_redemption(card=card, operation=held.operation, confirmed=True, at=NOW + timedelta(hours=1))
    assert again.replayed
    with pytest.raises(drafts.HoldGone):
        cards.confirm_redemption(card=card, operation=held.operation, confirmed=False, at=NOW + timedelta(hours=1))


def test_what_nobody_confirms_goes_back_to_the_card(world: World) -> None:
    card = world.sale(paid=10_000, confirm_each=True).card
    held = world.redeem(card, amount_fen=6_000)
    assert posting.expire_holds(at=NOW + timedelta(hours=23)) == 0
    assert posting.expire_holds(at=NOW + timedelta(hours=25)) == 1
    assert posting.expire_holds(at=NOW + timedelta(hours=25)) == 0
    with pytest.raises(drafts.HoldGone):
        cards.confirm_redemption(card=card, operation=held.operation, confirmed=True, at=NOW + timedelta(hours=26))
    world.redeem(card, amount_fen=10_000, key="late")


def test_another_cards_holder_cannot_confirm(world: World) -> None:
    mine, theirs = world.sale(paid=10_000, confirm_each=True).card, world.sale(paid=10_000).card
    held = world.redeem(mine, amount_fen=1)
    with pytest.raises(drafts.HoldGone):
        cards.confirm_redemption(card=theirs, operation=held.operation, confirmed=True, at=NOW)


def test_a_refund_gives_principal_back_once_and_bonus_never(world: World) -> None:
    card = world.sale(paid=10_000, bonus_fen=5_000).card
    world.refund(card, amount_fen=4_000, key="f1")
    assert world.refund(card, amount_fen=4_000, key="f1").replayed
    assert balances(card) == {"principal": 6_000, "bonus": 5_000, "uses": 0}
    with pytest.raises(drafts.Overdrawn):
        world.refund(card, amount_fen=6_001)
    world.refund(card)
    card.refresh_from_db()
    assert card.status == Card.Status.CLOSED
    assert balances(card) == {"principal": 0, "bonus": 0, "uses": 0}
    assert world.balance("refunds") == 10_000
    with pytest.raises(drafts.Closed):
        world.refund(card)
    with pytest.raises(drafts.Overdrawn):
        world.pay_refund(10_001)
    world.pay_refund(10_000)
    assert world.balance("refunds") == 0
    assert verify_books().faults == ()


def test_a_card_handed_on_keeps_what_it_holds_and_the_old_one_is_closed(world: World) -> None:
    card = world.sale(paid=10_000, bonus_fen=2_000).card
    to = cards.HolderFacts("演示受让人", "19900000099")
    moved = cards.transfer_card(card=card, to=to, key="t1", actor=world.owner, at=NOW)
    assert balances(moved.card) == {"principal": 10_000, "bonus": 2_000, "uses": 0}
    assert moved.card.holder.phone == "19900000099"
    again = cards.transfer_card(card=card, to=to, key="t1", actor=world.owner, at=NOW)
    assert again.card == moved.card
    card.refresh_from_db()
    with pytest.raises(drafts.Closed):
        world.redeem(card, amount_fen=1)


def test_a_lost_card_is_of_no_use_to_its_finder_and_replaced_once(world: World) -> None:
    sale = world.sale(paid=10_000)
    with pytest.raises(Refused, match="先挂失"):
        cards.reissue_card(card=sale.card, key="n1", actor=world.owner, at=NOW)
    lost = cards.report_lost(card=sale.card, actor=world.owner, at=NOW)
    assert Entry.objects.filter(action="prepaid.card_reported_lost", object_id=str(lost.pk)).count() == 1
    with pytest.raises(Refused, match="挂失"):
        world.redeem(lost, amount_fen=1)
    new = cards.reissue_card(card=lost, key="n1", actor=world.owner, at=NOW)
    assert balances(new.card)["principal"] == 10_000
    assert new.token
    assert new.token != sale.token
    assert cards.reissue_card(card=lost, key="n1", actor=world.owner, at=NOW).card == new.card


def test_a_reversal_takes_back_once_what_was_not_spent_since(world: World) -> None:
    card = world.sale(paid=10_000).card
    used = world.redeem(card, amount_fen=4_000)
    world.reverse(used.operation, key="v1")
    assert balances(card)["principal"] == 10_000
    with pytest.raises(drafts.AlreadyReversed):
        world.reverse(used.operation, key="v2")
    topped = cards.top_up(card=card, paid_fen=5_000, key="u1", actor=world.owner, at=NOW)
    world.redeem(card, amount_fen=15_000)
    with pytest.raises(drafts.Overdrawn):
        world.reverse(topped.operation, key="v3")


def test_a_stopped_merchant_sells_nothing_and_still_serves(world: World) -> None:
    card, product = world.sale(paid=10_000).card, world.product()
    merchants.set_issuing(merchant=world.merchant, allowed=False, reason="演示", actor=world.regulator, at=NOW)
    product.merchant.refresh_from_db()
    card.merchant.refresh_from_db()
    with pytest.raises(Refused, match="停止发卡"):
        world.sell(product, 10_000)
    with pytest.raises(Refused, match="停止发卡"):
        cards.top_up(card=card, paid_fen=100, key="u", actor=world.owner, at=NOW)
    world.redeem(card, amount_fen=5_000)


def test_another_merchants_people_may_nothing(world: World, other_world: World) -> None:
    card = world.sale(paid=10_000).card
    with pytest.raises(PermissionRefused):
        cards.redeem(card=card, amount_fen=1, key="x", actor=other_world.owner, at=NOW)
    assert not Merchant.objects.visible_to(other_world.owner).filter(pk=world.merchant.pk).exists()
    assert not Card.objects.visible_to(other_world.owner).filter(pk=card.pk).exists()


@pytest.mark.parametrize(
    ("industry", "facts", "paid", "words"),
    [
        ("commerce", {}, 500_001, "5000"),
        ("commerce", {"named": False}, 100_001, "1000"),
        ("commerce", {"term_days": 400}, 10_000, "记名储值卡不得设有效期"),
        ("youth_sports", {"kind": "course", "uses": 61, "price_fen": 10_000}, 10_000, "60"),
        ("youth_sports", {"kind": "period", "term_days": 120, "price_fen": 10_000}, 10_000, "3"),
        ("youth_sports", {"kind": "course", "uses": 10, "price_fen": 500_001}, 500_001, "5000"),
    ],
)
def test_caps_of_the_industry_hold(
    make_world: type[World], industry: str, facts: dict[str, object], paid: int, words: str
) -> None:
    world = make_world(industry=industry)
    with pytest.raises(Refused, match=words):
        world.sell(world.product(**facts), paid)


@pytest.mark.parametrize(
    "facts",
    [
        {"kind": "count", "price_fen": 100},
        {"kind": "stored", "uses": 3},
        {"kind": "period", "price_fen": 100},
        {"kind": "count", "uses": 2},
        {"price_fen": 0},
        {"bonus_fen": -1},
        {"kind": "gift"},
    ],
)
def test_products_whose_facts_do_not_fit_are_refused(world: World, facts: dict[str, object]) -> None:
    with pytest.raises(Refused):
        world.product(**facts)
