"""Columns of an import: what they are called, how a cell becomes a value. Parsers raise `CellRefused` and never guess."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from django.db.models import Choices
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from xiezhi.foundation.files.sheets.cells import Cell, as_text, tidy_code, tidy_text

if TYPE_CHECKING:
    from xiezhi.foundation.imports.specs import ImportContext

Text = str | Promise


class CellRefused(Exception):
    """This cell cannot be taken: the reason, and how to mend it (may be empty where the reason says it)."""

    def __init__(self, reason: str, mend: str = "") -> None:
        super().__init__(reason)
        self.reason, self.mend = reason, mend


Parser = Callable[[Cell, "ImportContext"], Any]
"""From a cell that is not blank to a value; raises CellRefused."""


@dataclass(frozen=True)
class Column:
    """One column that a spec understands. `aliases`: other titles seen in practice. A blank cell is None, or refused when `required`.

    `masked`: how a cell with personal data is shown. A spec with such a column has its rows sealed while they wait.
    """

    key: str
    label: Text
    parse: Parser
    aliases: tuple[str, ...] = ()
    required: bool = False
    help: Text = ""
    example: Cell = ""
    masked: Callable[[str], str] | None = None


def text(longest: int = 200) -> Parser:
    """Names and remarks: blanks and full-width letters tidied, punctuation kept. At most `longest` characters."""

    def parse(value: Cell, context: "ImportContext") -> str:
        tidy = tidy_text(value)
        if len(tidy) > longest:
            raise CellRefused(
                _("太长（%(count)s 字）。") % {"count": len(tidy)}, _("请缩短到 %(most)s 字以内。") % {"most": longest}
            )
        return tidy

    return parse


_SCIENTIFIC = re.compile(r"^\d(\.\d+)?[eE]\+?\d{1,3}$")


def code(pattern: str = "", *, what: Text = "", longest: int = 60) -> Parser:
    """Codes: NFKC, no blanks, upper case. What Excel turned into a number beyond its 15 digits is refused, never repaired by guess.

    `pattern` is a full-match regular expression, `what` says what it asks for (“18 位统一社会信用代码”).
    """
    shape = re.compile(pattern) if pattern else None

    def parse(value: Cell, context: "ImportContext") -> str:
        tidy = tidy_code(value).upper()
        wide = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) >= 1e15
        if wide or isinstance(value, datetime | date) or _SCIENTIFIC.match(tidy):
            raise CellRefused(
                _("Excel 把代码变成了数字或日期，末尾几位可能已丢失。"),
                _("请把该列设为“文本”格式，再重新填写完整代码。"),
            )
        if len(tidy) > longest or (shape and not shape.fullmatch(tidy)):
            raise CellRefused(_("格式不对。"), _("应为%(what)s。") % {"what": what} if what else "")
        return tidy

    return parse


def integer(least: int | None = None, most: int | None = None, *, unit: Text = "") -> Parser:
    """Whole numbers within limits (both ends included); thousands commas and `unit` behind the number are understood."""

    def parse(value: Cell, context: "ImportContext") -> int:
        number = _number(value, unit)
        if number != number.to_integral_value():
            raise CellRefused(_("应为整数。"))
        _within(number, least, most)
        return int(number)

    return parse


def decimal(least: Decimal | int | None = None, most: Decimal | int | None = None, *, places: int = 6) -> Parser:
    """Numbers with at most `places` decimals, as Decimal."""

    def parse(value: Cell, context: "ImportContext") -> Decimal:
        number = _number(value, "")
        _within(number, least, most)
        return round(number, places)

    return parse


def fen(least: int = 0, most: int | None = None) -> Parser:
    """An amount in yuan (“1,234.50”, “¥1234.5”, “1234 元”) as integer fen; limits in fen."""

    def parse(value: Cell, context: "ImportContext") -> int:
        amount = _number(value, "元") * 100
        if amount != amount.to_integral_value():
            raise CellRefused(_("金额最多两位小数。"))
        if amount < least or (most is not None and amount > most):
            raise CellRefused(_("金额超出范围。"))
        return int(amount)

    return parse


def percent(least: int = 0, most: int = 100) -> Parser:
    """A share as Decimal between 0 and 1. “30%”, “30” and a cell formatted as a percentage (which holds 0.3) all mean 30 %.

    A bare number above 1 is percent, one up to 1 is a share (Excel's 100% holds 1). Limits in percent, both ends included.
    """

    def parse(value: Cell, context: "ImportContext") -> Decimal:
        tidy = tidy_code(value)
        number = _number(tidy.rstrip("%"), "")
        share = number / 100 if tidy.endswith("%") or number > 1 else number
        _within(share * 100, least, most)
        return share

    return parse


def _number(value: Cell, unit: Text) -> Decimal:
    if isinstance(value, bool | date):
        raise CellRefused(_("应为数字。"), _("请检查该列的单元格格式。"))
    tidy = tidy_code(value).replace(",", "").lstrip("¥￥")
    if unit:
        tidy = tidy.removesuffix(str(unit))
    try:
        number = Decimal(tidy)
    except InvalidOperation as error:
        raise CellRefused(_("应为数字。")) from error
    if not number.is_finite() or abs(number) > Decimal("1e18"):
        raise CellRefused(_("应为数字。"))
    return number


def _within(number: Decimal, least: Decimal | int | None, most: Decimal | int | None) -> None:
    if (least is not None and number < least) or (most is not None and number > most):
        if least is not None and most is not None:
            raise CellRefused(_("应在 %(least)s 到 %(most)s 之间。") % {"least": least, "most": most})
        if least is not None:
            raise CellRefused(_("不能小于 %(least)s。") % {"least": least})
        raise CellRefused(_("不能大于 %(most)s。") % {"most": most})


_DATE_FORMS = (
    re.compile(r"^(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?$"),
    re.compile(r"^(\d{4})(\d{2})(\d{2})$"),
)
_SPACES = re.compile(r"\s+")
_MIDNIGHT = re.compile(r"[T ]?00:00(:00(\.0+)?)?$")


def day(earliest: date | None = None, latest: date | None = None) -> Parser:
    """A date: a date cell, or 2026-11-23, 2026/11/23, 2026.11.23, 2026年11月23日, 20261123. Day-first and month-first forms are refused."""

    def parse(value: Cell, context: "ImportContext") -> date:
        found = _date(value)
        if (earliest and found < earliest) or (latest and found > latest):
            raise CellRefused(
                _("日期不在 %(earliest)s 至 %(latest)s 之间。") % {"earliest": earliest or "…", "latest": latest or "…"}
            )
        return found

    return parse


_CLOCK = re.compile(r"^(.*?)[T ]?(\d{1,2})[:：时点](\d{1,2})(?:[:：分](\d{1,2})(?:\.\d+)?秒?)?分?$")
_COMPACT = re.compile(r"^(\d{8})(\d{2})(\d{2})(\d{2})?$")


def moment(earliest: date | None = None) -> Parser:
    """A moment of local time: a date cell with or without a time, or a day as `day` takes it followed by 14:30, 14:30:05, 14时30分 or, all in
    digits, 20261123143005. A day alone is its first minute. Seconds are dropped. Returns an aware datetime."""

    def parse(value: Cell, context: "ImportContext") -> datetime:
        found = _moment(value)
        if earliest and found.date() < earliest:
            raise CellRefused(_("日期早于 %(earliest)s。") % {"earliest": earliest})
        return timezone.make_aware(found)

    return parse


def _moment(value: Cell) -> datetime:
    if isinstance(value, datetime):
        return value.replace(second=0, microsecond=0, tzinfo=None)
    if isinstance(value, date):
        return datetime.combine(value, time())
    written = _SPACES.sub(" ", unicodedata.normalize("NFKC", as_text(value))).strip()
    parts = _COMPACT.match(written) or _CLOCK.match(written)
    if parts is None:
        return datetime.combine(_date(value), time())
    try:
        clock = time(int(parts[2]), int(parts[3]))
    except ValueError as error:
        raise CellRefused(_("没有这个时刻。"), _("请写成 2026-11-23 14:30 这样的形式。")) from error
    return datetime.combine(_date(parts[1]), clock)


def _date(value: Cell) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    tidy = _MIDNIGHT.sub("", tidy_code(value))
    for form in _DATE_FORMS:
        if match := form.match(tidy):
            try:
                return date(*(int(part) for part in match.groups()))
            except ValueError as error:
                raise CellRefused(_("没有这一天。")) from error
    if re.fullmatch(r"\d{5}(\.\d+)?", tidy):
        raise CellRefused(_("这像是 Excel 的日期序号。"), _("请把该列的单元格格式设为“日期”。"))
    raise CellRefused(_("不是日期。"), _("请写成 2026-11-23 这样的形式。"))


YES, NO = (
    frozenset({"是", "有", "√", "Y", "YES", "TRUE", "1", "对"}),
    frozenset({"否", "无", "×", "N", "NO", "FALSE", "0", "X"}),
)


def yes_no() -> Parser:
    """是/否 and the usual ways of writing them, as bool."""

    def parse(value: Cell, context: "ImportContext") -> bool:
        tidy = tidy_code(value).upper()
        if tidy in YES or tidy in NO:
            return tidy in YES
        raise CellRefused(_("只能填“是”或“否”。"))

    return parse


def choice(choices: type[Choices] | Mapping[str, str]) -> Parser:
    """One of a TextChoices by its value or label (in the interface's languages), or of a mapping {what is written: value}."""

    def parse(value: Cell, context: "ImportContext") -> str:
        table = _words(choices)
        found = table.get(tidy_code(value).casefold())
        if found is None:
            raise CellRefused(_("不认识这个填法。"), _("可填：%(words)s。") % {"words": _some(_written(choices))})
        return found

    return parse


def _words(choices: type[Choices] | Mapping[str, str]) -> dict[str, str]:
    if isinstance(choices, Mapping):
        return {tidy_code(word).casefold(): value for word, value in choices.items()}
    pairs = [(str(value), str(value)) for value in choices.values]
    pairs += [(str(label), str(value)) for value, label in choices.choices]
    return {tidy_code(word).casefold(): value for word, value in pairs}


def _written(choices: type[Choices] | Mapping[str, str]) -> list[str]:
    return list(choices) if isinstance(choices, Mapping) else [str(label) for label in choices.labels]


def _some(words: Iterable[str], most: int = 12) -> str:
    listed = list(words)
    return _("、").join(listed[:most]) + (_("等 %(count)s 种") % {"count": len(listed)} if len(listed) > most else "")


def lookup(table: str, *, what: Text) -> Parser:
    """A thing by its name or code from `context.tables[table]`, a dict that the spec's `prepare` filled: {tidy_code(word): thing}.

    Words are compared after `tidy_code` and upper case (use `lookup_table` to build the dict). `what` is what the thing is called (“部门”).
    """

    def parse(value: Cell, context: "ImportContext") -> Any:
        found = context.tables[table].get(lookup_key(value))
        if found is None:
            raise CellRefused(
                _("没有这个%(what)s。") % {"what": what}, _("请核对名称或代码；若确实缺少，请先在系统中登记。")
            )
        return found

    return parse


def lookup_key(value: Cell) -> str:
    """The form in which `lookup` compares words."""
    return tidy_code(value).upper()


def lookup_table(things: Iterable[Any], *attributes: str) -> dict[str, Any]:
    """{word: thing} over the given attributes of each thing, for `lookup`. The first thing keeps a word that two share."""
    table: dict[str, Any] = {}
    for thing in things:
        for attribute in attributes:
            word = lookup_key(getattr(thing, attribute))
            if word:
                table.setdefault(word, thing)
    return table


_BETWEEN = re.compile(r"[、,，;；/|\n]+")


def several(parse_one: Parser) -> Parser:
    """A list in one cell, parted by 、 , ; / or new lines; each part through `parse_one`; doubles dropped, order kept."""

    def parse(value: Cell, context: "ImportContext") -> list[Any]:
        parts = [part for part in _BETWEEN.split(tidy_text(value)) if part.strip()]
        found: list[Any] = []
        for part in parts:
            one = parse_one(part.strip(), context)
            if one not in found:
                found.append(one)
        return found

    return parse
