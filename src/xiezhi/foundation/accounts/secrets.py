"""What second factors keep in the database, encrypted under the installation's secret key (and read under its fallbacks)."""

import base64
import hashlib
from functools import lru_cache

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings

_PURPOSE = b"xiezhi.accounts.factors:"


@lru_cache(maxsize=4)
def _box(secrets: tuple[str, ...]) -> MultiFernet:
    keys = [base64.urlsafe_b64encode(hashlib.sha256(_PURPOSE + each.encode()).digest()) for each in secrets]
    return MultiFernet([Fernet(key) for key in keys])


def _boxes() -> MultiFernet:
    return _box((settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


def seal(text: str) -> str:
    """`text` encrypted; each time differently."""
    return _boxes().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """What was sealed. Raises cryptography's InvalidToken under another secret key."""
    return _boxes().decrypt(sealed.encode()).decode()
