"""One small district in which every address leads somewhere: to something of scjg's own, and to something of others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from io import BytesIO
from typing import Any

import time_machine
from allauth.usersessions.models import UserSession
from django.core.files.base import ContentFile
from openpyxl import Workbook

from tests.architecture.matrix.desks import open_desks
from tests.architecture.matrix.shops import open_shop, rent_to
from tests.builders import prepaid
from tests.builders.cast import FOUNDER, NOW, PASSWORD, TODAY, Cast, make_cast
from tests.builders.inspections import given_case, given_item, given_plan, given_premises, named_row, sampling_row
from tests.builders.registry import a_scene
from tests.builders.visits import VISIT_DAY, given_teams, given_visit, moment
from xiezhi.domains.inspections.models import Check, Draw, Plan, Round, Visit
from xiezhi.domains.inspections.services import catalogue
from xiezhi.domains.inspections.services.rounds import send_round, start_round
from xiezhi.domains.registry.services import queue_name
from xiezhi.foundation.access.services import actor_for, appoint, end_membership, open_account
from xiezhi.foundation.access.services.elevations import request_elevation
from xiezhi.foundation.files.services import store_upload
from xiezhi.foundation.imports import services as imports
from xiezhi.foundation.imports.models import ImportBatch
from xiezhi.foundation.jobs import services as jobs
from xiezhi.foundation.notices.models import Notice
from xiezhi.foundation.notices.services import notify
from xiezhi.foundation.orgs.models import Absence, TeamPattern
from xiezhi.foundation.orgs.services import record_absence
from xiezhi.foundation.privacy.services import enter_request
from xiezhi.foundation.rules.registry import Confidence, Source
from xiezhi.foundation.rules.services import change_rule
from xiezhi.foundation.ui.services import save_view

CLOCK = moment(VISIT_DAY, 10, 30)
"""When the sweep asks: visits of that day are under way, and the deadline for answers to the later ones has passed."""
LATER = VISIT_DAY + timedelta(days=14)
PLAN_HEADER = ("事项代码", "检查类型", "统一社会信用代码", "最早日期", "最晚日期")
OURS, THEIRS = "own", "foreign"
RULE = "inspections.max_departments"


@dataclass(frozen=True)
class Side:
    """Everything that an address can name, once for the bureau that asks and once for another."""

    department: str
    partner: str
    draft: Plan
    filed: Plan
    draw: Draw
    waiting: Check
    off_site: Check
    visits: Mapping[str, Visit]
    batch: ImportBatch
    pattern: TeamPattern
    absence: Absence
    pair: Any
    pending: Any
    item: Any


class World:
    """`cast`, and two `Side`s: scjg (with xfjy as partner), and wsjk (with csgl). Visits with rounds, and
    shops, are made only where they are asked for, because they take their time."""

    def __init__(self, *, visits: bool, shops: bool, cases: bool = False) -> None:
        self.cast = cast = make_cast()
        books = {OURS: prepaid.World(cast), THEIRS: prepaid.World(cast)}
        _appoint_the_rest(cast, books[OURS])
        self.shops = {whose: open_shop(each) for whose, each in books.items()} if shops else {}
        self.desks = open_desks(cast) if cases else {}
        given_teams(cast)
        self.door = given_premises(cast)
        self.scene = a_scene(cast, "empty", "无人的场景")
        self.sides = {
            OURS: _side(cast, "scjg", "xfjy", visits),
            THEIRS: _side(cast, "wsjk", "csgl", visits),
        }
        self.rounds = _rounds(cast) if visits else {}
        self.rule_version = change_rule(
            key=RULE,
            value=4,
            effective_from=LATER,
            source=Source(),
            confidence=Confidence.WORKING_DEFAULT,
            actor=cast.actor("administrator"),
            at=NOW,
        )
        self.asked = enter_request(
            found_by="name", sought="演示无人", identity="演示核实", actor=cast.actor("administrator"), at=NOW
        )
        self.open_jobs = {name: self._job(name) for name in cast.people}
        self.dead_jobs = {name: self._dead_job(name) for name in cast.people}
        self.notices = {name: self._notice(name) for name in cast.people}
        self.views = {name: self._view(name) for name in cast.people}
        self.signed_in = {name: self._signed_in(name) for name in cast.people}
        self.elevations = {name: self._elevation(name) for name in ("scjg.inspector", "csgl.inspector")}
        self.files = {name: self._file(name) for name in cast.people if name != "stranger"}

    def _job(self, name: str) -> int:
        return jobs.enqueue("imports.check", title="演示任务", actor=self.cast.actor(name), at=NOW).pk

    def _dead_job(self, name: str) -> int:
        job = jobs.enqueue("imports.check", title="演示任务", actor=self.cast.actor(name), at=NOW)
        return jobs.cancel(job=job, actor=self.cast.actor(name), at=NOW).pk

    def _notice(self, name: str) -> int:
        person = self.cast.people[name]
        notify([person.pk], key="matrix", title="演示消息", at=NOW)
        return Notice.objects.get(recipient=person, key="matrix").pk

    def _view(self, name: str) -> int:
        kept = {"path": "/desk/tasks/", "title": "任务", "name": "演示视图", "query": "", "is_default": False}
        return save_view(**kept, actor=self.cast.actor(name), at=NOW).pk

    def _signed_in(self, name: str) -> int:
        person = self.cast.people[name]
        return UserSession.objects.create(
            user=person, ip="127.0.0.1", session_key=f"matrix-{person.pk}", user_agent=""
        ).pk

    def _elevation(self, name: str) -> int:
        asked = {"role": "planner", "minutes": 30, "reason": "演示理由"}
        return request_elevation(**asked, actor=self.cast.actor(name), at=NOW).pk

    def _file(self, name: str) -> int:
        content = ContentFile(f"演示,{name}\n".encode(), name="演示.csv")
        return store_upload(content, kinds=["csv"], actor=self.cast.actor(name), at=NOW).pk


def _appoint_the_rest(cast: Cast, books: prepaid.World) -> None:
    """Posts that the fixed cast has not, and a person whose only appointment is over (`stranger`)."""
    mall = prepaid.enterprise(cast, "演示商场")
    rent_to(mall, books)
    posts = {
        "fund_supervisor": cast["scjg"],
        "merchant": books.body,
        "cashier": books.body,
        "mall": mall,
        "bank": books.bank,
        "dispatcher": cast.district,
        "complaint_officer": cast["scjg-1"],
        "stranger": cast["scjg"],
    }
    for name, organisation in posts.items():
        user = open_account(username=name, display_name=f"演示 {name}", password=PASSWORD, actor=FOUNDER, at=NOW)
        role = "head" if name == "stranger" else name
        post = appoint(
            user=user, organisation=organisation, role=role, starts_on=date(2026, 1, 1), actor=FOUNDER, at=NOW
        )
        cast.people[name], cast.actors[name] = user, actor_for(post)
        if name == "stranger":
            end_membership(membership=post, ends_on=TODAY, actor=FOUNDER, at=NOW)


def _side(cast: Cast, department: str, partner: str, visits: bool) -> Side:
    planner = cast.actor(f"{department}.planner")
    item, second = given_item(cast, department), given_item(cast, department)
    off_site = given_item(cast, department, off_site_possible=True)
    far = {"earliest": TODAY + timedelta(days=86), "latest": TODAY + timedelta(days=96)}
    filed = given_plan(
        cast, department, [named_row(off_site, given_premises(cast)), sampling_row(item, **far, quantity=1)]
    )
    door = given_premises(cast)
    absence = record_absence(
        department=cast[department],
        starts_on=LATER + timedelta(days=1),
        ends_on=LATER + timedelta(days=2),
        teams=1,
        reason="演示培训",
        actor=planner,
        at=NOW,
    )
    pair, _new = catalogue.keep_apart(first=item, second=second, reason="演示原因", actor=planner, at=NOW)
    return Side(
        department=department,
        partner=partner,
        draft=given_plan(cast, department, [named_row(item, door)], filed=False),
        filed=filed,
        draw=Draw.objects.get(row__plan=filed),
        waiting=given_case(cast, given_premises(cast), item, earliest=far["earliest"], latest=far["latest"]),
        off_site=Check.objects.get(plan_row__plan=filed, status="off_site_first"),
        visits=_visits(cast, department, partner) if visits else {},
        batch=_batch(cast, department, item.code, door.subject.code),
        pattern=TeamPattern.objects.get(department=cast[department]),
        absence=absence,
        pair=pair,
        pending=queue_name(
            origin="registry.subjects", organisation=cast[department], name=f"演示待匹配{department}", at=NOW
        ),
        item=item,
    )


def _visits(cast: Cast, *departments: str) -> dict[str, Visit]:
    """One in each state; on the day of the sweep where it is under way or over."""
    days = {"suggested": LATER + timedelta(days=3), "offered": LATER, "under_way": VISIT_DAY, "recorded": VISIT_DAY}
    return {status: given_visit(cast, *departments, status=status, on=on) for status, on in days.items()}


def _batch(cast: Cast, department: str, item: str, subject: str) -> ImportBatch:
    """A plan's sheet that was checked and waits to be saved."""
    book, content = Workbook(), BytesIO()
    for row in (PLAN_HEADER, (item, "专项检查", subject, date(2026, 12, 15), date(2026, 12, 31))):
        book.active.append(row)
    book.save(content)
    planner = cast.actor(f"{department}.planner")
    batch, _new = imports.start_import(
        "inspections.plan",
        upload=ContentFile(content.getvalue(), name="演示计划.xlsx"),
        options={"title": "演示导入计划", "starts_on": "2026-03-01", "ends_on": "2027-02-28", "kind": "annual"},
        actor=planner,
        at=NOW,
    )
    batch = imports.map_and_check(batch=batch, mapping=batch.mapping, actor=planner, at=NOW)
    assert batch.job_id
    jobs.run(batch.job_id)
    batch.refresh_from_db()
    return batch


def _rounds(cast: Cast) -> dict[str, Round]:
    """One round that was `sent` to the departments, and one `unsent` that only the coordinator knows of; in both, one check of scjg's
    and one of wsjk's take longer than any team has time."""
    coordinator, first = cast.actor("coordinator"), TODAY + timedelta(days=45)
    window = {"earliest": first, "latest": first + timedelta(days=9)}
    for department in ("scjg", "wsjk"):
        given_case(cast, given_premises(cast), given_item(cast, department, minutes=420), **window)
    made = []
    for ends_on in (first + timedelta(days=30), first + timedelta(days=31)):
        given_case(cast, given_premises(cast), given_item(cast, "scjg"), **window)
        round_ = start_round(starts_on=first, ends_on=ends_on, actor=coordinator, at=NOW)
        assert round_.job_id
        with time_machine.travel(NOW, tick=False):
            jobs.run(round_.job_id)
        round_.refresh_from_db()
        made.append(round_ if made else send_round(round_=round_, actor=coordinator, at=NOW))
    return {"sent": made[0], "unsent": made[1]}
