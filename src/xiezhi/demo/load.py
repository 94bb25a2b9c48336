"""Loading the demo district as its people would: the administrator appoints, the registrar and the planners import, plans are filed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from xiezhi.demo.district import CODE, DEPARTMENTS, INCOMPATIBLE, NAME, STREETS, Department
from xiezhi.demo.plans import Quarter
from xiezhi.demo.sheets import CATALOGUE_FILE, SEED, SUBJECT_FILE, plan_file, write_demo_files
from xiezhi.domains.inspections.models import CatalogueItem, Plan
from xiezhi.domains.inspections.services.catalogue import keep_apart
from xiezhi.domains.inspections.services.filing import file_plan
from xiezhi.domains.registry.services import add_scene
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.access.services import actor_for, appoint, found_district, open_account
from xiezhi.foundation.accounts.models import User
from xiezhi.foundation.audit.models import Entry
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.imports.services import import_now
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.orgs.services import certify_officer, create_organisation, record_absence, set_team_pattern

PASSWORD = "Xiezhi-demo-2026"
"""Known to everybody: the demo listens on 127.0.0.1 only."""
COMPLETE = "demo.loaded"
"""The audit entry's action."""
VISITED = ("SCJG", "XFJY", "WSJK", "CSGL", "SWJU")
"""Departments whose people can sign in; the others' act while loading only (a password hash is slow on purpose)."""
OFFICERS = 6
DISTRICT_POSTS = ("coordinator", "registrar", "supervisor")
SCENES = {
    "catering": ("餐饮", False),
    "hotel": ("酒店", False),
    "mall": ("商圈", False),
    "specialised": ("专精特新", False),
    "undisturbed": ("无事不扰", True),
}
SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦"

Say = Callable[[str], None]


@dataclass
class People:
    """Who acts while the demo is loaded, by login name."""

    actors: dict[str, Actor] = field(default_factory=dict)

    def __getitem__(self, username: str) -> Actor:
        return self.actors[username]


def load_district(folder: Path, quarter: Quarter, *, count: int, say: Say) -> People:
    """Found the district and fill it from freshly written sheets: people, teams, subjects, catalogue; a week before the quarter."""
    at = _before(quarter)
    say("writing the district's sheets")
    write_demo_files(folder, quarter, count=count, seed=SEED)
    say("appointing people")
    people = _appoint_people(at)
    _open_capacity(people["admin"], quarter, at)
    for code, (name, undisturbed) in SCENES.items():
        add_scene(code=code, name=name, undisturbed=undisturbed, actor=people["registrar"], at=at)
    say(f"importing {count} subjects")
    import_now("registry.subjects", path=folder / SUBJECT_FILE, actor=people["registrar"], at=at)
    say("importing the catalogue")
    _import_catalogue(folder / CATALOGUE_FILE, people, at)
    return people


def load_plans(folder: Path, people: People, quarter: Quarter, *, say: Say) -> None:
    """Let every department's planner import and file the plan that lies in `folder`, where there is one."""
    for department in DEPARTMENTS:
        path = plan_file(folder, department)
        if path.exists():
            say(f"importing and filing the plan of {department.short}")
            _import_plan(path, department, people, quarter, _before(quarter))


def remember_complete(people: People, *, at: datetime) -> None:
    """Write into the audit that loading came to its end, so that the database itself knows, wherever its folder is."""
    with transaction.atomic():
        record(COMPLETE, Organisation.objects.get(kind="district"), actor=people["admin"], at=at)


def is_complete() -> bool:
    """Whether the database holds a demo district that was loaded to its end."""
    return Entry.objects.filter(action=COMPLETE).exists()


def _before(quarter: Quarter) -> datetime:
    return timezone.make_aware(datetime.combine(quarter.first - timedelta(days=7), time(9)))


@transaction.atomic
def _appoint_people(at: datetime) -> People:
    people = People()
    first_day = timezone.localdate(at)
    founder = found_district(
        code=CODE, name=NAME, administrator="admin", display_name="演示管理员", password=PASSWORD, at=at
    )
    admin = people.actors["admin"] = actor_for(founder)
    district = founder.organisation

    def person(username: str, organisation: Organisation, role: str) -> None:
        user = open_account(
            username=username,
            display_name=f"演示{SURNAMES[len(people.actors) % len(SURNAMES)]}某",
            password=PASSWORD if organisation.code in (CODE, *VISITED) else None,
            actor=admin,
            at=at,
        )
        post = appoint(user=user, organisation=organisation, role=role, starts_on=first_day, actor=admin, at=at)
        people.actors[username] = actor_for(post)

    for role in DISTRICT_POSTS:
        person(role, district, role)
    streets = {
        code: create_organisation(
            kind="street", code=code, name=f"{NAME}{name}", short_name=name, parent=district, actor=admin, at=at
        )
        for code, name in STREETS.items()
    }
    for department in DEPARTMENTS:
        body = create_organisation(
            kind="department",
            code=department.code,
            name=department.name,
            short_name=department.short,
            parent=district,
            qualified=True,
            actor=admin,
            at=at,
        )
        for role in ("planner", "head", "inspector"):
            person(f"{department.code.lower()}-{role}", body, role)
        if department.street_teams:
            _open_stations(body, streets, admin, at)
        _certify(body, department, admin, at)
    return people


def _open_stations(body: Organisation, streets: dict[str, Organisation], admin: Actor, at: datetime) -> None:
    word = "所" if body.code == "SCJG" else "中队"
    for number, street in enumerate(streets.values(), start=1):
        name = street.short_name.removesuffix("街道")
        create_organisation(
            kind="station",
            code=f"{body.code}-{number:02d}",
            name=f"{name}{body.short_name}{word}",
            short_name=f"{name}{word}",
            parent=body,
            street=street,
            qualified=True,
            actor=admin,
            at=at,
        )


def _certify(body: Organisation, department: Department, admin: Actor, at: datetime) -> None:
    today = timezone.localdate(at)
    inspector = User.objects.get(username=f"{department.code.lower()}-inspector")
    for number in range(1, OFFICERS + 1):
        certify_officer(
            name=f"演示{SURNAMES[number]}{department.short[0]}",
            department=body,
            certificate_number=f"YS-{department.code}-{number:04d}",
            certificate_from=date(today.year - 1, 1, 1),
            certificate_to=date(today.year + 2, 12, 31),
            user=inspector if number == 1 else None,
            actor=admin,
            at=at,
        )


def _open_capacity(admin: Actor, quarter: Quarter, at: datetime) -> None:
    streets = list(Organisation.objects.filter(kind="street").order_by("code"))
    for department in DEPARTMENTS:
        body = Organisation.objects.get(code=department.code)
        pools: list[tuple[Organisation | None, int]] = (
            [(street, department.street_teams) for street in streets] if department.street_teams else []
        )
        for street, teams in pools or [(None, department.teams)]:
            set_team_pattern(
                department=body,
                street=street,
                weekdays="12345",
                teams=teams,
                minutes_per_team=360,
                starts_on=quarter.first,
                actor=admin,
                at=at,
            )
    record_absence(
        department=Organisation.objects.get(code="XFJY"),
        starts_on=quarter.today + timedelta(days=14),
        ends_on=quarter.today + timedelta(days=18),
        teams=2,
        reason="全员实战演练",
        actor=admin,
        at=at,
    )


def _import_catalogue(path: Path, people: People, at: datetime) -> None:
    import_now("inspections.items", path=path, actor=people["coordinator"], at=at)
    items = {item.code: item for item in CatalogueItem.objects.select_related("department")}
    for first, second, reason in INCOMPATIBLE:
        keep_apart(first=items[first], second=items[second], reason=reason, actor=people["coordinator"], at=at)


def _import_plan(path: Path, department: Department, people: People, quarter: Quarter, at: datetime) -> None:
    planner = people[f"{department.code.lower()}-planner"]
    title = f"{department.short}四季度检查计划"
    import_now(
        "inspections.plan",
        path=path,
        actor=planner,
        at=at,
        options={
            "title": title,
            "starts_on": quarter.first.isoformat(),
            "ends_on": quarter.last.isoformat(),
            "kind": "annual",
            "superior_ordered": False,
            "approval_number": "",
            "approved_on": None,
            "published_on": None,
        },
    )
    plan = Plan.objects.get(department__code=department.code, title=title)
    file_plan(plan=plan, actor=planner, at=at, seed=f"demo-{department.code}")
