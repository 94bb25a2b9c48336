import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from tempfile import TemporaryFile
from typing import IO, Any, cast

from django.http import FileResponse
from django.utils.functional import Promise
from django.utils.timezone import localtime
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from xiezhi.foundation.files.kinds import CONTENT_TYPES, Kind
from xiezhi.foundation.files.sheets.cells import LONGEST_TEXT, Cell

_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_RISKY = ("=", "+", "-", "@", "\t", "\r")
HEAD_FONT, HEAD_FILL, RED_FONT = Font(bold=True), PatternFill("solid", fgColor="E6EFEE"), Font(color="B93A2B")


def write_sheet(
    target: IO[bytes],
    *,
    header: Sequence[str | Promise],
    rows: Iterable[Sequence[Cell]],
    title: str = "Sheet1",
    widths: Sequence[int] = (),
    comments: Sequence[str | Promise] = (),
    notes: Sequence[str | Promise] = (),
    notes_title: str = "",
    marked_columns: Iterable[int] = (),
) -> None:
    """Write an XLSX workbook to `target`, streaming. No text becomes a formula, whatever it starts with.

    `widths` in characters, `comments` per header cell, `notes` one line each on a second worksheet, `marked_columns` (from 0) in red.
    """
    book = Workbook(write_only=True)
    sheet = book.create_sheet(_sheet_title(title))
    sheet.freeze_panes = "A2"
    for index, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(index)].width = width
    marked = set(marked_columns)
    head = []
    for index, label in enumerate(header):
        cell = _cell(sheet, str(label))
        cell.font, cell.fill = HEAD_FONT, HEAD_FILL
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        if index < len(comments) and comments[index]:
            cell.comment = Comment(str(comments[index]), "")
        head.append(cell)
    sheet.append(head)
    for row in rows:
        sheet.append([_cell(sheet, value, red=index in marked) for index, value in enumerate(row)])
    if notes:
        second = book.create_sheet(_sheet_title(notes_title or "说明"))
        second.column_dimensions["A"].width = 100
        for line in notes:
            second.append([_cell(second, str(line))])
    book.save(target)


def _sheet_title(title: str) -> str:
    return re.sub(r"[\[\]:*?/\\]", " ", title).strip()[:31] or "Sheet1"


def _cell(sheet: Any, value: Cell, *, red: bool = False) -> Any:
    """Text is written as text, even where openpyxl would see a formula or an error value."""
    if isinstance(value, datetime) and value.tzinfo:
        value = localtime(value).replace(tzinfo=None)
    if isinstance(value, str):
        value = _ILLEGAL.sub("", value)[:LONGEST_TEXT]
    cell: Any = WriteOnlyCell(sheet)
    cell.value = value
    if isinstance(value, str):
        cell.data_type = "s"
        cell.quotePrefix = value.startswith(_RISKY)
    if red:
        cell.font = RED_FONT
    return cell


def workbook_response(filename: str, **content: Any) -> FileResponse:
    """The workbook that `write_sheet(**content)` makes, as a download called `filename`."""
    file = TemporaryFile()  # noqa: SIM115  the response closes it
    write_sheet(cast(IO[bytes], file), **content)
    file.seek(0)
    response = FileResponse(file, as_attachment=True, filename=filename, content_type=CONTENT_TYPES[Kind.XLSX])
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response
