"""Tables on list pages: one base class and the columns that dates, money, statuses and personal data need."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

import django_tables2 as tables
from django.db import models
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django_tables2.rows import BoundRow

from xiezhi.foundation.ui import statuses, words
from xiezhi.foundation.ui.templatetags.ui import deadline, status_badge
from xiezhi.foundation.workflow.tables import Workflow


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

    # By position: django-tables2 would otherwise hand over the display word.
    def render(self, value: Any, record: Any, bound_column: Any) -> SafeString:
        return status_badge(statuses.look(self._raw(record, bound_column, value), self.choices))

    def value(self, value: Any, record: Any, bound_column: Any) -> str:
        return statuses.look(self._raw(record, bound_column, value), self.choices).word

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
