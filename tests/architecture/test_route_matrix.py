"""Every route, method, role and foreign object stands in one table (matrix/table.txt), and the product answers as it says.

The table says what must be; it is not worked out from what the views say of themselves.
"""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import product

import pytest
import time_machine

from tests.architecture.matrix.addresses import CHANNEL_PAGES
from tests.architecture.matrix.sweep import METHODS, PEOPLE, Line, Sweep, routes, table
from tests.architecture.matrix.world import CLOCK, World
from xiezhi.foundation.access.roles import roles

LINES = table()
ROOMS = list(dict.fromkeys(line.room for line in LINES))
SHARED = {
    "desk:ui_move": "leads nowhere",
    "imports:start": "names a kind of sheet",
    "imports:template": "names a kind of sheet",
    "files:short": "whoever holds the link may open it, for five minutes",
    "access:person": "an administrator keeps everybody's accounts",
    "access:appoint": "an administrator keeps everybody's accounts",
    "access:end": "an administrator keeps everybody's accounts",
    "access:phone": "an administrator keeps everybody's accounts",
    "access:handover": "an administrator keeps everybody's accounts",
    "access:account_act": "an administrator keeps everybody's accounts",
    "access:elevation_detail": "who approves elevations sees all of them",
    "openid_connect_login": "the directory is the district's",
    "openid_connect_callback": "the directory is the district's",
    "calendar:version": "the calendar is the district's",
    **dict.fromkeys(
        [f"privacy:{page}" for page in ("request", "copy", "erase", "close")],
        "who manages requests handles all of them",
    ),
    **dict.fromkeys(
        ["complaints:template", "complaints:template_retire"],
        "templates are the district's, like the articles they rest on",
    ),
    "rules:detail": "rules are the district's",
    "rules:versions": "rules are the district's",
    "rules:change": "rules are the district's",
    "rules:confirm": "rules are the district's",
    "rules:assign": "rules are the district's",
    "rules:withdraw": "rules are the district's",
    "orgs:rename": "an administrator keeps all organisations",
    "registry:subject": "the register is the district's",
    "registry:subject_edit": "the register is the district's",
    "registry:joint_choice": "the register is the district's",
    "registry:premises_new": "the register is the district's",
    "registry:subject_move": "the register is the district's",
    "registry:premises": "the register is the district's",
    "registry:scene": "the register is the district's",
    "registry:scene_remove": "the register is the district's",
    "inspections:round": "a round is of all departments; before it is sent, the coordinator's",
    "inspections:round_visits": "a round is of all departments; before it is sent, the coordinator's",
    "inspections:round_leftovers": "a round is of all departments; before it is sent, the coordinator's",
    "inspections:round_move": "a round is of all departments; before it is sent, the coordinator's",
    **{
        f"complaints:topic{page}": "a topic counts the cases of every unit; only district-wide posts see it"
        for page in ("", "_check", "_move")
    },
    "complaints:key": "keys of the interface are the district's",
    "complaints:mail": "a mail belongs to no unit before it is a case",
    **dict.fromkeys(
        ["open311:discovery", "open311:services", "open311:requests"],
        "only the format is named, and what is told is everybody's",
    ),
    "open311:service": "what can be asked for is the same for everybody",
    "open311:request": "what is published is everybody's",
    "open311:token": "whoever holds a token learns the number of a published request",
    **dict.fromkeys(CHANNEL_PAGES, "names a kind of channel"),
    **{
        f"prepaid-api:{act}": "nobody gets there by logging in; whose card a key opens is tested with the interface"
        for act in ("card", "entries", "top_up", "redeem", "refund", "void", "reverse")
    },
}
"""Routes whose object belongs to no department, and why: there is nothing foreign behind them."""
PARAMETERS = {
    "<int:pk>": "a row's number",
    "<int:row_pk>": "a row's number",
    "<int:part_pk>": "a row's number",
    "<int:check_pk>": "a row's number",
    "<int:draw_pk>": "a row's number",
    "<int:leftover_pk>": "a row's number",
    "<int:tenancy_pk>": "a row's number",
    "<int:of>": "the number of a row beside a complaint",
    "<slug:act>": "what is done to a complaint",
    "<slug:kind>": "what a suggestion is about",
    "<slug:move>": "a move of a transition table",
    "<slug:provider_id>": "the district's directory, always the same word",
    "<int:operation>": "an operation's number",
    "<slug:number>": "a card's random number, which names nobody",
    "<slug:token>": "the random name of a form that is being filled in, which only its browser opens; or of a request sent by an interface",
    "<slug:code>": "the secret of a receipt, which leaves the address at once; or a published service's code",
    "<georeport:fmt>": "xml or json",
    "<str:token>": "the secret of a card holder's link, which leaves the address at once",
    "<str:key>": "a kind of sheet or a rule",
    "<str:kind>": "a kind of object",
    "<str:object_id>": "a row's number, as text",
    "<number>": "a card's random number, which names nobody",
    "<operation>": "an operation's number",
}
"""All that an address may hold: no name, no code, no telephone number, which would stay in logs and histories."""
WITHOUT_TOKEN = {"prepaid-api", "open311"}
"""What tills ask with a signature, and Open311 clients with a key, in place of a cookie: there is no session that somebody else's page
could use."""


def test_every_route_is_listed_and_every_listed_route_exists() -> None:
    known, listed = {name for name, _pattern, _view in routes()}, {line.route for line in LINES}
    assert sorted(known - listed) == [], "say in matrix/table.txt who may come in"
    assert sorted(listed - known) == [], "gone: take them out of matrix/table.txt"


def test_every_name_is_one_route() -> None:
    """Else a line would speak for one of them only."""
    names = [name for name, _pattern, _view in routes()]
    assert sorted({name for name in names if names.count(name) > 1}) == []


def test_every_role_has_its_column() -> None:
    assert {role for role in PEOPLE.values() if role} == set(roles())


def test_no_line_stands_twice() -> None:
    keys = [(line.route, line.method, line.about) for line in LINES]
    assert [key for key in keys if keys.count(key) > 1] == []


def test_every_address_of_an_object_is_asked_for_ones_own_and_for_a_foreign_one() -> None:
    asked: dict[tuple[str, str], set[str]] = defaultdict(set)
    for line in LINES:
        asked[line.route, line.method].add(re.split("[+/]", line.about)[0])
    patterns = {name: pattern for name, pattern, _view in routes()}
    missing = [
        (route, method)
        for (route, method), whose in asked.items()
        if "<" in patterns.get(route, "") and not whose >= ({"any"} if route in SHARED else {"own", "foreign"})
    ]
    assert missing == []
    assert [route for route in SHARED if route not in patterns] == []


def test_addresses_hold_no_personal_data() -> None:
    found = {parameter for _name, pattern, _view in routes() for parameter in re.findall("<[^>]+>", pattern)}
    assert found == set(PARAMETERS)


def test_no_page_takes_a_form_without_its_token() -> None:
    exempt = {name.partition(":")[0] for name, _pattern, view in routes() if getattr(view, "csrf_exempt", False)}
    assert exempt <= WITHOUT_TOKEN


@pytest.mark.django_db
@pytest.mark.parametrize("room", ROOMS)
def test_the_product_answers_as_the_table_says(room: str) -> None:
    lines = [line for line in LINES if line.room == room]
    world = World(visits=room == "inspections", shops=room == "prepaid", cases=room == "complaints")
    with time_machine.travel(CLOCK, tick=False):
        sweep = Sweep(world)
        wrong = [told for line in lines if (told := difference(sweep, line))]
        assert not wrong, "\n".join(["as it is, and as the table says:", *wrong])
        assert sweep.untouched(), "something that was refused changed something"
        assert let_in_without_a_line(sweep, lines) == []
        answers_all = {line.route for line in lines if line.method == "PUT"}
        first = {line.route: line.about for line in reversed(lines) if line.route not in answers_all}
        assert [each for each, about in first.items() if not sweep.keeps_quiet(each, about, "administrator")] == []
        assert sweep.careless == {}, "answers without a header that guards whoever reads them"


def difference(sweep: Sweep, line: Line) -> str:
    """Empty, or the line with what was answered instead, person by person."""
    got = {person: sweep.ask(line, person) for person in PEOPLE}
    if got == line.signs:
        return ""
    people = ", ".join(person for person in PEOPLE if got[person] != line.signs[person])
    told = f"{line.route} {line.method} {line.about or '.'}"
    return f"{told}: {' '.join(got.values())} | {' '.join(line.signs.values())} ({people})"


def let_in_without_a_line(sweep: Sweep, lines: list[Line]) -> list[tuple[str, str, str]]:
    """Route, method and person of every request by a method that the table does not list, and that was not refused with 405."""
    listed = {(line.route, line.method) for line in lines}
    first = {line.route: line for line in reversed(lines)}
    return [
        (route, method, person)
        for (route, line), method, person in product(first.items(), METHODS, PEOPLE)
        if (route, method) not in listed and not sweep.refuses(method, route, line.about, person)
    ]
