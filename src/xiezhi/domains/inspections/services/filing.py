"""Filing a plan (报送): prepare without writing, then save everything in one transaction, or nothing.

Preparing draws the sampling rows and judges the named ones. Saving looks again, behind the lock of the checks' number series that every
filing takes, so that two plans filed at once never draw or name the same subject twice.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.domains.inspections.models import Draw, Plan, PlanRow
from xiezhi.domains.inspections.services.checks import PREFIX, CheckDraft, create_checks
from xiezhi.domains.inspections.services.draws import Drawing, Sampler
from xiezhi.domains.inspections.services.numbering import take_numbers
from xiezhi.domains.inspections.services.plan_rows import (
    CHUNK,
    RowJudge,
    draft_of,
    is_being_filed,
    premises_of,
    refuse_rows,
)
from xiezhi.domains.inspections.services.shelf import Shelf
from xiezhi.domains.inspections.workflow import PLAN
from xiezhi.domains.registry.models import Premises
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.jobs.handlers import JobContext, handles
from xiezhi.foundation.jobs.models import Job
from xiezhi.foundation.jobs.services import enqueue
from xiezhi.foundation.workflow.errors import AlreadyDone, Refused
from xiezhi.foundation.workflow.services import advance, why_not

JOB_KIND = "inspections.file_plan"
SMALL = 200
"""A plan of at most so many rows, none of them sampling, is filed while the person waits; others in the background."""
MOST_ATTEMPTS = 3
Progress = Callable[[str, int, int], None]


class Moved(Refused):
    """What a filing was prepared on changed before it was saved; prepare again."""


@dataclass
class Filing:
    """A prepared filing: drafts of all checks and the draws, nothing saved yet. `rows`: the plan's rows as they were read."""

    plan: Plan
    rows: list[PlanRow]
    named: list[CheckDraft] = field(default_factory=list)
    drawings: list[Drawing] = field(default_factory=list)
    drawn: list[CheckDraft] = field(default_factory=list)


def _silent(phase: str, done: int, total: int) -> None:
    """No progress to tell."""


def prepare_filing(
    plan: Plan, *, actor: Actor, at: datetime, seed: str | None = None, on_progress: Progress = _silent
) -> Filing:
    """Judge every row and draw the sampling ones; writes nothing. Raises Refused listing the rows that cannot stand any more."""
    rows = list(plan.rows.select_related("item__department").order_by("number"))
    if not rows:
        raise Refused(_("计划里还没有明细。请先导入或添加要检查的对象。"))
    special = any(row.source == PlanRow.Source.SPECIAL for row in rows)
    if special and not (plan.approval_number and plan.approved_on):
        raise Refused(_("计划里有专项检查，须先经批准：请补填批准文号和批准日期（R13）。"))
    filing = Filing(plan, rows)
    shelf = Shelf({row.item_id for row in rows})
    sampler = Sampler(on=timezone.localdate(at), superior_ordered=plan.superior_ordered, seed=seed)
    _prepare_named(filing, shelf, sampler, on_progress)
    sampling = [row for row in rows if row.kind == PlanRow.Kind.SAMPLING]
    for position, row in enumerate(sampling, start=1):
        on_progress(_("抽取对象"), position, len(sampling))
        version = shelf.version_for(row.item, row.earliest, row.latest)
        filing.drawings.append(sampler.draw(row, version, at=at, drawn_by_id=actor.user_id))
    _prepare_drawn(filing, shelf)
    return filing


def _prepare_named(filing: Filing, shelf: Shelf, sampler: Sampler, on_progress: Progress) -> None:
    doors, told = premises_of(filing.rows), []
    judge = RowJudge(filing.plan, [row.item_id for row in filing.rows])
    for position, row in enumerate(filing.rows, start=1):
        if position % CHUNK == 0:
            on_progress(_("核对明细"), position, len(filing.rows))
        premises = doors[row.premises_id] if row.premises_id else None
        faults = judge.faults(draft_of(row), premises)
        if faults:
            words = {"number": row.number, "reason": faults[0].reason, "mend": faults[0].mend}
            told.append(_("第 %(number)d 行：%(reason)s%(mend)s") % words)
        elif premises:
            filing.named.append(_check_draft(row, premises, filing.plan, shelf))
            sampler.take(row, premises.subject_id)
    refuse_rows(told)


def _check_draft(row: PlanRow, premises: Premises, plan: Plan, shelf: Shelf) -> CheckDraft:
    return CheckDraft(
        premises=premises,
        version=shelf.version_for(row.item, row.earliest, row.latest),
        source=row.source,
        earliest=row.earliest,
        latest=row.latest,
        superior_ordered=plan.superior_ordered,
        plan_row_id=row.pk,
        on_site_reason=row.on_site_reason,
    )


def _prepare_drawn(filing: Filing, shelf: Shelf) -> None:
    ids = [pk for drawing in filing.drawings for pk in drawing.premises_ids]
    doors: dict[int, Premises] = {}
    for start in range(0, len(ids), CHUNK):
        doors |= Premises.objects.select_related("subject").in_bulk(ids[start : start + CHUNK])
    filing.drawn = [
        _check_draft(drawing.row, doors[pk], filing.plan, shelf)
        for drawing in filing.drawings
        for pk in drawing.premises_ids
    ]


@transaction.atomic
def save_filing(
    filing: Filing,
    *,
    actor: Actor,
    at: datetime,
    seen_status: str | None = None,
    fence: Callable[[], None] | None = None,
) -> Plan:
    """Save a prepared filing: the plan is filed, its draws and checks stand. Raises Moved when anything it rests on has changed."""
    if fence:
        fence()
    filed = advance(
        PLAN,
        filing.plan,
        "file",
        actor=actor,
        at=at,
        seen_status=seen_status,
        rows=len(filing.rows),
        checks=len(filing.named) + len(filing.drawn),
        draws={str(each.row.number): each.record.seed for each in filing.drawings[:100]},
    )
    year = timezone.localdate(at).year
    take_numbers(PREFIX, year, 0)  # from here on no other filing can add checks
    _look_again(filing, actor, at)
    Draw.objects.bulk_create([drawing.record for drawing in filing.drawings], batch_size=50)
    text = _("列入%(department)s检查计划：%(item)s（%(earliest)s 至 %(latest)s）")
    create_checks([*filing.named, *filing.drawn], year=year, timeline=text, at=at)
    return filed


def _look_again(filing: Filing, actor: Actor, at: datetime) -> None:
    changed = Moved(_("报送期间数据有变化，请再报送一次。"))
    now = list(filing.plan.rows.order_by("number"))
    if [(row.pk, draft_of(row)) for row in now] != [(row.pk, draft_of(row)) for row in filing.rows]:
        raise changed
    judge = RowJudge(filing.plan, [row.item_id for row in filing.rows])
    drafts = {row.pk: draft_of(row) for row in filing.rows}
    doors = premises_of(filing.rows)
    for check in filing.named:
        if check.plan_row_id and judge.faults(drafts[check.plan_row_id], doors[check.premises.pk]):
            raise changed
    sampler = Sampler(on=timezone.localdate(at), superior_ordered=filing.plan.superior_ordered)
    versions = {check.plan_row_id: check.version for check in filing.drawn}
    open_now = set(
        Premises.objects.filter(pk__in=[check.premises.pk for check in filing.drawn], is_open=True).values_list(
            "pk", flat=True
        )
    )
    for drawing in filing.drawings:
        selected = [drawing.doors[name] for name in drawing.record.selected]
        if not selected:
            continue
        if not open_now.issuperset(drawing.premises_ids) or sampler.excluded(
            drawing.row, versions[drawing.row.pk], selected
        ):
            raise changed


def file_plan(
    *,
    plan: Plan,
    actor: Actor,
    at: datetime,
    seed: str | None = None,
    seen_status: str | None = None,
    on_progress: Progress = _silent,
    fence: Callable[[], None] | None = None,
) -> Plan:
    """File a plan now: draw, create the checks, all or nothing. A second call by the same person raises AlreadyDone.

    `seed` makes draws repeatable for demo data and tests; otherwise each draw gets a random one. Either way it is recorded.
    Raises Refused naming the rows that cannot stand, and what `advance` raises.
    """
    for attempt in range(1, MOST_ATTEMPTS + 1):
        current = Plan.objects.select_related("department").get(pk=plan.pk)
        try:
            if current.status == PLAN.initial:
                refusal = why_not(PLAN, current, PLAN["file"], actor)
                filing = (
                    Filing(current, [])
                    if refusal
                    else prepare_filing(current, actor=actor, at=at, seed=seed, on_progress=on_progress)
                )
            else:
                filing = Filing(current, [])  # `advance` says why not
            on_progress(_("保存任务"), 0, 1)
            return save_filing(filing, actor=actor, at=at, seen_status=seen_status, fence=fence)
        except Moved:
            if attempt == MOST_ATTEMPTS:
                raise
    raise AssertionError("unreachable")


def submit_plan(*, plan: Plan, actor: Actor, at: datetime, seen_status: str | None = None) -> Plan | Job:
    """File a small plan now and return it; queue a large one, or one that draws, and return the job.

    A second click while the job is under way raises AlreadyDone.
    """
    current = Plan.objects.get(pk=plan.pk)
    sampling = current.rows.filter(kind=PlanRow.Kind.SAMPLING).exists()
    if current.status != PLAN.initial or (
        not sampling and current.rows.count() <= SMALL and not is_being_filed(current)
    ):
        return file_plan(plan=plan, actor=actor, at=at, seen_status=seen_status)
    return _queue(plan, actor, at)


@transaction.atomic
def _queue(plan: Plan, actor: Actor, at: datetime) -> Job:
    locked = Plan.objects.select_for_update(of=("self",)).get(pk=plan.pk)
    refusal = why_not(PLAN, locked, PLAN["file"], actor)
    if refusal:
        raise Refused(refusal)
    if is_being_filed(locked):
        raise AlreadyDone(_("计划正在报送，完成后会出现在这里。"))
    title = _("报送检查计划《%(title)s》") % {"title": locked.title}
    job = enqueue(
        JOB_KIND, title=title, actor=actor, at=at, link=reverse("inspections:plan", args=[locked.pk]), plan_id=locked.pk
    )
    locked.filing_job_id = job.pk
    locked.save(update_fields=["filing_job_id"])
    return job


@handles(JOB_KIND)
def file_plan_job(context: JobContext) -> dict[str, Any]:
    """The worker's part. Run again after a kill it starts over: nothing was saved, or the plan is filed and nothing is left to do."""
    plan = Plan.objects.get(pk=context.payload["plan_id"])
    try:
        filed = file_plan(
            plan=plan,
            actor=context.actor,
            at=timezone.now(),
            on_progress=context.report,
            fence=context.fence,
        )
    except AlreadyDone:
        filed = plan
    return {"plan": filed.pk}
