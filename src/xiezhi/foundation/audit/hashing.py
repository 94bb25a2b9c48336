"""The hash that links a chain: SHA-256, or SM3 (GB/T 32905—2016) where a district must use national algorithms.

Each seal states its own algorithm, so that a chain goes on verifying after the setting has changed in the middle of it.
"""

import hashlib

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage

ALGORITHMS = ("sha256", "sm3")
"""Both give 32 bytes, 64 hexadecimal digits."""


class HashUnavailable(Exception):
    """This Python's OpenSSL does not offer the algorithm, or nobody knows it. The message says what to do."""


def hexdigest(text: str, algorithm: str) -> str:
    """The digest of `text` (UTF-8) in hexadecimal. Raises HashUnavailable."""
    if algorithm not in ALGORITHMS:
        raise HashUnavailable(f"{algorithm!r} is not a chain hash; known are {', '.join(ALGORITHMS)}")
    try:
        return hashlib.new(algorithm, text.encode()).hexdigest()
    except ValueError:
        raise HashUnavailable(
            f"this Python's OpenSSL has no {algorithm}: use an OpenSSL (1.1.1 or newer) built with it, or set XIEZHI_CHAIN_HASH=sha256"
        ) from None


def algorithm_in_use() -> str:
    """The algorithm of new seals (setting CHAIN_HASH). Raises HashUnavailable when it cannot be computed here."""
    algorithm = str(settings.CHAIN_HASH)
    hexdigest("", algorithm)
    return algorithm


def check_chain_hash(**_kwargs: object) -> list[CheckMessage]:
    """System check: better a loud start than a chain that stops growing."""
    try:
        algorithm_in_use()
    except HashUnavailable as problem:
        return [checks.Error(f"XIEZHI_CHAIN_HASH={settings.CHAIN_HASH}: {problem}", id="audit.E001")]
    return []
