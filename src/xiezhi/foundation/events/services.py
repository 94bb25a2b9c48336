import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from xiezhi.foundation.events.models import Delivery, Event

log = logging.getLogger(__name__)
Subscriber = Callable[[Mapping[str, Any], datetime], None]
_subscribers: dict[str, dict[str, Subscriber]] = {}
FIRST_RETRY = timedelta(seconds=30)
LONGEST_RETRY = timedelta(hours=6)


def subscribe(event_name: str, key: str, handler: Subscriber) -> None:
    """Let `handler(payload, at)` hear `event_name`. `key` names the subscriber for good; registering again replaces it."""
    _subscribers.setdefault(event_name, {})[key] = handler


def publish(name: str, *, at: datetime, **payload: Any) -> None:
    """Record that `name` happened, inside the caller's transaction; subscribers hear of it after commit."""
    publish_each(name, at=at, payloads=[payload])


def publish_each(name: str, *, at: datetime, payloads: Iterable[Mapping[str, Any]]) -> None:
    """`publish` for many happenings of one name, in two statements."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("events belong inside the transaction of the act")
    subscribers = _subscribers.get(name, {})
    if not subscribers:
        return
    events = Event.objects.bulk_create(Event(name=name, at=at, payload=dict(payload)) for payload in payloads)
    Delivery.objects.bulk_create(
        Delivery(event=event, subscriber=key, next_attempt_at=at) for event in events for key in subscribers
    )


def deliver_due(*, at: datetime, limit: int = 200) -> int:
    """Deliver what is due, oldest first, each in its own transaction with its handler's writes; returns how many succeeded.

    A failing handler is tried again later, each time after twice as long, and its error is kept for people to see.
    """
    due = Delivery.objects.filter(delivered_at=None, next_attempt_at__lte=at).order_by("pk")
    delivered = 0
    for pk in list(due.values_list("pk", flat=True)[:limit]):
        delivered += _deliver(pk, at)
    return delivered


def _deliver(pk: int, at: datetime) -> int:
    try:
        with transaction.atomic():
            delivery = (
                Delivery.objects.select_for_update(of=("self",), skip_locked=True)
                .select_related("event")
                .filter(pk=pk, delivered_at=None)
                .first()
            )
            if delivery is None:
                return 0
            handler = _subscribers[delivery.event.name][delivery.subscriber]
            handler(delivery.event.payload, at)
            delivery.delivered_at = at
            delivery.save(update_fields=["delivered_at"])
            return 1
    except Exception as error:
        log.exception("delivery %s failed", pk)
        delivery = Delivery.objects.get(pk=pk)
        wait = min(FIRST_RETRY * 2**delivery.attempts, LONGEST_RETRY)
        Delivery.objects.filter(pk=pk, delivered_at=None).update(
            attempts=delivery.attempts + 1, next_attempt_at=at + wait, last_error=type(error).__name__
        )
        return 0
