"""Addresses in the database are encrypted under the installation's secret key, and read under its fallbacks."""

import base64
import hashlib
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

_PURPOSE = b"xiezhi.notices.addresses:"


@lru_cache(maxsize=4)
def _box(secrets: tuple[str, ...]) -> MultiFernet:
    keys = [base64.urlsafe_b64encode(hashlib.sha256(_PURPOSE + each.encode()).digest()) for each in secrets]
    return MultiFernet([Fernet(key) for key in keys])


def seal(text: str) -> str:
    """`text` encrypted; each time differently."""
    return _box((settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)).encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """What was sealed; empty when the secret key has changed without a fallback: it must then be given again."""
    try:
        return _box((settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)).decrypt(sealed.encode()).decode()
    except InvalidToken:
        return ""
