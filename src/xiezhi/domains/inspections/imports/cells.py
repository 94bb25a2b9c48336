"""Cells that only this room knows: a check form in one cell, a time as plans write it, how often, incompatible items."""

import calendar
import re
from collections.abc import Callable
from datetime import date

from django.utils.translation import gettext as _

from xiezhi.domains.inspections.services.catalogue import Line
from xiezhi.domains.registry.facts import BadFact, clean_industry
from xiezhi.foundation.files.sheets.cells import Cell, as_text, tidy_code, tidy_text
from xiezhi.foundation.imports.columns import CellRefused, Parser
from xiezhi.foundation.imports.specs import ImportContext

MOST_LINES = 60
_BREAK = re.compile(r"[\n；;]+")
_HALVES = re.compile(r"\s*[|｜]\s*")
_NUMBERING = re.compile(r"^[（(]?\d{1,2}[)）.、．]\s*")


def form_lines(cell: Cell, context: ImportContext) -> list[Line]:
    """检查表单 in one cell: a line each (or parted by ；), 检查项 | 检查标准; numbering in front is dropped."""
    lines = []
    for part in _BREAK.split(as_text(cell)):
        content, *standard = _HALVES.split(_NUMBERING.sub("", tidy_text(part)), maxsplit=1)
        if not content:
            continue
        line = Line(content, standard[0] if standard else "")
        if len(line.content) > 300 or len(line.standard) > 500:
            raise CellRefused(
                _("“%(start)s……”一行太长。") % {"start": line.content[:10]},
                _("检查项不超过 300 字，检查标准不超过 500 字。"),
            )
        lines.append(line)
    if len(lines) > MOST_LINES:
        raise CellRefused(
            _("检查表单有 %(count)d 行。") % {"count": len(lines)},
            _("请精简到 %(most)d 行以内。") % {"most": MOST_LINES},
        )
    return lines


FREQUENCIES = {
    "=1": "=1",
    "1": "=1",
    "1次": "=1",
    "一次": "=1",
    ">=1": ">=1",
    "≥1": ">=1",
    "不少于1次": ">=1",
    "至少1次": ">=1",
}


def frequency(cell: Cell, context: ImportContext) -> str:
    """频次: `=1` or `>=1`, however written."""
    found = FREQUENCIES.get(re.sub(r"(次?/年|次/年度|每年)", "", tidy_code(cell)))
    if found is None:
        raise CellRefused(_("不认识这个频次。"), _("请写 =1 或 >=1。"))
    return found


def industry(cell: Cell, context: ImportContext) -> str:
    """A GB/T 4754 code or its beginning: H, H62, H6210."""
    try:
        return clean_industry(as_text(cell))
    except BadFact as fact:
        raise CellRefused(fact.reason, fact.mend) from fact


QUARTERS = {"1": 1, "2": 2, "3": 3, "4": 4, "一": 1, "二": 2, "三": 3, "四": 4}
_DAY = r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?"
Window = tuple[date, date]


def _months(year: int, first: int, last: int) -> Window:
    return date(year, first, 1), date(year, last, calendar.monthrange(year, last)[1])


_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], int], Window]], ...] = (
    (
        re.compile(rf"{_DAY}[-~—至到]+{_DAY}"),
        lambda m, year: (date(*map(int, m.groups()[:3])), date(*map(int, m.groups()[3:]))),
    ),
    (
        re.compile(r"(?:(\d{4})年?)?(\d{1,2})月?[-~—至到](\d{1,2})月"),
        lambda m, year: _months(int(m[1] or year), int(m[2]), int(m[3])),
    ),
    (re.compile(r"(?:(\d{4})[年-])?(\d{1,2})月?"), lambda m, year: _months(int(m[1] or year), int(m[2]), int(m[2]))),
    (
        re.compile(r"(?:(\d{4})年?)?第?([一二三四1-4])季度"),
        lambda m, year: _months(int(m[1] or year), QUARTERS[m[2]] * 3 - 2, QUARTERS[m[2]] * 3),
    ),
    (
        re.compile(r"(?:(\d{4})年?)?[Qq]([1-4])"),
        lambda m, year: _months(int(m[1] or year), int(m[2]) * 3 - 2, int(m[2]) * 3),
    ),
    (re.compile(r"(?:(\d{4})年?)?上半年"), lambda m, year: _months(int(m[1] or year), 1, 6)),
    (re.compile(r"(?:(\d{4})年?)?下半年"), lambda m, year: _months(int(m[1] or year), 7, 12)),
    (re.compile(r"(?:(\d{4})年?)?(?:全年|年度)"), lambda m, year: _months(int(m[1] or year), 1, 12)),
)


def period() -> Parser:
    """时间 as plans write it: 2026年4月, 4月, 4-6月, 第二季度, 下半年, 全年, 2026-04-01至2026-05-31. A missing year is the plan period's."""

    def parse(cell: Cell, context: ImportContext) -> Window:
        written = tidy_code(cell)
        year = date.fromisoformat(str(context.options["starts_on"])).year
        for form, build in _FORMS:
            if match := form.fullmatch(written):
                try:
                    return build(match, year)
                except ValueError as error:
                    raise CellRefused(_("没有这样的日期。"), _("请核对月份和日期。")) from error
        raise CellRefused(_("看不懂这个时间。"), _("请写成 2026年4月、4-6月、第二季度，或改填最早、最晚两列日期。"))

    return parse
