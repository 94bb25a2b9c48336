"""Each department's own answer to an offered visit: confirm, propose another date, or decline with a reason.

Nobody answers for another department, and silence is no answer (see `escalation`). A visit's date binds only those who confirmed it, so
a change of date asks everybody again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.domains.inspections import rules
from xiezhi.domains.inspections.models import Check, DeclineReason, Participation, Replan, Visit
from xiezhi.domains.inspections.services import telling
from xiezhi.domains.inspections.services.composition import (
    LIVING,
    OPEN_TO_ANSWERS,
    Clock,
    ask_again,
    checks_of,
    hold_capacity,
    lock_visit,
    lock_visits_of,
    settle,
    take_out,
)
from xiezhi.domains.inspections.services.problems import planning_rules, residual_capacity
from xiezhi.domains.inspections.services.replanning import in_words, replan_after
from xiezhi.domains.inspections.workflow import CHECK, PARTICIPATION, VisitStatus
from xiezhi.foundation.access.actors import SYSTEM, Actor
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.orgs.capacity import PoolKey, open_minutes
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.workflow.errors import Refused, Stale
from xiezhi.foundation.workflow.services import advance, advance_many


def _not_changed(visit: Visit, seen_revision: int | None) -> None:
    if seen_revision is not None and visit.revision != seen_revision:
        raise Stale(_("检查日期刚刚改为 %(day)s，请再看一眼再答复。") % {"day": visit.on.isoformat()})


def _answerable(visit: Visit) -> None:
    if visit.status not in OPEN_TO_ANSWERS:
        label = VisitStatus(visit.status).label
        raise Refused(_("这次检查%(status)s，不能再答复。") % {"status": label})


@transaction.atomic
def confirm_part(
    *,
    participation: Participation,
    actor: Actor,
    at: datetime,
    seen_revision: int | None = None,
    seen_status: str | None = None,
) -> Participation:
    """A department's head confirms its part. When nobody needed is missing, the visit stands and its checks are scheduled.

    Raises Stale when the date changed since the page was opened, AlreadyDone on a double click, PermissionRefused for another
    department's part, Refused when the visit cannot be answered any more.
    """
    visit = lock_visit(participation.visit)
    _not_changed(visit, seen_revision)
    part = advance(
        PARTICIPATION, participation, "confirm", actor=actor, at=at, seen_status=seen_status, visit=visit.number
    )
    _answerable(visit)
    was = visit.status
    visit = settle(visit, at=at, because="confirmed")
    if visit.status == VisitStatus.CONFIRMED and was != VisitStatus.CONFIRMED:
        telling.tell_confirmed(visit, list(visit.participations.all()), at=at)
    return part


@transaction.atomic
def decline_part(
    *,
    participation: Participation,
    decline_reason: str,
    reason: str = "",
    actor: Actor,
    at: datetime,
    seen_revision: int | None = None,
    seen_status: str | None = None,
) -> Replan:
    """A department's head declines; its checks leave the visit and are placed again at once, the others go on without it.

    `decline_reason` is of the closed list, `reason` the words beside it (required for 其他). Checks done this period already are not
    arranged again; those that may be done off-site go there; 不宜联合 leads to a visit of the department's own. Raises as `confirm_part`.
    """
    visit = lock_visits_of(participation.visit.premises).get(participation.visit_id) or lock_visit(participation.visit)
    _not_changed(visit, seen_revision)
    chosen = _chosen(decline_reason, reason)
    part = advance(
        PARTICIPATION,
        participation,
        "decline",
        actor=actor,
        at=at,
        reason=reason or str(chosen.label),
        changes={"decline_reason": chosen.value, "reason": reason.strip()[:300]},
        seen_status=seen_status,
        visit=visit.number,
        decline_reason=chosen.value,
    )
    _answerable(visit)
    if chosen == DeclineReason.OFF_SITE:
        _may_go_off_site(visit, part.department_id)
    released = take_out(visit, {part.department_id}, at=at, because="declined")
    visit = settle(visit, at=at, because="declined")
    words = _("：").join(filter(None, [str(chosen.label), reason.strip()]))
    row = _follow_up(visit, part.department, released, chosen, words, at=at)
    _tell_declined(visit, part.department, row, at=at)
    return row


def _tell_declined(visit: Visit, department: Organisation, row: Replan, *, at: datetime) -> None:
    """The others hear who left and what moved; and that the visit stands, when it only waited for this answer."""
    title = _("%(department)s不参加：%(visit)s")
    staying = list(visit.participations.filter(answer__in=LIVING))
    telling.tell_changed(
        visit,
        {each.department_id for each in staying},
        key=f"declined:{department.pk}",
        title=title % {"department": department.short_name, "visit": telling.name_of(visit)},
        body=f"{row.reason}\n{in_words(row)}",
        at=at,
        urgent=any(not move["to_on"] for move in row.moves),
    )
    if visit.status == VisitStatus.CONFIRMED:
        telling.tell_confirmed(visit, staying, at=at)


def _chosen(decline_reason: str, words: str) -> DeclineReason:
    if decline_reason not in DeclineReason.values:
        raise Refused(_("请从列出的原因中选一项。"))
    if decline_reason == DeclineReason.OTHER and not words.strip():
        raise Refused(_("选“其他”时，请写明原因。"))
    return DeclineReason(decline_reason)


def _may_go_off_site(visit: Visit, department_id: int) -> None:
    checks = Check.objects.filter(visit=visit, department_id=department_id).select_related("item_version")
    on_site_only = [check.item_version.name for check in checks if not check.item_version.off_site_possible]
    if on_site_only:
        raise Refused(_("这些事项只能现场检查，不能改为非现场：%(items)s。") % {"items": _("、").join(on_site_only)})


def _follow_up(
    visit: Visit,
    department: Organisation,
    released: Sequence[Check],
    chosen: DeclineReason,
    words: str,
    *,
    at: datetime,
) -> Replan:
    """What becomes of a declined department's checks: they end, go off-site, or are placed again."""
    if chosen in {DeclineReason.ALREADY_DONE, DeclineReason.OFF_SITE}:
        move, left = (
            ("cancel", "already_done") if chosen == DeclineReason.ALREADY_DONE else ("ask_off_site", "off_site")
        )
        changes = {"closing_reason": words[:300]} if chosen == DeclineReason.ALREADY_DONE else {}
        advance_many(CHECK, released, move, actor=SYSTEM, at=at, changes=changes, because="declined")
        moves = [
            {
                "check": check.number,
                "item": check.item_version.name,
                "department": department.short_name,
                "from_visit": visit.number,
                "from_on": visit.on.isoformat(),
                "to_visit": "",
                "to_on": "",
                "to_id": None,
                "left": left,
            }
            for check in released
        ]
        return Replan.objects.create(
            visit=visit, cause=Replan.Cause.DECLINED, reason=words[:300], department=department, at=at, moves=moves
        )
    return replan_after(
        visit=visit,
        checks=released,
        cause=Replan.Cause.DECLINED,
        reason=words,
        department=department,
        closed={(department.pk, visit.on)},
        alone=chosen == DeclineReason.NOT_JOINT,
        at=at,
    )


@dataclass(frozen=True)
class Room:
    """One department's team time on one day: minutes needed (travel included), free and open in all."""

    department: Organisation
    needed: int
    free: int
    open: int


@dataclass(frozen=True)
class DateOption:
    """A day that a visit might move to. `refusal`: why not ("" when it may); `rule`: the key of the rule that forbids it, if one does."""

    on: date
    refusal: str
    rule: str
    rooms: tuple[Room, ...]

    @property
    def load_percent(self) -> int:
        """The share of open time in use after the move, of the department with least left, 0–100."""
        shares = [100 * (room.open - room.free + room.needed) // room.open for room in self.rooms if room.open]
        return min(100, max(shares, default=0))


def dates_for(visit: Visit, *, at: datetime) -> list[DateOption]:
    """Every day within all checks' windows from the first one that leaves time to answer, and whether the visit may move there.

    A day is possible when the door does not rest, every department that still takes part is open and has room for it, nobody has asked
    to leave that day, and urgent checks stay within their first open days (spec/planning, rules 1, 5 and 7).
    """
    checks = checks_of(visit)
    parts = list(visit.participations.filter(answer__in=LIVING).select_related("department").order_by("pk"))
    if not checks or not parts:
        return []
    clock = Clock.on(timezone.localdate(at))
    urgent = [check for check in checks if check.urgent]
    start = max([check.earliest for check in checks] + [clock.first_day(at=at, urgent=bool(urgent))])
    end = min(check.latest for check in checks)
    if start > end:
        return []
    params = planning_rules(on=timezone.localdate(at)).params
    departments = [part.department_id for part in parts]
    open_time = open_minutes(department_ids=departments, start=start, end=end)
    free = residual_capacity(
        department_ids=departments, start=start, end=end, travel_minutes=params.travel_minutes, leaving_out=[visit.pk]
    )
    pools = {part.pk: _pool(part.department_id, visit.premises.street_id, open_time) for part in parts}
    left = {part.department_id: part.proposed_from for part in parts if part.proposed_from}
    days = [start + timedelta(days=n) for n in range((end - start).days + 1)]
    within = _urgent_days(urgent, visit, open_time, days, params.urgent_open_days)
    options = []
    for day in days:
        rooms = tuple(
            Room(
                part.department,
                part.minutes + params.travel_minutes,
                free.get(pools[part.pk], {}).get(day, 0),
                open_time.get(pools[part.pk], {}).get(day, 0),
            )
            for part in parts
        )
        refusal, rule = _refusal(visit, day, rooms, left, parts, within)
        options.append(DateOption(day, refusal, rule, rooms))
    return options


def _pool(department_id: int, street_id: int, pools: dict[PoolKey, dict[date, int]]) -> PoolKey:
    own = PoolKey(department_id, street_id)
    return own if own in pools else PoolKey(department_id, None)


def _rests(visit: Visit, day: date) -> bool:
    return str(day.isoweekday()) in visit.premises.closed_weekdays


def _urgent_days(
    urgent: Sequence[Check], visit: Visit, pools: dict[PoolKey, dict[date, int]], days: Sequence[date], most: int
) -> set[date] | None:
    """The days that rule 7 leaves to urgent checks; None without any."""
    if not urgent:
        return None
    allowed = set(days)
    for department_id in {check.department_id for check in urgent}:
        open_days = pools.get(_pool(department_id, visit.premises.street_id, pools), {})
        allowed &= set([day for day in days if open_days.get(day) and not _rests(visit, day)][:most])
    return allowed


def _refusal(
    visit: Visit,
    day: date,
    rooms: Sequence[Room],
    left: dict[int, date],
    parts: Sequence[Participation],
    within: set[date] | None,
) -> tuple[str, str]:
    if day == visit.on:
        return _("就是现在的日期。"), ""
    if _rests(visit, day):
        return _("场所当天休息。"), ""
    shut = [room.department.short_name for room in rooms if not room.open]
    if shut:
        return _("%(departments)s当天没有力量可派。") % {"departments": _("、").join(shut)}, ""
    full = [room.department.short_name for room in rooms if room.free < room.needed]
    if full:
        return _("%(departments)s当天已排满。") % {"departments": _("、").join(full)}, ""
    asked = [part.department.short_name for part in parts if left.get(part.department_id) == day]
    if asked:
        return _("%(departments)s已提出当天不便。") % {"departments": _("、").join(asked)}, ""
    if within is not None and day not in within:
        return _("紧急检查须在最早的开放日内进行，不得推迟。"), rules.URGENT_OPEN_DAYS.key
    return "", ""


@transaction.atomic
def propose_date(
    *,
    participation: Participation,
    on: date,
    reason: str,
    actor: Actor,
    at: datetime,
    seen_revision: int | None = None,
    seen_status: str | None = None,
) -> Visit:
    """A department that has not answered moves an offered visit to another possible day; it has thereby confirmed, the others are asked again.

    Raises Refused with the rule that forbids the day, without a reason, and for a confirmed visit (decline instead); else as `confirm_part`.
    """
    visit = lock_visit(participation.visit)
    _not_changed(visit, seen_revision)
    if visit.status == VisitStatus.CONFIRMED:
        raise Refused(_("这次检查已经确认，不能由一个部门改期；不能到场的，请选择“不参加”并写明原因。"))
    before = visit.on
    part = advance(
        PARTICIPATION,
        participation,
        "propose",
        actor=actor,
        at=at,
        reason=reason,
        changes={"proposed_from": before, "reason": reason.strip()[:300]},
        seen_status=seen_status,
        visit=visit.number,
    )
    _answerable(visit)
    hold_capacity(at)
    _move(visit, on, at=at)
    record("inspections.visit.move", visit, actor=actor, at=at, **{"from": before.isoformat(), "to": on.isoformat()})
    others = ask_again(visit, but=part.department_id, at=at)
    _keep_move(visit, before, part.department, reason, at=at)
    visit = settle(visit, at=at, because="moved")
    telling.tell_moved(visit, others, part.department, at=at)
    if visit.status == VisitStatus.CONFIRMED:
        telling.tell_confirmed(visit, list(visit.participations.all()), at=at)
    return visit


def _move(visit: Visit, on: date, *, at: datetime) -> None:
    option = next((each for each in dates_for(visit, at=at) if each.on == on), None)
    if option is None:
        raise Refused(
            _("%(day)s 不在各项检查共同的期限内，或已来不及征询其他部门，请另选一天。") % {"day": on.isoformat()}
        )
    if option.refusal:
        raise Refused(_("不能改到 %(day)s：%(why)s") % {"day": on.isoformat(), "why": option.refusal})
    visit.on, visit.revision = on, visit.revision + 1
    visit.answer_by = Clock.on(timezone.localdate(at)).answer_by(on=on, at=at)
    visit.save(update_fields=["on", "revision", "answer_by"])


def _keep_move(visit: Visit, before: date, department: Organisation, reason: str, *, at: datetime) -> None:
    moves = [
        {
            "check": check.number,
            "item": check.item_version.name,
            "department": check.department.short_name,
            "from_visit": visit.number,
            "from_on": before.isoformat(),
            "to_visit": visit.number,
            "to_on": visit.on.isoformat(),
            "to_id": visit.pk,
            "left": "",
        }
        for check in checks_of(visit)
    ]
    Replan.objects.create(
        visit=visit, cause=Replan.Cause.MOVED, reason=reason.strip()[:300], department=department, at=at, moves=moves
    )
