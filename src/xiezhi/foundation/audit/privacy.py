"""Personal data stays outside the audit: what cannot be deleted must not hold it.

Payloads are codes and numbers by design. This is the net below: a telephone or identity number that somebody typed into a free text
is masked before the entry is written.
"""

import re
from collections.abc import Iterator
from typing import Any

_MOBILE = re.compile(r"(?<![0-9A-Za-z])(?:\+?86[- ]?)?(1[3-9]\d)[- ]?(\d{4})[- ]?(\d{4})(?![0-9A-Za-z])")
_IDENTITY = re.compile(
    r"(?<![0-9A-Za-z])(\d{6})((?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3})([\dXx])(?![0-9A-Za-z])"
)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"


def _is_identity_number(found: re.Match[str]) -> bool:
    """GB 11643—1999: the last sign is the check over the seventeen digits before it."""
    digits = found[1] + found[2]
    return (
        _CHECKS[sum(int(each) * weight for each, weight in zip(digits, _WEIGHTS, strict=True)) % 11] == found[3].upper()
    )


def masked_text(text: str) -> str:
    """`text` with the middle of every mobile and identity number hidden."""
    text = _IDENTITY.sub(
        lambda found: f"{found[1][:4]}****{found[3]}" if _is_identity_number(found) else found[0], text
    )
    return _MOBILE.sub(r"\1****\3", text)


def masked(payload: Any) -> Any:
    """The same JSON value with every text masked, keys and all other values as they were."""
    if isinstance(payload, str):
        return masked_text(payload)
    if isinstance(payload, dict):
        return {key: masked(value) for key, value in payload.items()}
    if isinstance(payload, (list, tuple)):
        return [masked(each) for each in payload]
    return payload


def personal_data_in(payload: Any) -> Iterator[str]:
    """Every text in a JSON value that holds a mobile or identity number: for tests and for whoever checks an export."""
    if isinstance(payload, str):
        if masked_text(payload) != payload:
            yield payload
    elif isinstance(payload, dict):
        for each in payload.values():
            yield from personal_data_in(each)
    elif isinstance(payload, (list, tuple)):
        for each in payload:
            yield from personal_data_in(each)
