"""What happened in the demo district before it is looked at: one round confirmed and carried out, a second sent out and half answered.

Each piece is one transaction: a commit for every confirmation and result would spend most of the loading on waiting for the disk.
"""

import random
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from django.db import transaction
from django.utils import timezone

from xiezhi.demo.load import People, Say
from xiezhi.demo.plans import Quarter
from xiezhi.domains.inspections.models import Check, Participation, Round, Visit
from xiezhi.domains.inspections.services.confirmation import confirm_part
from xiezhi.domains.inspections.services.results import Found, finish_visit, officers_for, record_result, start_visit
from xiezhi.domains.inspections.services.rounds import plan_horizon, save_plan, send_round, start_round, waiting_checks
from xiezhi.domains.inspections.workflow import Answer, VisitStatus
from xiezhi.engines.deadlines import add_workdays
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.calendar.queries import workday_table
from xiezhi.foundation.jobs.services import run
from xiezhi.foundation.notices.services import mark_read

SEED = 58
FOUND_IN = 0.18
"""Share of past checks in which something was found."""
ANSWERED_IN = 0.45
"""Share of the second round's parts that are confirmed already."""
SILENT = frozenset({"XFJY", "WSJK", "SCJG"})
"""Departments that have not answered anything yet, so that there is something to do after signing in."""
HORIZON = timedelta(days=20)
"""How far the second round reaches; later checks are left for a round of the visitor's own."""


def tell_the_past(people: People, quarter: Quarter, *, say: Say) -> None:
    """The first round: planned the week before the quarter, confirmed by everybody, carried out and recorded; today's visits are left to
    the visitor. None if nothing was due."""
    last = quarter.today
    if not waiting_checks(start=quarter.first, end=last):
        return
    say("planning the past weeks (the very first planning compiles its kernels)")
    planned_at = _at(quarter.first - timedelta(days=3), 10)
    round_ = start_round(starts_on=quarter.first, ends_on=last, seed=SEED, actor=people["coordinator"], at=planned_at)
    planned = plan_horizon(round_=round_, on=planned_at.date())
    save_plan(round_=round_, planned=planned, actor=people["coordinator"], at=planned_at)
    run(round_.job_id or 0)  # finds the round complete and has nothing left to do
    say("confirming and recording the past weeks")
    _confirm_all(round_, people, planned_at)
    _carry_out_all(round_, people, before=quarter.today)
    for actor in people.actors.values():  # what lies weeks back was read
        mark_read(notice_ids=None, actor=actor, at=_at(quarter.today - timedelta(days=1), 17))


@transaction.atomic
def _confirm_all(round_: Round, people: People, planned_at: datetime) -> None:
    send_round(round_=round_, actor=people["coordinator"], at=planned_at + timedelta(hours=1))
    parts = Participation.objects.filter(visit__round=round_).select_related("visit", "department").order_by("pk")
    for part in parts:
        confirm_part(participation=part, actor=_head(people, part), at=planned_at + timedelta(hours=3))


@transaction.atomic
def _carry_out_all(round_: Round, people: People, *, before: date) -> None:
    chance = random.Random(SEED)
    for visit in Visit.objects.filter(round=round_, status=VisitStatus.CONFIRMED, on__lt=before).order_by("on", "pk"):
        _carry_out(visit, people, chance)


def _carry_out(visit: Visit, people: People, chance: random.Random) -> None:
    came = _at(visit.on, chance.choice((9, 10, 14, 15)))
    left = came + timedelta(minutes=max(10, round(visit.on_site_minutes * chance.uniform(0.8, 1.1))))
    parts = list(visit.participations.select_related("department", "visit__premises__subject").order_by("pk"))
    for part in parts:
        start_visit(visit=visit, officers=officers_for(part, on=visit.on)[:2], actor=_inspector(people, part), at=came)
    checks = Check.objects.filter(visit=visit).select_related("item_version", "department", "visit").order_by("pk")
    for check in checks:
        record_result(
            check=check,
            found=_finding(check, chance, on=visit.on),
            actor=people[f"{check.department.code.lower()}-inspector"],
            at=left,
        )
    finish_visit(visit=visit, actor=_inspector(people, parts[0]), at=left)


def _finding(check: Check, chance: random.Random, *, on: date) -> Found:
    lines = {str(line.position): "ok" for line in check.item_version.form_lines.order_by("position")}
    if chance.random() >= FOUND_IN:
        return Found(codes=["1"], answers=lines)
    if lines:
        lines[chance.choice(sorted(lines))] = "problem"
    if chance.random() < 0.6:
        return Found(codes=["E"], answers=lines, finding="记录不全，当场补正。", order="当场改正。")
    return Found(
        codes=["A"],
        answers=lines,
        finding="现场与要求不符，须限期整改。",
        order="责令限期改正。",
        rectify_by=on + timedelta(days=15),
    )


def open_the_present(people: People, quarter: Quarter, *, say: Say) -> Round:
    """The second round: planned and sent today; some departments have answered, others have yet to."""
    say("planning the coming weeks")
    now = timezone.now()
    table = workday_table(quarter.today.year - 1, quarter.today.year + 1)
    starts_on = add_workdays(quarter.today, 4, table).on
    round_ = start_round(
        starts_on=starts_on, ends_on=starts_on + HORIZON, seed=SEED, actor=people["coordinator"], at=now
    )
    run(round_.job_id or 0)
    round_.refresh_from_db()
    send_round(round_=round_, actor=people["coordinator"], at=timezone.now())
    say("answering for some departments")
    _answer_some(round_, people)
    return round_


@transaction.atomic
def _answer_some(round_: Round, people: People) -> None:
    chance = random.Random(SEED)
    parts: Sequence[Participation] = list(
        Participation.objects.filter(visit__round=round_, answer=Answer.PENDING)
        .exclude(department__code__in=SILENT)
        .select_related("visit", "department")
        .order_by("visit__on", "pk")[:300]
    )
    for part in parts:
        if chance.random() < ANSWERED_IN:
            confirm_part(participation=part, actor=_head(people, part), at=timezone.now())


def _head(people: People, part: Participation) -> Actor:
    return people[f"{part.department.code.lower()}-head"]


def _inspector(people: People, part: Participation) -> Actor:
    return people[f"{part.department.code.lower()}-inspector"]


def _at(day: date, hour: int) -> datetime:
    return timezone.make_aware(datetime.combine(day, time(hour)))
