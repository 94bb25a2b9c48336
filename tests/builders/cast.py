"""One small district and the people in it. Monday 2026-11-23, 09:00 in Beijing."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.access.permissions import AccessPermission
from xiezhi.foundation.access.services import actor_for, appoint, open_account
from xiezhi.foundation.accounts.models import User
from xiezhi.foundation.orgs.models import Officer, Organisation

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
TODAY = NOW.date()
PASSWORD = "Xiezhi-2026"
FOUNDER = Actor(role="founder", permissions=frozenset({AccessPermission.MANAGE_PEOPLE.value}), district_wide=True)
DEPARTMENTS = {"scjg": "市场监管局", "xfjy": "消防救援局", "wsjk": "卫生健康委", "csgl": "城市管理委"}
STREETS = {"110199001": "金榆街道", "110199002": "银槐街道"}


@dataclass
class Cast:
    """Organisations by code and people by login name (`scjg.head`), each with the actor they are."""

    district: Organisation
    organisations: dict[str, Organisation] = field(default_factory=dict)
    people: dict[str, User] = field(default_factory=dict)
    actors: dict[str, Actor] = field(default_factory=dict)
    officers: dict[str, list[Officer]] = field(default_factory=dict)
    with_password: Collection[str] | None = None

    def __getitem__(self, code: str) -> Organisation:
        return self.organisations[code]

    def actor(self, username: str) -> Actor:
        return self.actors[username]


def make_cast(*, with_password: Collection[str] | None = None) -> Cast:
    """District posts (coordinator, registrar, administrator, supervisor); four departments with planner, head and inspector each;
    two streets; one station (所) of scjg with an inspector; three certified officers per department. `with_password`: who can log in where hashing is slow; everybody when not told.
    """
    district = Organisation.objects.create(kind="district", code="110199", name="演示区", short_name="演示区")
    cast = Cast(district, with_password=with_password)
    for code, name in STREETS.items():
        cast.organisations[code] = Organisation.objects.create(
            kind="street", code=code, name=f"演示区{name}", short_name=name, parent=district
        )
    for code, name in DEPARTMENTS.items():
        cast.organisations[code] = Organisation.objects.create(
            kind="department", code=code, name=f"演示区{name}", short_name=name[:4], parent=district, qualified=True
        )
    cast.organisations["scjg-1"] = Organisation.objects.create(
        kind="station",
        code="scjg-1",
        name="金榆市场监管所",
        short_name="金榆所",
        parent=cast["scjg"],
        street=cast["110199001"],
        qualified=True,
    )
    for role in ("administrator", "coordinator", "registrar", "supervisor"):
        _person(cast, role, district, role)
    for code in DEPARTMENTS:
        for role in ("planner", "head", "inspector"):
            _person(cast, f"{code}.{role}", cast[code], role)
        cast.officers[code] = [
            Officer.objects.create(
                name=f"演示{code}{number}",
                department=cast[code],
                certificate_number=f"DEMO-{code}-{number}",
                certificate_from=date(2024, 1, 1),
                certificate_to=date(2028, 12, 31),
                user=cast.people[f"{code}.inspector"] if number == 1 else None,
            )
            for number in (1, 2, 3)
        ]
    _person(cast, "scjg-1.inspector", cast["scjg-1"], "inspector")
    return cast


def _person(cast: Cast, username: str, organisation: Organisation, role: str) -> None:
    password = PASSWORD if cast.with_password is None or username in cast.with_password else None
    user = open_account(username=username, display_name=f"演示 {username}", password=password, actor=FOUNDER, at=NOW)
    membership = appoint(
        user=user, organisation=organisation, role=role, starts_on=date(2026, 1, 1), actor=FOUNDER, at=NOW
    )
    cast.people[username] = user
    cast.actors[username] = actor_for(membership)
