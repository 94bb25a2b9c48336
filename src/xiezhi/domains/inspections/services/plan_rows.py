"""The rows of a plan while it is a draft: what may stand in it, and adding, changing and removing."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from xiezhi.domains.inspections.models import CatalogueItem, Check, Plan, PlanRow
from xiezhi.domains.inspections.permissions import InspectionPermission as May
from xiezhi.domains.inspections.services.shelf import Shelf
from xiezhi.domains.inspections.workflow import PlanStatus
from xiezhi.domains.registry.models import Premises
from xiezhi.foundation.access.actors import Actor, PermissionRefused
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.jobs.models import Job
from xiezhi.foundation.workflow.errors import Refused

CHUNK = 1_000
MOST_TOLD = 10
"""At most so many rows are named in one refusal."""


@dataclass(frozen=True)
class RowDraft:
    """A plan row that is to be. Field names are `PlanRow`'s; `number` 0 means the next free one."""

    kind: str
    source: str
    item_id: int
    earliest: date
    latest: date
    premises_id: int | None = None
    scene_id: int | None = None
    industry: str = ""
    street_id: int | None = None
    ratio_per_mille: int | None = None
    quantity: int | None = None
    frequency: str = ""
    on_site_reason: str = ""
    section: str = ""
    number: int = 0

    @property
    def aim(self) -> tuple[Any, ...]:
        """Item and whom it is for: one premises, or a frame."""
        frame = (self.scene_id, self.industry, self.street_id) if self.premises_id is None else ()
        return (self.item_id, self.premises_id, *frame)

    @property
    def about(self) -> tuple[Any, ...]:
        """Aim and window: two rows of a plan with the same are the same row."""
        return (*self.aim, self.earliest, self.latest)


def draft_of(row: PlanRow) -> RowDraft:
    """A saved row as a draft."""
    return RowDraft(**{name: getattr(row, name) for name in RowDraft.__dataclass_fields__})


def require_own(department_id: int, actor: Actor) -> None:
    """Raise PermissionRefused unless `actor` keeps the plans of that department."""
    actor.require(May.SUBMIT_PLAN)
    if not actor.district_wide and actor.department_id != department_id:
        raise PermissionRefused(_("只能编制和报送本部门的计划。"))


def lock_draft(plan: Plan, actor: Actor) -> Plan:
    """The plan, locked. Raises Refused when it is no draft any more or is being filed, PermissionRefused for another department's."""
    require_own(plan.department_id, actor)
    locked = Plan.objects.select_for_update(of=("self",)).select_related("department").get(pk=plan.pk)
    if locked.status != PlanStatus.DRAFT:
        raise Refused(_("计划《%(title)s》已不是草稿，不能再改。需要补充时请另建一份计划。") % {"title": locked.title})
    if is_being_filed(locked):
        raise Refused(_("计划《%(title)s》正在报送，请等它完成。") % {"title": locked.title})
    return locked


def is_being_filed(plan: Plan) -> bool:
    """Whether a background job is filing the plan now."""
    if plan.filing_job_id is None:
        return False
    return Job.objects.filter(pk=plan.filing_job_id, status__in=[Job.Status.QUEUED, Job.Status.RUNNING]).exists()


@dataclass(frozen=True)
class RowFault:
    """Why a row cannot stand in a plan: which field, what is wrong, what to do."""

    field: str
    reason: str
    mend: str = ""


class RowJudge:
    """Judges rows for one plan in bulk: catalogue and standing checks are loaded once for all of `item_ids`."""

    def __init__(self, plan: Plan, item_ids: Iterable[int]) -> None:
        self.plan = plan
        self.items = {
            item.pk: item for item in CatalogueItem.objects.filter(pk__in=set(item_ids)).select_related("department")
        }
        self._shelf = Shelf(self.items)
        standing = (
            Check.objects.open()
            .filter(item_version__item_id__in=self.items, latest__gte=plan.starts_on, earliest__lte=plan.ends_on)
            .values_list("item_version__item_id", "premises_id", "earliest", "latest", "number")
        )
        self._admitted: dict[tuple[Any, ...], list[tuple[RowDraft, str]]] = {}
        self._standing: dict[tuple[int, int], list[tuple[date, date, str]]] = {}
        for item_id, premises_id, earliest, latest, number in standing:
            self._standing.setdefault((item_id, premises_id), []).append((earliest, latest, number))

    def faults(self, row: RowDraft, premises: Premises | None) -> list[RowFault]:
        """Everything that keeps `row` out of the plan. `premises` (subject loaded) for a named row."""
        found = [*self._window_faults(row), *self._item_faults(row), *self._kind_faults(row)]
        if premises is not None:
            found += self._door_faults(row, premises)
        return found

    def admit(self, row: RowDraft, label: str) -> list[RowFault]:
        """Remember that `row` (called `label`) is in the plan; a fault when another row has the same aim in an overlapping time."""
        others = self._admitted.setdefault(row.aim, [])
        twin = next(
            (name for other, name in others if other.earliest <= row.latest and other.latest >= row.earliest), None
        )
        if twin is None:
            others.append((row, label))
            return []
        return [
            RowFault(
                "",
                _("与%(other)s重复：事项、对象相同，时间重叠。") % {"other": twin},
                _("请删去其中一行，或错开时间。"),
            )
        ]

    def _window_faults(self, row: RowDraft) -> list[RowFault]:
        plan = self.plan
        if row.latest < row.earliest:
            return [RowFault("latest", _("最晚日期早于最早日期。"), _("请检查两个日期是否填反。"))]
        if row.earliest < plan.starts_on or row.latest > plan.ends_on:
            period = {"start": plan.starts_on.isoformat(), "end": plan.ends_on.isoformat()}
            field = "earliest" if row.earliest < plan.starts_on else "latest"
            return [
                RowFault(field, _("时间超出计划期 %(start)s 至 %(end)s。") % period, _("请改正日期，或另建一份计划。"))
            ]
        return []

    def _item_faults(self, row: RowDraft) -> list[RowFault]:
        item = self.items[row.item_id]
        if item.department_id != self.plan.department_id:
            reason = _("事项 %(code)s 属于“%(department)s”。") % {"code": item.code, "department": item.department}
            return [RowFault("item", reason, _("只能列入本部门的事项。"))]
        try:
            self._shelf.version_for(item, row.earliest, max(row.earliest, row.latest))
        except Refused as refusal:
            return [RowFault("item", str(refusal), _("请先在检查事项清单中公布，或改正日期。"))]
        return []

    def _kind_faults(self, row: RowDraft) -> list[RowFault]:
        special = self.plan.kind == Plan.Kind.SPECIAL
        if row.source == PlanRow.Source.CASE:
            return [RowFault("source", _("个案检查不列入计划。"), _("请在“检查任务”中登记个案检查。"))]
        if special and row.source != PlanRow.Source.SPECIAL:
            return [
                RowFault("source", _("专项计划里只能列专项检查。"), _("请留空或填“专项检查”，其他检查列入年度计划。"))
            ]
        if row.kind == PlanRow.Kind.NAMED:
            return []
        if row.ratio_per_mille is not None and row.quantity is not None:
            return [RowFault("quantity", _("比例和数量只能填一个。"), _("请删去其中一个。"))]
        return []

    def _door_faults(self, row: RowDraft, premises: Premises) -> list[RowFault]:
        if not premises.subject.is_open:
            status = premises.subject.get_status_display()
            return [RowFault("premises", _("主体已%(status)s。") % {"status": status}, _("请删去这一行。"))]
        if not premises.is_open:
            return [RowFault("premises", _("这处场所已停业。"), _("请改填在营的场所，或删去这一行。"))]
        for earliest, latest, number in self._standing.get((row.item_id, premises.pk), []):
            if earliest <= row.latest and latest >= row.earliest:
                reason = _("同一场所、同一事项在这段时间已有任务 %(number)s。") % {"number": number}
                return [RowFault("", reason, _("请删去这一行，或错开时间。"))]
        return []


def premises_of(rows: Iterable[RowDraft | PlanRow]) -> dict[int, Premises]:
    """The premises of named rows by id, with subject and street."""
    wanted = sorted({row.premises_id for row in rows if row.premises_id is not None})
    found: dict[int, Premises] = {}
    for start in range(0, len(wanted), CHUNK):
        keys = wanted[start : start + CHUNK]
        found |= Premises.objects.select_related("subject", "street").in_bulk(keys)
    return found


@transaction.atomic
def add_rows(*, plan: Plan, rows: Sequence[RowDraft], actor: Actor, at: datetime) -> list[PlanRow]:
    """Add rows to a draft, all or none. A row that is there already with the same content is left as it is.

    Raises Refused naming the rows (by their place in `rows` unless they have a number) that cannot stand and why.
    """
    locked = lock_draft(plan, actor)
    doors, judge = premises_of(rows), RowJudge(locked, [row.item_id for row in rows])
    told: list[str] = []
    admit_standing(judge, locked, but=rows)
    for position, row in enumerate(rows, start=1):
        faults = judge.faults(row, doors.get(row.premises_id) if row.premises_id else None)
        number = row.number or position
        faults += judge.admit(row, _("第 %(number)d 行") % {"number": number})
        if faults:
            told.append(_("第 %(number)d 行：%(reason)s") % {"number": number, "reason": faults[0].reason})
    refuse_rows(told)
    made = save_rows(plan=locked, rows=rows)
    record("inspections.plan.rows_added", locked, actor=actor, at=at, rows=len(made))
    return made


def admit_standing(judge: RowJudge, plan: Plan, *, but: Iterable[RowDraft] = ()) -> None:
    """Let `judge` know the rows that the plan has, leaving out those that are about the same as one of `but`."""
    again = {row.about for row in but}
    for row in map(draft_of, plan.rows.all()):
        if row.about not in again:
            judge.admit(row, _("计划第 %(number)d 行") % {"number": row.number})


def refuse_rows(told: Sequence[str]) -> None:
    """Raise Refused listing the first few of `told`; nothing when it is empty."""
    if told:
        more = _("……共 %(count)d 行有问题。") % {"count": len(told)} if len(told) > MOST_TOLD else ""
        raise Refused("\n".join([*told[:MOST_TOLD], more]).strip())


def save_rows(*, plan: Plan, rows: Sequence[RowDraft]) -> list[PlanRow]:
    """Insert judged rows that are not there yet, and bring those that are up to date. `plan` is locked by the caller."""
    standing = {draft_of(row).about: row for row in plan.rows.all()}
    last = plan.rows.aggregate(last=Max("number"))["last"] or 0
    made: list[PlanRow] = []
    changed: list[PlanRow] = []
    for row in rows:
        values = {name: value for name, value in asdict(row).items() if name != "number"}
        old = standing.get(row.about)
        if old is None:
            last += 1
            made.append(PlanRow(plan=plan, number=last, **values))
        elif any(getattr(old, name) != value for name, value in values.items()):
            for name, value in values.items():
                setattr(old, name, value)
            changed.append(old)
    PlanRow.objects.bulk_create(made, batch_size=CHUNK)
    PlanRow.objects.bulk_update(changed, [*VALUES], batch_size=200)
    return made + changed


VALUES = tuple(name for name in RowDraft.__dataclass_fields__ if name != "number")


@transaction.atomic
def change_row(*, row: PlanRow, draft: RowDraft, actor: Actor, at: datetime) -> PlanRow:
    """Replace one row of a draft. Raises Refused like `add_rows`, also when another row is about the same."""
    locked = lock_draft(row.plan, actor)
    doors, judge = premises_of([draft]), RowJudge(locked, [draft.item_id])
    admit_standing(judge, locked, but=[draft_of(row)])
    faults = judge.faults(draft, doors.get(draft.premises_id) if draft.premises_id else None)
    faults += judge.admit(draft, "")
    if faults:
        raise Refused(" ".join(filter(None, [faults[0].reason, faults[0].mend])))
    fresh = locked.rows.select_for_update(of=("self",)).get(pk=row.pk)
    for name in VALUES:
        setattr(fresh, name, getattr(draft, name))
    fresh.save(update_fields=list(VALUES))
    record("inspections.plan.row_changed", locked, actor=actor, at=at, number=fresh.number)
    return fresh


@transaction.atomic
def remove_rows(*, plan: Plan, row_ids: Sequence[int], actor: Actor, at: datetime) -> int:
    """Take rows out of a draft. Returns how many went."""
    locked = lock_draft(plan, actor)
    gone = locked.rows.filter(pk__in=list(row_ids))
    numbers = list(gone.values_list("number", flat=True))
    gone.delete()
    if numbers:
        record(
            "inspections.plan.rows_removed", locked, actor=actor, at=at, rows=sorted(numbers)[:100], count=len(numbers)
        )
    return len(numbers)
