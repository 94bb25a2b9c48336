"""Ask every address as every person, and say in one sign what came of it."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from django.contrib.auth.models import AnonymousUser
from django.db import connection, transaction
from django.http import HttpResponseBase
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, resolve, reverse

from tests.architecture.matrix.addresses import Aim
from tests.architecture.matrix.world import World
from xiezhi.domains.complaints.services.public import path_to
from xiezhi.foundation.access.actors import NOBODY

TABLE = Path(__file__).with_name("table.txt")
METHODS = ("GET", "POST", "HEAD", "PUT", "PATCH", "DELETE")
PEOPLE = {
    "anonymous": None,
    "holder": None,
    "stranger": None,
    "administrator": "administrator",
    "coordinator": "coordinator",
    "registrar": "registrar",
    "supervisor": "supervisor",
    "scjg.planner": "planner",
    "scjg.head": "head",
    "scjg.inspector": "inspector",
    "fund_supervisor": "fund_supervisor",
    "merchant": "merchant",
    "cashier": "cashier",
    "mall": "mall",
    "bank": "bank",
    "dispatcher": "dispatcher",
    "complaint_officer": "complaint_officer",
}
"""The table's columns: a person, and the role in which they ask; None for those who have no valid post."""
WRITES = ("INSERT", "UPDATE", "DELETE", "COPY", "MERGE")
SESSIONS = "django_session"
NOT_CONTENT = {SESSIONS, "accounts_passing"}
"""What changes as people come and go: sessions, and the counts of their attempts."""
REFUSED = ">x-k"
SIGNS = {200: "o", 303: "R", 401: "k", 403: "x", 404: "-", 409: "c", 422: "!", 503: "u"}
"""What an answer is written as; the legend is in table.txt. 302 is `>` to the login page, `r` after something was done, else `n`."""


HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""What every answer carries as it stands here, beside its policy."""
PROBES = {"healthz", "readyz", "metrics"}
"""Asked by machines; answered before anything else, with a word or a table of figures."""


@dataclass(frozen=True)
class Line:
    """One line of the table: how each person's request is answered."""

    room: str
    route: str
    method: str
    about: str
    signs: Mapping[str, str]


def table() -> list[Line]:
    """The table, as people wrote it. Raises ValueError for a line that is not whole."""
    lines, room = [], ""
    for text in TABLE.read_text("utf-8").splitlines():
        words = text.partition("#")[0].split()
        if len(words) == 1:
            room = words[0]
        elif words:
            route, methods, about, *groups = words
            if len(signs := "".join(groups)) != len(PEOPLE):
                raise ValueError(f"{len(PEOPLE)} signs are needed, one for each person: {text}")
            for method in METHODS if methods == "ALL" else methods.split(","):
                lines.append(Line(room, route, method, about.strip("."), dict(zip(PEOPLE, signs, strict=True))))
    return lines


def routes() -> Iterator[tuple[str, str, Callable[..., Any]]]:
    """Name, pattern and view of everything that the resolver knows."""

    def walk(patterns: list[Any], before: str, space: str) -> Iterator[tuple[str, str, Callable[..., Any]]]:
        for each in patterns:
            if isinstance(each, URLResolver):
                inside = f"{space}{each.namespace}:" if each.namespace else space
                yield from walk(each.url_patterns, before + str(each.pattern), inside)
            else:
                assert isinstance(each, URLPattern)
                yield f"{space}{each.name}", before + str(each.pattern), each.callback

    yield from walk(get_resolver().url_patterns, "", "")


def fingerprint() -> dict[str, str]:
    """A digest of every table with content."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table not in NOT_CONTENT:
                cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # names from the database
                rows = sorted(map(repr, cursor.fetchall()))
                found[table] = hashlib.sha256("\n".join(rows).encode()).hexdigest()
    return found


class Sweep:
    """People at their browsers. Whatever a request changes is taken back before the next."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.clients = {person: self._browser(person, number) for number, person in enumerate(PEOPLE, 1)}
        self.before = fingerprint()
        self.careless: dict[str, set[str]] = defaultdict(set)
        """Routes whose answers lack a header that guards whoever reads them, by the header."""

    def _browser(self, person: str, number: int) -> Client:
        client = Client(raise_request_exception=False, REMOTE_ADDR=f"127.0.1.{number}")
        if person == "holder" and self.world.shops:
            client.get(reverse("my_open", args=[self.world.shops["own"].token]))
        if person == "holder" and self.world.desks:
            client.get(path_to(self.world.desks["own"].cases["lead"]))
        if person in self.world.cast.people:
            client.force_login(self.world.cast.people[person])
        return client

    def ask(self, line: Line, person: str) -> str:
        """The sign of the answer, or its status where there is no sign for it; with a `*` where it changed what it should not have.

        What the table refuses is not taken back, so that `untouched` can prove that all of it together changed nothing.
        """
        aim, client = Aim(self.world, line.route, line.about, person), self.clients[person]
        address, cookies = aim.address(), client.cookies.output(header="", sep=";")
        # A browser sends the token along, so that no form that a person sends is quite empty.
        sent = {"csrfmiddlewaretoken": "-", **aim.sent()} if line.method == "POST" else {}
        with transaction.atomic(), _written() as writes:
            answer = client.post(address, sent) if line.method == "POST" else client.generic(line.method, address)
            self._guarded(line.route, person, answer)
            sign = self._sign(answer, address, bool(writes) or line.method == "POST")
            transaction.set_rollback(line.signs[person] not in REFUSED)
        client.cookies = SimpleCookie(cookies)
        return sign

    def _guarded(self, route: str, person: str, answer: HttpResponseBase) -> None:
        """Note the headers that are missing: nothing of ours may run inline, be framed, be guessed at, tell others where one was, or be
        kept by a cache when it was for one person."""
        if route in PROBES:
            return
        for name, value in HEADERS.items():
            if answer.get(name) != value:
                self.careless[name].add(route)
        policy = answer.get("Content-Security-Policy", "")
        if "unsafe" in policy or not all(each in policy for each in ("default-src 'self'", "frame-ancestors 'none'")):
            self.careless["Content-Security-Policy"].add(route)
        if PEOPLE[person] and "no-store" not in answer.get("Cache-Control", ""):
            self.careless["Cache-Control"].add(route)

    def _sign(self, answer: HttpResponseBase, address: str, may_have_written: bool) -> str:
        status = answer.status_code
        changed = may_have_written and SIGNS.get(status, "?") not in REFUSED and not self.untouched()
        if status == 200 and changed:
            return "w"
        if status != 302:
            return SIGNS.get(status, f"<{status}>") + ("*" if changed else "")
        goal = unquote(answer["Location"])
        if not goal.isascii():
            return "<words in the address>"  # names are Chinese here, and no address needs any
        if goal == f"{reverse('account_login')}?next={address}":
            return ">*" if changed else ">"
        return "r" if changed else "n"

    def untouched(self) -> bool:
        """Whether every table is as it was in the beginning."""
        return fingerprint() == self.before

    def refuses(self, method: str, route: str, about: str, person: str) -> bool:
        """Whether the view itself says 405, whoever asks; without the middleware, which is the same for all."""
        address = Aim(self.world, route, about, person).address()
        view, positional, named = resolve(address)
        request: Any = RequestFactory().generic(method, address)
        actor = self.world.cast.actors.get(person, NOBODY)
        request.actor, request.membership, request.memberships = actor, None, []
        request.user = self.world.cast.people.get(person, AnonymousUser())
        with transaction.atomic():
            transaction.set_rollback(True)
            try:
                answer: HttpResponseBase = view(request, *positional, **named)
            except Exception:  # it went on to work, whatever became of that
                return False
        return answer.status_code == 405

    def keeps_quiet(self, route: str, about: str, person: str) -> bool:
        """Whether OPTIONS is refused, or answered with the methods alone or the way to the login page: nothing of what stands there."""
        with transaction.atomic():
            answer = self.clients[person].options(Aim(self.world, route, about, person).address())
            transaction.set_rollback(True)
        return answer.status_code == 405 or (answer.status_code in {200, 302, 401} and not answer.content)


@contextmanager
def _written() -> Iterator[list[str]]:
    """Collects the statements that write content."""
    found: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.lstrip().upper().startswith(WRITES) and not any(each in sql for each in NOT_CONTENT):
            found.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield found
