"""CSV and its relatives: which encoding, which delimiter, and where a quote was left open."""

import codecs
import csv
from collections.abc import Iterator
from pathlib import Path

from django.utils.translation import gettext as _

from xiezhi.foundation.files.sheets.cells import Cell, SheetRow, formula_trouble, is_blank, text_trouble
from xiezhi.foundation.workflow.errors import Refused

PIECE = 1024 * 1024
SAMPLE_LINES = 20
DELIMITERS = (",", "\t", ";", "，")
GUARDED = tuple(f"'{sign}" for sign in ("=", "+", "-", "@", "\t", "\r", "\n"))
"""How text begins that our own exports (as spreadsheet programs) keep from being a formula: the quote is no part of it."""
BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def encoding_of(path: Path) -> tuple[str, int]:
    """The encoding that decodes the whole file, and how many lines it has: by its mark, else UTF-8, else GB18030. Raises Refused."""
    with path.open("rb") as file:
        start = file.read(4)
    marked = [name for mark, name in BOMS if start.startswith(mark)]
    failure: UnicodeDecodeError | None = None
    for encoding in marked or ["utf-8", "gb18030"]:
        try:
            return encoding, _decode_all(path, encoding)
        except UnicodeError as error:
            if isinstance(error, UnicodeDecodeError):
                failure = failure or error
    raise Refused(
        _(
            "文件的文字编码无法识别（既不是 UTF-8，也不是 GB18030）。请用 Excel 打开，另存为“CSV UTF-8”或 .xlsx 后重新上传。"
        )
    ) from failure


def _decode_all(path: Path, encoding: str) -> int:
    decoder, lines = codecs.getincrementaldecoder(encoding)(), 0
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            lines += decoder.decode(piece).count("\n")
        decoder.decode(b"", final=True)
    return lines + 1


def delimiter_of(path: Path, encoding: str) -> str:
    """The sign that cuts the first lines into the most columns, counted outside quotes; a comma when nothing cuts them."""
    with path.open(encoding=encoding, newline="") as file:
        lines = [line for line, _number in zip(file, range(SAMPLE_LINES), strict=False) if line.strip()]

    def evenness(delimiter: str) -> tuple[int, int]:
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
        usual = max(set(widths), key=lambda width: (widths.count(width), width), default=0)
        return (widths.count(usual), usual) if usual > 1 else (0, 0)

    return max(DELIMITERS, key=evenness)


def rows(path: Path, encoding: str, delimiter: str) -> Iterator[SheetRow]:
    """Every row that holds something, numbered as Excel would show it. Raises Refused where a quotation mark is left open."""
    number = 0
    with path.open(encoding=encoding, newline="") as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        while True:
            number += 1
            try:
                values: list[Cell] = list(next(reader))
            except StopIteration:
                return
            except csv.Error as error:
                raise Refused(
                    _(
                        "第 %(row)s 行（文件第 %(line)s 行附近）的引号不成对，后面的内容分不清列。请改正该行的双引号后重新上传。"
                    )
                    % {"row": number, "line": reader.line_num}
                ) from error
            while values and is_blank(values[-1]):
                values.pop()
            if values:
                yield _checked(SheetRow(number, values))


def _checked(row: SheetRow) -> SheetRow:
    for index, value in enumerate(row.values):
        if not isinstance(value, str):
            continue
        trouble = text_trouble(value)
        if value.startswith(GUARDED):
            row.values[index] = value = value[1:]
        elif value.startswith("=") and len(value) > 1:
            trouble = formula_trouble(value)
        if trouble:
            row.troubles[index], row.values[index] = trouble, None
        elif value == "":
            row.values[index] = None
    return row
