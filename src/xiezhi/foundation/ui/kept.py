"""What a person chose for a list: the columns in its address, and the views kept under a name."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.http import HttpResponseRedirect, QueryDict

from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.ui.models import SavedView
from xiezhi.foundation.ui.services import query_to_keep
from xiezhi.foundation.ui.tables import Table

COLUMNS = "columns"
ALWAYS = {"selected", "actions"}
"""Columns that are no facts and stay whatever is chosen."""


@dataclass(frozen=True)
class Choice:
    """One column that can be shown or not; the heading is always shown."""

    name: str
    title: str
    shown: bool
    fixed: bool


@dataclass
class Kept:
    """What the list templates read: columns to choose from, saved views, and what the filters have to carry along."""

    path: str
    columns: list[Choice] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    others: list[tuple[str, str]] = field(default_factory=list)
    views: list[SavedView] = field(default_factory=list)
    query: str = ""

    @property
    def default(self) -> SavedView | None:
        """What opens when the list is called without a query."""
        return next((each for each in self.views if each.is_default), None)

    @property
    def current(self) -> SavedView | None:
        """The view that the list shows now."""
        return next((each for each in self.views if each.query == self.query), None)

    @property
    def clear_url(self) -> str:
        """The list without filters; columns and order stay."""
        query = QueryDict(mutable=True)
        query.setlist(COLUMNS, self.asked)
        if not self.asked and self.default:
            query["all"] = "1"
        return f"{self.path}?{query.urlencode()}" if query else self.path

    @property
    def reset_url(self) -> str:
        """The list with its usual columns; filters stay."""
        query = QueryDict(mutable=True)
        for name, value in self.others:
            query.appendlist(name, value)
        if not self.others and self.default:
            query["all"] = "1"
        return f"{self.path}?{query.urlencode()}" if query else self.path


def choose_columns(request: DeskRequest, table: Table) -> tuple[list[Choice], list[str]]:
    """Hide what `?columns=` leaves out, and say what there is to choose from. Names that the table has not are passed over."""
    facts = [column for column in table.columns if column.name not in ALWAYS and str(column.verbose_name)]
    names = [column.name for column in facts]
    heading = next((name for name in table.phone if name in names), names[0] if names else "")
    asked = [name for name in dict.fromkeys(request.GET.getlist(COLUMNS)) if name in names]
    shown = {heading, *asked} if asked else set(names)
    for name in set(names) - shown:
        table.columns.hide(name)
    table.unwanted = frozenset(table.columns.names()) - shown if asked else frozenset()
    if asked:
        table.phone = (heading, *(name for name in names if name in shown and name != heading))  # type: ignore[misc]
    choices = [Choice(each.name, str(each.verbose_name), each.name in shown, each.name == heading) for each in facts]
    return choices, asked


def kept_for(request: DeskRequest, *, columns: list[Choice], asked: list[str]) -> Kept:
    """What this person keeps about the list at this address. One query."""
    query = QueryDict(query_to_keep(request.GET.urlencode()))
    views = list(SavedView.objects.visible_to(request.actor).filter(path=request.path).order_by("name"))
    return Kept(
        path=request.path,
        columns=columns,
        asked=asked,
        others=[(name, value) for name, values in query.lists() if name != COLUMNS for value in values],
        views=views,
        query=query_to_keep(request.GET.urlencode()),
    )


def opening(request: DeskRequest, kept: Kept) -> HttpResponseRedirect | None:
    """Where a list called without any query leads: to the person's default view of it, if there is one."""
    if request.GET or getattr(request, "htmx", False) or not (kept.default and kept.default.query):
        return None
    return HttpResponseRedirect(kept.default.url)


def by_list(views: Iterable[SavedView]) -> list[tuple[str, list[SavedView]]]:
    """Views under the title of their list."""
    found: dict[str, list[SavedView]] = {}
    for view in views:
        found.setdefault(view.path, []).append(view)
    return [(rows[0].title, rows) for rows in found.values()]
