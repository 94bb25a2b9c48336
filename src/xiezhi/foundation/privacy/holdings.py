"""The map of personal data (个人信息清单): each room declares its own tables in `ready()`; pages, document, retention and requests read it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db.models import Model, QuerySet
from django.utils.functional import Promise

from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.rules.registry import Rule

Text = str | Promise
KEEP = object()
"""As `erased`: the column outlives an erasure, for the reason that `Holding.keeps` gives."""


@dataclass(frozen=True)
class Datum:
    """One column. `find`: phone, name or email, where a person is looked for by it, through the column `digest` when it is sealed, made
    by `digest_of`. `erased`: what stands there afterwards (KEEP: the value itself). `sealed`: it lies encrypted."""

    what: Text
    find: str = ""
    digest: str = ""
    digest_of: Callable[[str], str] | None = None
    erased: Any = ""
    sealed: bool = False
    shown: bool = True


@dataclass(frozen=True)
class Holding:
    """One table's personal data.

    `rule`: how many years after their need ended rows keep it; `ended(before)`: rows with something left whose need ended before then.
    `duty(row, at)`: why it must be kept now, for people; empty where it may go; no function: always kept for the reason `keeps`.
    `openable(actor)`: rows that the actor may see in full; None where the room has its own page for that.
    """

    model: str
    whose: Text
    purpose: Text
    basis: Text
    opens: Text
    fields: Mapping[str, Datum]
    keeps: Text = ""
    rule: Rule[int] | None = None
    ended: Callable[[datetime], QuerySet[Any]] | None = None
    duty: Callable[[Any, datetime], str] | None = None
    openable: Callable[[Actor], QuerySet[Any]] | None = None
    also_cleared: Mapping[str, Any] = field(default_factory=dict)

    @property
    def table(self) -> type[Model]:
        """The model."""
        return apps.get_model(self.model)

    @property
    def title(self) -> str:
        """What people call the table."""
        return str(self.table._meta.verbose_name)

    @property
    def cleared(self) -> dict[str, Any]:
        """Column → value after an erasure."""
        columns = {name: datum.erased for name, datum in self.fields.items() if datum.erased is not KEEP}
        digests = {datum.digest: "" for datum in self.fields.values() if datum.digest and datum.erased is not KEEP}
        return {**digests, **columns, **self.also_cleared}

    def values(self, row: Any) -> dict[str, str]:
        """What the row holds, by the column's word; nothing for what is empty or a digest."""
        return {
            str(datum.what): str(value)
            for name, datum in self.fields.items()
            if datum.shown and (value := getattr(row, name)) not in ("", None)
        }


_holdings: dict[str, Holding] = {}
_not_personal: dict[str, str] = {}


def register(*holdings: Holding) -> None:
    """Put tables on the map, from an AppConfig.ready(). Raises ValueError when a table is there already."""
    for each in holdings:
        if _holdings.setdefault(each.model.lower(), each) is not each:
            raise ValueError(f"two rooms declare the personal data of {each.model}")


def not_personal(columns: Mapping[str, str]) -> None:
    """Say of columns (`app.model.column`) that only look personal why they are not."""
    _not_personal.update({name.lower(): why for name, why in columns.items()})


def all_holdings() -> list[Holding]:
    """Every holding, in the order of the apps and then of declaration."""
    order = {label: position for position, label in enumerate(apps.app_configs)}
    return sorted(_holdings.values(), key=lambda each: order[each.model.partition(".")[0]])


def holding_of(model: str) -> Holding | None:
    """The holding of `app.model`; None when it is not on the map."""
    return _holdings.get(model.lower())


def known_columns() -> dict[str, str]:
    """Every column on the map (value: empty) or said not to be personal (value: why)."""
    mapped = {
        f"{each.model}.{column}".lower(): "" for each in all_holdings() for column in (*each.fields, *each.cleared)
    }
    return {**_not_personal, **mapped}


def exceptions() -> Iterable[tuple[str, str]]:
    """Columns that only look personal, and why."""
    return sorted(_not_personal.items())
