"""Lock-out (锁定): who has failed too often, until when, and how it is lifted.

The counting is allauth's, over the cache that all processes share (`settings.CACHES`): passwords and telephone codes under one key, codes of the
second factor under another, five in fifteen minutes each (`ACCOUNT_RATE_LIMITS["login_failed"]`). Names that nobody has are counted alike, so
that a lock says nothing about who has an account.
"""

import time
from datetime import UTC, datetime

from allauth.core.internal import ratelimit
from django.core.cache import cache
from django.utils.translation import gettext as _

from xiezhi.foundation.accounts.models import User
from xiezhi.foundation.ui.words import moment

APP, ACTION = "allauth.account", "login_failed"


def name_key(name: str) -> str:
    """The key of a login name, whoever has it."""
    return f"name:{name.strip().casefold()}"


def keys_of(user: User) -> tuple[str, str]:
    """The two keys under which a person's failures are counted; the second is allauth's own for codes."""
    return name_key(user.username), f"mfa-auth-user-{user.pk}"


def _per_key() -> list[ratelimit.Rate]:
    return [rate for rate in ratelimit.get_rates(app=APP, action=ACTION) if rate.per == "key"]


def _cache_key(rate: ratelimit.Rate, key: str) -> str:
    return str(ratelimit.get_cache_key(None, app=APP, action=ACTION, rate=rate, key=key))


def locked_until(*keys: str) -> datetime | None:
    """When the next attempt under all of `keys` will be looked at; None when one would be now."""
    now, latest = time.time(), 0.0
    for key in keys:
        for rate in _per_key():
            live = [each for each in cache.get(_cache_key(rate, key), []) if each > now - rate.duration]
            if len(live) >= rate.amount:  # newest first: the one that has to lapse
                latest = max(latest, live[rate.amount - 1] + rate.duration)
    return datetime.fromtimestamp(latest, UTC) if latest else None


def message(until: datetime | None) -> str:
    """What a person who is locked out reads: when to try again."""
    if until is None:
        return _("这个网络试得太多，请一分钟后再试。")
    return _("试错太多，登录已锁定到 %(until)s。到时再试，或请本单位的系统管理员解除。") % {"until": moment(until)}


def forget(user: User) -> None:
    """Count a person's failures from nothing again."""
    for key in keys_of(user):
        for rate in _per_key():
            cache.delete(_cache_key(rate, key))
