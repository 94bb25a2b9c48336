"""`/` search over everything one may see (全局搜索). Rooms register what can be found in their `search` module, which the desk loads.

A room's finder starts at `visible_to(actor)`, so nothing is found that could not be opened. People's numbers are never looked through.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Case, Q, QuerySet, Value, When
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.ui.statuses import Look

Text = str | Promise
MOST_LETTERS, MOST_WORDS = 60, 6
LEAST_LETTERS = 2
PHONE = re.compile(r"(\+?86)?1[3-9]\d{9}")
IDENTITY = re.compile(r"[1-6]\d{5}(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])\d{3}[\dX]")


@dataclass(frozen=True)
class Hit:
    """One thing found: its name, its page, a line that tells it from its like, and its status."""

    title: Text
    url: str
    text: Text = ""
    look: Look | None = None


@dataclass(frozen=True)
class Found:
    """The first `hits` of one kind; `more` when there are others, `count()` how many there are in all."""

    hits: Sequence[Hit]
    more: bool
    count: Callable[[], int]


Find = Callable[[Actor, Sequence[str], int], Found]


@dataclass(frozen=True)
class Kind:
    """One kind of things that can be found. `more`: the URL name of a list that understands `?q=`; empty when there is none."""

    key: str
    title: Text
    icon: str
    find: Find
    permission: str | None
    more: str
    order: int


@dataclass(frozen=True)
class Group:
    """What was found of one kind."""

    kind: Kind
    found: Found
    words: Sequence[str]

    @property
    def total(self) -> int:
        """How many there are in all; asks the database only when not all are here."""
        return self.found.count() if self.found.more else len(self.found.hits)

    @property
    def more_url(self) -> str:
        """The list of all of them; empty without one."""
        return f"{reverse(self.kind.more)}?{urlencode({'q': ' '.join(self.words)})}" if self.kind.more else ""


@dataclass(frozen=True)
class Asked:
    """What was typed, as words to look for; `note` says why nothing is looked for."""

    words: Sequence[str] = ()
    note: str = ""


_kinds: dict[str, Kind] = {}


def register(
    key: str, title: Text, icon: str, *, find: Find, permission: str | None = None, more: str = "", order: int = 100
) -> None:
    """Let `find(actor, words, limit)` answer for one kind; every word must occur. `permission`: what opening its pages takes."""
    _kinds[key] = Kind(key, title, icon, find, permission, more, order)


def ask(text: str) -> Asked:
    """Read what was typed. One letter alone would find everything; a phone or identity number is not looked for at all."""
    text = text.replace("\x00", "").strip()[:MOST_LETTERS]
    bare = re.sub(r"[\s-]", "", text).upper()
    if PHONE.fullmatch(bare) or IDENTITY.fullmatch(bare):
        return Asked(note=_("手机号和证件号不能用来搜索。请按名称或编号找。"))
    if len(bare) < LEAST_LETTERS:
        return Asked(note=_("请至少写两个字。") if bare else "")
    return Asked(tuple(text.split()[:MOST_WORDS]))


def search(actor: Actor, words: Sequence[str], *, limit: int) -> list[Group]:
    """What `actor` may see in which every word occurs, by kind, at most `limit` of each; kinds without any are left out."""
    if not words:
        return []
    usable = [each for each in _kinds.values() if each.permission is None or actor.can(each.permission)]
    groups = [
        Group(each, each.find(actor, words, limit), words) for each in sorted(usable, key=lambda each: each.order)
    ]
    return [group for group in groups if group.found.hits]


def holding(rows: QuerySet[Any], words: Sequence[str], *columns: str) -> QuerySet[Any]:
    """Rows in which every word occurs in one of the columns."""
    for word in words:
        found = Q()
        for column in columns:
            found |= Q(**{f"{column}__icontains": word})
        rows = rows.filter(found)
    return rows


def closest(rows: QuerySet[Any], words: Sequence[str], column: str, *then: str) -> QuerySet[Any]:
    """First those whose `column` begins with the first word, then in the order of `then`."""
    begins = When(**{f"{column}__istartswith": words[0]}, then=Value(0))
    return rows.order_by(Case(begins, default=Value(1)), *(then or (column,)), "pk")


def first_of(rows: QuerySet[Any], limit: int, show: Callable[[Any], Hit]) -> Found:
    """The first rows as hits; one query, and another only when somebody asks for the count."""
    read = list(rows[: limit + 1])
    return Found([show(each) for each in read[:limit]], len(read) > limit, rows.count)
