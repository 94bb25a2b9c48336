"""Planning rounds (统筹轮次): from waiting checks to suggested visits, and on to the departments."""

import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.domains.inspections.models import Check, Leftover, Round
from xiezhi.domains.inspections.permissions import InspectionPermission as May
from xiezhi.domains.inspections.services.eligibility import Eligibility, eligible_checks
from xiezhi.domains.inspections.services.numbering import take_numbers
from xiezhi.domains.inspections.services.problems import planning_problem, planning_rules, unplaced_reasons
from xiezhi.domains.inspections.services.visits import (
    VisitDraft,
    cancel_suggestions,
    create_visits,
    offer_visits,
    why_of,
)
from xiezhi.domains.inspections.workflow import ROUND, CheckStatus, RoundStatus
from xiezhi.foundation.access.actors import SYSTEM, Actor
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.jobs.handlers import JobContext, handles
from xiezhi.foundation.jobs.models import Job
from xiezhi.foundation.jobs.services import enqueue
from xiezhi.foundation.workflow.errors import Refused
from xiezhi.foundation.workflow.services import advance

if TYPE_CHECKING:  # imported where it is used: see services.problems
    from xiezhi.engines.planning import Plan, Problem

JOB_KIND = "inspections.plan_round"
LONGEST_HORIZON = timedelta(days=200)
APART_SHOWN = 20_000


def waiting_checks(*, start: date, end: date) -> Sequence[Check]:
    """Checks that wait for a visit and may be done between `start` and `end`, with all that planning looks at."""
    return list(
        Check.objects.filter(status=CheckStatus.WAITING, earliest__lte=end, latest__gte=start, premises__is_open=True)
        .select_related("premises__subject", "department", "item_version__item")
        .order_by("pk")
    )


def seed_for(number: str) -> int:
    """The default seed of a round: told by its number, so that it can be told again."""
    return zlib.crc32(number.encode()) & 0x7FFFFFFF


@transaction.atomic
def start_round(
    *,
    starts_on: date,
    ends_on: date,
    max_departments: int | None = None,
    seed: int | None = None,
    actor: Actor,
    at: datetime,
) -> Round:
    """Open a round and queue its planning. Raises Refused for a horizon that is past, reversed or too long, when nothing waits in it,
    and while another round is being planned."""
    actor.require(May.RUN_ROUND)
    today = timezone.localdate(at)
    if ends_on < starts_on:
        raise Refused(_("统筹期的止日早于起日，请改正。"))
    if starts_on <= today:
        raise Refused(
            _("统筹期最早从明天（%(day)s）开始，今天的检查已来不及征询各部门。") % {"day": today + timedelta(days=1)}
        )
    if ends_on - starts_on > LONGEST_HORIZON:
        raise Refused(_("统筹期最长 %(days)d 天，请分几轮进行。") % {"days": LONGEST_HORIZON.days})
    if not waiting_checks(start=starts_on, end=ends_on):
        raise Refused(_("这段时间里没有待统筹的检查任务。请先让各部门报送计划。"))
    rules = planning_rules(on=today, max_departments=max_departments)
    number = take_numbers("R", timezone.localtime(at).year)[0]
    try:
        with transaction.atomic():
            new = Round.objects.create(
                number=number,
                starts_on=starts_on,
                ends_on=ends_on,
                max_departments=rules.params.max_departments,
                seed=seed if seed is not None else seed_for(number),
                rule_version_ids=list(rules.version_ids),
                created_by_id=actor.user_id,
                created_at=at,
            )
    except IntegrityError as error:
        raise Refused(_("另一轮统筹正在生成，请等它完成，或到任务列表查看进度。")) from error
    title = _("统筹轮次 %(number)s：%(start)s 至 %(end)s") % {"number": number, "start": starts_on, "end": ends_on}
    job = enqueue(
        JOB_KIND, title=title, actor=actor, at=at, link=reverse("inspections:round", args=[new.pk]), round_id=new.pk
    )
    new.job_id = job.pk
    new.save(update_fields=["job_id"])
    record("inspections.round.start", new, actor=actor, at=at, number=number)
    return new


@dataclass(frozen=True)
class Planned:
    """A solved and verified round, before it is saved."""

    checks: dict[int, Check]
    eligibility: Eligibility
    problem: "Problem"
    plan: "Plan"
    bound: int


def plan_horizon(*, round_: Round, on: date, on_progress: Callable[[str, int, int], None] | None = None) -> Planned:
    """Judge, solve and verify a round's checks; saves nothing. Raises RuntimeError when the plan fails its verification."""
    from xiezhi.engines.planning import solve, verify

    checks = waiting_checks(start=round_.starts_on, end=round_.ends_on)
    verdict = eligible_checks(checks, start=round_.starts_on, end=round_.ends_on, on=on)
    params = planning_rules(on=on, max_departments=round_.max_departments).params
    problem = planning_problem(
        checks=[check for check in checks if check.pk in verdict.windows],
        windows=verdict.windows,
        start=round_.starts_on,
        end=round_.ends_on,
        params=params,
    )
    plan = solve(problem, params=params, seed=round_.seed, on_progress=on_progress, workers=1)
    report = verify(problem, plan)
    if not report.ok:
        raise RuntimeError(f"the plan breaks its own rules: {report.violations[:3]}")
    return Planned({check.pk: check for check in checks}, verdict, problem, plan, report.bound)


@handles(JOB_KIND)
def plan_round_job(context: JobContext) -> dict[str, Any]:
    """The worker's part: plan, verify, then save everything in one transaction behind the job's fence."""
    round_ = Round.objects.get(pk=context.payload["round_id"])
    if round_.status != RoundStatus.PLANNING:
        return {"round": round_.number}
    now = timezone.now()
    planned = plan_horizon(round_=round_, on=timezone.localdate(now), on_progress=_in_words(context))
    context.report(_("保存建议"), 0, 1)
    with transaction.atomic():
        context.fence()
        save_plan(round_=round_, planned=planned, actor=context.actor, at=timezone.now())
    return {"round": round_.number, "visits": planned.plan.figures.visits}


def _in_words(context: JobContext) -> Callable[[str, int, int], None]:
    phases = {"prepare": _("准备"), "plan": _("合并与排期"), "bound": _("求证下界"), "report": _("整理说明")}

    def report(phase: str, done: int, total: int) -> None:
        context.report(phases.get(phase, phase), done, total)

    return report


@transaction.atomic
def save_plan(*, round_: Round, planned: Planned, actor: Actor, at: datetime) -> Round:
    """Turn a verified plan into suggested visits and reasons, and complete the round.

    Raises Refused when a check changed since it was read: the plan would no longer be about what is there.
    """
    placed = [planned.checks[int(each)] for visit in planned.plan.visits() for each in visit.check_ids]
    still = Check.objects.select_for_update().filter(pk__in=[check.pk for check in placed], status=CheckStatus.WAITING)
    if len(still) != len(placed):
        raise Refused(_("生成期间有检查任务发生变化，请重新生成。"))
    drafts = [_draft(visit, planned.checks) for visit in planned.plan.visits()]
    create_visits(drafts, round_=round_, actor=actor, at=at)
    _save_leftovers(round_, planned)
    on = timezone.localdate(at)
    changes = {
        "figures": figures_of(planned),
        "prices": [
            {"department": name, "street": street, "date": day.isoformat(), "price": price}
            for name, _district, street, day, price in planned.plan.prices()
        ],
        "rule_version_ids": sorted({*planned.eligibility.version_ids, *planning_rules(on=on).version_ids}),
    }
    return advance(ROUND, round_, "complete", actor=actor, at=at, changes=changes, visits=len(drafts))


def _draft(visit: Any, checks: dict[int, Check]) -> VisitDraft:
    mine = [checks[int(each)] for each in visit.check_ids]
    lead = next(check.department for check in mine if check.department.code == visit.lead)
    return VisitDraft(mine[0].premises, visit.date, mine, lead, visit.on_site_minutes, why_of(mine))


def _save_leftovers(round_: Round, planned: Planned) -> None:
    rows = [
        Leftover(round=round_, kind=Leftover.Kind.HELD, check_task_id=pk, reason=hold.rule_key, detail=hold.detail)
        for pk, hold in planned.eligibility.held.items()
    ]
    windows = planned.eligibility.windows
    reasons = unplaced_reasons(planned.plan, [planned.checks[pk] for pk in windows], windows)
    rows += [
        Leftover(round=round_, kind=Leftover.Kind.UNPLACED, check_task_id=pk, reason=reason)
        for pk, reason in reasons.items()
    ]
    for position, (first, second, reason) in enumerate(planned.plan.apart()):
        if position == APART_SHOWN:
            break
        rows.append(
            Leftover(
                round=round_,
                kind=Leftover.Kind.APART,
                check_task_id=int(first),
                other_check_id=int(second),
                reason=reason,
            )
        )
    Leftover.objects.bulk_create(rows, batch_size=2_000)
    by_rule: dict[str, list[int]] = defaultdict(list)
    for pk, hold in planned.eligibility.held.items():
        by_rule[hold.rule_key].append(pk)
    Check.objects.filter(pk__in=list(planned.eligibility.windows)).exclude(hold_reason="").update(hold_reason="")
    for rule_key, keys in by_rule.items():
        Check.objects.filter(pk__in=keys).update(hold_reason=rule_key)


def figures_of(planned: Planned) -> dict[str, Any]:
    """Before and after: doors if each department goes alone, visits, proven bound, and minutes on site one after another or together."""
    plan, checks = planned.plan, planned.checks
    alone_minutes = together_minutes = joint_visits = merged_checks = department_checks = 0
    for visit in plan.visits():
        together_minutes += visit.on_site_minutes
        alone_minutes += sum(checks[int(each)].minutes for each in visit.check_ids)
        department_checks += len(visit.departments)
        if len(visit.departments) > 1:
            joint_visits += 1
            merged_checks += len(visit.check_ids)
    windows = planned.eligibility.windows
    reasons = Counter(unplaced_reasons(plan, [checks[pk] for pk in windows], windows).values())
    return {
        **plan.summary(),
        "unplaced": dict(sorted(reasons.items())),
        "held": len(planned.eligibility.held),
        "warned": len(planned.eligibility.warnings),
        "bound_verified": planned.bound,
        "joint_visits": joint_visits,
        "merged_checks": merged_checks,
        "department_checks": department_checks,
        "alone_minutes": alone_minutes,
        "together_minutes": together_minutes,
    }


@transaction.atomic
def send_round(*, round_: Round, actor: Actor, at: datetime, seen_status: str | None = None) -> Round:
    """Send every suggestion of a ready round to its departments for their answers (发送各部门确认)."""
    sent = advance(ROUND, round_, "send", actor=actor, at=at, seen_status=seen_status)
    offer_visits(visits=list(sent.visits.order_by("pk")), actor=actor, at=at)
    return sent


@transaction.atomic
def discard_round(*, round_: Round, reason: str, actor: Actor, at: datetime, seen_status: str | None = None) -> Round:
    """Throw a round away before it was sent: its visits are cancelled and their checks wait again."""
    gone = advance(
        ROUND,
        round_,
        "discard",
        actor=actor,
        at=at,
        reason=reason,
        changes={"discard_reason": reason[:300]},
        seen_status=seen_status,
    )
    cancel_suggestions(round_=gone, reason=reason, actor=actor, at=at)
    return gone


def discard_failed_rounds(*, at: datetime) -> int:
    """The ticker's part: a round whose job failed or was cancelled makes room for the next one. Returns how many."""
    over = Job.objects.filter(status__in=[Job.Status.FAILED, Job.Status.CANCELLED]).values("pk")
    stuck = Round.objects.filter(status=RoundStatus.PLANNING, job_id__in=over)
    for round_ in stuck:
        discard_round(round_=round_, reason=_("生成未完成或被取消。"), actor=SYSTEM, at=at)
    return len(stuck)
