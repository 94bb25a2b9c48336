from datetime import timedelta

import pytest
from django.db import transaction

from tests.builders.cast import NOW
from xiezhi.foundation.events import services
from xiezhi.foundation.events.models import Delivery
from xiezhi.foundation.events.services import deliver_due, publish, subscribe

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_subscribers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "_subscribers", {})


def test_each_subscriber_hears_an_event_once() -> None:
    heard: list[tuple[str, int]] = []
    subscribe("demo.happened", "first", lambda payload, at: heard.append(("first", payload["id"])))
    subscribe("demo.happened", "second", lambda payload, at: heard.append(("second", payload["id"])))
    publish("demo.happened", at=NOW, id=7)
    assert heard == []
    assert deliver_due(at=NOW) == 2
    assert deliver_due(at=NOW) == 0
    assert sorted(heard) == [("first", 7), ("second", 7)]


def test_what_is_rolled_back_was_never_told() -> None:
    subscribe("demo.happened", "first", lambda payload, at: None)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        publish("demo.happened", at=NOW)
        raise ZeroDivisionError
    assert not Delivery.objects.exists()


def test_a_failing_subscriber_saves_nothing_is_tried_later_and_does_not_stop_the_others() -> None:
    heard: list[str] = []
    broken = [True]

    def fails_first(payload: object, at: object) -> None:
        Delivery.objects.update(last_error="half done")
        if broken[0]:
            raise RuntimeError("not yet")
        heard.append("first")

    subscribe("demo.happened", "first", fails_first)
    subscribe("demo.happened", "second", lambda payload, at: heard.append("second"))
    publish("demo.happened", at=NOW)
    assert deliver_due(at=NOW) == 1
    assert heard == ["second"]
    waiting = Delivery.objects.get(subscriber="first")
    assert (waiting.attempts, waiting.last_error) == (1, "RuntimeError")
    assert deliver_due(at=NOW + timedelta(seconds=29)) == 0
    broken[0] = False
    assert deliver_due(at=NOW + timedelta(seconds=30)) == 1
    assert heard == ["second", "first"]


def test_events_without_subscribers_leave_nothing_behind() -> None:
    publish("demo.unheard", at=NOW)
    assert not Delivery.objects.exists()
