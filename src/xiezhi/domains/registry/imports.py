"""The sheet of subjects (经营主体名录) as offices export it: one row per premises, known by code and premises number."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xiezhi.domains.registry import facts
from xiezhi.domains.registry.differences import CHOICES, Difference, Lists, SubjectRow, compare, row_about
from xiezhi.domains.registry.models import Premises, Subject
from xiezhi.domains.registry.permissions import RegistryPermission
from xiezhi.domains.registry.services import bulk, matches
from xiezhi.foundation.files.sheets.cells import Cell, as_text
from xiezhi.foundation.imports.columns import (
    CellRefused,
    Column,
    Parser,
    code,
    lookup,
    lookup_key,
    lookup_table,
    several,
    text,
    yes_no,
)
from xiezhi.foundation.imports.specs import CheckedRow, ImportContext, ImportSpec, Outcome, Row

OTHER_WORDS: Mapping[str, Mapping[str, str]] = {
    "kind": {
        "公司": "company",
        "有限责任公司": "company",
        "股份有限公司": "company",
        "内资企业": "company",
        "外资企业": "company",
        "个体": "individual",
        "个体户": "individual",
        "合作社": "cooperative",
        "其他": "other",
    },
    "credit_class": {
        "A级": "A",
        "B级": "B",
        "C级": "C",
        "D级": "D",
        "A类": "A",
        "B类": "B",
        "C类": "C",
        "D类": "D",
    },
    "risk_class": {
        "低风险": "low",
        "一般风险": "fair",
        "中": "fair",
        "中风险": "fair",
        "较高风险": "higher",
        "高风险": "high",
    },
    "status": {
        "存续（在营、开业、在册）": "active",
        "在营": "active",
        "开业": "active",
        "在业": "active",
        "停业": "suspended",
        "已注销": "deregistered",
        "吊销，未注销": "revoked",
        "已吊销": "revoked",
        "已迁出": "moved_out",
    },
}
"""What other systems write for our choices."""
NO_SCENE = frozenset({"无", "—", "-"})
_code_text = code()


def fact(clean: Callable[[str], Any]) -> Parser:
    """A parser from one of the register's own cleaners."""

    def parse(value: Cell, context: ImportContext) -> Any:
        try:
            return clean(as_text(value))
        except facts.BadFact as refusal:
            raise CellRefused(refusal.reason, refusal.mend) from None

    return parse


def subject_code(value: Cell, context: ImportContext) -> str:
    """A valid 统一社会信用代码; what Excel has made a number of is refused as such."""
    cleaned: str = fact(facts.clean_code)(_code_text(value, context), context)
    return cleaned


def option(key: str) -> Parser:
    """A choice by its word, its value, or a word that other systems use for it."""

    def parse(value: Cell, context: ImportContext) -> str:
        found: str | None = context.tables["words"][key].get(lookup_key(value))
        if found is None:
            labels = _("、").join(str(label) for label in CHOICES[key].labels)
            raise CellRefused(_("不认识这个填法。"), _("可填：%(words)s。") % {"words": labels})
        return found

    return parse


def coordinate(field: str) -> Parser:
    """Degrees as text with six decimals, as a staged row keeps them."""

    def clean(written: str) -> str | None:
        value = facts.clean_coordinate(written, field)
        return None if value is None else f"{value:.6f}"

    return fact(clean)


_scene_list = several(lookup("scenes", what=gettext_lazy("场景")))


def scenes(value: Cell, context: ImportContext) -> list[str]:
    """Codes of the scenes named in the cell, in order; 无 for none."""
    if as_text(value).strip() in NO_SCENE:
        return []
    return sorted(scene.code for scene in _scene_list(value, context))


class SubjectImport(ImportSpec):
    """Subjects and their premises. A blank cell leaves a fact as it is; a row with a name but no code waits for a person."""

    key = "registry.subjects"
    title = gettext_lazy("经营主体名录")
    description = gettext_lazy(
        "从登记系统导出的主体和场所，一行一个场所。按统一社会信用代码对应，重复导入不会产生变化。"
    )
    permission = RegistryPermission.MANAGE
    columns = (
        Column(
            "code",
            gettext_lazy("统一社会信用代码"),
            subject_code,
            aliases=("社会信用代码", "信用代码", "统一信用代码", "代码"),
            help=gettext_lazy("18 位。没有代码的留空，该行进入待匹配名称，由人确认。"),
            example="91110199MA00000017",
        ),
        Column(
            "name",
            gettext_lazy("名称"),
            fact(facts.clean_name),
            aliases=("主体名称", "企业名称", "单位名称", "市场主体名称"),
            required=True,
            example="演示餐饮有限公司",
        ),
        Column("kind", gettext_lazy("主体类型"), option("kind"), aliases=("类型", "市场主体类型"), example="企业"),
        Column(
            "industry",
            gettext_lazy("行业代码"),
            fact(facts.clean_industry),
            aliases=("行业", "国民经济行业代码"),
            help=gettext_lazy("GB/T 4754—2017，如 H6210；只写数字也可以。"),
            example="H6210",
        ),
        Column("credit_class", gettext_lazy("信用等级"), option("credit_class"), aliases=("信用分类",), example="A"),
        Column("risk_class", gettext_lazy("风险等级"), option("risk_class"), aliases=("风险分类",), example="低"),
        Column(
            "scenes",
            gettext_lazy("场景"),
            scenes,
            aliases=("场景标签", "标签"),
            help=gettext_lazy("多个用分号隔开；写“无”清空，留空不变。"),
        ),
        Column("status", gettext_lazy("状态"), option("status"), aliases=("登记状态", "经营状态"), example="存续"),
        Column(
            "joint_opt_out",
            gettext_lazy("不参加联合检查"),
            yes_no(),
            help=gettext_lazy("企业明确表示不参加的写“是”。"),
        ),
        Column(
            "premises_number",
            gettext_lazy("场所编号"),
            text(20),
            aliases=("场所序号", "门店编号"),
            help=gettext_lazy("只有一个场所的可以不填。"),
            example="1",
        ),
        Column(
            "premises_name", gettext_lazy("场所名称"), text(120), aliases=("门店名称", "字号"), example="演示餐饮总店"
        ),
        Column(
            "address",
            gettext_lazy("地址"),
            text(200),
            aliases=("经营场所", "住所", "经营地址", "住所（经营场所）"),
            help=gettext_lazy("新主体、新场所必填。"),
            example="演示街 1 号",
        ),
        Column(
            "street",
            gettext_lazy("街道"),
            lookup("streets", what=gettext_lazy("街道")),
            aliases=("所属街道", "街道代码", "街镇"),
            help=gettext_lazy("名称或代码。新主体、新场所必填。"),
        ),
        Column("longitude", gettext_lazy("经度"), coordinate("longitude"), aliases=("lng", "lon"), example=116.3668),
        Column("latitude", gettext_lazy("纬度"), coordinate("latitude"), aliases=("lat",), example=39.9128),
        Column(
            "closed_weekdays",
            gettext_lazy("每周休息日"),
            fact(facts.clean_weekdays),
            aliases=("休息日", "歇业日"),
            help=gettext_lazy("如“周六、周日”或 67；没有写“无”。"),
            example="无",
        ),
        Column("is_open", gettext_lazy("在营"), yes_no(), help=gettext_lazy("这个场所还在营业吗；留空为是。")),
    )
    identity = ("code", "name", "premises_number", "address")
    notes = (
        gettext_lazy("一行一个场所；同一主体有几个场所就写几行，用场所编号区分。"),
        gettext_lazy("留空的格子不改动库里已有的内容。"),
        gettext_lazy("没有统一社会信用代码的行不会退回，会进入“待匹配名称”，由人确认是哪一家。"),
    )
    done_url_name = "registry:subjects"

    def prepare(self, context: ImportContext) -> None:
        lists = Lists.load()
        context.tables["lists"] = lists
        context.tables["streets"] = lookup_table(lists.streets.values(), "code", "name", "short_name")
        context.tables["scenes"] = lookup_table(lists.scenes.values(), "code", "name")
        context.tables["words"] = {key: _words(key) for key in CHOICES}
        context.tables["told"] = {}
        context.tables["doors"] = {}

    def check_chunk(self, rows: Sequence[Row], context: ImportContext) -> None:
        lists: Lists = context.tables["lists"]
        told = {row.number: row_of(row) for row in rows}
        _settle_named([row for row in rows if not row["code"]], told, context)
        subjects, doors, carried = _register(sorted({each.code for each in told.values() if each.code}))
        for row in rows:
            each = told[row.number]
            if row.outcome or row.problems:
                continue
            subject = subjects.get(each.code)
            own_doors = doors.get(subject.pk, []) if subject else []
            found = compare(each, subject, own_doors, carried.get(subject.pk, ()) if subject else (), lists)
            for column, reason, mend in found.problems:
                row.refuse(column, reason, mend)
            _compare_with_file(row, each, found, context)
            _settle(row, each, subject, found)

    def apply_chunk(self, rows: Sequence[CheckedRow], context: ImportContext) -> Mapping[str, int]:
        lists: Lists = context.tables["lists"]
        coded = [SubjectRow.from_json(row.clean) for row in rows if row.outcome != Outcome.TO_CONFIRM]
        counts = bulk.store_rows(rows=coded, lists=lists, actor=context.actor, at=context.at, batch_id=context.batch_id)
        waiting = matches.queue_names(
            rows=[matches.NamedRow(**row.clean) for row in rows if row.outcome == Outcome.TO_CONFIRM],
            origin=matches.SUBJECT_ROW,
            organisation=context.organisation,
            batch_id=context.batch_id,
            at=context.at,
            replaces=True,
        )
        return {**counts, "queued": sum(each.status == each.Status.WAITING for each in waiting)}

    def result_labels(self) -> Mapping[str, Any]:
        return {
            "created": gettext_lazy("新主体"),
            "updated": gettext_lazy("更新的主体"),
            "doors": gettext_lazy("新场所"),
            "queued": gettext_lazy("进入待匹配名称"),
        }


def row_of(row: Row) -> SubjectRow:
    """What a parsed row tells; blank cells tell nothing."""
    premises = {
        "number": row["premises_number"],
        "name": row["premises_name"],
        "address": row["address"],
        "street": row["street"].code if row["street"] else None,
        "longitude": row["longitude"],
        "latitude": row["latitude"],
        "closed_weekdays": row["closed_weekdays"],
        "is_open": row["is_open"],
    }
    keys = ("name", "kind", "industry", "credit_class", "risk_class")
    return SubjectRow(
        code=row["code"] or "",
        facts={key: row[key] for key in keys if row[key] is not None},
        premises={key: value for key, value in premises.items() if value is not None},
        scenes=row["scenes"],
        status=row["status"],
        joint_opt_out=row["joint_opt_out"],
    )


def _words(key: str) -> dict[str, str]:
    choices = CHOICES[key]
    found = {lookup_key(word): value for word, value in OTHER_WORDS[key].items()}
    found |= {lookup_key(str(label)): str(value) for value, label in choices.choices}
    return found | {lookup_key(str(value)): str(value) for value in choices.values}


def _register(codes: list[str]) -> tuple[dict[str, Subject], dict[int, list[Premises]], dict[int, set[str]]]:
    subjects = {each.code: each for each in Subject.objects.filter(code__in=codes)}
    doors: dict[int, list[Premises]] = {}
    for door in Premises.objects.filter(subject__in=subjects.values()).select_related("street").order_by("pk"):
        doors.setdefault(door.subject_id, []).append(door)
    return subjects, doors, bulk.carried_scenes(list(subjects.values()))


def _settle_named(rows: Sequence[Row], told: dict[int, SubjectRow], context: ImportContext) -> None:
    """Rows without a code: let them wait for a person, unless a person has decided about the same name and place before."""
    named = {row.number: _named(row, told[row.number]) for row in rows}
    sent = list(named.values())
    earlier = matches.same_names(sent, origin=matches.SUBJECT_ROW, organisation=context.organisation)
    for row in rows:
        each = named[row.number]
        before = next(iter(earlier.get(matches.place_of(each), [])), None)
        if before is None:
            row.settle(Outcome.TO_CONFIRM, dict(vars(each)))
        elif before.subject is not None and before.premises is not None:
            told[row.number] = row_about(told[row.number], before.subject.code, before.premises.number)
        elif before.status == before.Status.DISMISSED:
            reason = _("上次已确认这个名称不在库里：%(reason)s。") % {"reason": before.reason}
            row.refuse("name", reason, _("请补上统一社会信用代码。"))
        elif before.payload == each.payload:
            row.settle(Outcome.UNCHANGED)
            row.warn("name", _("已经在待匹配名称里等待确认。"))
        else:
            row.settle(Outcome.TO_CONFIRM, dict(vars(each)))


def _named(row: Row, told: SubjectRow) -> matches.NamedRow:
    street = row["street"].short_name if row["street"] else ""
    payload = {key: value for key, value in told.as_json().items() if key != "code"}
    return matches.NamedRow(row["name"], street, row["address"] or "", payload, row.number)


def _compare_with_file(row: Row, told: SubjectRow, found: Difference, context: ImportContext) -> None:
    """Rows of one subject must agree about it, and each must be about another door."""
    number = found.door.number if found.door else (found.new_door or {}).get("number")
    doors: dict[tuple[str, str], tuple[int, list[Any]]] = context.tables["doors"]
    if number is not None:
        same = [row[key] for key in SubjectImport.identity]
        first, its_own = doors.setdefault((told.code, number), (row.number, same))
        if first != row.number and its_own != same:  # the very same row is told of by the mechanism
            reason = _("第 %(row)s 行已经写了这家主体的场所 %(number)s。") % {"row": first, "number": number}
            row.refuse("premises_number", reason, _("是同一场所的请删去一行，不是的请填不同的场所编号。"))
    said: dict[str, tuple[int, dict[str, Any]]] = context.tables["told"]
    about = {**told.facts, "scenes": told.scenes, "status": told.status, "joint_opt_out": told.joint_opt_out}
    first, before = said.setdefault(told.code, (row.number, about))
    for key, value in about.items():
        if value is not None and before.get(key) is not None and before[key] != value:
            row.refuse(key, _("与第 %(row)s 行同一代码的内容不一致。") % {"row": first}, _("请核对，改成一致。"))


def _settle(row: Row, told: SubjectRow, subject: Subject | None, found: Difference) -> None:
    if subject is None:
        row.settle(Outcome.NEW, told.as_json())
    elif found.nothing:
        row.settle(Outcome.UNCHANGED)
    else:
        row.settle(Outcome.CHANGED, told.as_json(), changes=found.told)
