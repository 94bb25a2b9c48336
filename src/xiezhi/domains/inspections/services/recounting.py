"""Deadlines for answers (答复期限) follow a new holiday notice, as long as somebody may still answer in time."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.domains.inspections.models import Participation, Visit
from xiezhi.domains.inspections.services import telling
from xiezhi.domains.inspections.services.composition import OPEN_TO_ANSWERS, Clock, lock_visits
from xiezhi.domains.inspections.workflow import Answer
from xiezhi.engines.deadlines import WorkdayTable
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.calendar.recomputation import Move
from xiezhi.foundation.notices.services import notify


def moved_answers(before: WorkdayTable, after: WorkdayTable, at: datetime) -> list[Move]:
    """Visits whose silent departments have another day to answer by under `after`.

    Left alone: a deadline that has passed, one that a coordinator set by hand (it is not what the rule gives under `before`), and
    one that would have passed already under `after`.
    """
    silent = Participation.objects.filter(
        answer=Answer.PENDING, asked_at__isnull=False, visit__status__in=OPEN_TO_ANSWERS, visit__answer_by__gt=at
    )
    asked: dict[int, set[datetime]] = defaultdict(set)
    for visit_id, moment in silent.values_list("visit_id", "asked_at"):
        asked[visit_id].add(moment)  # type: ignore[arg-type]  # the filter leaves no empty ones
    clocks: dict[tuple[object, bool], Clock] = {}

    def answer_by(visit: Visit, moment: datetime, new: bool) -> datetime:
        day = timezone.localdate(moment)
        if (day, new) not in clocks:
            clocks[day, new] = replace(Clock.on(day), table=after if new else before)
        return clocks[day, new].answer_by(on=visit.on, at=moment)

    moves = []
    for visit in Visit.objects.filter(pk__in=asked).select_related("premises__subject").order_by("pk"):
        by_rule = [moment for moment in asked[visit.pk] if answer_by(visit, moment, False) == visit.answer_by]
        if not by_rule or visit.answer_by is None:
            continue
        later = answer_by(visit, by_rule[0], True)
        if later != visit.answer_by and later > at:
            moves.append(Move(visit, telling.name_of(visit), visit.answer_by, later))
    return moves


def save_answers(*, moves: Sequence[Move], actor: Actor, at: datetime) -> list[Move]:
    """Write the new deadlines, begin the reminders of those that got more time again, and tell the departments that are asked.

    A visit that was answered or changed meanwhile stays as it is.
    """
    locked = lock_visits([move.row.pk for move in moves])
    saved = []
    for move in moves:
        visit = locked.get(move.row.pk)
        if visit is None or visit.status not in OPEN_TO_ANSWERS or visit.answer_by != move.before:
            continue
        visit.answer_by = move.after
        visit.save(update_fields=["answer_by"])
        silent = visit.participations.filter(answer=Answer.PENDING)
        if move.after > move.before:
            silent.update(reminded_at=None, escalated_at=None, raised_at=None)
        details = {"from": move.before.isoformat(), "to": move.after.isoformat()}
        record("calendar.deadline_moved", visit, actor=actor, at=at, **details)
        notify(
            telling.heads_of(list(silent.values_list("department_id", flat=True)), at=at),
            key=f"inspections.recounted:{visit.pk}:{move.after.isoformat()}",
            title=_("放假安排变了，答复期限改为 %(deadline)s：%(visit)s")
            % {"deadline": telling.moment(move.after), "visit": move.name},
            at=at,
            link=telling.visit_link(visit),
        )
        saved.append(move)
    return saved
