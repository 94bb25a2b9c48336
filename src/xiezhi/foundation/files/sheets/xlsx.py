"""XLSX through openpyxl's streaming reader, plus the one thing that it hides: merged cells."""

import logging
import re
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import openpyxl
from django.utils.translation import gettext as _
from openpyxl.utils.cell import range_boundaries

from xiezhi.foundation.files.sheets.cells import Cell, CellTrouble, SheetRow, formula_trouble, is_blank, text_trouble
from xiezhi.foundation.workflow.errors import Refused

log = logging.getLogger(__name__)
PIECE = 1024 * 1024
OVERLAP = 200
_ROW = re.compile(rb"<(?:\w+:)?row[\s>/]")
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*?\bref=\"([A-Z]+[0-9]+:[A-Z]+[0-9]+)\"")


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
        self.open = [each for each in (*self.open, *self.waiting[self.taken : until]) if each.last_row >= row]
        self.taken = until
        return self.open


@contextmanager
def open_workbook(path: Path) -> Iterator[Any]:
    """The workbook, read-only, formulas as formulas. Raises Refused for what openpyxl cannot read."""
    with path.open("rb") as file:
        try:
            book = openpyxl.load_workbook(file, read_only=True, data_only=False, keep_links=False)
        except Exception as error:  # openpyxl meets a hostile or foreign file with whatever error comes first
            log.info("unreadable workbook: %r", error)
            raise _unreadable() from error
        try:
            yield book
        finally:
            book.close()


def _unreadable() -> Refused:
    return Refused(
        _(
            "工作簿读不出来，可能已损坏或由其他软件以特殊格式保存。请用 Excel 或 WPS 打开，另存为“Excel 工作簿（*.xlsx）”后重新上传。"
        )
    )


def worksheets(book: Any) -> list[Any]:
    """The sheets that a person sees (no charts, no hidden ones), with openpyxl's guess of their size forgotten: it may be a lie."""
    seen = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    for sheet in seen:
        sheet.reset_dimensions()
    return seen


def outline(path: Path, sheet: Any) -> Outline:
    """Scan the sheet's XML for rows and merged ranges without building anything: about 100 MB a second."""
    row_count, merged, tail = 0, [], b""
    with ZipFile(path) as archive, archive.open(sheet._worksheet_path) as source:
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


def rows(sheet: Any, merged: list[Merged]) -> Iterator[SheetRow]:
    """Every row that holds something, formulas, error values and merged cells as troubles."""
    touching = MergedRows(merged)
    try:
        for number, cells in enumerate(sheet.iter_rows(), start=1):
            covering = touching.at(number)
            values: list[Cell] = [cell.value for cell in cells]
            while values and is_blank(values[-1]):
                values.pop()
            if not values and not any(each.first_row < number for each in covering):
                continue
            row = SheetRow(number, values)
            _note_troubles(row, cells, covering)
            yield row
    except Refused:
        raise
    except Exception as error:  # a broken part is met only while streaming
        log.info("unreadable sheet: %r", error)
        raise _unreadable() from error


def _note_troubles(row: SheetRow, cells: Any, covering: list[Merged]) -> None:
    for index, cell in enumerate(cells[: len(row.values)]):
        kind = cell.data_type
        if kind == "s":
            value = cell.value
            if isinstance(value, str) and (len(value) > 1_000 or "\0" in value) and (trouble := text_trouble(value)):
                row.troubles[index], row.values[index] = trouble, None
        elif kind == "f":
            shown = getattr(cell.value, "text", None) or cell.value
            row.troubles[index] = formula_trouble(str(shown))
            row.values[index] = None
        elif kind == "e":
            row.troubles[index] = CellTrouble(
                _("单元格是错误值 %(value)s。") % {"value": cell.value}, _("请改成正确的内容。"), str(cell.value)
            )
            row.values[index] = None
    for each in covering:
        for index in range(each.first_column, each.last_column + 1):
            shown = "" if index >= len(row.values) or row.values[index] is None else str(row.values[index])
            row.troubles[index] = CellTrouble(
                _("%(address)s 是合并单元格，看不出这一行的内容。") % {"address": each.address},
                _("请取消合并，把内容填进每一行。"),
                shown[:60],
            )
