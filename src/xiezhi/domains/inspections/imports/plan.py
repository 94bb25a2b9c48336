"""检查计划: a department's sheet becomes rows of one or more drafts. Named rows by code; a name alone waits for somebody to match it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xiezhi.domains.inspections.forms.plans import PlanImportForm
from xiezhi.domains.inspections.imports.cells import frequency, industry, period
from xiezhi.domains.inspections.imports.doors import Doors
from xiezhi.domains.inspections.models import CatalogueItem, ItemVersion, Plan, PlanRow
from xiezhi.domains.inspections.permissions import InspectionPermission
from xiezhi.domains.inspections.services.named_rows import ORIGIN, queue_plan_names, queued_already
from xiezhi.domains.inspections.services.plan_rows import (
    RowDraft,
    RowJudge,
    admit_standing,
    draft_of,
    is_being_filed,
    save_rows,
)
from xiezhi.domains.inspections.services.plans import open_plan
from xiezhi.domains.inspections.workflow import PlanStatus
from xiezhi.domains.registry.models import Scene
from xiezhi.domains.registry.services.matches import NamedRow
from xiezhi.foundation.imports.columns import (
    Column,
    choice,
    code,
    day,
    integer,
    lookup,
    lookup_key,
    lookup_table,
    percent,
    text,
)
from xiezhi.foundation.imports.specs import CheckedRow, ImportContext, ImportSpec, Outcome, Row
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.workflow.errors import Refused

SOURCES = {
    "日常检查": "routine",
    "日常": "routine",
    "双随机": "random",
    "双随机抽查": "random",
    "随机抽查": "random",
    "抽查": "random",
    "专项检查": "special",
    "专项": "special",
    "个案检查": "case",
    "个案": "case",
}
COLUMN_OF = {
    "premises": "subject_code",
    "earliest": "earliest",
    "latest": "latest",
    "item": "item",
    "source": "source",
    "quantity": "quantity",
}
"""Where a fault that a judge finds is shown in the sheet."""


@dataclass
class Target:
    """A plan that rows of the sheet go into: the standing one, or the one that applying will open (no pk yet)."""

    plan: Plan
    judge: RowJudge
    standing: dict[tuple[Any, ...], RowDraft]
    closed: str = ""


class PlanImport(ImportSpec):
    """See the module."""

    key = "inspections.plan"
    title = gettext_lazy("检查计划")
    description = gettext_lazy("本部门的检查计划：指名的一行一个对象，抽查的一行一个范围。导入后是草稿，核对后再报送。")
    permission = InspectionPermission.SUBMIT_PLAN
    owned_by_department = True
    options_form = PlanImportForm
    columns = (
        Column("department", gettext_lazy("检查主体"), lookup("departments", what=gettext_lazy("部门")), aliases=("部门", "实施部门", "检查部门"), help=gettext_lazy("可留空；填写的须为本部门。")),
        Column("title", gettext_lazy("计划名称"), text(120), aliases=("计划", "检查计划名称")),
        Column("item", gettext_lazy("事项代码"), lookup("items", what=gettext_lazy("检查事项")), aliases=("检查事项", "事项名称", "事项", "抽查事项"), required=True, help=gettext_lazy("事项清单里的代码或名称。"), example="SCJG-01"),
        Column("content", gettext_lazy("内容"), text(4000), aliases=("检查内容",), help=gettext_lazy("以事项清单为准，可留空。")),
        Column("source", gettext_lazy("检查类型"), choice(SOURCES), aliases=("类型", "任务类型"), help=gettext_lazy("留空：指名的为日常检查，抽查的为双随机。")),
        Column("subject_code", gettext_lazy("统一社会信用代码"), code(longest=18), aliases=("信用代码", "社会信用代码", "代码"), example="91110199MA0000017K"),
        Column("subject_name", gettext_lazy("主体名称"), text(120), aliases=("企业名称", "单位名称", "对象名称", "名称"), example="演示餐饮有限公司"),
        Column("premises_number", gettext_lazy("场所编号"), code(longest=20), aliases=("门店编号",), help=gettext_lazy("有几处场所的主体须填。")),
        Column("address", gettext_lazy("地址"), text(200), aliases=("经营地址", "场所地址", "经营场所")),
        Column("object_kind", gettext_lazy("检查对象"), text(120), aliases=("对象",), help=gettext_lazy("抽查的写场景名称；指名的可留空。")),
        Column("scene", gettext_lazy("抽查场景"), lookup("scenes", what=gettext_lazy("场景")), aliases=("场景",)),
        Column("industry", gettext_lazy("抽查行业"), industry, aliases=("行业代码", "行业"), help=gettext_lazy("GB/T 4754 代码，可只写开头，如 H62。")),
        Column("street", gettext_lazy("街道"), lookup("streets", what=gettext_lazy("街道")), aliases=("抽查街道", "所属街道", "所在街道")),
        Column("ratio", gettext_lazy("抽查比例"), percent(), aliases=("比例",), help=gettext_lazy("比例和数量填一个；都不填按信用风险分类的比例抽取。"), example="5%"),
        Column("quantity", gettext_lazy("数量"), integer(1, 100_000, unit="户"), aliases=("抽查数量",)),
        Column("frequency", gettext_lazy("频次"), frequency, aliases=("抽查频次", "检查频次"), help=gettext_lazy("年内一次写“1次”，至少一次写“>=1”；直接写 =1 会被表格软件当成公式。"), example=">=1"),
        Column("earliest", gettext_lazy("最早日期"), day(), aliases=("最早时间", "开始日期", "开始时间", "时间起", "最早"), example=date(2026, 12, 1)),
        Column("latest", gettext_lazy("最晚日期"), day(), aliases=("最晚时间", "结束日期", "完成时限", "结束时间", "时间止", "最晚"), example=date(2026, 12, 31)),
        Column("period", gettext_lazy("时间"), period(), aliases=("检查时间", "时间安排", "实施时间"), help=gettext_lazy("没有最早、最晚两列的，可写 2026年4月、4-6月、第二季度。")),
        Column("on_site_reason", gettext_lazy("现场检查理由"), text(200), aliases=("到现场的理由", "现场理由"), help=gettext_lazy("可以非现场办理的事项，要到现场的须写理由（R03）。")),
        Column("section", gettext_lazy("股室"), text(60), aliases=("科室", "联络科室", "责任科室")),
    )  # fmt: skip
    notes = (
        gettext_lazy("指名的行填统一社会信用代码；只有名称的行会进入待匹配名称，确认后自动补进计划。"),
        gettext_lazy("抽查的行不填主体，填场景、行业、街道中的一项或几项，报送时由系统抽取并留下记录。"),
        gettext_lazy("个案检查不列入计划；有专项检查的计划须先经批准。"),
    )
    done_url_name = "inspections:plans"

    def prepare(self, context: ImportContext) -> None:
        streets = Organisation.objects.filter(kind=Organisation.Kind.STREET)
        departments = Organisation.objects.filter(kind=Organisation.Kind.DEPARTMENT)
        context.tables["streets"] = lookup_table(streets, "name", "short_name", "code")
        context.tables["departments"] = lookup_table(departments, "name", "short_name", "code")
        context.tables["scenes"] = lookup_table(Scene.objects.all(), "name", "code")
        context.tables["items"] = _items_by_word(context.organisation)
        context.tables["targets"] = {}

    def check_chunk(self, rows: Sequence[Row], context: ImportContext) -> None:
        doors = Doors(rows, context.actor)
        waiting: list[tuple[Row, NamedRow]] = []
        for row in rows:
            window = self._window(row)
            target = self._target(row, context)
            if window is None or target is None:
                continue
            draft = self._draft(row, window, doors, context)
            if draft is None:
                continue
            if draft.kind == PlanRow.Kind.NAMED and draft.premises_id is None:
                named = self._judge_nameless(row, draft, target)
                if named:
                    waiting.append((row, named))
            else:
                self._judge(row, draft, target, doors)
        _settle_names(waiting, context)

    def _window(self, row: Row) -> tuple[date, date] | None:
        earliest, latest = row["earliest"], row["latest"]
        if row["period"] and earliest is None and latest is None:
            earliest, latest = row["period"]
        if earliest is None or latest is None:
            column = "earliest" if earliest is None else "latest"
            row.refuse(column, _("没有写时间。"), _("请填最早、最晚日期，或填“时间”。"))
            return None
        return earliest, latest

    def _target(self, row: Row, context: ImportContext) -> Target | None:
        if row["department"] and row["department"] != context.organisation:
            row.refuse(
                "department", _("这是“%(name)s”的计划行。") % {"name": row["department"]}, _("请由该部门自己导入。")
            )
            return None
        title = row["title"] or context.options.get("title")
        if not title:
            row.refuse("title", _("没有写计划名称。"), _("请在表格里或上传时填写。"))
            return None
        targets: dict[str, Target] = context.tables["targets"]
        if title not in targets:
            targets[title] = _open_target(str(title), context)
        return targets[str(title)]

    def _draft(self, row: Row, window: tuple[date, date], doors: Doors, context: ImportContext) -> RowDraft | None:
        scene = row["scene"]
        named = bool(row["subject_code"] or row["subject_name"])
        if not named and row["object_kind"] and scene is None:
            scene = context.tables["scenes"].get(lookup_key(row["object_kind"]))
        frame = bool(scene or row["industry"])
        if not named and not frame and row["street"] is None:
            row.refuse(
                "subject_code",
                _("既没有写主体，也没有写抽查范围。"),
                _("指名的填代码或名称；抽查的填场景、行业或街道。"),
            )
            return None
        if named and (frame or row["ratio"] is not None or row["quantity"] is not None):
            row.refuse("subject_code", _("同一行既写了主体，又写了抽查范围。"), _("请分成两行：一行指名，一行抽查。"))
            return None
        special = context.options.get("kind") == Plan.Kind.SPECIAL
        usual = PlanRow.Source.ROUTINE if named else PlanRow.Source.RANDOM
        common: dict[str, Any] = {
            "item_id": row["item"].pk,
            "source": row["source"] or (PlanRow.Source.SPECIAL if special else usual).value,
            "earliest": window[0],
            "latest": window[1],
            "on_site_reason": row["on_site_reason"] or "",
            "section": row["section"] or "",
            "frequency": row["frequency"] or "",
        }
        if not named:
            return self._sampling(row, scene, common)
        door = doors.of(row) if row["subject_code"] else None
        if row["subject_code"] and door is None:
            return None
        return RowDraft(kind=PlanRow.Kind.NAMED.value, premises_id=door.pk if door else None, **common)

    def _sampling(self, row: Row, scene: Scene | None, common: dict[str, Any]) -> RowDraft | None:
        per_mille = None
        if row["ratio"] is not None:
            share: Decimal = row["ratio"] * 1000
            if share != share.to_integral_value() or share < 1:
                row.refuse("ratio", _("比例精确到千分之一，且大于 0。"), _("请写成 5% 或 2.5% 这样的比例。"))
                return None
            per_mille = int(share)
        return RowDraft(
            kind=PlanRow.Kind.SAMPLING.value,
            scene_id=scene.pk if scene else None,
            industry=row["industry"] or "",
            street_id=row["street"].pk if row["street"] else None,
            ratio_per_mille=per_mille,
            quantity=row["quantity"],
            **common,
        )

    def _judge(self, row: Row, draft: RowDraft, target: Target, doors: Doors) -> None:
        before = target.standing.get(draft.about)
        same = before is not None and {**asdict(before), "number": 0} == asdict(draft)
        if same:
            row.settle(Outcome.UNCHANGED)
            return
        if self._refused_by(row, draft, target, doors.by_id.get(draft.premises_id or 0)):
            return
        clean = {"title": target.plan.title, "row": asdict(draft)}
        if before is None:
            row.settle(Outcome.NEW, clean)
        else:
            row.settle(Outcome.CHANGED, clean, changes=_differences(before, draft))

    def _refused_by(self, row: Row, draft: RowDraft, target: Target, door: Any) -> bool:
        if target.closed:
            row.refuse("title", target.closed, _("请换一个计划名称，作为补充计划另行报送。"))
            return True
        faults = target.judge.faults(draft, door)
        aimed = draft.premises_id is not None or draft.kind == PlanRow.Kind.SAMPLING
        if aimed and draft.about not in target.standing:
            faults += target.judge.admit(draft, _("第 %(number)d 行") % {"number": row.number})
        for fault in faults:
            row.refuse(COLUMN_OF.get(fault.field, ""), fault.reason, fault.mend)
        return bool(faults)

    def _judge_nameless(self, row: Row, draft: RowDraft, target: Target) -> NamedRow | None:
        if self._refused_by(row, draft, target, None):
            return None
        payload = {"title": target.plan.title, "starts_on": target.plan.starts_on.isoformat(), "row": _as_json(draft)}
        return NamedRow(
            name=row["subject_name"],
            street_text=row["street"].short_name if row["street"] else "",
            address=row["address"] or "",
            payload=payload,
            row_number=row.number,
        )

    def apply_chunk(self, rows: Sequence[CheckedRow], context: ImportContext) -> Mapping[str, int]:
        by_title: dict[str, list[CheckedRow]] = {}
        for row in rows:
            by_title.setdefault(row.clean["title"], []).append(row)
        queued = added = 0
        for title, mine in by_title.items():
            plan = _standing_plan(title, context) or _new_plan(title, context)
            _refuse_closed(plan)
            drafts = [_from_json(row.clean["row"]) for row in mine if row.outcome != Outcome.TO_CONFIRM]
            added += len(save_rows(plan=plan, rows=drafts))
            names = [NamedRow(**row.clean["named"]) for row in mine if row.outcome == Outcome.TO_CONFIRM]
            queued += queue_plan_names(
                plan=plan, rows=names, batch_id=context.batch_id, actor=context.actor, at=context.at
            )
        return {"rows": added, "queued": queued}

    def result_labels(self) -> Mapping[str, Any]:
        return {"rows": _("写入计划的行"), "queued": _("进入待匹配名称")}


def _settle_names(waiting: Sequence[tuple[Row, NamedRow]], context: ImportContext) -> None:
    known = queued_already([named for _row, named in waiting], organisation=context.organisation)
    for (row, named), queued in zip(waiting, known, strict=True):
        if queued:
            row.settle(Outcome.UNCHANGED)
        else:
            clean = {"title": named.payload["title"], "named": asdict(named), "origin": ORIGIN}
            row.settle(Outcome.TO_CONFIRM, clean)


def _items_by_word(department: Organisation) -> dict[str, CatalogueItem]:
    """Items by code, all departments'; those of `department` also by the name of their latest version."""
    items = CatalogueItem.objects.select_related("department")
    table: dict[str, CatalogueItem] = lookup_table(items, "code")
    versions = ItemVersion.objects.filter(item__department=department).select_related("item__department")
    for version in versions.order_by("-effective_from"):
        table.setdefault(lookup_key(version.name), version.item)
    return table


def _period(context: ImportContext) -> tuple[date, date]:
    return date.fromisoformat(str(context.options["starts_on"])), date.fromisoformat(str(context.options["ends_on"]))


def _standing_plan(title: str, context: ImportContext) -> Plan | None:
    starts_on, _ends_on = _period(context)
    plans = Plan.objects.filter(department=context.organisation, title=title, starts_on=starts_on)
    return plans.exclude(status=PlanStatus.WITHDRAWN).first()


def _head(context: ImportContext) -> dict[str, Any]:
    starts_on, ends_on = _period(context)
    given = context.options
    days = {
        name: date.fromisoformat(str(given[name])) if given.get(name) else None
        for name in ("approved_on", "published_on")
    }
    return {
        "starts_on": starts_on,
        "ends_on": ends_on,
        "kind": given.get("kind") or Plan.Kind.ANNUAL.value,
        "superior_ordered": bool(given.get("superior_ordered")),
        "approval_number": given.get("approval_number") or "",
        **days,
    }


def _new_plan(title: str, context: ImportContext) -> Plan:
    return open_plan(department=context.organisation, title=title, actor=context.actor, at=context.at, **_head(context))


def _open_target(title: str, context: ImportContext) -> Target:
    plan = _standing_plan(title, context)
    standing: dict[tuple[Any, ...], RowDraft] = {}
    closed = ""
    if plan is None:
        plan = Plan(department=context.organisation, title=title, created_at=context.at, **_head(context))
    else:
        standing = {draft.about: draft for draft in map(draft_of, plan.rows.all())}
        closed = _closed(plan)
    items: dict[str, CatalogueItem] = context.tables["items"]
    judge = RowJudge(plan, {item.pk for item in items.values()})
    if plan.pk:
        admit_standing(judge, plan)
    return Target(plan, judge, standing, closed)


def _closed(plan: Plan) -> str:
    if plan.status != PlanStatus.DRAFT:
        return _("计划《%(title)s》已经报送，不能再加。") % {"title": plan.title}
    if is_being_filed(plan):
        return _("计划《%(title)s》正在报送。") % {"title": plan.title}
    return ""


def _refuse_closed(plan: Plan) -> None:
    locked = Plan.objects.select_for_update(of=("self",)).get(pk=plan.pk)
    closed = _closed(locked)
    if closed:
        raise Refused(closed)


def _differences(before: RowDraft, after: RowDraft) -> dict[str, list[Any]]:
    old, new = asdict(before), asdict(after)
    return {
        name: [_readable(old[name]), _readable(new[name])]
        for name in new
        if name != "number" and old[name] != new[name]
    }


def _readable(value: Any) -> str:
    return "—" if value in (None, "") else str(value)


def _as_json(draft: RowDraft) -> dict[str, Any]:
    return {**asdict(draft), "earliest": draft.earliest.isoformat(), "latest": draft.latest.isoformat()}


def _from_json(stored: Mapping[str, Any]) -> RowDraft:
    given = dict(stored)
    given["earliest"], given["latest"] = (date.fromisoformat(given[name]) for name in ("earliest", "latest"))
    return RowDraft(**given)
