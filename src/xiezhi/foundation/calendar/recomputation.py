"""Open deadlines that were counted in working days, and what a notice makes of them. Domains register theirs in `ready()`.

A handler finds the open deadlines whose day differs between two tables, and saves those it is given. What is over (已办结、已到期) and what
somebody set by hand is not the rule's any more: it finds neither.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.db import models
from django.utils.functional import Promise

from xiezhi.engines.deadlines import WorkdayTable
from xiezhi.foundation.access.actors import Actor


@dataclass(frozen=True)
class Move:
    """One open deadline of `row`, called `name` by people, from `before` to `after`."""

    row: models.Model
    name: str
    before: datetime
    after: datetime


Find = Callable[[WorkdayTable, WorkdayTable, datetime], list[Move]]
"""(table as it was, table as it will be, now) → the open deadlines that differ. Reads only."""


class Save(Protocol):
    """Writes the new deadlines, in the transaction of the import, each with its audit entry; returns those it wrote."""

    def __call__(self, *, moves: Sequence[Move], actor: Actor, at: datetime) -> Sequence[Move]: ...


@dataclass(frozen=True)
class Handler:
    """What one domain brings: what its deadlines are called, how to find and how to save them."""

    title: str | Promise
    find: Find
    save: Save


_handlers: dict[str, Handler] = {}


def register(key: str, title: str | Promise, *, find: Find, save: Save) -> None:
    """Let a domain's open deadlines follow the calendar. Registering a key again replaces it."""
    _handlers[key] = Handler(title, find, save)


def handlers() -> list[Handler]:
    """Every handler, in the order in which they were registered."""
    return list(_handlers.values())


def moves(before: WorkdayTable, after: WorkdayTable, at: datetime) -> list[tuple[Handler, list[Move]]]:
    """What a change from one table to the other would move, handler by handler; handlers with nothing to move are left out."""
    found = [(handler, handler.find(before, after, at)) for handler in handlers()]
    return [(handler, moved) for handler, moved in found if moved]
