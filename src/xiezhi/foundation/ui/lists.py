"""List pages: title, filters kept in the address, sortable table, count, export, bulk actions, empty state."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

import django_filters
from django import forms
from django.core.paginator import EmptyPage, PageNotAnInteger, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.functional import Promise, cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_filters.fields import ModelChoiceField as ModelChoiceFilterField
from django_filters.fields import ModelChoiceIterator
from django_tables2 import RequestConfig

from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.ui.exports import MOST_ROWS, export_response
from xiezhi.foundation.ui.kept import Kept, choose_columns, kept_for, opening
from xiezhi.foundation.ui.search import holding
from xiezhi.foundation.ui.tables import SelectColumn, Table
from xiezhi.foundation.workflow.errors import Refused

Text = str | Promise
PER_PAGE = 50
MOST_COUNTED = 10_000
"""A list is counted and leafed through so far. To count half a million rows takes longer than to find the page that somebody reads."""
COUNT, EXACTLY = "count", "all"
"""`?count=all`: count to the end, and leaf through to it."""
RESULTS = "results"
"""The id of what htmx swaps on a list page."""


@dataclass(frozen=True)
class Action:
    """A button that leads somewhere. `style`: primary, secondary, caution or danger; `permission` hides it from other roles."""

    label: Text
    url: str
    icon: str = ""
    style: str = "secondary"
    permission: str | None = None


@dataclass(frozen=True)
class Bulk:
    """A button that POSTs the `selected` keys to `url`; with `needs_reason` also `reason`."""

    label: Text
    url: str
    icon: str = "check"
    style: str = "secondary"
    permission: str | None = None
    needs_reason: bool = False


def selected(request: DeskRequest, seen: QuerySet[Any]) -> list[Any]:
    """The ticked rows that a `Bulk` button sent, as far as the person sees them, by key. Raises Refused when none is ticked, 404 when
    one of them is not among `seen`."""
    chosen = {int(each) for each in request.POST.getlist("selected") if each.isdecimal() and len(each) < 19}
    if not chosen:
        raise Refused(_("请先勾选要办理的行。"))
    found = list(seen.filter(pk__in=chosen).order_by("pk"))
    if len(found) != len(chosen):
        raise Http404
    return found


def bulk_reason(request: DeskRequest) -> str:
    """The reason that was given with a `Bulk` button: the bar holds one box a button, and the filled one counts."""
    return next((each for each in request.POST.getlist("reason") if each.strip()), "")


@dataclass(frozen=True)
class Empty:
    """What stands where nothing is: what will be here and how to begin."""

    title: Text = ""
    text: Text = ""
    action: Action | None = None
    icon: str = "list"


class SearchFilter(django_filters.CharFilter):  # type: ignore[misc]  # django-filter has no types
    """One box over several columns: `q = SearchFilter("name", "code")`. Every word must occur in one of them."""

    def __init__(self, *columns: str, label: Text = "", **kwargs: Any) -> None:
        super().__init__(label=label or gettext_lazy("搜索"), **kwargs)
        self.columns = columns

    def filter(self, queryset: QuerySet[Any], value: str | None) -> QuerySet[Any]:
        return holding(queryset, (value or "").split(), *self.columns)


class SinceFilter(django_filters.DateFilter):  # type: ignore[misc]
    """Moments from the beginning of a day here, as a comparison that an index answers (`__date` asks every row for its day)."""

    def filter(self, queryset: QuerySet[Any], value: date | None) -> QuerySet[Any]:
        if value is None:
            return queryset
        return queryset.filter(**{f"{self.field_name}__gte": timezone.make_aware(datetime.combine(value, time.min))})


class UntilFilter(django_filters.DateFilter):  # type: ignore[misc]
    """Moments up to the end of a day here."""

    def filter(self, queryset: QuerySet[Any], value: date | None) -> QuerySet[Any]:
        if value is None or value == date.max:
            return queryset
        after = timezone.make_aware(datetime.combine(value + timedelta(days=1), time.min))
        return queryset.filter(**{f"{self.field_name}__lt": after})


class Filters(django_filters.FilterSet):  # type: ignore[misc]
    """Base of a list's filters. A filter called `q` becomes the search box; `request.actor` is at hand for choices."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for each in self.form.fields.values():
            _name_the_choices(each)

    @property
    def others(self) -> list[forms.BoundField]:
        """The fields beside the search box."""
        return [field for field in self.form.visible_fields() if field.name != "q"]

    @property
    def used(self) -> list[str]:
        """The filters that narrow the list now."""
        return [name for name, value in getattr(self.form, "cleaned_data", {}).items() if value not in (None, "", [])]

    @property
    def others_used(self) -> int:
        """How many of `others` narrow it."""
        return sum(name != "q" for name in self.used)


class _Fetched(ModelChoiceIterator):  # type: ignore[misc]
    """Choices read in one go: a server's cursor takes three journeys more for the twenty rows of a filter."""

    def __iter__(self) -> Iterator[Any]:
        if self.field.empty_label is not None:
            yield ("", self.field.empty_label)
        if self.field.null_label is not None:
            yield (self.field.null_value, self.field.null_label)
        yield from map(self.choice, self.queryset)


def _name_the_choices(field: forms.Field) -> None:
    """Say 全部 where Django says --------- or Unknown."""
    if isinstance(field, forms.ModelChoiceField):
        if field.empty_label is not None:
            field.empty_label = _("全部")
        if isinstance(field, ModelChoiceFilterField):
            field.iterator = _Fetched
            field.widget.choices = field.choices
    elif isinstance(field, forms.NullBooleanField):
        field.widget.choices = [("", _("全部")), ("true", _("是")), ("false", _("否"))]
    elif isinstance(field, forms.ChoiceField) and not isinstance(field, forms.MultipleChoiceField):
        choices: Any = field.choices
        field.widget.choices = [("", _("全部")), *(each for each in choices if each[0] != "")]


class Pages(Paginator):
    """Pages of a table. The first `MOST_COUNTED` rows are counted, unless it is asked for all (`exactly`)."""

    exactly = False

    @cached_property
    def counted(self) -> int:
        """How many rows there are, or one more than are counted."""
        listed: Any = self.object_list  # the table's rows
        rows = listed.data
        found = rows.data if hasattr(rows, "data") else rows
        if not isinstance(found, QuerySet):
            return len(rows)
        return found.count() if self.exactly else found.order_by().values("pk")[: MOST_COUNTED + 1].count()

    @cached_property
    def count(self) -> int:
        """How many rows can be leafed through."""
        return self.counted if self.exactly else min(self.counted, MOST_COUNTED)

    @property
    def has_more(self) -> bool:
        """Whether there are rows that were not counted."""
        return self.counted > self.count


@dataclass
class _Page:
    """What the list templates read."""

    title: Text
    unit: Text
    table: Table
    filterset: Filters | None
    empty: Empty
    kept: Kept
    intro: Text = ""
    export: bool = True
    actions: list[Action] = field(default_factory=list)
    bulk: list[Bulk] = field(default_factory=list)

    @property
    def count_shown(self) -> str:
        """The number of rows, with separators where it is long."""
        return f"{self.table.paginator.count:,}"

    @property
    def narrowed(self) -> bool:
        return bool(self.filterset and self.filterset.used)


def list_page(
    request: DeskRequest,
    *,
    title: Text,
    queryset: QuerySet[Any],
    table: type[Table],
    filterset: type[Filters] | None = None,
    unit: Text = "",
    actions: Sequence[Action] = (),
    bulk: Sequence[Bulk] = (),
    empty: Empty | None = None,
    intro: Text = "",
    export: bool = True,
    per_page: int = PER_PAGE,
    template: str = "ui/list.html",
    context: dict[str, Any] | None = None,
    table_kwargs: dict[str, Any] | None = None,
) -> HttpResponseBase:
    """Answer with the page, its results only (htmx), or a sheet (`?export=xlsx|csv`, the filtered rows in the shown order).

    `queryset` has been through `visible_to(actor)`. The first action is the primary one. Three queries: the person's views of this
    list, count (as far as `MOST_COUNTED`) and page. `?columns=` says which columns are shown and exported; a list called without a query opens as its default view.
    """
    narrowed = filterset(request.GET, queryset=queryset, request=request) if filterset else None
    rows = narrowed.qs if narrowed else queryset
    bulk = [each for each in bulk if each.permission is None or request.actor.can(each.permission)]
    shown = _build(request, table, rows, bool(bulk), table_kwargs or {})
    columns, asked = choose_columns(request, shown)
    if export and (wanted := request.GET.get("export")):
        return _download(shown, str(title), wanted)
    kept = kept_for(request, columns=columns, asked=asked)
    if default := opening(request, kept):
        return default
    _paginate(request, shown, per_page)
    page = _Page(
        title=title,
        unit=unit or _("条"),
        table=shown,
        filterset=narrowed,
        empty=empty or Empty(_("这里还没有记录")),
        kept=kept,
        intro=intro,
        export=export,
        actions=[each for each in actions if each.permission is None or request.actor.can(each.permission)],
        bulk=bulk,
    )
    partial = _wants_results_only(request)
    response = render(request, "ui/list_results.html" if partial else template, {**(context or {}), "page": page})
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response


def _wants_results_only(request: DeskRequest) -> bool:
    htmx: Any = getattr(request, "htmx", None)  # false unless htmx asked
    return bool(htmx) and htmx.target == RESULTS and not htmx.history_restore_request


def _build(
    request: DeskRequest, table: type[Table], rows: QuerySet[Any], select: bool, kwargs: dict[str, Any]
) -> Table:
    if select:
        kwargs = {
            **kwargs,
            "extra_columns": [("selected", SelectColumn()), *kwargs.get("extra_columns", [])],
            "sequence": ["selected", "..."],
        }
    shown = table(rows, **kwargs)
    RequestConfig(request, paginate=False).configure(shown)
    data = shown.data
    if isinstance(getattr(data, "data", None), QuerySet) and not data.data.query.distinct_fields:
        order = data.data.query.order_by or data.data.query.get_meta().ordering
        if "pk" not in order and "-pk" not in order:
            data.data = data.data.order_by(*order, "pk")  # ties must not move between pages
    return shown


def _paginate(request: DeskRequest, shown: Table, per_page: int) -> None:
    pages = type("Pages", (Pages,), {"exactly": request.GET.get(COUNT) == EXACTLY})
    try:
        shown.paginate(paginator_class=pages, page=request.GET.get("page", 1), per_page=per_page)
    except PageNotAnInteger:
        shown.page = shown.paginator.page(1)
    except EmptyPage:
        shown.page = shown.paginator.page(shown.paginator.num_pages)


def _download(shown: Table, title: str, wanted: str) -> HttpResponseBase:
    count = len(shown.rows) if not hasattr(shown.data.data, "count") else shown.data.data.count()
    if count > MOST_ROWS:
        raise Refused(
            _("一次最多导出 %(most)s 行，现在有 %(count)s 行。请先筛选，再分次导出。")
            % {"most": f"{MOST_ROWS:,}", "count": f"{count:,}"}
        )
    header, rows = shown.sheet()
    return export_response(title, header, rows, wanted)
