"""A district's bodies as a sheet: streets, departments, and the stations that a department has in the streets."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from xiezhi.foundation.imports.columns import Column, choice, code, lookup_key, lookup_table, text, yes_no
from xiezhi.foundation.imports.specs import CheckedRow, ImportContext, ImportSpec, Outcome, Row
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.orgs.permissions import OrgsPermission
from xiezhi.foundation.orgs.services import create_organisation, rename_organisation

Kind = Organisation.Kind
KINDS = (Kind.STREET, Kind.DEPARTMENT, Kind.STATION)
WORDS = ("name", "short_name", "code")


class OrganisationImport(ImportSpec):
    """机构名单: one row a body, known by its code. A station may name a department or street of the same sheet."""

    key = "orgs.organisations"
    title = _("机构")
    description = _("街道、部门和部门的所，一行一个。代码相同视为同一个机构，只更新名称、简称和资格。")
    permission = OrgsPermission.MANAGE_ORGANISATIONS
    columns = (
        Column("kind", _("类别"), choice(Kind), required=True, example="部门"),
        Column("code", _("代码"), code(r"[0-9A-Z-]{2,20}", what=_("机构代码")), required=True, example="SCJG"),
        Column("name", _("名称"), text(80), required=True, example="示例区市场监督管理局"),
        Column("short_name", _("简称"), text(20), example="市场监管"),
        Column("parent", _("上级部门"), text(80), help=_("只有所需要填写")),
        Column("street", _("所在街道"), text(80), help=_("只有所需要填写")),
        Column("qualified", _("具有行政检查主体资格"), yes_no(), example="是"),
    )
    identity = ("code",)
    done_url_name = "orgs:list"

    def prepare(self, context: ImportContext) -> None:
        found = Organisation.objects.all()
        context.tables["the district"] = found.filter(kind=Kind.DISTRICT).first()
        for kind in (Kind.DEPARTMENT, Kind.STREET):
            context.tables[kind] = lookup_table(found.filter(kind=kind), *WORDS)
        context.tables["codes"] = {each.code: each for each in found}
        context.tables["names"] = {each.name: each.code for each in found}

    def check_chunk(self, rows: Sequence[Row], context: ImportContext) -> None:
        for row in rows:  # whoever stands further down may be named too
            for word in WORDS:
                if row["kind"] in (Kind.DEPARTMENT, Kind.STREET) and row[word]:
                    context.tables[row["kind"]].setdefault(lookup_key(row[word]), None)
        for row in rows:
            self._check(row, context)

    def _check(self, row: Row, context: ImportContext) -> None:
        clean = {word: row[word] for word in ("kind", "code", "name", "parent", "street")}
        clean |= {"short_name": row["short_name"] or row["name"][:20], "qualified": bool(row["qualified"])}
        known = context.tables["codes"].get(row["code"])
        if context.tables["names"].setdefault(row["name"], row["code"]) != row["code"]:
            row.refuse("name", _("这个名称已属于另一个机构。"), _("请核对名称；改名请沿用原来的代码。"))
        if row["kind"] not in KINDS:
            row.refuse("kind", _("名单里只填街道、部门和所。"), _("区在安装时设立；企业由有关业务登记。"))
        if known and known.kind != row["kind"]:
            row.refuse("kind", _("这个代码已登记为另一类机构。"), _("请核对代码或类别。"))
        if row["kind"] == Kind.STATION:
            for column, kind, reason in (
                ("parent", Kind.DEPARTMENT, _("没有找到这个部门。")),
                ("street", Kind.STREET, _("没有找到这个街道。")),
            ):
                if not row[column] or lookup_key(row[column]) not in context.tables[kind]:
                    row.refuse(column, reason, _("请填已有的，或本表中另一行的名称、简称或代码。"))
        changes = _changes(known, clean) if known else {}
        outcome = Outcome.NEW if known is None else Outcome.CHANGED if changes else Outcome.UNCHANGED
        row.settle(outcome, clean, changes=changes)

    def apply_chunk(self, rows: Sequence[CheckedRow], context: ImportContext) -> Mapping[str, int] | None:
        for row in sorted(rows, key=lambda each: each.clean["kind"] == Kind.STATION):
            clean, known = row.clean, context.tables["codes"].get(row.clean["code"])
            names = {"name": clean["name"], "short_name": clean["short_name"], "qualified": clean["qualified"]}
            if known:
                rename_organisation(organisation=known, actor=context.actor, at=context.at, **names)
                continue
            is_station = clean["kind"] == Kind.STATION
            made = create_organisation(
                kind=clean["kind"],
                code=clean["code"],
                parent=context.tables[Kind.DEPARTMENT][lookup_key(clean["parent"])]
                if is_station
                else context.tables["the district"],
                street=context.tables[Kind.STREET][lookup_key(clean["street"])] if is_station else None,
                actor=context.actor,
                at=context.at,
                **names,
            )
            context.tables["codes"][made.code] = made
            if not is_station:
                context.tables[clean["kind"]] |= {lookup_key(getattr(made, word)): made for word in WORDS}
        return None


def _changes(known: Organisation, clean: Mapping[str, Any]) -> dict[str, list[Any]]:
    pairs = {word: (getattr(known, word), clean[word]) for word in ("name", "short_name", "qualified")}
    return {word: [str(old), str(new)] for word, (old, new) in pairs.items() if old != new}
