"""Keys of the till interface: issued with scopes, rotated with an overlap, revoked; requests proven by signature."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from xiezhi.domains.prepaid.models import ApiKey, Merchant
from xiezhi.domains.prepaid.permissions import PrepaidPermission as May
from xiezhi.domains.prepaid.services.merchants import require_own
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.workflow.errors import Refused

SKEW = timedelta(minutes=5)
"""How far a till's clock may be from ours (a technical default)."""
OVERLAP = timedelta(days=7)
"""How long a rotated key still works, unless told otherwise."""


class NotAuthentic(Exception):
    """A request that proves nothing. `code` is for machines, the message says what is wrong without helping to guess."""

    def __init__(self, code: str, message: str, status: int = 401) -> None:
        super().__init__(message)
        self.code, self.status = code, status


@transaction.atomic
def issue_key(
    *,
    merchant: Merchant,
    label: str,
    scopes: Sequence[str],
    actor: Actor,
    at: datetime,
    expires_at: datetime | None = None,
) -> ApiKey:
    """A new key. Its secret is `secret_of(key)`: shown to the merchant, stored nowhere. Raises Refused for unknown or no scopes."""
    require_own(merchant, actor, May.OPERATE)
    wanted = [scope for scope in ApiKey.Scope.values if scope in scopes]
    if not wanted or set(scopes) - set(wanted):
        raise Refused(_("请至少选择一项权限范围。"))
    if not label.strip():
        raise Refused(_("请写明密钥用在哪里，例如“一号收银机”。"))
    if expires_at is not None and expires_at <= at:
        raise Refused(_("有效期须晚于现在。"))
    key: ApiKey = ApiKey.objects.create(
        merchant=merchant,
        name=f"xz{secrets.token_hex(8)}",
        label=label.strip()[:60],
        scopes=wanted,
        created_at=at,
        expires_at=expires_at,
    )
    record("prepaid.key_issued", key, actor=actor, at=at, scopes=wanted)
    return key


@transaction.atomic
def rotate_key(*, key: ApiKey, actor: Actor, at: datetime, overlap: timedelta = OVERLAP) -> ApiKey:
    """A new key with the same scopes; the old one works for `overlap` longer at most. Raises Refused for one that works no longer."""
    require_own(key.merchant, actor, May.OPERATE)
    locked: ApiKey = ApiKey.objects.select_for_update(of=("self",)).select_related("merchant").get(pk=key.pk)
    if why_dead(locked, at):
        raise Refused(_("这个密钥已经失效，请另外生成。"))
    until = at + overlap
    locked.expires_at = min(until, locked.expires_at) if locked.expires_at else until
    locked.save(update_fields=["expires_at"])
    record("prepaid.key_rotated", locked, actor=actor, at=at)
    return issue_key(merchant=locked.merchant, label=locked.label, scopes=locked.scopes, actor=actor, at=at)


@transaction.atomic
def revoke_key(*, key: ApiKey, actor: Actor, at: datetime) -> ApiKey:
    """Let a key open nothing from now on."""
    require_own(key.merchant, actor, May.OPERATE)
    locked: ApiKey = ApiKey.objects.select_for_update(of=("self",)).get(pk=key.pk)
    if locked.revoked_at is None:
        locked.revoked_at = at
        locked.save(update_fields=["revoked_at"])
        record("prepaid.key_revoked", locked, actor=actor, at=at)
    return locked


def secret_of(key: ApiKey) -> str:
    """What the till signs with: 64 hex digits that follow from the key's name and the installation's own secret."""
    return hmac.new(settings.SECRET_KEY.encode(), f"prepaid-till:{key.name}".encode(), hashlib.sha256).hexdigest()


def signature(secret: str, *, method: str, path: str, moment: str, body_digest: str) -> str:
    """HMAC-SHA256 over method, path with query, Unix seconds and the body's SHA-256, a line each."""
    text = "\n".join((method.upper(), path, moment, body_digest))
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def why_dead(key: ApiKey, at: datetime) -> str | None:
    """Why a key opens nothing at `at`; None when it works."""
    if key.revoked_at is not None:
        return "key_revoked"
    if key.expires_at is not None and key.expires_at <= at:
        return "key_expired"
    return None


def authenticate(
    *, name: str, moment: str, signed: str, method: str, path: str, body_digest: str, at: datetime
) -> ApiKey:
    """The key that made this request, counted against its limit. Raises NotAuthentic: unknown_key, clock_skew, bad_signature,
    key_revoked, key_expired, rate_limited."""
    key: ApiKey | None = ApiKey.objects.select_related("merchant__subject").filter(name=name).first()
    if key is None:
        raise NotAuthentic("unknown_key", _("没有这个密钥。"))
    expected = signature(secret_of(key), method=method, path=path, moment=moment, body_digest=body_digest)
    if not hmac.compare_digest(expected.encode(), signed.encode()):
        raise NotAuthentic("bad_signature", _("签名不对。请核对密钥、请求路径、时间和正文。"))
    try:
        sent = datetime.fromtimestamp(int(moment), UTC)
    except (ValueError, OverflowError, OSError):
        raise NotAuthentic("clock_skew", _("时间须是 Unix 秒数。")) from None
    if abs(at - sent) > SKEW:
        raise NotAuthentic("clock_skew", _("请求时间与服务器相差超过 5 分钟，请校准收银机的时钟。"))
    if (dead := why_dead(key, at)) is not None:
        raise NotAuthentic(dead, _("这个密钥已经失效，请换用新的密钥。"))
    _count(key, at)
    return key


def actor_of(key: ApiKey) -> Actor:
    """Who a request with this key acts as: the merchant, with no more than the key's scopes allow."""
    permissions = {May.VIEW.value}
    if {ApiKey.Scope.SELL, ApiKey.Scope.REDEEM} & set(key.scopes):
        permissions.add(May.SELL.value)
    if {ApiKey.Scope.REFUND, ApiKey.Scope.BATCH} & set(key.scopes):
        permissions |= {May.OPERATE.value, May.SELL.value}
    return Actor(role="api", permissions=frozenset(permissions), organisation_id=key.merchant.organisation_id)


def _count(key: ApiKey, at: datetime) -> None:
    minute = int(at.timestamp()) // 60
    mine = ApiKey.objects.filter(pk=key.pk)
    # Another request may begin the minute between our two statements: then ours is counted as one more of it.
    for _attempt in range(2):
        if mine.filter(minute=minute, used__lt=F("per_minute")).update(used=F("used") + 1):
            return
        if mine.exclude(minute=minute).update(minute=minute, used=1):
            return
    raise NotAuthentic("rate_limited", _("请求太频繁，请稍后再试。"), 429)
