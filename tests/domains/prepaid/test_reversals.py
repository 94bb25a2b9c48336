"""Corrections at the desk by two people; refunds paid; fees and guarantees as the shortfall sees them; notices sent again."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.builders.cast import NOW
from tests.builders.prepaid import World, balances
from tests.domains.prepaid.test_custody import LAST_QUARTER, deposit
from xiezhi.domains.prepaid.ledger import drafts
from xiezhi.domains.prepaid.models import Reversal, Shortfall, Webhook, WebhookDelivery
from xiezhi.domains.prepaid.queries import custody as queries
from xiezhi.domains.prepaid.queries.verification import verify_books
from xiezhi.domains.prepaid.services import custody, webhooks
from xiezhi.domains.prepaid.services.reversals import decide_reversal, request_reversal
from xiezhi.domains.prepaid.workflow import REVERSAL
from xiezhi.foundation.access.actors import Actor, PermissionRefused
from xiezhi.foundation.workflow.errors import Refused
from xiezhi.foundation.workflow.services import available


def person(actor: Actor, number: int) -> Actor:
    return replace(actor, user_id=number, membership_id=number)


def asked(world: World, operation: int, actor: Actor | None = None) -> Reversal:
    return request_reversal(
        merchant=world.merchant, operation=operation, reason="收银员输错", actor=actor or person(world.owner, 1), at=NOW
    )


def test_a_second_person_takes_back_what_the_first_asked_for(world: World) -> None:
    card = world.sale(paid=10_000, bonus_fen=1_000).card
    used = world.redeem(card, amount_fen=2_200)
    reversal = asked(world, used.operation)
    assert (reversal.amount_fen, reversal.card) == (2_200, card)
    with pytest.raises(Refused, match="另一位同事"):
        decide_reversal(reversal=reversal, move="approve", actor=person(world.owner, 1), at=NOW)
    assert [each.name for each in available(REVERSAL, reversal, person(world.owner, 1))] == ["withdraw"]
    with pytest.raises(Refused, match="正在等待"):
        asked(world, used.operation)
    done = decide_reversal(reversal=reversal, move="approve", actor=person(world.owner, 2), at=NOW)
    assert balances(card) == {"principal": 10_000, "bonus": 1_000, "uses": 0}
    assert done.posted is not None
    assert done.decided_by == 2
    with pytest.raises(Refused, match="冲正过"):
        asked(world, used.operation)
    with pytest.raises(Refused, match="不能冲正"):
        asked(world, done.posted)
    assert verify_books().faults == ()


def test_refused_or_withdrawn_it_stands_and_may_be_asked_for_again(world: World) -> None:
    card = world.sale(paid=10_000).card
    used = world.redeem(card, amount_fen=2_200)
    first = asked(world, used.operation)
    with pytest.raises(Refused, match="理由"):
        decide_reversal(reversal=first, move="refuse", actor=person(world.owner, 2), at=NOW)
    decide_reversal(reversal=first, move="refuse", reason="没有输错", actor=person(world.regulator, 9), at=NOW)
    second = asked(world, used.operation)
    decide_reversal(reversal=second, move="withdraw", actor=person(world.owner, 1), at=NOW)
    assert balances(card)["principal"] == 7_800


def test_money_in_custody_is_taken_back_by_the_regulator_alone(world: World, other_world: World) -> None:
    world.sale(paid=400_000, at=LAST_QUARTER)
    deposit(world, 160_000, "B1")
    assert not Shortfall.objects.filter(closed_on=None).exists()
    fee = custody.note_bank_fee(account=world.account, amount_fen=500, reference="F1", actor=world.banker, at=NOW)
    assert Shortfall.objects.get(closed_on=None).gap_fen == 500
    reversal = asked(world, fee.operation, person(world.banker, 7))
    with pytest.raises(PermissionRefused):
        decide_reversal(reversal=reversal, move="approve", actor=person(world.owner, 2), at=NOW)
    assert Reversal.objects.visible_to(world.banker).count() == 1
    assert not Reversal.objects.visible_to(other_world.banker).exists()
    assert not Reversal.objects.visible_to(other_world.owner).exists()
    decide_reversal(reversal=reversal, move="approve", actor=person(world.regulator, 9), at=NOW)
    assert not Shortfall.objects.filter(closed_on=None).exists()
    assert (world.balance("custody"), world.balance("fees")) == (160_000, 0)


def test_what_cannot_be_reversed_says_why(world: World, other_world: World) -> None:
    card = world.sale(paid=10_000).card
    used = world.redeem(card, amount_fen=1_000)
    whole = world.refund(card)
    for operation, words in ((used.operation, "已经停用"), (whole.operation, "已经停用"), (999, "没有业务号")):
        with pytest.raises(Refused, match=words):
            asked(world, operation)
    held = world.redeem(world.sale(paid=10_000, confirm_each=True).card, amount_fen=5)
    with pytest.raises(Refused, match="待确认"):
        asked(world, held.operation)
    with pytest.raises(PermissionRefused):
        asked(world, used.operation, person(other_world.owner, 3))
    spent = world.sale(paid=10_000)
    world.redeem(spent.card, amount_fen=1)
    reversal = asked(world, spent.posted.operation)
    with pytest.raises(drafts.Overdrawn):
        decide_reversal(reversal=reversal, move="approve", actor=person(world.owner, 2), at=NOW)
    assert Reversal.objects.get(pk=reversal.pk).status == "requested"


def test_refunds_owed_are_paid_oldest_first_from_own_money_or_custody(world: World, other_world: World) -> None:
    first, second = (world.sale(paid=10_000).card for _time in range(2))
    world.refund(first, 4_000)
    world.refund(second)
    deposit(world, 9_000)
    assert [(each.card, each.left_fen) for each in queries.refunds_owed(world.merchant)] == [
        (first, 4_000),
        (second, 10_000),
    ]

    def pay(fen: int, reference: str, **more: object) -> None:
        custody.pay_refund(
            merchant=world.merchant, amount_fen=fen, reference=reference, actor=world.owner, at=NOW, **more
        )

    pay(5_000, "P1")
    pay(5_000, "P1")
    assert [(each.card, each.left_fen) for each in queries.refunds_owed(world.merchant)] == [(second, 9_000)]
    with pytest.raises(drafts.Overdrawn):
        pay(9_001, "P2", account=world.account)
    with pytest.raises(PermissionRefused):
        pay(1, "P3", account=other_world.account)
    pay(9_000, "P4", account=world.account)
    assert queries.refunds_owed(world.merchant) == []
    assert world.balance("custody") == 0


def test_a_notice_that_was_given_up_is_sent_once_more(world: World, other_world: World) -> None:
    Webhook.objects.create(merchant=world.merchant, url="https://till.example/hook", name="演示")
    webhooks.announce(world.merchant.pk, "dispute.raised", {}, at=NOW)
    WebhookDelivery.objects.update(attempts=webhooks.MOST_ATTEMPTS, next_attempt_at=None, last_error="HTTP 500")
    delivery = WebhookDelivery.objects.visible_to(world.owner).get()
    assert not WebhookDelivery.objects.visible_to(other_world.owner).exists()
    with pytest.raises(PermissionRefused):
        webhooks.retry_delivery(delivery=delivery, actor=other_world.owner, at=NOW)
    webhooks.retry_delivery(delivery=delivery, actor=world.owner, at=NOW)
    assert webhooks.send_due(at=NOW + timedelta(seconds=1), send=lambda *_given: 200) == 1
    with pytest.raises(Refused, match="已经送达"):
        webhooks.retry_delivery(delivery=delivery, actor=world.owner, at=NOW)
