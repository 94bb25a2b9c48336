"""What a domain writes to take in a sheet, and what it is given while doing so."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.files.sheets.cells import Cell, as_text
from xiezhi.foundation.imports.columns import Column
from xiezhi.foundation.orgs.models import Organisation

Text = str | Promise


class Outcome(models.TextChoices):
    NEW = "new", _("新增")
    CHANGED = "changed", _("变更")
    UNCHANGED = "unchanged", _("无变化")
    TO_CONFIRM = "to_confirm", _("待确认")
    REFUSED = "refused", _("未通过")


TO_SAVE = (Outcome.NEW, Outcome.CHANGED, Outcome.TO_CONFIRM)
"""The outcomes whose rows `apply_chunk` is given."""


@dataclass(slots=True)
class ImportContext:
    """What checks and saves work with. `at`: when this step began. `options`: the cleaned options form as JSON values.
    `tables`: whatever `prepare` loaded."""

    actor: Actor
    at: datetime
    organisation: Organisation
    options: Mapping[str, Any]
    batch_id: int | None
    tables: dict[str, Any] = field(default_factory=dict)


class Row:
    """One row of the sheet under check. `row["code"]` is the parsed value (None where the cell is blank or the column is absent)."""

    __slots__ = ("changes", "clean", "number", "outcome", "problems", "raw", "values", "warnings")

    def __init__(self, number: int, raw: Mapping[str, Cell]) -> None:
        self.number, self.raw = number, raw
        self.values: dict[str, Any] = {}
        self.outcome: Outcome | None = None
        self.clean: dict[str, Any] = {}
        self.changes: dict[str, list[Any]] = {}
        self.problems: list[dict[str, str]] = []
        self.warnings: list[dict[str, str]] = []

    def __getitem__(self, column: str) -> Any:
        return self.values.get(column)

    def refuse(self, column: str, reason: Text, mend: Text = "", *, shown: str | None = None) -> None:
        """This row cannot be taken. `column` is a column's key, or "" for the row as a whole. May be called several times."""
        value = as_text(self.raw.get(column)) if shown is None else shown
        self.problems.append({"column": column, "value": value[:100], "reason": str(reason), "mend": str(mend)})

    def warn(self, column: str, message: Text) -> None:
        """The row is taken, but the person should look at this."""
        self.warnings.append({"column": column, "value": as_text(self.raw.get(column))[:100], "reason": str(message)})

    def settle(
        self,
        outcome: Outcome,
        clean: Mapping[str, Any] | None = None,
        *,
        changes: Mapping[str, Sequence[Any]] | None = None,
    ) -> None:
        """The verdict. `clean` (JSON values, dates and Decimals; no model instances) is what `apply_chunk` will get back as JSON:
        dates come back as ISO text. `changes`: {column: [old, new]} as the person should read it. A problem overrides any verdict."""
        self.outcome, self.clean = outcome, dict(clean or {})
        self.changes = {column: list(pair) for column, pair in (changes or {}).items()}


@dataclass(frozen=True, slots=True)
class CheckedRow:
    """One row to save: `clean` is what the check settled on, as JSON gives it back."""

    number: int
    outcome: str
    clean: Mapping[str, Any]


class ImportSpec:
    """One kind of sheet. Subclass, fill in, and `register()` an instance's class in the app's `ready()`.

    Every method runs in bulk: look things up once in `prepare` or once a chunk, never once a row.
    """

    key: ClassVar[str]
    title: ClassVar[Text]
    description: ClassVar[Text] = ""
    permission: ClassVar[str]
    columns: ClassVar[tuple[Column, ...]]
    identity: ClassVar[tuple[str, ...]] = ()
    """Columns that together say what a row is about; two rows of a file with the same are refused, each naming the other."""
    notes: ClassVar[tuple[Text, ...]] = ()
    """Lines for the template's second worksheet."""
    owned_by_department: ClassVar[bool] = False
    """True: the sheet belongs to one department (a plan). A district-wide post then chooses for which one it uploads."""
    options_form: ClassVar[type[forms.Form] | None] = None
    """Further questions of step one (the plan's year …). Cleaned data must be JSON values, dates, or model instances (kept by id)."""
    chunk_rows: ClassVar[int] = 1_000
    done_url_name: ClassVar[str] = ""
    """Where the result's “查看” leads (a URL name without arguments)."""

    def prepare(self, context: ImportContext) -> None:
        """Load lookup tables into `context.tables`, once before a check and once (inside the transaction) before an apply."""

    def check_chunk(self, rows: Sequence[Row], context: ImportContext) -> None:
        """`settle` or `refuse` each row. Only rows come here whose every cell could be parsed and whose required cells are filled."""
        raise NotImplementedError

    def apply_chunk(self, rows: Sequence[CheckedRow], context: ImportContext) -> Mapping[str, int] | None:
        """Save these rows (outcomes new, changed, to_confirm) through the domain's own services: `row.clean`, `row.outcome`, `row.number`.

        Runs inside the one transaction of the whole batch. Look up what exists by natural key again and save idempotently: another
        person may have been faster. Raise Refused to save nothing at all. Returned numbers are added up and shown with the result.
        """
        raise NotImplementedError

    def finish(self, context: ImportContext) -> Mapping[str, int] | None:
        """After the last `apply_chunk`, in the same transaction: what concerns the batch as a whole."""
        return None

    def result_labels(self) -> Mapping[str, Text]:
        """What the numbers returned by `apply_chunk` and `finish` are called on the result page."""
        return {}

    def may_own(self, organisation: Organisation) -> bool:
        """Whether a district-wide post may upload on behalf of this organisation."""
        return organisation.kind == Organisation.Kind.DEPARTMENT

    def column(self, key: str) -> Column:
        """The column called `key`; KeyError when there is none."""
        return next((each for each in self.columns if each.key == key), None) or _no_column(self.key, key)

    @property
    def personal(self) -> bool:
        """Whether the sheet holds personal data: its rows are then sealed while they wait, and shown masked."""
        return any(column.masked for column in self.columns)

    def masked(self, key: str, shown: str) -> str:
        """A cell's text as the page may show it."""
        mask = self.column(key).masked if key else None
        return mask(shown) if mask and shown else shown

    def labels(self) -> Collection[str]:
        """Every title under which a column of this sheet is known."""
        return [str(word) for each in self.columns for word in (each.label, *each.aliases)]


def _no_column(spec: str, key: str) -> Column:
    raise KeyError(f"{spec} has no column {key}")


_specs: dict[str, ImportSpec] = {}


def register(spec: type[ImportSpec]) -> type[ImportSpec]:
    """Make a spec known under its key (also usable as a decorator). Raises ValueError for a spec that cannot work."""
    keys = [column.key for column in spec.columns]
    if len(set(keys)) != len(keys) or not set(spec.identity) <= set(keys):
        raise ValueError(f"{spec.key}: column keys must differ, and identity must name some of them")
    _specs[spec.key] = spec()
    return spec


def spec_for(key: str) -> ImportSpec:
    """The spec registered under `key`; KeyError when there is none."""
    return _specs[key]


def specs_for(actor: Actor) -> list[ImportSpec]:
    """The specs that this actor may use, by title."""
    return sorted((spec for spec in _specs.values() if actor.can(spec.permission)), key=lambda spec: str(spec.title))


def all_specs() -> Iterable[ImportSpec]:
    """Every registered spec."""
    return _specs.values()


class _SpecPermissions:
    """The permissions of all specs, whenever it is asked: apps register theirs one after another."""

    def __iter__(self) -> Iterator[str]:
        return iter({spec.permission for spec in all_specs()})


SPEC_PERMISSIONS = _SpecPermissions()
