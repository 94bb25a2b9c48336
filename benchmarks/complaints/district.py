"""A made-up district for the complaint desk: sixteen streets with their stations, other departments, malls, firms, and who works the desk."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from benchmarks.complaints.nearness import NAMES, merchant_name

STREETS = 16
MALLS = 24
FIRMS = 8_000
SHOPS_IN_MALLS = 0.18
DISPATCHERS, HEADS, DEPARTMENT_OFFICERS = 4, 2, 4
OFFICERS = 40
"""At the stations; with those above fifty people."""


@dataclass
class Firm:
    """A subject with its one door: its shop's number in `nearness`, keys, and what a case says of it."""

    number: int
    subject: int
    premises: int
    name: str
    code: str
    address: str
    street: int
    mall: int | None
    longitude: str
    latitude: str


@dataclass
class District:
    """Keys of what cases point to. `stations`: street → (station, its officers); `others`: departments beside the bureau."""

    district: int = 0
    bureau: int = 0
    stations: dict[int, tuple[int, list[int]]] = field(default_factory=dict)
    others: list[int] = field(default_factory=list)
    firms: list[Firm] = field(default_factory=list)
    dispatchers: list[int] = field(default_factory=list)
    heads: list[int] = field(default_factory=list)
    short_names: dict[int, str] = field(default_factory=dict)


def build(rng: random.Random) -> District:
    """Make it, in a migrated, empty database."""
    from tests.builders.cast import make_cast
    from xiezhi.foundation.orgs.models import Organisation

    cast = make_cast(with_password=())
    made = District(district=cast.district.pk, bureau=cast["scjg"].pk)
    made.others = [cast[code].pk for code in ("xfjy", "wsjk", "csgl")]
    streets = [cast["110199001"], cast["110199002"]]
    for number in range(3, STREETS + 1):
        name = "".join(rng.sample(NAMES, 2))
        streets.append(
            Organisation.objects.create(
                kind="street", code=f"1101990{number:02d}", name=f"演示区{name}{number}街道", short_name=f"{name}街道",
                parent=cast.district,
            )
        )  # fmt: skip
    stations = [cast["scjg-1"]]
    for number, street in enumerate(streets[1:], 2):
        stations.append(
            Organisation.objects.create(
                kind="station", code=f"scjg-{number}", name=f"{street.short_name[:-2]}第{number}市场监管所",
                short_name=f"{street.short_name[:-2]}所", parent=cast["scjg"], street=street,
            )
        )  # fmt: skip
    malls = [
        Organisation.objects.create(
            kind="enterprise", code=f"mall-{number}", name=f"演示第{number}购物中心", short_name=f"演示{number}城",
            parent=cast.district,
        )
        for number in range(1, MALLS + 1)
    ]  # fmt: skip
    made.firms = _firms(rng, streets, malls)
    made.dispatchers = [_person(f"dispatch{n}", cast.district, "dispatcher") for n in range(DISPATCHERS)]
    made.heads = [cast.people["scjg.head"].pk, _person("head1", cast["scjg"], "head")]
    for number in range(DEPARTMENT_OFFICERS):
        _person(f"bureau{number}", cast["scjg"], "complaint_officer")
    for number in range(OFFICERS):
        place = number % STREETS
        people = made.stations.setdefault(streets[place].pk, (stations[place].pk, []))[1]
        people.append(_person(f"officer{number}", stations[place], "complaint_officer"))
    made.short_names = dict(Organisation.objects.values_list("pk", "short_name"))
    return made


def _person(username: str, organisation: Any, role: str) -> int:
    from tests.builders.cast import FOUNDER, NOW
    from xiezhi.foundation.access.services import appoint, open_account

    user = open_account(username=username, display_name=f"演示 {username}", password=None, actor=FOUNDER, at=NOW)
    appoint(user=user, organisation=organisation, role=role, starts_on=date(2024, 1, 1), actor=FOUNDER, at=NOW)
    return user.pk


def _firms(rng: random.Random, streets: list[Any], malls: list[Any]) -> list[Firm]:
    from django.utils import timezone

    from tests.builders.registry import fictional_code
    from xiezhi.domains.registry.matching import normal_name
    from xiezhi.domains.registry.models import Premises, Subject, Tenancy

    now = timezone.now()
    names = [f"北京示例{merchant_name(number)}{number}号店" for number in range(FIRMS)]
    subjects = Subject.objects.bulk_create(
        Subject(code=fictional_code(500_000 + n), name=name, normal_name=normal_name(name), updated_at=now)
        for n, name in enumerate(names)
    )
    doors, homes = [], []
    for number, subject in enumerate(subjects):
        mall = malls[int(rng.random() ** 2 * MALLS)] if rng.random() < SHOPS_IN_MALLS else None
        street = streets[mall.pk % STREETS if mall else int(rng.random() ** 1.4 * STREETS)]
        homes.append((street, mall))
        doors.append(
            Premises(
                subject=subject, address=f"演示{street.short_name[:-2]}路{number % 400 + 1}号", street=street,
                longitude=f"{116.2 + rng.random() * 0.3:.6f}", latitude=f"{39.8 + rng.random() * 0.2:.6f}",
            )
        )  # fmt: skip
    doors = Premises.objects.bulk_create(doors)
    Tenancy.objects.bulk_create(
        Tenancy(mall=mall, subject=subject, unit=f"F{subject.pk}", starts_on=date(2021, 1, 1))
        for subject, (_street, mall) in zip(subjects, homes, strict=True)
        if mall
    )
    return [
        Firm(
            number, subject.pk, door.pk, subject.name, subject.code, door.address, street.pk, mall.pk if mall else None,
            str(door.longitude), str(door.latitude),
        )
        for number, (subject, door, (street, mall)) in enumerate(zip(subjects, doors, homes, strict=True))
    ]  # fmt: skip
