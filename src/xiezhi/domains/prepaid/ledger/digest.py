"""How a row is digested. The database function `prepaid_digest` does the same in SQL; a test holds the two together."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

GENESIS = bytes(32)
COLUMNS = (
    *("book_id", "sequence", "operation", "leg", "kind", "phase", "debit_id", "credit_id", "amount"),
    *(
        "debit_after",
        "credit_after",
        "at",
        "booked_at",
        "expires_at",
        "key",
        "request",
        "source",
        "actor_user_id",
        "refers",
    ),
)
"""The protected columns of an entry, in the order in which they are digested."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@lru_cache(4096)  # a batch has few moments and many rows
def microseconds(moment: datetime) -> int:
    """Since 1970, exactly."""
    return (moment - _EPOCH) // _MICROSECOND


def content(values: Sequence[Any]) -> str:
    """The digested text of one row, `values` in the order of COLUMNS: empty for NULL, microseconds for moments, hex for bytes."""
    (book, sequence, operation, leg, kind, phase, debit, credit, amount, debit_after, credit_after, *rest) = values
    at, booked_at, expires_at, key, request, source, actor, refers = rest
    return (
        f"{book}|{sequence}|{operation}|{leg}|{kind}|{phase}|{debit}|{credit}|{amount}|{debit_after}|{credit_after}|"
        f"{microseconds(at)}|{microseconds(booked_at)}|{'' if expires_at is None else microseconds(expires_at)}|"
        f"{key}|{'' if request is None else request.hex()}|{source}|"
        f"{'' if actor is None else actor}|{'' if refers is None else refers}"
    )


def digest(previous: bytes, values: Sequence[Any]) -> bytes:
    """SHA-256 over the digest before this row and the row's content."""
    return hashlib.sha256(previous + content(values).encode()).digest()
