"""Tables in and out: XLSX and CSV, row by row, with real row numbers and every trap of hand-made sheets named, never guessed over."""

from xiezhi.foundation.files.sheets.cells import Cell, CellTrouble, SheetRow
from xiezhi.foundation.files.sheets.reading import Sheet, read_sheet
from xiezhi.foundation.files.sheets.writing import workbook_response, write_sheet

__all__ = ["Cell", "CellTrouble", "Sheet", "SheetRow", "read_sheet", "workbook_response", "write_sheet"]
