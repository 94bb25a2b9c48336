"""Signed notices to merchants' own systems (回调): what happened that no till asked for: a held redemption settled, a dispute raised.

Sent by the ticker, at least once and in order of creation as far as the receiver takes them; the body names the delivery, so that a receiver
can drop repetitions.
"""

import hashlib
import hmac
import ipaddress
import json
import secrets
import socket
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from xiezhi.domains.prepaid.models import Merchant, Webhook, WebhookDelivery
from xiezhi.domains.prepaid.permissions import PrepaidPermission as May
from xiezhi.domains.prepaid.services.merchants import require_own
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.workflow.errors import Refused

FIRST_RETRY = timedelta(minutes=1)
MOST_ATTEMPTS = 10
TIMEOUT_SECONDS = 5
Send = Callable[[str, bytes, dict[str, str]], int]
"""Posts a body with headers to an address; returns the HTTP status. Raises OSError when nobody takes it."""


@transaction.atomic
def set_webhook(*, merchant: Merchant, url: str, actor: Actor, at: datetime) -> Webhook:
    """Where to send notices; the same secret stays for a merchant's changed address. Raises Refused for an address that is not public HTTPS."""
    require_own(merchant, actor, May.OPERATE)
    check_address(url)
    hook, _created = Webhook.objects.update_or_create(
        merchant=merchant,
        defaults={"url": url, "is_active": True},
        create_defaults={"url": url, "name": f"wh{secrets.token_hex(8)}"},
    )
    record("prepaid.webhook_set", hook, actor=actor, at=at)
    return hook


def secret_of(hook: Webhook) -> str:
    """What notices are signed with: derived, stored nowhere."""
    return hmac.new(settings.SECRET_KEY.encode(), f"prepaid-webhook:{hook.name}".encode(), hashlib.sha256).hexdigest()


def check_address(url: str) -> None:
    """Raise Refused unless `url` is HTTPS at a host outside our own network: the server must not be made to knock on inner doors."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.username:
        raise Refused(_("通知地址须以 https:// 开头，且不带用户名。"))
    try:
        found = {info[4][0] for info in socket.getaddrinfo(parts.hostname, parts.port or 443)}
    except OSError:
        raise Refused(_("找不到通知地址的主机，请核对。")) from None
    if not all(ipaddress.ip_address(str(address)).is_global for address in found):
        raise Refused(_("通知地址须在公网上。"))


def announce(merchant_id: int, event: str, body: dict[str, Any], *, at: datetime) -> None:
    """Queue a notice in the caller's transaction, if the merchant wants to hear. `body`: no personal data."""
    for hook in Webhook.objects.filter(merchant_id=merchant_id, is_active=True):
        WebhookDelivery.objects.create(webhook=hook, event=event, body=body, created_at=at, next_attempt_at=at)


def announce_settled(merchant_id: int, operation: int, phase: str, *, at: datetime) -> None:
    """A held redemption that was confirmed, voided or ran out: its till did not ask, and must hear."""
    announce(merchant_id, f"redemption.{phase}", {"operation": operation}, at=at)


def send_due(*, at: datetime, send: Send | None = None, limit: int = 50) -> int:
    """Send what is due, oldest first; returns how many were taken. A refused one is tried again, each time after twice as long."""
    due = WebhookDelivery.objects.filter(next_attempt_at__lte=at).select_related("webhook").order_by("pk")[:limit]
    return sum(_send_one(each, at, send or post) for each in due)


@transaction.atomic
def retry_delivery(*, delivery: WebhookDelivery, actor: Actor, at: datetime) -> WebhookDelivery:
    """Have a notice sent once more at the next round, also one that was given up. Raises Refused when it was taken."""
    require_own(delivery.webhook.merchant, actor, May.OPERATE)
    locked: WebhookDelivery = WebhookDelivery.objects.select_for_update(of=("self",)).get(pk=delivery.pk)
    if locked.delivered_at is not None:
        raise Refused(_("这条通知已经送达，不用重发。"))
    locked.next_attempt_at = at
    locked.save(update_fields=["next_attempt_at"])
    record("prepaid.delivery_retried", locked, actor=actor, at=at, event=locked.event)
    return locked


def _send_one(delivery: WebhookDelivery, at: datetime, send: Send) -> bool:
    hook, moment = delivery.webhook, str(int(at.timestamp()))
    content = {
        "id": delivery.pk,
        "event": delivery.event,
        "created_at": delivery.created_at.isoformat(),
        **delivery.body,
    }
    body = json.dumps(content, ensure_ascii=False).encode()
    signed = hmac.new(secret_of(hook).encode(), moment.encode() + b"\n" + body, hashlib.sha256).hexdigest()
    headers = {"Content-Type": "application/json", "X-Time": moment, "X-Signature": signed}
    mine = WebhookDelivery.objects.filter(pk=delivery.pk, attempts=delivery.attempts)
    try:
        status = send(hook.url, body, headers)
        error = "" if 200 <= status < 300 else f"HTTP {status}"
    except (OSError, Refused) as problem:
        error = type(problem).__name__
    if not error:
        return bool(mine.update(delivered_at=at, next_attempt_at=None, attempts=delivery.attempts + 1, last_error=""))
    tried = delivery.attempts + 1
    later = None if tried >= MOST_ATTEMPTS else at + FIRST_RETRY * 2**delivery.attempts
    mine.update(attempts=tried, next_attempt_at=later, last_error=error[:80])
    return False


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect could lead where the address itself may not."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def post(url: str, body: bytes, headers: dict[str, str]) -> int:
    """Send by HTTPS, looking the host up again and following no redirect. Raises OSError or Refused."""
    check_address(url)
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        with opener.open(urllib.request.Request(url, body, headers), timeout=TIMEOUT_SECONDS) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
