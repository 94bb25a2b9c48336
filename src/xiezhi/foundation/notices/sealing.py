"""Addresses in the database are sealed as all personal data is; those from before keys had names lie under the installation's secret key."""

from cryptography.fernet import InvalidToken

from xiezhi.foundation.privacy import sealing
from xiezhi.foundation.privacy.sealing import seal

__all__ = ["seal", "unseal", "unseal_before_names"]

_PURPOSE = b"xiezhi.notices.addresses:"


def unseal(sealed: str) -> str:
    """What was sealed; empty when its key is gone: the address must then be given again."""
    try:
        return sealing.unseal(sealed) if sealing.key_of(sealed) else unseal_before_names(sealed)
    except sealing.Unreadable:
        return ""


def unseal_before_names(sealed: str) -> str:
    """What was sealed under the secret key. Raises Unreadable when that has changed without a fallback."""
    try:
        return sealing.under_secret(_PURPOSE).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise sealing.Unreadable("sealed under another secret key") from None
