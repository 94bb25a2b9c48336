"""Signed notices: queued with the act, sent until taken, and never to an address inside."""

import hashlib
import hmac
import json
import socket
from datetime import timedelta
from typing import Any

import pytest

from tests.builders.cast import NOW
from tests.builders.prepaid import World
from xiezhi.domains.prepaid import tasks
from xiezhi.domains.prepaid.models import Webhook, WebhookDelivery
from xiezhi.domains.prepaid.services import cards, disputes, webhooks
from xiezhi.foundation.workflow.errors import Refused

LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def hook(world: World, monkeypatch: pytest.MonkeyPatch) -> Webhook:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_given: [(2, 1, 6, "", ("93.184.215.14", 443))])
    return webhooks.set_webhook(merchant=world.merchant, url="https://till.example/hook", actor=world.owner, at=NOW)


class Receiver:
    """Somebody's system, answering with one status after another."""

    def __init__(self, *statuses: int | OSError) -> None:
        self.statuses, self.heard = list(statuses), []

    def __call__(self, url: str, body: bytes, headers: dict[str, str]) -> int:
        self.heard: list[Any]
        self.heard.append((url, body, headers))
        status = self.statuses.pop(0)
        if isinstance(status, OSError):
            raise status
        return status


def test_what_the_holder_decides_is_told_signed_and_once(world: World, hook: Webhook) -> None:
    card = world.sale(paid=10_000, confirm_each=True).card
    held = world.redeem(card, amount_fen=100)
    for _time in range(2):
        cards.confirm_redemption(card=card, operation=held.operation, confirmed=True, at=NOW)
    disputes.raise_dispute(card=card, operation=held.operation, words="演示", at=NOW)
    till = Receiver(200, 204)
    assert webhooks.send_due(at=LATER, send=till) == 2
    assert webhooks.send_due(at=LATER, send=till) == 0
    url, body, headers = till.heard[0]
    assert url == hook.url
    assert json.loads(body)["event"] == "redemption.confirmed"
    assert json.loads(body)["operation"] == held.operation
    signed = hmac.new(webhooks.secret_of(hook).encode(), headers["X-Time"].encode() + b"\n" + body, hashlib.sha256)
    assert headers["X-Signature"] == signed.hexdigest()
    assert json.loads(till.heard[1][1])["event"] == "dispute.raised"
    assert "演示" not in till.heard[1][1].decode()


def test_a_hold_that_runs_out_is_told(world: World, hook: Webhook) -> None:
    world.redeem(world.sale(paid=10_000, confirm_each=True).card, amount_fen=100)
    tasks.end_what_ran_out(NOW + timedelta(days=2))
    assert WebhookDelivery.objects.get().event == "redemption.expired"


def test_what_is_not_taken_is_tried_again_later_each_time_and_at_last_given_up(world: World, hook: Webhook) -> None:
    webhooks.announce(world.merchant.pk, "dispute.raised", {}, at=NOW)
    till = Receiver(500, OSError(), 200)
    assert webhooks.send_due(at=NOW, send=till) == 0
    assert webhooks.send_due(at=NOW + timedelta(seconds=59), send=till) == 0
    assert len(till.heard) == 1
    assert webhooks.send_due(at=NOW + timedelta(minutes=1), send=till) == 0
    assert webhooks.send_due(at=NOW + timedelta(minutes=3), send=till) == 1
    webhooks.announce(world.merchant.pk, "dispute.raised", {}, at=NOW)
    never = Receiver(*[500] * 20)
    for hour in range(30):
        webhooks.send_due(at=NOW + timedelta(hours=24 * hour), send=never)
    assert len(never.heard) == webhooks.MOST_ATTEMPTS


def test_who_does_not_want_to_hear_is_not_told(world: World) -> None:
    webhooks.announce(world.merchant.pk, "dispute.raised", {}, at=NOW)
    assert not WebhookDelivery.objects.exists()


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://till.example/", "93.184.215.14"),
        ("https://till.example/", "127.0.0.1"),
        ("https://till.example/", "10.0.0.8"),
        ("https://till.example/", "169.254.169.254"),
        ("https://till.example/", "::1"),
        ("https://user:word@till.example/", "93.184.215.14"),
        ("ftp://till.example/", "93.184.215.14"),
    ],
)
def test_no_notice_knocks_on_inner_doors(world: World, monkeypatch: pytest.MonkeyPatch, url: str, address: str) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_given: [(2, 1, 6, "", (address, 443))])
    with pytest.raises(Refused):
        webhooks.set_webhook(merchant=world.merchant, url=url, actor=world.owner, at=NOW)
    with pytest.raises(Refused):
        webhooks.post(url, b"{}", {})
