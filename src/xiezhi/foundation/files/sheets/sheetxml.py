"""The cells of one worksheet, streamed by expat. openpyxl's own streaming reader takes three times as long (it builds an element for each
cell), and 50,000 rows have to be taken in while a person waits; opening the workbook, its strings and its formats stay openpyxl's work."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any
from xml.parsers import expat

from django.utils.translation import gettext as _
from openpyxl.utils.datetime import from_excel, from_ISO8601

from xiezhi.foundation.files.sheets.cells import MOST_COLUMNS, Cell, CellTrouble, formula_trouble, text_trouble

PIECE = 256 * 1024
LONG = 1_000
_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_WHOLE = re.compile(r"-?[0-9]{1,18}")


@dataclass(frozen=True)
class Formats:
    """What is needed to understand a cell: the workbook's strings, its first day, and which styles are dates or durations."""

    strings: list[str]
    epoch: datetime
    dates: frozenset[int]
    durations: frozenset[int]


Found = tuple[int, list[Cell], dict[int, CellTrouble]]
"""Row number, values from column 0, troubles by column."""


def stream(source: IO[bytes], formats: Formats) -> Iterator[Found]:
    """Every row written in the sheet's XML, in order, blank ones too. Raises expat.ExpatError for broken XML."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    reader = _Reader(formats)
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = reader.doctype
    while piece := source.read(PIECE):
        parser.Parse(piece)
        yield from reader.rows
        reader.rows.clear()
    parser.Parse(b"", True)
    yield from reader.rows


class _Reader:
    """Expat's handlers. A cell is read as: its attributes, the text of its value (or inline string), and whether it has a formula."""

    def __init__(self, formats: Formats) -> None:
        self.formats = formats
        self.rows: list[Found] = []
        self.columns: dict[str, int] = {}
        self.names: dict[str, str] = {}
        self.number, self.column = 0, -1
        self.values: list[Cell] = []
        self.troubles: dict[int, CellTrouble] = {}
        self.kind, self.style = "n", 0
        self.in_cell = self.phonetic = False
        self.listening: list[str] | None = None
        self.value: list[str] = []
        self.formula: list[str] | None = None

    def doctype(self, *_about: Any) -> None:
        raise ValueError("a document type has no place in a worksheet")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        tag = self.names.get(name) or self.names.setdefault(name, name.rpartition(":")[2])
        if tag == "c":
            self._open_cell(attributes)
        elif self.in_cell:
            if tag == "v" or (tag == "t" and not self.phonetic):
                self.listening = self.value
            elif tag == "f":
                self.formula = self.listening = []
            elif tag == "rPh":
                self.phonetic = True
        elif tag == "row":
            number = attributes.get("r")
            self.number = int(float(number)) if number else self.number + 1
            self.column, self.values, self.troubles = -1, [], {}

    def text(self, content: str) -> None:
        if self.listening is not None:
            self.listening.append(content)

    def end(self, name: str) -> None:
        tag = self.names.get(name) or name
        if tag in {"v", "t", "f"}:
            self.listening = None
        elif tag == "c":
            self.in_cell = False
            self._close_cell()
        elif tag == "rPh":
            self.phonetic = False
        elif tag == "row":
            self.rows.append((self.number, self.values, self.troubles))

    def _open_cell(self, attributes: dict[str, str]) -> None:
        reference = _REFERENCE.fullmatch(attributes.get("r", ""))
        self.column = self._column(reference[1]) if reference else self.column + 1
        self.kind, self.style = attributes.get("t", "n"), int(attributes.get("s", 0))
        self.in_cell, self.phonetic, self.formula, self.value = True, False, None, []

    def _column(self, letters: str) -> int:
        known = self.columns.get(letters)
        if known is None:
            known = 0
            for letter in letters:
                known = known * 26 + ord(letter) - 64
            known = self.columns[letters] = known - 1
        return known

    def _close_cell(self) -> None:
        text = "".join(self.value)
        if self.formula is not None:
            self._put(None, formula_trouble("=" + "".join(self.formula)))
        elif text:
            self._put(*self._understood(text))

    def _put(self, value: Cell, trouble: CellTrouble | None) -> None:
        if self.column > MOST_COLUMNS:
            return  # one beyond the limit is kept, so that a header too wide is noticed
        missing = self.column - len(self.values)
        if missing > 0:
            self.values.extend([None] * missing)
        if self.column < len(self.values):
            self.values[self.column] = value
        else:
            self.values.append(value)
        if trouble:
            self.troubles[self.column] = trouble

    def _understood(self, text: str) -> tuple[Cell, CellTrouble | None]:
        kind = self.kind
        if kind == "s" or kind == "str" or kind == "inlineStr":
            words = self.formats.strings[int(text)] if kind == "s" else text
            if "_x000D_" in words:
                words = words.replace("_x000D_", "")
            trouble = text_trouble(words) if len(words) > LONG else None
            return (None, trouble) if trouble else (words, None)
        if kind == "n":
            return self._number(text)
        if kind == "b":
            return text.strip() == "1", None
        if kind == "d":
            moment: Cell = from_ISO8601(text)  # type: ignore[no-untyped-call]
            return moment, None
        return None, CellTrouble(_("单元格是错误值 %(value)s。") % {"value": text}, _("请改成正确的内容。"), text[:60])

    def _number(self, text: str) -> tuple[Cell, CellTrouble | None]:
        number = int(text) if _WHOLE.fullmatch(text) else float(text)
        if self.style not in self.formats.dates:
            return number, None
        try:
            return from_excel(number, self.formats.epoch, timedelta=self.style in self.formats.durations), None
        except (OverflowError, ValueError):
            mend = _("请重新填写日期，写成 2026-11-23 这样的形式。")
            return None, CellTrouble(_("日期超出 Excel 能表示的范围。"), mend, text[:60])
