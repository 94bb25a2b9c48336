"""Fifty people at their desks, and the desk as fast as it goes: latency of lists and cases among half a million, with a peer beside them.

Server and load share the machine. The client is a few lines of asyncio of our own: load tools on PyPI take several times more processor for a
request (what it takes is printed), and none of the small ones follows links from the page that it was given.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote
from urllib.request import urlopen

from benchmarks.complaints.nearness import FAULTS, GOODS
from benchmarks.complaints.site import migrated, running
from tests.support.postgres import free_port

PEOPLE = 50
THINK_SECONDS = 5.0
LIST = "/desk/complaints/cases/"
ADMIN = "/admin/complaints/case/"
LINK = re.compile(rb'href="(?:/desk/complaints/cases|/admin/complaints/case)/(\d+)/')
HTMX = "HX-Request: true\r\nHX-Target: results\r\n"
SATURATING = (8, 16, 32)


@dataclass
class Person:
    """Somebody signed in, and the cases on the list that they saw last."""

    cookie: str
    rng: random.Random
    seen: list[bytes] = field(default_factory=list)
    line: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None


@dataclass
class Facts:
    """What can be asked for in this district."""

    streets: list[int]
    categories: list[int]
    numbers: list[str]
    firms: list[str]


def measure(folder: Path, *, seconds: int, peer: bool) -> None:
    """Print what a mix of pages takes, first with people who think, then without."""
    with running(folder):
        migrated()
        people, facts = signed_in(), known()
        print((folder / "made").read_text().strip(), flush=True)
        with served([sys.executable, "-m", "xiezhi", "serve"]) as (port, pids):
            trial(Trial(port, people, facts), pids, seconds)
        if peer:
            command = [
                sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--workers", "2",
                "--blocking-threads", "4", "--no-ws", "--log-level", "warning", "benchmarks.complaints.peer:application",
            ]  # fmt: skip
            os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.complaints.peer_settings"
            with served(command) as (port, pids):
                print("Django's own administration on the same table, same server:")
                trial(Trial(port, people, facts, admin=True), pids, seconds)


def signed_in() -> list[Person]:
    """Fifty of the district's people with a session each, made as a login makes it."""
    from django.conf import settings
    from django.test import Client

    from xiezhi.foundation.accounts.models import User

    wanted = r"^(dispatch|bureau|head|officer)\d+$|^scjg\.head$"
    people = []
    for number, user in enumerate(User.objects.filter(username__regex=wanted).order_by("pk")[:PEOPLE]):
        client = Client()
        client.force_login(user)
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        people.append(Person(f"{settings.SESSION_COOKIE_NAME}={session}", random.Random(number)))
    if len(people) < PEOPLE:
        raise SystemExit(f"{len(people)} people instead of {PEOPLE}: make the district anew")
    return people


def known() -> Facts:
    from xiezhi.domains.complaints.models import Category, ExternalNumber
    from xiezhi.domains.registry.models import Subject
    from xiezhi.foundation.orgs.models import Organisation

    return Facts(
        streets=list(Organisation.objects.filter(kind="street").values_list("pk", flat=True)),
        categories=list(Category.objects.values_list("pk", flat=True)),
        numbers=list(ExternalNumber.objects.order_by("-pk").values_list("number", flat=True)[:2000]),
        firms=[name[4:] for name in Subject.objects.order_by("pk").values_list("name", flat=True)[:500]],
    )


@contextmanager
def served(command: list[str]) -> Iterator[tuple[int, list[int]]]:
    """A web server in a process group of its own, up and answering; its port and process."""
    port = free_port()
    process = subprocess.Popen([*command, "--port", str(port)], start_new_session=True)
    try:
        give_up = time.monotonic() + 60
        while True:
            try:
                urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
                break
            except OSError as error:
                if getattr(error, "code", 0):  # it answers, if only to say no
                    break
                if time.monotonic() > give_up or process.poll() is not None:
                    raise SystemExit("the server did not start") from None
                time.sleep(0.2)
        yield port, [process.pid]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


class Trial:
    """One server under one mix. `taken`: kind of page → milliseconds."""

    def __init__(self, port: int, people: list[Person], facts: Facts, *, admin: bool = False) -> None:
        self.port, self.people, self.facts, self.admin = port, people, facts, admin
        self.taken: dict[str, list[float]] = defaultdict(list)
        self.requests = 0

    def next_page(self, person: Person) -> tuple[str, str, str]:
        """What somebody opens next: kind, address and further headers. Two in five are lists, most of them narrowed."""
        rng, chance = person.rng, person.rng.random()
        if chance < 0.45 and person.seen:
            return "case", f"{LIST}{rng.choice(person.seen).decode()}/", ""
        if chance < 0.60 and not self.admin:
            return "next case", f"{LIST}next/", ""
        if chance < 0.72:
            return "list", LIST, ""
        return "list narrowed", f"{LIST}?{self.narrowed(rng)}", "" if rng.random() < 0.5 else HTMX

    def narrowed(self, rng: random.Random) -> str:
        """Filters, words, an order or a further page, as people use them."""
        facts = self.facts
        return rng.choice(
            [
                f"stage={rng.choice(['open', 'late', 'ended'])}",
                f"kind={rng.choice(['complaint', 'report', 'help'])}&status={rng.choice(['handling', 'mediating', 'closed'])}",
                f"category={rng.choice(facts.categories)}",
                f"street={rng.choice(facts.streets)}&channel=12345",
                f"stage=open&sort={rng.choice(['-received_at', 'respondent', 'number'])}",
                f"q={quote(rng.choice(facts.numbers))}",
                f"q={quote(rng.choice(facts.firms))}",
                f"q={quote(rng.choice(GOODS) + ' ' + rng.choice(FAULTS)[:4])}",
                f"page={rng.randrange(2, 20)}",
                f"category={rng.choice(facts.categories)}&page={rng.randrange(2, 6)}",
            ]
        )

    async def sit(self, person: Person, until: float, think: float) -> None:
        """One person: open, read, open again."""
        if think:
            await asyncio.sleep(person.rng.random() * think)
        while time.monotonic() < until:
            kind, path, headers = self.next_page(person)
            began = time.perf_counter()
            try:
                body = await self.get(person, path, headers)
            except (
                asyncio.IncompleteReadError,
                ConnectionError,
            ):  # the server hangs up on whoever says nothing for long
                person.line = None
                body = await self.get(person, path, headers)
            self.taken[kind].append((time.perf_counter() - began) * 1000)
            if kind.startswith("list"):
                person.seen = LINK.findall(body) or person.seen
            if think:
                await asyncio.sleep(person.rng.expovariate(1 / think))
        if person.line:
            person.line[1].close()
            person.line = None

    async def get(self, person: Person, path: str, headers: str) -> bytes:
        """The page at `path`, led on where the answer leads on. Raises RuntimeError for anything but a page."""
        if self.admin:
            path = as_admin(path)
        if person.line is None:
            person.line = await asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = person.line
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {person.cookie}\r\n{headers}\r\n".encode())
        self.requests += 1
        head = await reader.readuntil(b"\r\n\r\n")
        status, length = int(head[9:12]), re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        body = await reader.readexactly(int(length[1])) if length else b""
        if status in {301, 302}:
            onward = re.search(rb"location: (\S+)", head, re.IGNORECASE)
            if onward and b"login" not in onward[1]:
                return await self.get(person, onward[1].decode(), headers)
        if status != 200 or not length:
            raise RuntimeError(f"{path} answered {head[:200]!r}")
        return body

    def run(self, seconds: float, people: int, think: float) -> float:
        """So many people for so long; the seconds that it took."""
        self.taken.clear()
        self.requests = 0
        began = time.monotonic()

        async def all_of_them() -> None:
            until = time.monotonic() + seconds
            await asyncio.gather(*(self.sit(each, until, think) for each in self.people[:people]))

        asyncio.run(all_of_them())
        return time.monotonic() - began


def as_admin(path: str) -> str:
    """The same in the administration's words."""
    path = path.replace(LIST, ADMIN)
    path = path.replace("stage=open", "status__exact=handling").replace("stage=ended", "status__exact=closed")
    path = path.replace("stage=late", "status__exact=mediating").replace("page=", "p=")
    path = path.replace("sort=-received_at", "o=-6").replace("sort=respondent", "o=4").replace("sort=number", "o=1")
    path = re.sub(r"\b(kind|status|channel)=", r"\1__exact=", path)
    return re.sub(r"\b(category|street)=", r"\1__id__exact=", path)


def trial(each: Trial, pids: list[int], seconds: int) -> None:
    """Warm up, let everybody work for a while, then as fast as it goes."""
    random.Random(1).shuffle(each.people)
    each.run(min(10, seconds), 8, 0)
    rows = [(f"{PEOPLE} people, {THINK_SECONDS:g} s to think", seconds, PEOPLE, THINK_SECONDS)]
    rows += [(f"{count} at once", max(5, seconds // 4), count, 0) for count in SATURATING]
    for name, length, people, think in rows:
        used, own = processor(pids), time.process_time()
        spent = each.run(length, people, think)
        count = sum(map(len, each.taken.values()))
        used, own = processor(pids) - used, time.process_time() - own
        print(
            f"{name}: {each.requests / spent:.0f} requests ({count / spent:.0f} pages) a second; server {1000 * used / count:.1f} ms of processor a page, "
            f"client {100 * own / spent:.0f} % of one core; load {os.getloadavg()[0]:.1f}"
        )
        for kind, taken in [("all", [ms for some in each.taken.values() for ms in some]), *sorted(each.taken.items())]:
            told = {
                name: round(quantile(taken, part), 1) for name, part in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
            }
            print(f"    {kind:14} {len(taken):6} pages  {json.dumps(told)}", flush=True)


def quantile(taken: list[float], part: float) -> float:
    ordered = sorted(taken)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def processor(pids: list[int]) -> float:
    """Seconds of processor that these processes and all that they started have had so far."""
    parents, used = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            facts = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(folder.name)] = int(facts[1])
        used[int(folder.name)] = (int(facts[11]) + int(facts[12])) / os.sysconf("SC_CLK_TCK")
    found = set(pids)
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return sum(used.get(pid, 0) for pid in found)
