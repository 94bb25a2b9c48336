"""持卡人: one person at one merchant, found again by their telephone number without reading anybody's."""

import re

from xiezhi.foundation.privacy.sealing import digest


def phone_digest(phone: str) -> str:
    """The digest under which a number's holder is found, however it is written; empty for none."""
    digits = re.sub(r"\D", "", phone)
    return digest("prepaid.holder.phone", re.sub(r"^(?:00)?86(?=1\d{10}$)", "", digits))
