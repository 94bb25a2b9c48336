"""One cell: what it may hold, what can be wrong with it, and how full-width text is brought to one form."""

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from django.utils.translation import gettext as _

Cell = str | int | float | bool | datetime | date | time | timedelta | None

MOST_ROWS = 200_000
MOST_COLUMNS = 200
LONGEST_TEXT = 32_767  # Excel's own limit

# Half-width forms of letters and digits only: in names the punctuation （）：， is part of the name.
_ALPHANUMERIC = {
    code: code - 0xFEE0 for code in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))
}
_INVISIBLE = re.compile("[\u200b-\u200f\u2028-\u202e\u2060\ufeff\u00ad]")
_SPACES = re.compile(r"[\s\u00a0\u3000]+")


@dataclass(frozen=True)
class CellTrouble:
    """Why a cell cannot be taken, and how to mend it in the sheet. `shown` is what the person sees in it."""

    reason: str
    mend: str
    shown: str = ""


@dataclass(slots=True)
class SheetRow:
    """One row that holds something. `number` is the row's number in the sheet as Excel shows it; `troubles` by column index from 0."""

    number: int
    values: list[Cell]
    troubles: dict[int, CellTrouble] = field(default_factory=dict)


def tidy_text(value: Cell) -> str:
    """Text of a name: letters and digits half-width, runs of blanks one space, no invisible signs; punctuation as it was written."""
    return _SPACES.sub(" ", _INVISIBLE.sub("", as_text(value).translate(_ALPHANUMERIC))).strip()


def tidy_code(value: Cell) -> str:
    """Text of a code, number or date: NFKC, no blanks at all, no invisible signs."""
    return _SPACES.sub("", _INVISIBLE.sub("", unicodedata.normalize("NFKC", as_text(value))))


def as_text(value: Cell) -> str:
    """A cell as text: whole floats without “.0”, dates as ISO, nothing as the empty string."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime):
        midnight = value.time() == time()
        return value.date().isoformat() if midnight else value.isoformat(sep=" ", timespec="minutes")
    return str(value)


def is_blank(value: Cell) -> bool:
    """Nothing, or only blanks."""
    return value is None or (isinstance(value, str) and not _INVISIBLE.sub("", value).strip("\u3000\u00a0 \t\r\n\0"))


def label_key(label: Cell) -> str:
    """A header cell in the form in which headers are compared: NFKC, no blanks, no star, no note in brackets."""
    text = tidy_code(label).casefold().strip("*")
    return re.sub(r"[(\[].*?[)\]]", "", text).strip("*:") or text


def text_trouble(value: str) -> CellTrouble | None:
    """What is wrong with text as such: a NUL inside, or more than Excel holds in a cell."""
    if "\0" in value:
        return CellTrouble(
            _("单元格里有看不见的空字符（NUL）。"),
            _("请重新输入这一格，或从来源系统重新导出。"),
            value.replace("\0", "␀")[:60],
        )
    if len(value) > LONGEST_TEXT:
        return CellTrouble(_("单元格内容过长。"), _("请缩短到 32,767 字以内。"), value[:60])
    return None


def formula_trouble(shown: str) -> CellTrouble:
    """A formula's cached value may be out of date or another program's, so it is never taken."""
    return CellTrouble(_("这是公式单元格。"), _("请复制后“粘贴为数值”。"), shown[:60])
