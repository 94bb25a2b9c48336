"""What follows when checks leave a visit: they are placed again at once, and nothing moves that need not.

Confirmed visits stay where they are; offered visits of the same door stay too, unless a check would otherwise have no date. The planner
sees only this door and the team time that nobody has been promised. Every consequence is the system's own act, kept in a `Replan`.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.domains.inspections.models import Check, Leftover, Participation, Replan, Visit
from xiezhi.domains.inspections.services import telling
from xiezhi.domains.inspections.services.composition import (
    Clock,
    checks_of,
    hold_capacity,
    lock_visits_of,
    release_checks,
)
from xiezhi.domains.inspections.services.eligibility import eligible_checks
from xiezhi.domains.inspections.services.problems import Window, planning_problem, planning_rules, unplaced_reasons
from xiezhi.domains.inspections.services.visits import VisitDraft, create_visits, draft_of, offer_visits
from xiezhi.domains.inspections.workflow import VISIT, Answer, CheckStatus, VisitStatus
from xiezhi.domains.registry.models import Premises
from xiezhi.foundation.access.actors import SYSTEM, Actor
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.workflow.services import advance

if TYPE_CHECKING:  # imported where it is used: see services.problems
    from xiezhi.engines.planning import Params, Plan, Problem

SEED = 1
CHANGED = (Answer.DECLINED, Answer.RELEASED)
Closed = Collection[tuple[int, date]]


@dataclass
class Outcome:
    """What a re-planning did: new drafts, why the rest was left (by check id), and offered visits that had to give way."""

    drafts: list[VisitDraft] = field(default_factory=list)
    left: dict[int, str] = field(default_factory=dict)
    given_way: list[Visit] = field(default_factory=list)


@transaction.atomic
def replan_after(
    *,
    visit: Visit,
    checks: Sequence[Check],
    cause: str,
    reason: str = "",
    department: Organisation | None,
    closed: Closed = (),
    alone: bool = False,
    at: datetime,
) -> Replan:
    """Place the released `checks` of `visit` again and say what moved.

    `checks` wait, with premises, department and item loaded; `closed`: (department id, day) not to be used, besides the days that those
    departments have refused at this door before; `alone`: in visits of one department only. The caller holds the locks of the door's
    visits (`lock_visits_of`). New visits are offered at once with deadlines of their own; what finds no date waits, with the reason.
    """
    hold_capacity(at)
    outcome = _place(visit, checks, closed={*closed, *_refused_days(visit.premises, checks)}, alone=alone, at=at)
    before = {check.pk: (visit.number, visit.on.isoformat()) for check in checks}
    for other in outcome.given_way:
        before |= _give_way(other, at=at)
    origin = {"from_id": visit.pk, "from_visit": visit.number, "from_on": visit.on.isoformat()}
    drafts = [replace(draft, why={**draft.why, **origin}) for draft in outcome.drafts]
    made = create_visits(drafts, round_=visit.round, actor=SYSTEM, at=at)
    offer_visits(visits=made, actor=SYSTEM, at=at)
    after = {check.pk: new for new, draft in zip(made, outcome.drafts, strict=True) for check in draft.checks}
    everything = {check.pk: check for check in checks} | {
        check.pk: check for draft in outcome.drafts for check in draft.checks
    }
    moves = [
        _move(check, before[pk], after.get(pk), outcome.left.get(pk, "")) for pk, check in sorted(everything.items())
    ]
    if visit.round_id:
        Leftover.objects.bulk_create(
            Leftover(
                round_id=visit.round_id,
                kind=Leftover.Kind.UNPLACED,
                check_task_id=pk,
                reason=why,
                detail=left_in_words(why),
            )
            for pk, why in outcome.left.items()
        )
    return Replan.objects.create(
        visit=visit, cause=cause, reason=reason[:300], department=department, at=at, moves=moves
    )


def _move(check: Check, before: tuple[str, str], after: Visit | None, left: str) -> dict[str, object]:
    return {
        "check": check.number,
        "item": check.item_version.name,
        "department": check.department.short_name,
        "from_visit": before[0],
        "from_on": before[1],
        "to_visit": after.number if after else "",
        "to_on": after.on.isoformat() if after else "",
        "to_id": after.pk if after else None,
        "left": left,
    }


def left_in_words(reason: str) -> str:
    """The sentence behind a reason for which a check was not placed again."""
    return {
        "no_open_day": _("检查期限内没有部门和场所都开放的日期。"),
        "no_room": _("检查期限内开放的日期，部门力量都已排满。"),
        "too_late": _("检查期限内已来不及再征询答复。"),
        "off_site": _("改为非现场办理，不再入户。"),
        "already_done": _("部门说明本周期已检查，不再安排。"),
    }.get(reason, reason)


def in_words(row: Replan) -> str:
    """What a re-planning moved, a line per visit day, for notices."""
    lines: dict[str, list[str]] = {}
    for move in row.moves:
        if move["to_on"]:
            target = _("%(day)s（%(visit)s，待答复）") % {"day": move["to_on"], "visit": move["to_visit"]}
        else:
            target = left_in_words(move["left"])
        lines.setdefault(target, []).append(f"{move['department']} · {move['item']}")
    return "\n".join(f"{_('、').join(what)} → {target}" for target, what in lines.items())


def _refused_days(premises: Premises, checks: Iterable[Check]) -> set[tuple[int, date]]:
    """The days on which these departments have said no to this door, or kept silent, before."""
    departments = {check.department_id for check in checks}
    rows = Participation.objects.filter(visit__premises=premises, department_id__in=departments)
    refused = rows.filter(answer__in=CHANGED).values_list("department_id", "visit__on")
    left = rows.exclude(proposed_from=None).values_list("department_id", "proposed_from")
    return {(department_id, day) for department_id, day in [*refused, *left] if day}


def _place(visit: Visit, checks: Sequence[Check], *, closed: Closed, alone: bool, at: datetime) -> Outcome:
    clock = Clock.on(timezone.localdate(at))
    windows = {
        check.pk: Window(max(check.earliest, clock.first_day(at=at, urgent=check.urgent)), check.latest)
        for check in checks
    }
    outcome = Outcome(left={pk: "too_late" for pk, window in windows.items() if window.earliest > window.latest})
    todo = [check for check in checks if check.pk not in outcome.left]
    if not todo:
        return outcome
    limit = 1 if alone else visit.round.max_departments if visit.round else None
    params = planning_rules(on=timezone.localdate(at), max_departments=limit).params
    problem = _problem(todo, windows, params, closed=closed)
    plan = _solved(problem, params)
    stuck = unplaced_reasons(plan, todo, windows, closed)
    if stuck:
        rearranged = _rearranged(visit, todo, windows, params, closed=closed, stuck=stuck, at=at)
        if rearranged:
            rearranged.left |= outcome.left
            return rearranged
    outcome.left |= stuck
    outcome.drafts = _drafts(plan, {check.pk: check for check in todo})
    return outcome


def _problem(
    checks: Sequence[Check],
    windows: dict[int, Window],
    params: "Params",
    *,
    closed: Closed = (),
    leaving_out: Collection[int] = (),
) -> "Problem":
    return planning_problem(
        checks=checks,
        windows=windows,
        start=min(windows[check.pk].earliest for check in checks),
        end=max(windows[check.pk].latest for check in checks),
        params=params,
        closed=closed,
        leaving_out=leaving_out,
    )


def _solved(problem: "Problem", params: "Params") -> "Plan":
    from xiezhi.engines.planning import solve

    return _checked(problem, solve(problem, params=params, seed=SEED, workers=1))


def _checked(problem: "Problem", plan: "Plan") -> "Plan":
    from xiezhi.engines.planning import verify

    report = verify(problem, plan)
    if not report.ok:
        raise RuntimeError(f"the plan breaks its own rules: {report.violations[:3]}")
    return plan


def _drafts(plan: "Plan", checks: dict[int, Check], *, but: Collection[frozenset[int]] = ()) -> list[VisitDraft]:
    """The plan's visits as drafts, without those that stay as they were (`but`: sets of check ids)."""
    drafts = []
    for planned in plan.visits():
        keys = [int(each) for each in planned.check_ids]
        if frozenset(keys) not in but:
            drafts.append(draft_of(checks[keys[0]].premises, planned.date, [checks[key] for key in keys]))
    return drafts


def _rearranged(
    visit: Visit,
    todo: Sequence[Check],
    windows: dict[int, Window],
    params: "Params",
    *,
    closed: Closed,
    stuck: dict[int, str],
    at: datetime,
) -> Outcome | None:
    """Last resort: let this door's other offered visits move too; None when that places nothing more.

    Visits that anybody has begun or all have confirmed are not touched.
    """
    others = {
        pk: each
        for pk, each in lock_visits_of(visit.premises).items()
        if each.status == VisitStatus.OFFERED and pk != visit.pk
    }
    if not others:
        return None
    clock = Clock.on(timezone.localdate(at))
    theirs = {pk: checks_of(each) for pk, each in others.items()}
    everything = {check.pk: check for check in [*todo, *(check for those in theirs.values() for check in those)]}
    wide = dict(windows)
    for pk, those in theirs.items():
        for check in those:
            soonest = min(others[pk].on, clock.first_day(at=at, urgent=check.urgent))
            wide[check.pk] = Window(max(check.earliest, soonest), check.latest)
    problem = _problem(list(everything.values()), wide, params, closed=closed, leaving_out=list(others))
    former = [(others[pk].number, others[pk].on, [str(check.pk) for check in those]) for pk, those in theirs.items()]
    from xiezhi.engines.planning import replan

    plan, _changes = replan(
        problem, former, affected_subjects=[str(visit.premises_id)], params=params, seed=SEED, workers=1
    )
    plan = _checked(problem, plan)
    left = unplaced_reasons(plan, list(everything.values()), wide, closed)
    if len(left) >= len(stuck) or not left.keys() <= stuck.keys():
        return None
    days = {frozenset(int(each) for each in planned.check_ids): planned.date for planned in plan.visits()}
    staying = {
        frozenset(check.pk for check in those): pk
        for pk, those in theirs.items()
        if days.get(frozenset(check.pk for check in those)) == others[pk].on
    }
    given_way = [each for pk, each in others.items() if pk not in staying.values()]
    return Outcome(_drafts(plan, everything, but=staying.keys()), left, given_way)


def _give_way(other: Visit, *, at: datetime) -> dict[int, tuple[str, str]]:
    """Take an offered visit apart for the sake of a check without a date; returns where its checks were."""
    checks = checks_of(other)
    gone = advance(
        VISIT,
        other,
        "cancel",
        actor=SYSTEM,
        at=at,
        reason="rearranged",
        changes={"cancel_reason": _("为同一场所的其他检查让出日期，已重新安排。")},
    )
    release_checks(checks, at=at, because="rearranged")
    telling.tell_changed(
        gone,
        {check.department_id for check in checks},
        key="rearranged",
        title=_("重新安排：%(visit)s") % {"visit": telling.name_of(gone)},
        body=gone.cancel_reason,
        at=at,
    )
    return {check.pk: (gone.number, gone.on.isoformat()) for check in checks}


@transaction.atomic
def place_now(*, premises: Premises, actor: Actor, at: datetime) -> list[Visit]:
    """Give a door's waiting urgent checks a date at once (R20); other waiting checks of the door may join. Offers and returns the visits.

    What may join is judged like in a round (caps, cool-down, do-not-disturb list). An urgent check that finds no date waits on.
    """
    today = timezone.localdate(at)
    lock_visits_of(premises)
    waiting = list(
        Check.objects.select_for_update(of=("self",))
        .filter(premises=premises, status=CheckStatus.WAITING)
        .select_related("department", "item_version__item", "premises__subject")
        .order_by("pk")
    )
    if not any(check.urgent for check in waiting):
        return []
    start = Clock.on(today).first_day(at=at, urgent=True)
    verdict = eligible_checks(waiting, start=start, end=max(check.latest for check in waiting), on=today)
    windows = {pk: window for pk, window in verdict.windows.items() if window.earliest <= window.latest}
    todo = {check.pk: check for check in waiting if check.pk in windows}
    if not any(check.urgent for check in todo.values()):
        return []
    hold_capacity(at)
    params = planning_rules(on=today).params
    problem = _problem(list(todo.values()), windows, params)
    plan = _solved(problem, params)
    drafts = [each for each in _drafts(plan, todo) if any(check.urgent for check in each.checks)]
    visits = create_visits(drafts, round_=None, actor=SYSTEM, at=at)
    offer_visits(visits=visits, actor=SYSTEM, at=at)
    return visits
