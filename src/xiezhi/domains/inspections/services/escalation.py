"""Silence (未答复): reminded, told to the heads, raised to the coordinators, and in the end left out. Never taken as yes.

The ticker calls `chase`; every step is remembered in its own column, so running it twice, or late, changes nothing more.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.domains.inspections.models import Participation, Replan, Visit
from xiezhi.domains.inspections.permissions import InspectionPermission as May
from xiezhi.domains.inspections.services import telling
from xiezhi.domains.inspections.services.composition import (
    LIVING,
    OPEN_TO_ANSWERS,
    Clock,
    lock_visit,
    lock_visits,
    lock_visits_of,
    settle,
    take_out,
)
from xiezhi.domains.inspections.services.replanning import in_words, replan_after
from xiezhi.domains.inspections.workflow import PARTICIPATION, Answer, VisitStatus
from xiezhi.foundation.access.actors import SYSTEM, Actor
from xiezhi.foundation.audit.services import record, record_many
from xiezhi.foundation.notices.services import notify
from xiezhi.foundation.workflow.errors import Refused
from xiezhi.foundation.workflow.services import advance

log = logging.getLogger(__name__)
Due = Callable[[datetime, date], bool]
"""Whether a step is due for a deadline and a visit's day."""
EVERY = timedelta(minutes=1)
CHUNK = 500


def chase(at: datetime) -> dict[str, int]:
    """The ticker's duty: remind, escalate, raise and release whatever is due at `at`. Returns how many parts each step took."""
    clock = Clock.on(timezone.localdate(at))
    steps: tuple[tuple[str, str, Due], ...] = (
        ("remind", "reminded_at", lambda answer_by, on: clock.remind_at(answer_by) <= at < answer_by),
        ("escalate", "escalated_at", lambda answer_by, on: clock.escalate_at(answer_by) <= at),
        ("raise", "raised_at", lambda answer_by, on: clock.raise_at(answer_by, on) <= at),
    )
    done = {}
    for step, column, is_due in steps:
        done[step] = _tell(step, column, _due_visits(is_due, column), clock, at=at)
    done["release"] = 0
    for pk in _due_visits(lambda answer_by, on: clock.release_at(answer_by, on) <= at):
        done["release"] += _release(pk, at=at)
    return done


def _due_visits(is_due: Due, column: str = "") -> list[int]:
    """Ids of visits with a silent part for which `is_due` holds. Deadlines and days are few, so they are judged once each."""
    waiting = Visit.objects.filter(
        status__in=OPEN_TO_ANSWERS, answer_by__isnull=False, participations__in=_silent(column)
    )
    moments = waiting.order_by().values_list("answer_by", "on").distinct()
    due = [(answer_by, on) for answer_by, on in moments if answer_by and is_due(answer_by, on)]
    if not due:
        return []
    wanted = Q()
    for answer_by, on in due:
        wanted |= Q(answer_by=answer_by, on=on)
    return list(waiting.filter(wanted).order_by("pk").values_list("pk", flat=True).distinct())


def _silent(column: str = "") -> QuerySet[Participation]:
    silent = Participation.objects.filter(answer=Answer.PENDING, asked_at__isnull=False)
    return silent.filter(**{f"{column}__isnull": True}) if column else silent


def _tell(step: str, column: str, visit_ids: Sequence[int], clock: Clock, *, at: datetime) -> int:
    """Mark the silent parts of these visits as told and send one notice per department."""
    told = 0
    for start in range(0, len(visit_ids), CHUNK):
        with transaction.atomic():
            locked = lock_visits(visit_ids[start : start + CHUNK])
            parts = list(
                _silent(column)
                .filter(visit_id__in=[pk for pk, visit in locked.items() if visit.status in OPEN_TO_ANSWERS])
                .select_related("department")
                .order_by("pk")
            )
            by_department: dict[int, list[Participation]] = defaultdict(list)
            for part in parts:
                part.visit = locked[part.visit_id]
                # Asked so late that the reminder would come with the question: the question is enough.
                deadline = part.visit.answer_by
                if step == "remind" and deadline and part.asked_at and clock.remind_at(deadline) <= part.asked_at:
                    continue
                by_department[part.department_id].append(part)
            Participation.objects.filter(pk__in=[part.pk for part in parts]).update(**{column: at})
            for department_id, mine in sorted(by_department.items()):
                people = telling.coordinators(at=at) if step == "raise" else telling.heads_of([department_id], at=at)
                telling.tell_silence(people, mine[0].department, mine, step=step, at=at)
                record_many(f"inspections.participation.{step}", mine, actor=SYSTEM, at=at)
            told += sum(map(len, by_department.values()))
    return told


def _release(visit_id: int, *, at: datetime) -> int:
    """Leave the silent departments out of one visit. A visit that fails is logged and tried at the next turn; it holds up no other."""
    try:
        with transaction.atomic():
            premises = Visit.objects.select_related("premises").get(pk=visit_id).premises
            visit = lock_visits_of(premises).get(visit_id)
            if visit is None:
                return 0
            parts = list(visit.participations.filter(answer=Answer.PENDING).select_related("department").order_by("pk"))
            if not parts:
                return 0
            _leave_out(visit, parts, reason=_("逾期未答复"), actor=SYSTEM, at=at)
            return len(parts)
    except Exception:
        log.exception("silent departments of visit %s could not be left out", visit_id)
        return 0


def _leave_out(visit: Visit, parts: Sequence[Participation], *, reason: str, actor: Actor, at: datetime) -> Replan:
    departments = {part.department_id for part in parts}
    for part in parts:
        advance(
            PARTICIPATION, part, "release", actor=actor, at=at, changes={"reason": reason[:300]}, visit=visit.number
        )
    released = take_out(visit, departments, at=at, because="silent")
    was = visit.status
    visit = settle(visit, at=at, because="silent")
    row = replan_after(
        visit=visit,
        checks=released,
        cause=Replan.Cause.SILENT,
        reason=reason,
        department=parts[0].department if len(parts) == 1 else None,
        closed={(department, visit.on) for department in departments},
        at=at,
    )
    names = _("、").join(part.department.short_name for part in parts)
    title = _("%(departments)s未答复，已移出：%(visit)s") % {"departments": names, "visit": telling.name_of(visit)}
    staying = list(visit.participations.filter(answer__in=LIVING))
    telling.tell_changed(
        visit,
        {*departments, *(part.department_id for part in staying)},
        key=f"silent:{parts[0].pk}",
        title=title,
        body=in_words(row),
        at=at,
        urgent=True,
    )
    if visit.status == VisitStatus.CONFIRMED and was != VisitStatus.CONFIRMED:
        telling.tell_confirmed(visit, staying, at=at)
    return row


@transaction.atomic
def remove_silent(
    *, participation: Participation, reason: str, actor: Actor, at: datetime, seen_status: str | None = None
) -> Replan:
    """After the deadline a coordinator goes on without a silent department (未答复移出); its checks are placed again.

    Raises Refused before the deadline, without a reason, or when the department has answered meanwhile.
    """
    actor.require(May.RUN_ROUND)
    visit = lock_visits_of(participation.visit.premises).get(participation.visit_id) or lock_visit(participation.visit)
    if not reason.strip():
        raise Refused(_("请写明理由。"))
    part = Participation.objects.select_for_update(of=("self",)).select_related("department").get(pk=participation.pk)
    if (
        visit.status not in OPEN_TO_ANSWERS
        or part.answer != Answer.PENDING
        or (seen_status is not None and part.answer != seen_status)
    ):
        raise Refused(_("该部门已经答复，或检查已经开始，不能移出。"))
    if visit.answer_by is None or at < visit.answer_by:
        raise Refused(_("答复期限还没有到，不能移出；可以先催办。"))
    return _leave_out(
        visit, [part], reason=_("未答复移出：%(reason)s") % {"reason": reason.strip()}, actor=actor, at=at
    )


@transaction.atomic
def extend_deadline(*, visit: Visit, answer_by: datetime, reason: str, actor: Actor, at: datetime) -> Visit:
    """A coordinator gives the silent departments more time; their reminders begin again.

    Raises Refused for a moment that is past or not later than now set, after the eve of the visit, without a reason, or with nobody silent.
    """
    actor.require(May.RUN_ROUND)
    locked = lock_visit(visit)
    silent = list(locked.participations.filter(answer=Answer.PENDING))
    if locked.status not in OPEN_TO_ANSWERS or not silent or locked.answer_by is None:
        raise Refused(_("没有待答复的部门，不需要延长。"))
    latest = Clock.on(timezone.localdate(at)).last_answer(locked.on)
    if not max(at, locked.answer_by) < answer_by <= latest:
        raise Refused(
            _("新的期限要晚于现在的期限（%(now)s），且不晚于检查日前一个工作日（%(latest)s）。")
            % {"now": telling.moment(locked.answer_by), "latest": telling.moment(latest)}
        )
    if not reason.strip():
        raise Refused(_("请写明理由。"))
    before, locked.answer_by = locked.answer_by, answer_by
    locked.save(update_fields=["answer_by"])
    Participation.objects.filter(pk__in=[part.pk for part in silent]).update(
        asked_at=at, reminded_at=None, escalated_at=None, raised_at=None
    )
    record(
        "inspections.visit.extend",
        locked,
        actor=actor,
        at=at,
        **{"from": before.isoformat(), "to": answer_by.isoformat()},
    )
    Replan.objects.create(visit=locked, cause=Replan.Cause.EXTENDED, reason=reason.strip()[:300], at=at)
    for part in silent:
        notify(
            telling.heads_of([part.department_id], at=at),
            key=f"inspections.extended:{visit.pk}:{answer_by.isoformat()}",
            title=_("答复期限延长到 %(deadline)s：%(visit)s")
            % {"deadline": telling.moment(answer_by), "visit": telling.name_of(locked)},
            at=at,
            link=telling.visit_link(locked),
        )
    return locked
