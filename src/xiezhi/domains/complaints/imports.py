"""工单文件: the work orders of 12345 and of 12315 as those systems export them, one row a work order, known by its number."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xiezhi.domains.complaints import workorders
from xiezhi.domains.complaints.models import Category
from xiezhi.domains.complaints.permissions import ComplaintPermission
from xiezhi.domains.complaints.services.filed import (
    Filed,
    Known,
    store_changed,
    store_new,
    what_is_known,
)
from xiezhi.domains.complaints.texts import LONGEST, clean, mask_personal
from xiezhi.domains.complaints.words import Channel, Kind, Register, Urgency
from xiezhi.domains.registry.models import Subject
from xiezhi.foundation.files.sheets.cells import Cell, as_text
from xiezhi.foundation.imports.columns import (
    CellRefused,
    Column,
    Parser,
    code,
    lookup_key,
    lookup_table,
    moment,
    text,
    yes_no,
)
from xiezhi.foundation.imports.specs import CheckedRow, ImportContext, ImportSpec, Outcome, Row
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.ui.words import masked


def body(longest: int) -> Parser:
    """A text with its lines."""

    def parse(value: Cell, context: ImportContext) -> str:
        written = clean(as_text(value))
        if not written:
            raise CellRefused(_("没有可以识别的文字。"), _("请重新填写。"))
        if len(written) > longest:
            raise CellRefused(
                _("太长（%(count)s 字）。") % {"count": f"{len(written):,}"},
                _("请缩短到 %(most)s 字以内，其余作为附件上传。") % {"most": f"{longest:,}"},
            )
        return written

    return parse


def known_text(longest: int) -> Parser:
    """A text; what offices write for nothing (无, 不详) is nothing."""
    plain = text(longest)

    def parse(value: Cell, context: ImportContext) -> str | None:
        written: str = plain(value, context)
        return None if written in workorders.EMPTY else written

    return parse


def kinds(value: Cell, context: ImportContext) -> list[str]:
    """The kinds that the cell names."""
    found = workorders.kinds_in(as_text(value))
    if not found:
        raise CellRefused(_("不认识这个类型。"), _("可填：投诉、举报、咨询、求助、建议。"))
    return found


def happened(value: Cell, context: ImportContext) -> Any:
    """The day of a day or moment."""
    parsed = moment()(value, context)
    return parsed.date()


class WorkOrderForm(forms.Form):
    """Step one's questions."""

    kind = forms.ChoiceField(
        label=gettext_lazy("没有写类型的行按"),
        choices=[(each.value, each.label) for each in Kind],
        initial=Kind.COMPLAINT,
    )
    mixed = forms.ChoiceField(
        label=gettext_lazy("同时含投诉和举报的行"),
        choices=[
            ("later", gettext_lazy("先按投诉登记，由派单员逐件拆出举报")),
            ("now", gettext_lazy("导入时就拆成两件（投诉、举报各一件，各自计时）")),
        ],
        widget=forms.RadioSelect,
        initial="later",
        help_text=gettext_lazy("投诉和举报应当分别办理（第九条）。"),
    )


def _columns(number: Any, number_example: str, other: Any, first: Mapping[str, Any]) -> tuple[Column, ...]:
    """The columns of one register's file. `first`: what this register calls a field; every other office's word is understood too."""

    def column(key: str, label: Any, parse: Parser, **more: Any) -> Column:
        label = first.get(key, label)
        return Column(key, label, parse, aliases=workorders.LABELS.get(key, ()), **more)

    return (
        column("number", number, code(longest=40), required=True, example=number_example),
        column("received_at", gettext_lazy("诉求时间"), moment(), required=True, help=gettext_lazy("该系统收到的时间，法定期限从这里起算。写成 2026-04-15 14:30 或 2026年4月15日14时30分。"), example="2026-04-15 14:30"),
        column("kind", gettext_lazy("诉求类型"), kinds, help=gettext_lazy("投诉、举报、咨询、求助、建议；混在一起的写“投诉举报”。"), example="投诉"),
        column("description", gettext_lazy("诉求内容"), body(LONGEST), required=True, example="演示：办卡后店铺闭店，要求退还余额。", masked=mask_personal),
        column("title", gettext_lazy("标题"), body(500), help=gettext_lazy("留空时取内容的第一句。"), masked=mask_personal),
        column("name", gettext_lazy("诉求人姓名"), known_text(60), example="演示王某", masked=masked),
        column("phone", gettext_lazy("联系电话"), known_text(40), example="19900000000", masked=masked),
        column("person_address", gettext_lazy("诉求人地址"), known_text(200), masked=masked),
        Column("anonymous", gettext_lazy("是否匿名"), yes_no(), aliases=("匿名",)),
        Column("may_call_back", gettext_lazy("是否愿意回访"), yes_no(), aliases=("愿意接受回访", "是否回访")),
        column("respondent_name", gettext_lazy("被反映单位"), known_text(120), example="北京示例健身有限公司"),
        column("subject_code", gettext_lazy("统一社会信用代码"), code(longest=40), help=gettext_lazy("知道时填写，用来关联经营主体。")),
        column("respondent_address", gettext_lazy("被反映单位地址"), known_text(200)),
        column("place", gettext_lazy("问题地址"), known_text(200)),
        column("street", gettext_lazy("所属街道"), known_text(60)),
        column("category", gettext_lazy("问题分类"), known_text(120), help=gettext_lazy("本系统没有的分类不影响导入，登记后再选。")),
        column("demand_text", gettext_lazy("诉求目的"), known_text(500), example="退款"),
        column("urgency", gettext_lazy("紧急程度"), known_text(40)),
        column("tier", gettext_lazy("办理时限"), known_text(60), help=gettext_lazy("2 小时、24 小时、7 天、15 天；留空按类别和紧急程度。")),
        column("happened_on", gettext_lazy("发生日期"), happened),
        Column("other_number", other, code(longest=40), help=gettext_lazy("同一诉求在另一系统的编号，知道时填写。")),
    )  # fmt: skip


@dataclass
class _Tables:
    categories: dict[str, Category]
    streets: dict[str, Organisation]
    subjects: dict[str, Subject] = field(default_factory=dict)


class WorkOrderImport(ImportSpec):
    """See the module. Known numbers are compared three ways: the file, what the file said last time, and what the case says now."""

    permission = ComplaintPermission.DISPATCH
    options_form = WorkOrderForm
    identity = ("number",)
    register: str
    other: str
    channel: str
    done_url_name = "complaints:cases"
    notes = (
        gettext_lazy("一行一张工单，按编号对应：同一文件再次导入不会产生变化。"),
        gettext_lazy("已登记的编号只补充和更正要素；类型、时间、内容和诉求人不覆盖，有不同时在核对页提醒。"),
        gettext_lazy("诉求人的姓名、电话、地址加密保存，核对页只显示隐去中间部分的内容。"),
    )

    def prepare(self, context: ImportContext) -> None:
        """Categories and streets, by their words."""
        streets = Organisation.objects.filter(kind=Organisation.Kind.STREET)
        context.tables["lists"] = _Tables(
            lookup_table(Category.objects.filter(is_active=True).order_by("code"), "name", "code"),
            lookup_table(streets, "name", "short_name", "code"),
        )

    def check_chunk(self, rows: Sequence[Row], context: ImportContext) -> None:
        """New numbers become cases; known ones are compared."""
        tables: _Tables = context.tables["lists"]
        codes = {row["subject_code"] for row in rows if row["subject_code"]}
        tables.subjects = {each.code: each for each in Subject.objects.filter(code__in=codes)}
        filed = {row.number: self._filed(row, tables, context) for row in rows}
        known = what_is_known([each for each in filed.values() if each])
        for row in rows:
            each = filed[row.number]
            if each is None or row.problems:
                row.settle(Outcome.REFUSED)
                continue
            self._settle(row, each, known, tables)

    def _filed(self, row: Row, tables: _Tables, context: ImportContext) -> Filed | None:
        if row["received_at"] > context.at:
            row.refuse("received_at", _("收到时间晚于现在。"), _("请核对年份和时间。"))
        if row["happened_on"] and row["happened_on"] > context.at.date():
            row.warn("happened_on", _("发生日期晚于今天，没有采用。"))
        if row["other_number"] and row["other_number"] == row["number"]:
            row.refuse("other_number", _("两个编号相同。"), _("只在所属系统的那一列填写。"))
        if row.problems:
            return None
        named = row["kind"] or [context.options.get("kind") or Kind.COMPLAINT.value]
        subject = tables.subjects.get(row["subject_code"] or "")
        if row["subject_code"] and subject is None:
            row.warn("subject_code", _("主体库里没有这个代码，没有关联经营主体。"))
        words = "".join(each for word, each in (("complaint", "投诉"), ("report", "举报")) if word in named)
        facts = {
            "title": mask_personal(row["title"] or "").replace("\n", " ")[:120],
            "category": _category(row, tables),
            "urgency": workorders.urgency_of(row["urgency"]) if row["urgency"] else "",
            "demand_text": row["demand_text"],
            "respondent_name": row["respondent_name"],
            "respondent_address": row["respondent_address"],
            "subject": subject.code if subject else "",
            "street": _street(row, tables),
            "place": row["place"],
            "happened_on": row["happened_on"].isoformat() if row["happened_on"] and row["happened_on"] <= context.at.date() else "",
        }  # fmt: skip
        return Filed(
            register=self.register, number=row["number"], other_register=self.other, other_number=row["other_number"] or "",
            channel=self.channel, kind=named[0], mixed=workorders.is_mixed(words or named[0], row["description"]),
            received_at=row["received_at"], description=row["description"], tier=_tier(row),
            facts={key: value for key, value in facts.items() if value},
            person={
                "name": row["name"] or "", "phone": row["phone"] or "", "address": row["person_address"] or "",
                "anonymous": bool(row["anonymous"]), "may_call_back": row["may_call_back"] is not False,
            },
        )  # fmt: skip

    def _settle(self, row: Row, filed: Filed, known: Known, tables: _Tables) -> None:
        found = known.of(filed)
        if found.refused:
            row.refuse("other_number" if found.clash else "number", found.refused, found.mend)
        elif found.case is None:
            if filed.mixed:
                row.warn("kind", _("同时含投诉和举报，应当分别办理（第九条）。"))
            if filed.kind == Kind.COMPLAINT and not filed.person["phone"]:
                row.warn("phone", _("没有电话：受理前要联系诉求人补充（第十条）。"))
            row.settle(Outcome.TO_CONFIRM if filed.mixed else Outcome.NEW, filed.as_json())
        else:
            for column, text in found.warnings:
                row.warn(column, text)
            if found.changes:
                row.settle(Outcome.CHANGED, filed.as_json(), changes=_readable(found.changes, tables))
            else:
                row.settle(Outcome.UNCHANGED)

    def apply_chunk(self, rows: Sequence[CheckedRow], context: ImportContext) -> Mapping[str, int]:
        """New ones in bulk, changed ones one by one."""
        new = [Filed.from_json(row.clean) for row in rows if row.outcome != Outcome.CHANGED]
        changed = [Filed.from_json(row.clean) for row in rows if row.outcome == Outcome.CHANGED]
        split = context.options.get("mixed") == "now"
        counts = store_new(filed=new, split=split, actor=context.actor, at=context.at)
        return {**counts, **store_changed(filed=changed, actor=context.actor, at=context.at)}

    def result_labels(self) -> Mapping[str, Any]:
        return {
            "created": gettext_lazy("新登记的诉求"),
            "split": gettext_lazy("拆出的举报"),
            "mixed": gettext_lazy("含举报内容、等待拆分"),
            "amended": gettext_lazy("补充或者更正的诉求"),
            "known": gettext_lazy("导入时已由他人登记"),
        }


def _readable(changes: Mapping[str, Sequence[str]], tables: _Tables) -> dict[str, list[str]]:
    """Changes in the interface's words instead of codes."""
    words: dict[str, Callable[[str], Any]] = {
        "category": lambda value: tables.categories[lookup_key(value)].name,
        "street": lambda value: tables.streets[lookup_key(value)].short_name,
        "urgency": lambda value: Urgency(value).label,
    }
    return {
        column: [str(words[column](value)) if value and column in words else value for value in pair]
        for column, pair in changes.items()
    }


def _category(row: Row, tables: _Tables) -> str:
    """The code of the category whose name the cell is or ends with (`市场监管-食品安全`)."""
    written = row["category"]
    if not written:
        return ""
    parts = [
        written,
        *reversed(
            [
                part
                for part in written.replace("／", "/")
                .replace(">", "/")
                .replace("＞", "/")
                .replace("—", "/")
                .replace("-", "/")
                .split("/")
                if part.strip()
            ]
        ),
    ]
    found = next((tables.categories[key] for key in map(lookup_key, parts) if key in tables.categories), None)
    if found is None:
        row.warn("category", _("没有这个类别，登记后再选。"))
    return found.code if found else ""


def _street(row: Row, tables: _Tables) -> str:
    found = tables.streets.get(lookup_key(row["street"])) if row["street"] else None
    if row["street"] and found is None:
        row.warn("street", _("没有这个街道，登记后再选。"))
    return found.code if found else ""


def _tier(row: Row) -> str:
    found = workorders.tier_of(row["tier"]) if row["tier"] else ""
    if row["tier"] and not found:
        row.warn("tier", _("只认 2 小时、24 小时、7 天、15 天；这一行按类别和紧急程度确定。"))
    return found


class HotlineImport(WorkOrderImport):
    key = "complaints.12345"
    title = gettext_lazy("12345 工单")
    description = gettext_lazy("12345 热线派来的工单文件（Excel 或 CSV）。导入后为待派单，期限从热线收到时起算。")
    register, other, channel = Register.HOTLINE.value, Register.PLATFORM.value, Channel.HOTLINE_12345.value
    columns = _columns(gettext_lazy("工单编号"), "YS20260415000001", gettext_lazy("12315 编号"), {})


class PlatformImport(WorkOrderImport):
    key = "complaints.12315"
    title = gettext_lazy("12315 工单")
    description = gettext_lazy(
        "全国 12315 平台导出的投诉、举报文件（Excel 或 CSV）。导入后为待派单，期限从平台收到时起算。"
    )
    register, other, channel = Register.PLATFORM.value, Register.HOTLINE.value, Channel.PLATFORM_12315.value
    columns = _columns(
        gettext_lazy("登记编号"),
        "1110199002026041500001",
        gettext_lazy("12345 编号"),
        {
            "kind": gettext_lazy("业务类型"),
            "received_at": gettext_lazy("登记时间"),
            "name": gettext_lazy("投诉人姓名"),
            "person_address": gettext_lazy("投诉人地址"),
            "description": gettext_lazy("投诉内容"),
            "demand_text": gettext_lazy("投诉请求"),
            "respondent_name": gettext_lazy("被投诉方名称"),
            "respondent_address": gettext_lazy("被投诉方地址"),
            "category": gettext_lazy("问题类别"),
        },
    )
