"""A spec for tests: streets of the district, by code. It writes plain organisations, so that no domain is needed."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django import forms

from xiezhi.foundation.imports.columns import Column, code, day, integer, text
from xiezhi.foundation.imports.specs import CheckedRow, ImportContext, ImportSpec, Outcome, Row, register

PERMISSION = "imports.toy"
HEADER = ["代码", "名称", "设立日期", "人口"]
hooks: list[Callable[[str, int], None]] = []


def at_chunk(step: str, number: int) -> None:
    for hook in hooks:
        hook(step, number)


class StreetOptions(forms.Form):
    year = forms.IntegerField(label="年度")


class StreetImport(ImportSpec):
    key, title, permission = "tests.streets", "街道", PERMISSION
    columns = (
        Column("code", "代码", code(r"[0-9]{4,9}", what="4 至 9 位数字"), aliases=("街道代码",), example="1001"),
        Column("name", "名称", text(40), aliases=("街道名称",), required=True, help="全称。", example="演示街道"),
        Column("since", "设立日期", day(), example="2026-11-23"),
        Column("people", "人口", integer(0, 10_000_000, unit="人")),
    )
    identity = ("code",)
    notes = ("一行一个街道。",)
    chunk_rows = 20

    def prepare(self, context: ImportContext) -> None:
        context.tables["chunk"] = 0

    def check_chunk(self, rows: Sequence[Row], context: ImportContext) -> None:
        from xiezhi.foundation.orgs.models import Organisation

        context.tables["chunk"] += 1
        at_chunk("check", context.tables["chunk"])
        codes = [row["code"] for row in rows if row["code"]]
        names = dict(Organisation.objects.filter(code__in=codes).values_list("code", "name"))
        for row in rows:
            clean = {"code": row["code"], "name": row["name"], "since": row["since"]}
            known = names.get(row["code"])
            if row["code"] is None:
                row.settle(Outcome.TO_CONFIRM, clean)
            elif known is None:
                row.settle(Outcome.NEW, clean)
            elif known == row["name"]:
                row.settle(Outcome.UNCHANGED)
            else:
                row.settle(Outcome.CHANGED, clean, changes={"name": [known, row["name"]]})
            if row["since"] and row["since"] > context.at.date():
                row.refuse("since", "设立日期晚于今天。", "请核对日期。")

    def apply_chunk(self, rows: Sequence[CheckedRow], context: ImportContext) -> Mapping[str, int]:
        from xiezhi.foundation.orgs.models import Organisation

        context.tables["chunk"] += 1
        at_chunk("apply", context.tables["chunk"])
        Organisation.objects.bulk_create(
            [
                Organisation(kind="street", code=row.clean["code"], name=row.clean["name"], short_name="街道")
                for row in rows
                if row.clean["code"]
            ],
            update_conflicts=True,
            unique_fields=["code"],
            update_fields=["name"],
        )
        return {"queued": sum(row.outcome == Outcome.TO_CONFIRM for row in rows)}

    def result_labels(self) -> Mapping[str, str]:
        return {"queued": "进入待确认队列"}


class DepartmentImport(StreetImport):
    """The same sheet as a department's own, with a question."""

    key, title = "tests.department_streets", "部门街道"
    owned_by_department = True
    options_form = StreetOptions


def register_toys() -> None:
    register(StreetImport)
    register(DepartmentImport)


def sheet_rows(count: int, *, prefix: str = "街道") -> list[list[Any]]:
    return [[1000 + number, f"{prefix}{number}", "2026-01-02", "12,345"] for number in range(count)]
