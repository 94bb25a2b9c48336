"""What hand-made sheets do to us, each case a real file."""

import io
import zipfile
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from xiezhi.foundation.files.sheets import cells as cells_module
from xiezhi.foundation.files.sheets import read_sheet, reading, write_sheet
from xiezhi.foundation.files.sheets.cells import SheetRow, label_key, tidy_code, tidy_text
from xiezhi.foundation.workflow.errors import Refused

DAY = datetime(2026, 11, 23)  # noqa: DTZ001  a date cell has no zone
HEADER = ["统一社会信用代码", "名称", "日期"]


@pytest.fixture
def book(tmp_path: Path) -> Any:
    """`book(rows, edit=…)`: a workbook file of these rows."""

    def make(*rows: list[Any], edit: Any = None, title: str = "计划", **more: list[list[Any]]) -> Path:
        workbook = Workbook()
        sheet = workbook.active
        assert sheet is not None
        sheet.title = title
        for row in rows:
            sheet.append(row)
        for name, others in more.items():
            other = workbook.create_sheet(name)
            for row in others:
                other.append(row)
        if edit:
            edit(workbook, sheet)
        path = tmp_path / "sheet.bin"
        workbook.save(path)
        return path

    return make


def csv_file(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "table.bin"
    path.write_bytes(content)
    return path


def read(path: Path, **choices: Any) -> tuple[Any, list[SheetRow]]:
    with read_sheet(path, **choices) as sheet:
        return sheet, list(sheet.rows)


def refusal(path: Path, **choices: Any) -> str:
    with pytest.raises(Refused) as caught:
        read(path, **choices)
    return str(caught.value)


def test_row_numbers_are_the_sheets_own(book: Any) -> None:
    path = book(["2026 年计划表"], [], HEADER, ["A1", "甲"], [], [None, "  ", "　"], ["A2", "乙"])
    sheet, rows = read(path)
    assert (sheet.header, sheet.header_number, sheet.name) == (tuple(HEADER), 3, "计划")
    assert [(row.number, row.values[:2]) for row in rows] == [(4, ["A1", "甲"]), (7, ["A2", "乙"])]


def test_known_titles_beat_a_line_of_remarks(book: Any) -> None:
    path = book(["填报单位：某局", "填报日期：2026-11-23"], HEADER, ["A1", "甲", None])
    sheet, rows = read(path, labels=HEADER)
    assert sheet.header_number == 2 and len(rows) == 1


def test_merged_cells_are_troubles_of_every_row_they_cover(book: Any) -> None:
    def merge(workbook: Any, sheet: Any) -> None:
        sheet.merge_cells("B2:B4")
        sheet.merge_cells("A5:B5")

    path = book(HEADER, ["A1", "甲", 1], ["A2", None, 2], ["A3", None, 3], ["A4", None, 4], ["A5", "乙", 5], edit=merge)
    _sheet, rows = read(path)
    assert {row.number: sorted(row.troubles) for row in rows} == {2: [1], 3: [1], 4: [1], 5: [0, 1], 6: []}
    assert "B2:B4" in rows[1].troubles[1].reason and "取消合并" in rows[1].troubles[1].mend


def test_merged_ranges_at_the_edge_of_a_piece_are_found_once(book: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def merge(workbook: Any, sheet: Any) -> None:
        for row in range(2, 60):
            sheet.merge_cells(f"B{row}:C{row}")

    path = book(HEADER, *[[f"A{number}", "甲", None] for number in range(60)], edit=merge)
    from xiezhi.foundation.files.sheets import xlsx

    monkeypatch.setattr(xlsx, "PIECE", 301)
    with xlsx.open_workbook(path) as sheets:
        outline = xlsx.outline(sheets[0])
    assert outline.row_count == 61
    assert sorted(each.first_row for each in outline.merged) == list(range(2, 60))


def test_formulas_and_error_values_are_troubles_and_never_values(book: Any) -> None:
    path = book(HEADER, ["A1", "=A2&A3", 1], ["A2", "#N/A", 2])
    _sheet, rows = read(path)
    assert (
        rows[0].values[1] is None and "粘贴为数值" in rows[0].troubles[1].mend and rows[0].troubles[1].shown == "=A2&A3"
    )
    assert rows[1].values[1] is None and "#N/A" in rows[1].troubles[1].reason


def test_dates_and_numbers_keep_their_types(book: Any) -> None:
    path = book(HEADER, ["A1", 12, DAY], ["A2", 1.5, True])
    _sheet, rows = read(path)
    assert rows[0].values == ["A1", 12, DAY]
    assert rows[1].values == ["A2", 1.5, True]


def test_first_sheet_with_content_or_the_named_one(book: Any) -> None:
    path = book(title="封面", 一季度=[HEADER, ["A1", "甲"]], 二季度=[HEADER, ["A2", "乙"]])
    sheet, rows = read(path)
    assert sheet.names == ("一季度", "二季度") and rows[0].values[0] == "A1" and "一季度" in sheet.notes[0]
    _sheet, rows = read(path, sheet="二季度")
    assert rows[0].values[0] == "A2"
    assert "一季度、二季度" in refusal(path, sheet="三季度")


def test_hidden_sheets_are_not_read(book: Any) -> None:
    def hide(workbook: Any, sheet: Any) -> None:
        workbook["说明"].sheet_state = "hidden"

    sheet, _rows = read(book(HEADER, ["A1", "甲"], edit=hide, 说明=[["x", "y"]]))
    assert sheet.names == ("计划",)


def test_a_lying_dimension_hides_nothing(book: Any, tmp_path: Path) -> None:
    path = book(HEADER, *[[f"A{number}", "甲", 1] for number in range(9)])
    lied = tmp_path / "lied.bin"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(lied, "w") as new:
        for entry in old.infolist():
            new.writestr(entry, old.read(entry).replace(b'<dimension ref="A1:C10"', b'<dimension ref="A1:A2"'))
    _sheet, rows = read(lied)
    assert len(rows) == 9 and rows[8].values == ["A8", "甲", 1]


def test_cells_are_what_openpyxl_says_they_are(book: Any) -> None:
    """Ours is a second reader of the same format; theirs is the reference."""
    values = ["文字", "  前后空格 ", "", 0, -7, 3.25, 1e-9, 10**17, True, False, DAY, DAY.replace(hour=13, minute=5)]
    values += [DAY.date(), time(9, 30), timedelta(hours=30), None, "换\n行", "&<>", "０１２"]
    rows = [[values[(row * 7 + column * 3) % len(values)] for column in range(9)] for row in range(120)]

    def widths(workbook: Any, sheet: Any) -> None:
        sheet.cell(row=150, column=30, value="远处")

    path = book(HEADER, *rows, edit=widths)
    with path.open("rb") as file:
        theirs = load_workbook(file, read_only=True).worksheets[0]
        expected = [(number, list(row)) for number, row in enumerate(theirs.iter_rows(values_only=True), 1)]
    _sheet, ours = read(path)
    got = {row.number: row.values for row in ours}
    for number, row in expected[1:]:
        mine = got.get(number, [])
        assert mine == row[: len(mine)] and all(value in (None, "", "  前后空格 ") for value in row[len(mine) :])
    assert got[150][29] == "远处" and len(got) == 121


HAND_MADE = """<?xml version="1.0"?>
<x:worksheet xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><x:sheetData>
<x:row><x:c t="inlineStr"><x:is><x:t>代码</x:t></x:is></x:c><x:c t="inlineStr"><x:is><x:t>名称</x:t></x:is></x:c></x:row>
<x:row><x:c><x:v>7</x:v></x:c><x:c t="inlineStr"><x:is><x:r><x:t>金</x:t></x:r><x:r><x:t>榆</x:t></x:r>
<x:rPh sb="0" eb="1"><x:t>jin</x:t></x:rPh></x:is></x:c><x:c t="e"><x:v>#REF!</x:v></x:c><x:c t="b"><x:v>1</x:v></x:c>
<x:c t="str"><x:v>a_x000D_
b</x:v></x:c><x:c t="d"><x:v>2026-11-23T00:00:00</x:v></x:c></x:row>
<x:row r="9"><x:c r="B9"><x:f>A1</x:f><x:v>5</x:v></x:c></x:row>
</x:sheetData><x:mergeCells count="1"><x:mergeCell ref="B2:C2"/></x:mergeCells></x:worksheet>"""


def with_sheet(path: Path, xml: str) -> Path:
    """The workbook at `path` with its first sheet's XML replaced."""
    other = path.with_suffix(".made")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(other, "w") as new:
        for entry in old.infolist():
            new.writestr(entry, xml if entry.filename.endswith("sheet1.xml") else old.read(entry))
    return other


def test_xml_as_other_programs_write_it(book: Any) -> None:
    sheet, rows = read(with_sheet(book(HEADER), HAND_MADE))
    assert sheet.header == ("代码", "名称") and [row.number for row in rows] == [2, 9]
    assert rows[0].values == [7, "金榆", None, True, "a\nb", DAY]
    assert sorted(rows[0].troubles) == [1, 2] and rows[1].troubles[1].shown == "=A1"


def test_broken_xml_is_refused_wherever_it_breaks(book: Any) -> None:
    path = book(HEADER, *[[f"A{number}", "甲", 1] for number in range(5)])
    assert "读不出来" in refusal(with_sheet(path, HAND_MADE[:500]))
    assert "读不出来" in refusal(with_sheet(path, HAND_MADE.replace('r="9"', 'r="九"')))
    unknown_string = HAND_MADE.replace("<x:c><x:v>7</x:v>", '<x:c t="s"><x:v>999</x:v>')
    assert "读不出来" in refusal(with_sheet(path, unknown_string))


@pytest.mark.parametrize(
    ("encoding", "delimiter"),
    [("utf-8", ","), ("utf-8-sig", ","), ("gb18030", ","), ("gb18030", "\t"), ("utf-8", ";"), ("utf-16", "\t")],
)
def test_csv_encodings_and_delimiters(tmp_path: Path, encoding: str, delimiter: str) -> None:
    lines = [HEADER, ["A1", "甲店", "2026-11-23"], ["", "", ""], ["A2", f'"乙{delimiter}店"', ""]]
    content = "\r\n".join(delimiter.join(line) for line in lines)
    sheet, rows = read(csv_file(tmp_path, content.encode(encoding)))
    assert sheet.header == tuple(HEADER)
    assert [(row.number, row.values[1]) for row in rows] == [(2, "甲店"), (4, f"乙{delimiter}店")]


def test_csv_formula_nul_and_line_break_in_a_cell(tmp_path: Path) -> None:
    content = '代码,名称\n=1+1,甲\nA\0B,乙\nA3,"丙\n店"\nA4,丁\n'
    _sheet, rows = read(csv_file(tmp_path, content.encode()))
    assert "公式" in rows[0].troubles[0].reason
    assert "NUL" in rows[1].troubles[0].reason and rows[1].values[0] is None
    assert [row.number for row in rows] == [2, 3, 4, 5] and rows[2].values[1] == "丙\n店"


def workbook_without_content() -> bytes:
    made = io.BytesIO()
    Workbook().save(made)
    return made.getvalue()


def zip_of(entries: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return made.getvalue()


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
REFUSED = {
    "nothing": (b"", "0 字节"),
    "old excel": (OLE + b"\0" * 600, "另存为"),
    "with password": (OLE + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"), "密码"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "不接受PNG"),
    "a web page called .xls": (b"<html><table><tr><td>1</td></tr></table></html>", "网页格式"),
    "another zip": (zip_of({"a.txt": b"x"}), "没有工作表"),
    "a document": (zip_of({"word/document.xml": b"<x/>"}), "不接受Word"),
    "torn zip": (zip_of({"xl/workbook.xml": b"<x/>"})[:40], "损坏"),
    "not a workbook inside": (zip_of({"xl/workbook.xml": b"<x/>"}), "读不出来"),
    "entities": (zip_of({"xl/workbook.xml": b'<!DOCTYPE a [<!ENTITY b "c">]><x/>'}), "损坏"),
    "zip bomb": (zip_of({"xl/workbook.xml": b"<x/>", "xl/worksheets/sheet1.xml": b" " * 40_000_000}), "解压后过大"),
    "thousands of parts": (zip_of({f"xl/{n}": b"" for n in range(2_001)} | {"xl/workbook.xml": b""}), "解压后过大"),
    "empty workbook": (workbook_without_content(), "没有任何内容"),
    "no header": (b"1,2\n3,4\n", "没有找到表头"),
    "one column": ("名称\n甲\n".encode(), "没有找到表头"),
    "neither encoding": ("代码,名称\n".encode() + b"\xff\xff\x80,a\n", "编码"),
    "open quote": ('代码,名称\nA1,"甲\nA2,乙\n'.encode(), "引号不成对"),
    "binary": (bytes(range(256)) * 40, "不是表格文件"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_how_to_mend(tmp_path: Path, case: str) -> None:
    content, words = REFUSED[case]
    assert words in refusal(csv_file(tmp_path, content))


def test_too_many_rows_or_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_ROWS", 50)
    path = csv_file(tmp_path, "代码,名称\n".encode() + b"a,b\n" * 51)
    assert "超过 50 行" in refusal(path)
    wide = ",".join(f"列{number}" for number in range(cells_module.MOST_COLUMNS + 1))
    assert "201 列" in refusal(csv_file(tmp_path, wide.encode()))


def test_header_only_gives_no_rows(book: Any) -> None:
    sheet, rows = read(book(HEADER))
    assert rows == [] and sheet.row_estimate == 0


def test_normalising() -> None:
    assert tidy_code(" ９１１１０１０２ＭＡ\u3000１２ ") == "91110102MA12"
    assert tidy_code("２０２６／１１／２３") == "2026/11/23"
    assert tidy_text("　ＫＴＶ（金榆店）： Ａ座　　２层 ") == "KTV（金榆店）： A座 2层"
    assert label_key("＊ 名 称（必填）") == label_key("名称")


def test_written_sheets_come_back_as_they_went_and_run_nothing(tmp_path: Path) -> None:
    rows: list[list[Any]] = [["=1+1", "#N/A", date(2026, 11, 23)], ["@SUM(A1)", "-2", 3], ["\x07响", "0012", None]]
    path = tmp_path / "out.bin"
    with path.open("wb") as file:
        write_sheet(
            file, header=HEADER, rows=rows, comments=["必填"], notes=["一行一条"], marked_columns=[1], widths=[20]
        )
    sheet, back = read(path)
    assert sheet.header == tuple(HEADER) and sheet.names == ("Sheet1", "说明")
    assert [row.troubles for row in back] == [{}, {}, {}]
    assert back[0].values == ["=1+1", "#N/A", DAY]
    assert back[1].values == ["@SUM(A1)", "-2", 3]
    assert back[2].values == ["响", "0012"]
    with zipfile.ZipFile(path) as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")
