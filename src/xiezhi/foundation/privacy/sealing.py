"""The one way in which text is sealed in the database: Fernet (AES-128-CBC with HMAC-SHA256) under a named key of the ring.

A sealed text reads `name.token`. What was sealed before there were names lies under the installation's secret key (`under_secret`).
"""

import base64
import hashlib
import hmac
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from xiezhi.foundation.privacy.keyring import ring


class Unreadable(Exception):
    """The key is gone, or the text was changed. Nothing may be saved over it."""


def seal(text: str) -> str:
    """`text` under the newest key; each time differently."""
    keys = ring()
    return f"{keys.newest}.{keys.keys[keys.newest].encrypt(text.encode()).decode()}"


def unseal(sealed: str) -> str:
    """What was sealed. Raises Unreadable without its key."""
    name, _, token = sealed.partition(".")
    key = ring().keys.get(name)
    if key is None:
        raise Unreadable(f"no personal-data key {name!r}: bring back the file personal_keys, or XIEZHI_PERSONAL_KEYS")
    try:
        return key.decrypt(token.encode()).decode()
    except InvalidToken:
        raise Unreadable(f"the key {name!r} does not open this text: one of the two was changed") from None


def key_of(sealed: str) -> str:
    """The name of the key that a text lies under; empty for what has no name."""
    name, dot, _ = sealed.partition(".")
    return name if dot else ""


def digest(purpose: str, text: str) -> str:
    """A keyed digest (HMAC-SHA256) to find an equal text by, without reading anybody's; empty for nothing."""
    return hmac.new(ring().index, f"{purpose}\0{text}".encode(), hashlib.sha256).hexdigest() if text else ""


@lru_cache(maxsize=8)
def _box(purpose: bytes, secrets: tuple[str, ...]) -> MultiFernet:
    return MultiFernet(
        [Fernet(base64.urlsafe_b64encode(hashlib.sha256(purpose + each.encode()).digest())) for each in secrets]
    )


def under_secret(purpose: bytes) -> MultiFernet:
    """A box under the installation's secret key for one purpose, that also opens what its fallbacks sealed."""
    return _box(purpose, (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))
