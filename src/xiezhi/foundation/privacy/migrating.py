"""For migrations that seal a column which stood in the clear, and open it again on the way back."""

from collections.abc import Callable, Iterator
from typing import Any

from django.db.models import F, TextField, Value
from django.db.models.functions import Cast

from xiezhi.foundation.privacy.keyring import ring
from xiezhi.foundation.privacy.sealing import key_of, seal, unseal

BATCH = 1000


def seal_column(rows: Any, column: str, also: Callable[[str], dict[str, Any]] | None = None) -> None:
    """Seal `column` of every row of a historical manager that holds something; `also(text)`: further values of the row."""
    for pk, raw in _raw(rows, column):
        if raw and key_of(raw) not in ring().keys:
            rows.filter(pk=pk).update(**{column: _as_is(seal(raw)), **(also(raw) if also else {})})


def open_column(rows: Any, column: str) -> None:
    """The way back."""
    for pk, raw in _raw(rows, column):
        if raw:
            rows.filter(pk=pk).update(**{column: _as_is(unseal(raw))})


def _as_is(text: str) -> Value:
    return Value(text, output_field=TextField())


def _raw(rows: Any, column: str) -> Iterator[tuple[Any, str]]:
    after = 0
    while page := list(
        rows.annotate(raw_text=Cast(F(column), TextField()))
        .filter(pk__gt=after)
        .order_by("pk")
        .values_list("pk", "raw_text")[:BATCH]
    ):
        yield from page
        after = page[-1][0]
