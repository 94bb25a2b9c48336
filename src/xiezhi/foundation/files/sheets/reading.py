import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from django.utils.translation import gettext as _

from xiezhi.foundation.files.kinds import SHEETS, Kind, sniff
from xiezhi.foundation.files.sheets import text, xlsx
from xiezhi.foundation.files.sheets.cells import (
    MOST_COLUMNS,
    MOST_ROWS,
    Cell,
    SheetRow,
    as_text,
    is_blank,
    label_key,
    tidy_text,
)
from xiezhi.foundation.workflow.errors import Refused

HEADER_WITHIN = 20
_WORD = re.compile(r"[^\W\d_]")  # a letter of any script: numbers and dates as text are no column titles


@dataclass(frozen=True)
class Sheet:
    """An open table. `rows` gives the rows under the header once, in order; it raises Refused when there are too many.

    `header` holds one text per column ("" where the cell is empty), `header_number` its row in the sheet, `names` the other sheets
    one could choose, `row_estimate` how many rows are to come (for a progress bar; may be high), `notes` what the person should know.
    """

    header: tuple[str, ...]
    header_number: int
    rows: Iterator[SheetRow]
    row_estimate: int
    name: str
    names: tuple[str, ...]
    notes: tuple[str, ...]


@contextmanager
def read_sheet(path: Path, *, sheet: str | None = None, labels: Collection[str] = ()) -> Iterator[Sheet]:
    """Open the table in an XLSX or CSV file, told apart by content.

    `sheet` names one of several worksheets (default: the first that holds something). `labels` are column titles one hopes to find: among the
    first 20 rows the one with the most of them is the header, else the first with two texts. Raises Refused, with how to mend, for a file
    that cannot be read, is empty, or has no header.
    """
    if sniff(path, SHEETS) is Kind.CSV:
        encoding, lines = text.encoding_of(path)
        rows = text.rows(path, encoding, text.delimiter_of(path, encoding))
        yield _under_header(rows, lines, labels, name="", names=(), notes=[])
        return
    with xlsx.open_workbook(path) as sheets:
        filled = [each for each in sheets if next(xlsx.rows(each, []), None)]
        chosen = [each for each in filled if sheet is None or each.title == sheet]
        if not chosen:
            raise Refused(_missing(sheet, [each.title for each in filled]))
        names = tuple(each.title for each in filled)
        outline = xlsx.outline(chosen[0])
        notes = []
        if len(names) > 1:
            notes.append(
                _("工作簿有 %(count)s 张表，现在读的是“%(name)s”。") % {"count": len(names), "name": chosen[0].title}
            )
        rows = xlsx.rows(chosen[0], outline.merged)
        yield _under_header(rows, outline.row_count, labels, name=chosen[0].title, names=names, notes=notes)


def _missing(sheet: str | None, names: list[str]) -> str:
    if not names:
        return _("工作簿里没有任何内容（隐藏的工作表不读取）。请检查后重新上传。")
    return _("没有名为“%(sheet)s”的工作表。现有：%(names)s。") % {"sheet": sheet, "names": _("、").join(names)}


def _under_header(
    rows: Iterator[SheetRow],
    count: int,
    labels: Collection[str],
    *,
    name: str,
    names: tuple[str, ...],
    notes: list[str],
) -> Sheet:
    top = list(islice(rows, HEADER_WITHIN))
    place = _header_place(top, {label_key(label) for label in labels})
    if place is None:
        raise Refused(_("没有找到表头：前 20 行里没有一行写着两个以上的列名。请在数据上方写一行列名，或下载模板填写。"))
    head = top[place]
    if len(head.values) > MOST_COLUMNS:
        raise Refused(
            _("表格有 %(count)s 列，超过上限 %(limit)s 列。请只保留需要的列。")
            % {"count": len(head.values), "limit": MOST_COLUMNS}
        )
    header = tuple(_title(value) for value in head.values)
    twice = sorted({title for title in header if title and header.count(title) > 1})
    if twice:
        notes.append(_("列名重复：%(names)s。请留意对应的是哪一列。") % {"names": _("、").join(twice)})

    def following() -> Iterator[SheetRow]:
        yield from top[place + 1 :]
        yield from rows

    return Sheet(header, head.number, _limited(following()), max(0, count - head.number), name, names, tuple(notes))


def _title(value: Cell) -> str:
    return tidy_text(as_text(value))[:100]


def _header_place(top: list[SheetRow], labels: set[str]) -> int | None:
    known = [sum(label_key(value) in labels for value in row.values if not is_blank(value)) for row in top]
    if max(known, default=0) >= 2:
        return known.index(max(known))
    for place, row in enumerate(top):
        if sum(isinstance(value, str) and bool(_WORD.search(value)) for value in row.values) >= 2:
            return place
    return None


def _limited(rows: Iterator[SheetRow]) -> Iterator[SheetRow]:
    for count, row in enumerate(rows):
        if count >= MOST_ROWS:
            raise Refused(_("数据超过 %(limit)s 行。请拆成几个文件分别上传。") % {"limit": f"{MOST_ROWS:,}"})
        yield row
