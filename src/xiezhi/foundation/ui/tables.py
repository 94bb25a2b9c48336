"""Tables on list pages: one base class and the columns that dates, money, statuses and personal data need."""

import contextlib
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, ClassVar

import django_tables2 as tables
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.template import Context
from django.template.base import render_value_in_context
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django_tables2.columns import BoundColumn
from django_tables2.rows import BoundRow

from xiezhi.foundation.ui import statuses, words
from xiezhi.foundation.ui.templatetags.ui import deadline, status_badge
from xiezhi.foundation.workflow.tables import Workflow


@lru_cache(maxsize=2_000)
def _asked_by(function: Callable[..., Any]) -> tuple[str, ...] | None:
    """The names of what a cell's function takes; None where it takes anything."""
    parameters = inspect.signature(function).parameters.values()
    if any(each.kind == each.VAR_KEYWORD for each in parameters):
        return None
    return tuple(each.name for each in parameters if each.kind != each.VAR_POSITIONAL)


def _wanted(function: Callable[..., Any]) -> tuple[str, ...] | None:
    """The same without `self` of a method. What the method's function takes is worked out once for the process, not for every cell."""
    plain = getattr(function, "__func__", None)
    if plain is None:
        return _asked_by(function)
    names = _asked_by(plain)
    return names if names is None else names[1:]


class _Cells:
    """One column's cells as django-tables2 draws them, with everything that is the same in every row looked up once: the field behind
    it and its choices' words, the function that draws it and what that takes."""

    def __init__(self, bound: BoundColumn, table: "Table") -> None:
        self.bound, self.table, self.column, self.draw = bound, table, bound.column, bound.render
        self.names = _wanted(self.draw)
        self.bits: list[str] = str(bound.accessor).replace(".", "__").split("__")
        plain = getattr(self.column, "plain_value", False) or (self.names is not None and "value" not in self.names)
        self.words = {} if plain else self._words(table)
        self.ordinary = not isinstance(self.column, tables.ManyToManyColumn | tables.columns.linkcolumn.BaseLinkColumn)

    def _words(self, table: "Table") -> dict[Any, str]:
        """What the field's values are called, where it has choices."""
        model = getattr(table.data, "model", None)
        with contextlib.suppress(FieldDoesNotExist, AttributeError):
            field = self.bound.accessor.get_field(model) if model else None
            return {value: str(word) for value, word in getattr(field, "flatchoices", None) or ()}
        return {}

    def of(self, row: BoundRow) -> Any:
        """What stands in this column's cell of `row`."""
        if not self.ordinary or not isinstance(row.record, models.Model):
            return row.get_cell(self.bound.name)
        value = self._value(row.record)
        if self.words:
            value = self.words.get(value, value)
        if value in self.column.empty_values:
            return self.bound.default
        if self.names == ("value",) and not self.bound.link:
            return self.draw(value)
        given = row._optional_cell_arguments(self.bound, value)
        content = self.draw(**(given if self.names is None else {name: given[name] for name in self.names}))
        return self.bound.link(content, **given) if self.bound.link else content

    def _value(self, record: Any) -> Any:
        for bit in self.bits:
            record = getattr(record, bit, None)
            if callable(record) and not getattr(record, "do_not_call_in_templates", False):
                record = None if getattr(record, "alters_data", False) else record()
            if record is None:
                break
        return record


class Table(tables.Table):  # type: ignore[misc]  # django-tables2 has no types
    """A list page's table. Columns are django-tables2's and those below.

    `phone`: names of the columns that stay on a phone's cards, heading first (empty: all of them).
    `exported`: names of the columns to export (empty: all but `selected` and those named `actions`).
    """

    phone: ClassVar[tuple[str, ...]] = ()
    exported: ClassVar[tuple[str, ...]] = ()
    unwanted: frozenset[str] = frozenset()
    """What the person chose to leave out, on the page and in exports; `foundation.ui.kept` sets it."""

    class Meta:
        template_name = "ui/table.html"

    def lines(self) -> Iterator[SafeString]:
        """The page's rows as they stand in the table's body. What is the same in every row is worked out once."""
        columns = [(each, _Cells(each, self), None if _varies(each) else self._frame(each)) for each in self.columns]
        plain = Context()
        for row in self.paginated_rows:
            drawn = []
            for column, cells, frame in columns:
                cell = cells.of(row)
                if frame is None:
                    column.current_value, column.current_record = cell, row.record
                    frame = self._frame(column)
                shown = cell if isinstance(cell, SafeString) else render_value_in_context(cell, plain)
                drawn.append(f"{frame}{shown}</td>")
            yield SafeString(f"<tr>{''.join(drawn)}</tr>")

    def _frame(self, column: BoundColumn) -> SafeString:
        """A cell's beginning: its attributes, its column's name for cards, and whether it is shown on them."""
        phone = ""
        if self.phone:
            kept = column.name in self.phone or column.name in {"actions", "selected"}
            phone = "head" if column.name == self.phone[0] else "fact" if kept else "none"
        own = column.attrs["td"].as_html()
        mark = format_html(' data-phone="{}"', phone) if phone else ""
        return format_html('<td {} data-label="{}"{}>', own, column.verbose_name, mark)

    def sheet(self) -> tuple[list[str], Iterator[Sequence[Any]]]:
        """Header and rows for export: every row, raw values where the column knows them."""
        names = [name for name in self.columns.names() if name not in {"selected", "actions", *self.unwanted}]
        if self.exported:
            names = [name for name in self.exported if name in names] or list(self.exported)[:1]
        header = [str(self.columns[name].header) for name in names]
        return header, ([row.get_cell_value(name) for name in names] for row in self._all_rows())

    def _all_rows(self) -> Iterator[BoundRow]:
        """Piece by piece: related rows of 100,000 at once would be one statement with 100,000 parameters."""
        data = self.data.data
        records = data.iterator(chunk_size=2_000) if isinstance(data, models.QuerySet) else self.data
        return (BoundRow(record, table=self) for record in records)


def _varies(column: BoundColumn) -> bool:
    """Whether a cell's attributes are worked out from its row."""
    sources: list[Mapping[str, Any]] = [column.column.attrs, column._table.attrs]
    return any(
        callable(value) for source in sources for kind in ("td", "cell") for value in source.get(kind, {}).values()
    )


class DayColumn(tables.Column):  # type: ignore[misc]
    """A date: 2026-11-23（周一）."""

    attrs: ClassVar[dict[str, dict[str, str]]] = {"td": {"class": "text-nowrap"}}

    def render(self, value: Any) -> str:
        return words.day(value)

    def value(self, value: Any) -> Any:
        return value


class MomentColumn(tables.Column):  # type: ignore[misc]
    """A moment in local time: 2026-11-23 14:30."""

    attrs: ClassVar[dict[str, dict[str, str]]] = {"td": {"class": "text-nowrap"}}

    def render(self, value: datetime) -> str:
        return words.moment(value)

    def value(self, value: Any) -> Any:
        return value


class DeadlineColumn(MomentColumn):
    """A deadline: 剩 2 个工作日（11-25 18:00 前）, coloured by how near it is."""

    def render(self, value: datetime) -> str:
        return deadline(value)


class MoneyColumn(tables.Column):  # type: ignore[misc]
    """Integer fen, shown as ¥1,234.50 and exported as yuan."""

    attrs: ClassVar[dict[str, dict[str, str]]] = {"td": {"class": "text-end"}, "th": {"class": "text-end"}}

    def render(self, value: int) -> str:
        return words.money(value)

    def value(self, value: int) -> Decimal:
        return Decimal(value) / 100


class NumberColumn(tables.Column):  # type: ignore[misc]
    """A count with thousands separators and, if given, its unit."""

    attrs: ClassVar[dict[str, dict[str, str]]] = {"td": {"class": "text-end"}, "th": {"class": "text-end"}}

    def __init__(self, *args: Any, unit: Any = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.unit = unit

    def render(self, value: Any) -> str:
        return f"{value:,} {self.unit}".strip()

    def value(self, value: Any) -> Any:
        return value


class StatusColumn(tables.Column):  # type: ignore[misc]
    """Word, icon and colour of a status; `choices` is a TextChoices class or a Workflow."""

    def __init__(self, choices: type[models.Choices] | Workflow, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choices = choices

    plain_value = True

    def render(self, value: Any, record: Any, bound_column: Any) -> SafeString:
        return status_badge(statuses.look(self._raw(record, bound_column, value), self.choices))

    def value(self, value: Any, record: Any, bound_column: Any) -> str:
        return statuses.look(self._raw(record, bound_column, value), self.choices).word

    # Exports hand over the display word.
    @staticmethod
    def _raw(record: Any, bound_column: Any, value: Any) -> Any:
        return bound_column.accessor.resolve(record, quiet=True) or value


class MaskedColumn(tables.Column):  # type: ignore[misc]
    """A person's name, number or address with its middle hidden, on the page and in exports."""

    def render(self, value: str) -> str:
        return words.masked(value)

    value = render


class SelectColumn(tables.Column):  # type: ignore[misc]
    """The box for bulk actions; `list_page` adds it."""

    def __init__(self) -> None:
        super().__init__(
            accessor="pk",
            orderable=False,
            verbose_name=_("选择"),
            attrs={"td": {"class": "select-cell"}, "th": {"class": "select-cell"}},
        )

    @property
    def header(self) -> SafeString:
        return format_html(
            '<input type="checkbox" class="form-check-input m-0" data-select-all aria-label="{}">', _("选择本页全部")
        )

    def render(self, value: Any, record: Any) -> SafeString:
        return format_html(
            '<input type="checkbox" class="form-check-input m-0" name="selected" value="{}" form="bulk" aria-label="{}">',
            value,
            _("选择 %(name)s") % {"name": record},
        )
