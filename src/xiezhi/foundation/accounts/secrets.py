"""What second factors keep in the database, encrypted under the installation's secret key (and read under its fallbacks)."""

from xiezhi.foundation.privacy.sealing import under_secret

_PURPOSE = b"xiezhi.accounts.factors:"


def seal(text: str) -> str:
    """`text` encrypted; each time differently."""
    return under_secret(_PURPOSE).encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """What was sealed. Raises cryptography's InvalidToken under another secret key."""
    return under_secret(_PURPOSE).decrypt(sealed.encode()).decode()
