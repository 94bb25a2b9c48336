"""The two lists: batches, and the rows of one outcome within a batch."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar

import django_filters
import django_tables2
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xiezhi.foundation.files.sheets.cells import as_text
from xiezhi.foundation.imports.models import ImportBatch, ImportRow
from xiezhi.foundation.imports.queries import batch_rows, column_label
from xiezhi.foundation.imports.specs import Outcome, all_specs
from xiezhi.foundation.ui.lists import Filters, SearchFilter
from xiezhi.foundation.ui.tables import MomentColumn, StatusColumn, Table

LONGEST_CELL = 40


class BatchTable(Table):
    file = django_tables2.Column(
        linkify=("imports:detail", {"pk": django_tables2.A("pk")}), order_by="file__display_name"
    )
    spec = django_tables2.Column(accessor="spec__title", verbose_name=gettext_lazy("内容"), order_by="spec_key")
    status = StatusColumn(ImportBatch.Status, verbose_name=gettext_lazy("状态"))
    saved = django_tables2.Column(empty_values=(), orderable=False, verbose_name=gettext_lazy("新增 / 变更 / 未通过"))
    organisation = django_tables2.Column(order_by="organisation__code")
    created_by = django_tables2.Column(order_by="created_by__display_name")
    created_at = MomentColumn()
    phone = ("file", "status", "created_at")

    class Meta(Table.Meta):
        model = ImportBatch
        fields = ("file", "spec", "status", "saved", "organisation", "created_by", "created_at")
        order_by = "-created_at"

    def render_saved(self, record: ImportBatch) -> str:
        if not record.counts:
            return "—"
        return " / ".join(f"{record.counts.get(each, 0):,}" for each in ("new", "changed", "refused"))

    value_saved = render_saved


def _spec_choices(request: Any = None) -> list[tuple[str, str]]:
    return [(spec.key, str(spec.title)) for spec in all_specs()]


class BatchFilters(Filters):
    q = SearchFilter("file__display_name")
    spec_key = django_filters.ChoiceFilter(choices=_spec_choices, label=gettext_lazy("内容"))
    status = django_filters.ChoiceFilter(choices=ImportBatch.Status.choices, label=gettext_lazy("状态"))

    class Meta:
        model = ImportBatch
        fields = ("q", "spec_key", "status")


def _lines(pattern: str, lines: Sequence[tuple[str, ...]]) -> SafeString:
    """One paragraph per line, in one box: a phone's card lays a cell out by its children."""
    return format_html("<div>{}</div>", format_html_join("", '<p class="mb-1">' + pattern + "</p>", lines))


class ProblemsColumn(django_tables2.Column):  # type: ignore[misc]
    """One line per problem: column, value, reason, how to mend."""

    def render(self, record: ImportRow) -> SafeString:
        spec = record.batch.spec
        lines = [
            (
                column_label(spec, each["column"]),
                format_html("“{}”", each["value"]) if each["value"] else "",
                each["reason"],
                each.get("mend", ""),
            )
            for each in record.problems
        ]
        return _lines('<strong>{}</strong> {} {} <span class="text-secondary">{}</span>', lines)


class ChangesColumn(django_tables2.Column):  # type: ignore[misc]
    """What will change: column, old → new."""

    def render(self, record: ImportRow) -> SafeString:
        lines = [
            (_change_label(record.batch, key), as_text(old) or "—", as_text(new) or "—")
            for key, (old, new) in record.changes.items()
        ]
        return _lines("<strong>{}</strong> <s>{}</s> → {}", lines)


def _change_label(batch: ImportBatch, key: str) -> str:
    known = {column.key for column in batch.spec.columns}
    return column_label(batch.spec, key) if key in known else key


class WarningsColumn(django_tables2.Column):  # type: ignore[misc]
    """What the person should look at although the row is taken."""

    def render(self, record: ImportRow) -> SafeString:
        lines = [(column_label(record.batch.spec, each["column"]), each["reason"]) for each in record.warnings]
        return _lines("<strong>{}</strong> {}", lines)


class CellColumn(django_tables2.Column):  # type: ignore[misc]
    """A cell of the sheet as it was written; wide sheets scroll sideways."""

    attrs: ClassVar[dict[str, dict[str, str]]] = {"td": {"class": "text-nowrap"}, "th": {"class": "text-nowrap"}}

    def __init__(self, index: int, mask: Callable[[str], str], **kwargs: Any) -> None:
        super().__init__(accessor="cells", orderable=False, **kwargs)
        self.index, self.mask = index, mask

    def render(self, value: list[Any]) -> str:
        text = self.mask(as_text(value[self.index])) if self.index < len(value) else ""
        return f"{text[:LONGEST_CELL]}…" if len(text) > LONGEST_CELL else text or "—"


class RowTable(Table):
    number = django_tables2.Column(verbose_name=gettext_lazy("行号"))

    class Meta(Table.Meta):
        model = ImportRow
        fields = ("number",)
        order_by = "number"


def row_table(batch: ImportBatch, outcome: str) -> tuple[type[RowTable], list[tuple[str, Any]]]:
    """How rows of this outcome are shown: their problems or changes and two cells to know them by, else all their cells; and warnings,
    where there are any. The table's class and its extra columns."""
    shown: list[tuple[str, Any]] = []
    if outcome == Outcome.REFUSED:
        shown.append(("problems", ProblemsColumn(verbose_name=_("列、内容、问题、如何改正"), orderable=False)))
    elif outcome == Outcome.CHANGED:
        shown.append(("changes", ChangesColumn(verbose_name=_("变更"), orderable=False)))
    if outcome != Outcome.REFUSED and batch_rows(batch, outcome).exclude(warnings=[]).exists():
        shown.append(("warnings", WarningsColumn(verbose_name=_("提醒"), orderable=False)))
    places = list(batch.mapping.items())
    cells = places[:2] if outcome in {Outcome.REFUSED, Outcome.CHANGED} else places
    on_phone = ("number", *(name for name, _column in shown), *(f"cell_{key}" for key, _index in places[:2]))
    shown += [
        (f"cell_{key}", CellColumn(index, partial(batch.spec.masked, key), verbose_name=column_label(batch.spec, key)))
        for key, index in cells
    ]
    return type("OutcomeTable", (RowTable,), {"phone": on_phone}), shown
