"""Keys of Open311 clients: made by the administrator, shown once, kept as a digest, revoked at any moment."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from xiezhi.domains.complaints.models import ClientKey
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.texts import clean
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.access.limits import within
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.workflow.errors import Refused

SEEN_EVERY = timedelta(minutes=5)


class KeyRefused(Exception):
    """A key that opens nothing now. `status`: as HTTP has it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@transaction.atomic
def issue_key(*, label: str, actor: Actor, at: datetime) -> tuple[ClientKey, str]:
    """A new key and its text, which is nowhere else and cannot be had again. Raises Refused without a label."""
    actor.require(May.KEEP_CHANNELS)
    label = clean(label)[:60]
    if not label:
        raise Refused(_("请写明密钥给谁用，例如“城市随手拍小程序”。"))
    text = f"xz{secrets.token_urlsafe(24)}"
    key: ClientKey = ClientKey.objects.create(
        label=label, start=text[:8], digest=digest_of(text), created_at=at, created_by_id=actor.user_id
    )
    record("complaints.client_key.issued", key, actor=actor, at=at, start=key.start)
    return key, text


@transaction.atomic
def revoke_key(*, key: ClientKey, actor: Actor, at: datetime) -> ClientKey:
    """Let a key open nothing from now on."""
    actor.require(May.KEEP_CHANNELS)
    locked: ClientKey = ClientKey.objects.select_for_update(of=("self",)).get(pk=key.pk)
    if locked.revoked_at is None:
        locked.revoked_at = at
        locked.save(update_fields=["revoked_at"])
        record("complaints.client_key.revoked", locked, actor=actor, at=at)
    return locked


def digest_of(text: str) -> str:
    """What is kept of a key: it is random enough for a plain SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()


def authenticate(request: HttpRequest, *, text: str, at: datetime) -> ClientKey:
    """The key that a client names itself by, counted against its rate. Raises KeyRefused: 403 for none, an unknown or a revoked one, 429."""
    key = ClientKey.objects.filter(digest=digest_of(text), revoked_at=None).first() if text else None
    if key is None:
        if not within(request, "complaints.open311_refused"):
            raise KeyRefused(429, _("请求太频繁，请稍后再试。"))
        raise KeyRefused(403, _("缺少 api_key，或者密钥无效、已经停用。请向系统管理员申请。"))
    if not within(request, "complaints.open311", key=str(key.pk)):
        raise KeyRefused(429, _("请求太频繁，请稍后再试。"))
    if key.used_at is None or at - key.used_at > SEEN_EVERY:
        ClientKey.objects.filter(pk=key.pk).update(used_at=at)
    return key
