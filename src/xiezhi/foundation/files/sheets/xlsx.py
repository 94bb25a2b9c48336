"""XLSX: the workbook through openpyxl, the cells by `sheetxml`, and the merged ranges by a quick look at the XML."""

import logging
import re
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from django.utils.translation import gettext as _
from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.utils.cell import range_boundaries

from xiezhi.foundation.files.sheets.cells import MOST_COLUMNS, CellTrouble, SheetRow, is_blank
from xiezhi.foundation.files.sheets.sheetxml import Formats, stream
from xiezhi.foundation.workflow.errors import Refused

log = logging.getLogger(__name__)
PIECE = 1024 * 1024
OVERLAP = 200
_ROW = re.compile(rb"<(?:\w+:)?row[\s>/]")
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*?\bref=\"([A-Z]+[0-9]+:[A-Z]+[0-9]+)\"")


@dataclass(frozen=True)
class Worksheet:
    """A sheet that a person sees, and where it lies in the archive."""

    title: str
    archive: ZipFile
    part: str
    formats: Formats


@dataclass(frozen=True)
class Merged:
    """One merged range; rows from 1, columns from 0, all inclusive."""

    address: str
    first_row: int
    last_row: int
    first_column: int
    last_column: int


@dataclass(frozen=True)
class Outline:
    """What a quick look at a sheet's XML gives: how many rows are written, and the merged ranges from the top."""

    row_count: int
    merged: list[Merged]


class MergedRows:
    """The merged ranges that touch a row, asked for rows in ascending order."""

    def __init__(self, merged: list[Merged]) -> None:
        self.waiting = sorted(merged, key=lambda each: each.first_row)
        self.starts = [each.first_row for each in self.waiting]
        self.taken = 0
        self.open: list[Merged] = []

    def at(self, row: int) -> list[Merged]:
        until = bisect_right(self.starts, row)
        if self.open or until > self.taken:
            self.open = [each for each in (*self.open, *self.waiting[self.taken : until]) if each.last_row >= row]
            self.taken = until
        return self.open


@contextmanager
def open_workbook(path: Path) -> Iterator[list[Worksheet]]:
    """The visible worksheets (no charts, no hidden ones). Raises Refused for what cannot be read."""
    with path.open("rb") as file:
        try:
            sheets = _worksheets(ExcelReader(file, read_only=True, keep_links=False))
        except Exception as error:  # openpyxl meets a hostile or foreign file with whatever error comes first
            log.info("unreadable workbook: %r", error)
            raise _unreadable() from error
        yield sheets


def _worksheets(reader: ExcelReader) -> list[Worksheet]:
    """The steps of openpyxl's `load_workbook` without the last: it would read every sheet that does not state its size."""
    reader.read_manifest()
    reader.read_strings()
    reader.read_workbook()
    apply_stylesheet(reader.archive, reader.wb)
    book: Any = reader.wb
    formats = Formats(
        reader.shared_strings, book.epoch, frozenset(book._date_formats), frozenset(book._timedelta_formats)
    )
    return [
        Worksheet(sheet.name, reader.archive, relation.target, formats)
        for sheet, relation in reader.parser.find_sheets()
        if sheet.state == "visible" and "chartsheet" not in relation.Type and relation.target in reader.valid_files
    ]


def _unreadable() -> Refused:
    return Refused(
        _(
            "工作簿读不出来，可能已损坏或由其他软件以特殊格式保存。请用 Excel 或 WPS 打开，另存为“Excel 工作簿（*.xlsx）”后重新上传。"
        )
    )


def outline(sheet: Worksheet) -> Outline:
    """Scan the sheet's XML for rows and merged ranges without building anything: about 100 MB a second."""
    row_count, merged, tail = 0, [], b""
    with sheet.archive.open(sheet.part) as source:
        while piece := source.read(PIECE):
            text = tail + piece
            # What starts in the last OVERLAP bytes is left for the next piece, where it is whole.
            cut = len(text) if len(piece) < PIECE else len(text) - OVERLAP
            row_count += sum(1 for found in _ROW.finditer(text) if found.start() < cut)
            merged += [_merged(found[1].decode()) for found in _MERGED.finditer(text) if found.start() < cut]
            tail = text[cut:]
    return Outline(row_count, merged)


def _merged(address: str) -> Merged:
    left, top, right, bottom = range_boundaries(address)
    return Merged(address, int(top or 1), int(bottom or 1), int(left or 1) - 1, int(right or 1) - 1)


def rows(sheet: Worksheet, merged: list[Merged]) -> Iterator[SheetRow]:
    """Every row that holds something or lies under a merged range; formulas, error values and merged cells as troubles."""
    touching = MergedRows(merged)
    try:
        with sheet.archive.open(sheet.part) as source:
            for number, values, troubles in stream(source, sheet.formats):
                covering = touching.at(number)
                while values and is_blank(values[-1]) and len(values) - 1 not in troubles:
                    values.pop()
                if values or any(each.first_row < number for each in covering):
                    yield _covered(SheetRow(number, values, troubles), covering)
    except Refused:
        raise
    except Exception as error:  # a broken part is met only while streaming
        log.info("unreadable sheet: %r", error)
        raise _unreadable() from error


def _covered(row: SheetRow, covering: list[Merged]) -> SheetRow:
    for each in covering:
        reason = _("%(address)s 是合并单元格，看不出这一行的内容。") % {"address": each.address}
        for index in range(each.first_column, min(each.last_column, MOST_COLUMNS) + 1):
            shown = "" if index >= len(row.values) or row.values[index] is None else str(row.values[index])
            row.troubles[index] = CellTrouble(reason, _("请取消合并，把内容填进每一行。"), shown[:60])
    return row
