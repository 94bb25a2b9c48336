import csv
import io
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from xiezhi.foundation.ui.exports import RISKY_STARTS, export_response, safe_text
from xiezhi.foundation.workflow.errors import Refused

UTC = ZoneInfo("UTC")
DANGEROUS = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\n=x", '=HYPERLINK("http://example.org")', "#N/A", "a\x00b"]


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content)


def read_xlsx(response: Any) -> list[list[Any]]:
    sheet = load_workbook(io.BytesIO(body(response))).active
    assert sheet is not None
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def test_csv_opens_as_utf8_and_runs_no_formula() -> None:
    text = body(export_response("名单", ["名称"], [[each] for each in DANGEROUS], "csv")).decode("utf-8")
    assert text.startswith("\ufeff")
    cells = [row[0] for row in csv.reader(io.StringIO(text[1:]))][1:]
    assert len(cells) == len(DANGEROUS)
    assert not [cell for cell in cells if cell.startswith(RISKY_STARTS)]


@given(st.text())
def test_no_text_becomes_a_formula(text: str) -> None:
    assert not safe_text(text).startswith(RISKY_STARTS)


def test_numbers_stay_numbers() -> None:
    assert safe_text(-3) == "-3"
    assert safe_text(Decimal("-12.50")) == "-12.50"


def test_xlsx_keeps_types_and_runs_no_formula() -> None:
    moment = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
    rows = [[each, 1, Decimal("12.5"), date(2026, 11, 23), moment, None, True] for each in DANGEROUS]
    response = export_response("名单", ["文", "数", "钱", "日", "时", "无", "是否"], rows, "xlsx")
    assert "attachment" in response["Content-Disposition"]
    book = load_workbook(io.BytesIO(body(response)))
    sheet = book.active
    assert sheet is not None
    for row in sheet.iter_rows(min_row=2):
        assert row[0].data_type == "s"
    values = [cell.value for cell in sheet[2]][1:]
    assert [str(each) for each in values] == ["1", "12.5", "2026-11-23 00:00:00", "2026-11-23 09:00:00", "None", "是"]


def test_a_sheet_name_that_excel_refuses_is_mended() -> None:
    assert read_xlsx(export_response("一/二[三]:四" * 10, ["甲"], [], "xlsx")) == [["甲"]]


def test_other_formats_are_refused() -> None:
    with pytest.raises(Refused, match="xlsx"):
        export_response("名单", [], [], "pdf")
