"""检查事项清单: one row an item. A row that differs from what is in force publishes a new version from its 生效日期."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xiezhi.domains.inspections.imports.cells import form_lines
from xiezhi.domains.inspections.models import CatalogueItem, Check, IncompatiblePair, ItemVersion
from xiezhi.domains.inspections.permissions import InspectionPermission
from xiezhi.domains.inspections.services.catalogue import (
    Line,
    Wording,
    keep_apart,
    publish_version,
    version_fault,
    wording_of,
)
from xiezhi.foundation.imports.columns import (
    Column,
    choice,
    code,
    day,
    integer,
    lookup,
    lookup_table,
    several,
    text,
    yes_no,
)
from xiezhi.foundation.imports.specs import CheckedRow, ImportContext, ImportSpec, Outcome, Row
from xiezhi.foundation.orgs.models import Organisation

METHODS = {
    "现场检查": "on_site",
    "现场": "on_site",
    "书面核查": "written",
    "书面检查": "written",
    "书面": "written",
    "网络检查": "online",
    "网络监测": "online",
    "网络": "online",
    "非现场监管": "remote",
    "非现场检查": "remote",
    "非现场": "remote",
}
CATEGORIES = {"一般": "general", "一般检查事项": "general", "重点": "key", "重点检查事项": "key"}
CODE = r"[0-9A-Z][0-9A-Z._\-]{1,29}"
YES_NO = ("off_site_possible", "safety")


class ItemImport(ImportSpec):
    """See the module. Pairs that may not share a visit are kept apart after all rows, so that a row may name a later one."""

    key = "inspections.items"
    title = gettext_lazy("检查事项清单")
    description = gettext_lazy("已公布的检查事项，一行一项。内容有变化的，从生效日期起成为新版本。")
    permission = InspectionPermission.MANAGE_CATALOGUE
    columns = (
        Column("code", gettext_lazy("事项代码"), code(CODE, what=gettext_lazy("2 至 30 位字母、数字或 -._"), longest=30), aliases=("代码", "事项编码"), required=True, example="SCJG-01"),
        Column("name", gettext_lazy("事项名称"), text(120), aliases=("检查事项", "名称", "抽查事项"), required=True, example="餐饮服务食品安全检查"),
        Column("department", gettext_lazy("部门"), lookup("departments", what=gettext_lazy("部门")), aliases=("发起部门", "检查主体", "实施部门", "牵头部门"), help=gettext_lazy("留空即为本部门。")),
        Column("category", gettext_lazy("类别"), choice(CATEGORIES), aliases=("事项类别",), example="重点"),
        Column("field", gettext_lazy("领域"), text(60), aliases=("抽查领域",)),
        Column("subject_kind", gettext_lazy("检查对象"), text(120), aliases=("对象",)),
        Column("assisting", gettext_lazy("配合部门"), text(120)),
        Column("level", gettext_lazy("层级"), text(20), aliases=("实施层级",)),
        Column("legal_basis", gettext_lazy("依据"), text(2000), aliases=("检查依据", "法律依据"), required=True, example="演示依据"),
        Column("content", gettext_lazy("检查内容"), text(4000), aliases=("内容",)),
        Column("method", gettext_lazy("检查方式"), choice(METHODS), aliases=("方式",), example="现场检查"),
        Column("off_site_possible", gettext_lazy("可非现场办理"), yes_no(), aliases=("可非现场", "能否非现场"), example="否"),
        Column("minutes", gettext_lazy("时长（分钟）"), integer(1, 1440, unit="分钟"), aliases=("时长", "检查时长", "用时"), required=True, example=45),
        Column("safety", gettext_lazy("涉及安全"), yes_no(), aliases=("安全事项", "是否涉及安全"), example="是"),
        Column("annual_cap", gettext_lazy("年度频次上限"), integer(1, 366, unit="次"), aliases=("频次上限", "年度上限")),
        Column("contact", gettext_lazy("联络科室"), text(60), aliases=("联系科室", "股室")),
        Column("effective_from", gettext_lazy("生效日期"), day(), aliases=("公布日期", "实施日期"), required=True, example=date(2026, 1, 1)),
        Column("lines", gettext_lazy("检查表单"), form_lines, aliases=("检查要点", "检查项"), help=gettext_lazy("一行一条，写“检查项 | 检查标准”。"), example="许可证公示 | 在有效期内，悬挂在醒目处"),
        Column("incompatible", gettext_lazy("不宜同场事项"), several(code(CODE, longest=30)), help=gettext_lazy("不能与它在同一次检查里进行的事项代码，用顿号分开。")),
        Column("incompatible_reason", gettext_lazy("不宜同场原因"), text(200)),
    )  # fmt: skip
    identity = ("code",)
    notes = (
        gettext_lazy("内容有变化的事项，请同时把生效日期改为新的日期；已经按旧版本检查的记录不变。"),
        gettext_lazy("清单里没有的事项不得检查；不再检查的事项请在页面上取消。"),
    )
    chunk_rows = 10_000
    done_url_name = "inspections:items"

    def prepare(self, context: ImportContext) -> None:
        departments = Organisation.objects.filter(kind=Organisation.Kind.DEPARTMENT)
        context.tables["departments"] = lookup_table(departments, "name", "short_name", "code")
        context.tables["departments_by_id"] = {each.pk: each for each in departments}
        context.tables["pairs"] = []

    def check_chunk(self, rows: Sequence[Row], context: ImportContext) -> None:
        items = {item.code: item for item in _items([row["code"] for row in rows])}
        latest = _latest_versions(items.values())
        used = _last_use(version.pk for version in latest.values())
        known = {*items, *(row["code"] for row in rows)}
        known |= set(CatalogueItem.objects.filter(code__in=_named(rows)).values_list("code", flat=True))
        pairs = _standing_pairs(items.values())
        for row in rows:
            department = self._department(row, context)
            if department is None:
                continue
            item = items.get(row["code"])
            if item and item.department_id != department.pk:
                row.refuse(
                    "code",
                    _("代码 %(code)s 已由“%(department)s”使用。")
                    % {"code": row["code"], "department": item.department},
                    _("请换一个代码。"),
                )
                continue
            new_pairs = self._pairs(row, known, pairs)
            self._settle(row, department, latest.get(row["code"]), used, new_pairs)

    def _department(self, row: Row, context: ImportContext) -> Organisation | None:
        mine: Organisation | None = context.tables["departments_by_id"].get(context.actor.department_id)
        department: Organisation | None = row["department"] or mine
        if department is None:
            row.refuse("department", _("没有写部门。"), _("请填写这一事项由哪个部门实施。"))
        elif not context.actor.district_wide and department != mine:
            row.refuse("department", _("这是“%(name)s”的事项。") % {"name": department}, _("只能导入本部门的事项。"))
            return None
        elif not department.qualified:
            row.refuse("department", _("“%(name)s”没有行政检查主体资格（R01）。") % {"name": department})
            return None
        return department

    def _pairs(self, row: Row, known: set[str], standing: set[frozenset[str]]) -> list[str]:
        """Codes that this row newly keeps apart from its item."""
        wanted: list[str] = row["incompatible"] or []
        for other in wanted:
            if other not in known:
                row.refuse("incompatible", _("没有代码为 %(code)s 的事项。") % {"code": other}, _("请核对代码。"))
            elif other == row["code"]:
                row.refuse("incompatible", _("事项不能与自己不宜同场。"), _("请删去它自己的代码。"))
        if wanted and not row["incompatible_reason"]:
            row.refuse("incompatible_reason", _("没有写原因。"), _("请写明为什么不宜同场。"))
        return [other for other in wanted if frozenset({row["code"], other}) not in standing]

    def _settle(
        self,
        row: Row,
        department: Organisation,
        last: ItemVersion | None,
        used: Mapping[int, date],
        new_pairs: list[str],
    ) -> None:
        wording = _wording(row)
        clean = {
            "code": row["code"],
            "department_id": department.pk,
            "effective_from": row["effective_from"],
            "wording": asdict(wording),
            "apart_from": new_pairs,
            "apart_reason": row["incompatible_reason"] or "",
        }
        if last is None:
            row.settle(Outcome.NEW, clean)
            return
        before = wording_of(last)
        changes = _differences(before, wording) if last.effective_to is None else {"code": [_("已取消"), _("重新公布")]}
        if changes:
            fault = version_fault(last, row["effective_from"], used.get(last.pk))
            if fault:
                row.refuse("effective_from", fault, _("请把生效日期改为新内容开始实行的日期。"))
                return
            changes["effective_from"] = [last.effective_from.isoformat(), row["effective_from"].isoformat()]
        if new_pairs:
            changes["incompatible"] = ["", _("、").join(new_pairs)]
        if changes:
            row.settle(Outcome.CHANGED, clean, changes=changes)
        else:
            row.settle(Outcome.UNCHANGED)

    def apply_chunk(self, rows: Sequence[CheckedRow], context: ImportContext) -> Mapping[str, int]:
        versions = 0
        for row in rows:
            clean = row.clean
            given = dict(clean["wording"])
            given["lines"] = tuple(Line(**line) for line in given["lines"])
            _version, new = publish_version(
                code=clean["code"],
                department=context.tables["departments_by_id"][clean["department_id"]],
                wording=Wording(**given),
                effective_from=date.fromisoformat(clean["effective_from"]),
                actor=context.actor,
                at=context.at,
            )
            versions += new
            context.tables["pairs"] += [(clean["code"], other, clean["apart_reason"]) for other in clean["apart_from"]]
        return {"versions": versions}

    def finish(self, context: ImportContext) -> Mapping[str, int]:
        wanted = context.tables["pairs"]
        items = {
            item.code: item for item in _items([code for first, second, _why in wanted for code in (first, second)])
        }
        made = 0
        for first, second, reason in wanted:
            if first in items and second in items:
                _pair, new = keep_apart(
                    first=items[first], second=items[second], reason=reason, actor=context.actor, at=context.at
                )
                made += new
        return {"pairs": made} if made else {}

    def result_labels(self) -> Mapping[str, Any]:
        return {"versions": _("公布的新版本"), "pairs": _("新的不宜同场事项")}


def _items(codes: Sequence[str]) -> list[CatalogueItem]:
    return list(CatalogueItem.objects.filter(code__in=set(codes)).select_related("department"))


def _named(rows: Sequence[Row]) -> set[str]:
    return {other for row in rows for other in row["incompatible"] or []}


def _latest_versions(items: Any) -> dict[str, ItemVersion]:
    rows = ItemVersion.objects.filter(item__in=[item.pk for item in items]).select_related("item")
    return {version.item.code: version for version in rows.prefetch_related("form_lines").order_by("version")}


def _last_use(version_ids: Any) -> dict[int, date]:
    rows = Check.objects.filter(item_version__in=list(version_ids), done_at__isnull=False).order_by()
    return {
        version_id: timezone.localdate(last)
        for version_id, last in rows.values("item_version")
        .annotate(last=Max("done_at"))
        .values_list("item_version", "last")
    }


def _standing_pairs(items: Any) -> set[frozenset[str]]:
    ids = [item.pk for item in items]
    rows = IncompatiblePair.objects.filter(first__in=ids) | IncompatiblePair.objects.filter(second__in=ids)
    return {frozenset(pair) for pair in rows.values_list("first__code", "second__code")}


def _wording(row: Row) -> Wording:
    """What the row says; a blank cell is the field's plain default."""
    given = {name: row[name] for name in Wording.__dataclass_fields__ if name != "lines" and row[name] is not None}
    return Wording(**given, lines=tuple(row["lines"] or ()))


def _differences(before: Wording, after: Wording) -> dict[str, list[Any]]:
    changes: dict[str, list[Any]] = {}
    for name in Wording.__dataclass_fields__:
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            changes[name] = [_readable(name, old), _readable(name, new)]
    return changes


def _readable(name: str, value: Any) -> str:
    if name == "lines":
        return _("%(count)d 行") % {"count": len(value)}
    if name == "method":
        return str(ItemVersion.Method(value).label)
    if name == "category":
        return str(ItemVersion.Category(value).label)
    if name in YES_NO:
        return _("是") if value else _("否")
    return "—" if value in (None, "") else str(value)
