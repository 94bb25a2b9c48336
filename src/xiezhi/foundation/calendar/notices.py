"""A year's holiday notice as days: from the State Council's own sentences, from lines, or from a sheet; and what can be wrong with it.

Lines are `2027-01-01 放假 元旦`, `2027-02-05 至 2027-02-12 放假 春节`, `2027-01-10 上班 元旦`; the sentences are the notice's, as in
`一、元旦：1月1日（周五）至3日（周日）放假调休，共3天。1月10日（周日）上班。`
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, cast

from django.utils.translation import gettext as _

from xiezhi.foundation.calendar.models import SpecialDay
from xiezhi.foundation.files.sheets import read_sheet
from xiezhi.foundation.files.sheets.cells import as_text, is_blank, label_key, tidy_text
from xiezhi.foundation.workflow.errors import Refused

Kind = SpecialDay.Kind
ONE_DAY = timedelta(days=1)
LONGEST_HOLIDAY = 15
"""Days of one range; the longest holiday there was had nine. More is a slip of the pen."""
FEWEST_HOLIDAYS = 11
"""节日 that the whole country has off (《全国年节及纪念日放假办法》, 2024): 13 days. Fewer than this and something is missing."""


@dataclass(frozen=True)
class Day:
    """One day that differs from Monday to Friday. `line`: where it stands in what was given, from 1."""

    on: date
    kind: SpecialDay.Kind
    name: str
    line: int = 0

    def as_line(self) -> str:
        """The day as one can type it."""
        return f"{self.on.isoformat()} {Kind(self.kind).label} {self.name}"


@dataclass(frozen=True)
class Trouble:
    """What is wrong in line `line` (0: with the whole), and how to mend it."""

    line: int
    text: str

    def __str__(self) -> str:
        return _("第 %(line)s 行：%(text)s") % {"line": self.line, "text": self.text} if self.line else self.text


_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_CHINESE = re.compile(r"(?:(\d{4})年)?(?:(\d{1,2})月)?(\d{1,2})日")
_WEEKDAY = re.compile(r"(?:周|星期)([一二三四五六日天])")
_BRACKETS = re.compile(r"[（(][^（()）]*[)）]")
_TITLE = re.compile(r"^\s*(?:[一二三四五六七八九十]+、|\d+[.、．])?\s*([^：:，,。0-9]{1,20})[：:]")
_SIGNED = re.compile(r"\s*\d{4}年\d{1,2}月\d{1,2}日\s*$")
_TOTAL = re.compile(r"共\s*(\d+)\s*天")
_WORDS = {"放假": Kind.HOLIDAY, "假": Kind.HOLIDAY, "休": Kind.HOLIDAY, "休息": Kind.HOLIDAY}
_WORDS |= {"上班": Kind.MAKEUP, "调休上班": Kind.MAKEUP, "补班": Kind.MAKEUP, "班": Kind.MAKEUP}
_WORDS |= {"holiday": Kind.HOLIDAY, "makeup": Kind.MAKEUP}


def read_text(text: str, year: int) -> tuple[list[Day], list[Trouble]]:
    """The days of pasted text, line by line, either form; and every line that could not be understood."""
    days: list[Day] = []
    troubles: list[Trouble] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        found, wrong = (_plain_line if _ISO.search(line) else _sentences)(line.strip(), number, year)
        days += found
        troubles += [Trouble(number, each) for each in wrong]
    return days, troubles


def _plain_line(line: str, number: int, year: int) -> tuple[list[Day], list[str]]:
    dates = list(_ISO.finditer(line))
    words = re.split(r"[\s,，;；、]+", _ISO.sub(" ", _BRACKETS.sub(" ", line)))
    rest = [part for part in words if part not in {"", "至", "到", "-", "—", "~"}]
    kind = _WORDS.get(rest[0].casefold()) if rest else None
    if kind is None:
        return [], [_("没有写明“放假”还是“上班”。请写成“2027-01-01 放假 元旦”。")]
    try:
        ends = [date(*(int(part) for part in each.groups())) for each in dates[:2]]
    except ValueError:
        return [], [_("没有这一天：%(day)s。") % {"day": _("、").join(each[0] for each in dates)}]
    return _range(ends[0], ends[-1], kind, " ".join(rest[1:]), number)


def _sentences(line: str, number: int, year: int) -> tuple[list[Day], list[str]]:
    """One paragraph of the notice: what the holiday is called, then a sentence that says what is off and one that says what is worked."""
    title = _TITLE.match(line)
    name = tidy_text(title[1]) if title else ""
    body = line[title.end() :] if title else line
    days: list[Day] = []
    wrong: list[str] = []
    for sentence in re.split(r"[。；;]", body):
        kind = Kind.HOLIDAY if "放假" in sentence else Kind.MAKEUP if "上班" in sentence else None
        if kind is None or not _CHINESE.search(sentence):
            continue
        found, problems = _dates_in(sentence, kind, name, number, year)
        days += found
        wrong += problems
        total = _TOTAL.search(sentence)
        if total and not problems and int(total[1]) != len(found):
            wrong.append(
                _("写着共 %(said)s 天，读到 %(read)s 天，请核对起止日期。") % {"said": total[1], "read": len(found)}
            )
    if not days and not wrong and _CHINESE.search(line) and not _SIGNED.match(line):
        wrong.append(_("看不出哪几天放假、哪几天上班。不是放假安排的句子请删去。"))
    return days, wrong


def _dates_in(sentence: str, kind: SpecialDay.Kind, name: str, number: int, year: int) -> tuple[list[Day], list[str]]:
    days: list[Day] = []
    wrong: list[str] = []
    month = 0
    begin: date | None = None
    last_end = 0
    flat = _with_weekdays_marked(sentence)
    for found in _CHINESE.finditer(flat):
        month = int(found[2]) if found[2] else month
        try:
            on = date(int(found[1] or year), month, int(found[3]))
        except ValueError:
            wrong.append(_("没有这一天：%(day)s。") % {"day": found[0]})
            continue
        weekday = _WEEKDAY.match(flat, found.end())
        if weekday and "一二三四五六日".index(weekday[1].replace("天", "日")) != on.weekday():
            wrong.append(_("%(day)s 不是周%(said)s，请核对年份和日期。") % {"day": on.isoformat(), "said": weekday[1]})
        if begin is not None and re.fullmatch(r"(?:周.|星期.)?\s*(?:至|到|—|-|~)\s*", flat[last_end : found.start()]):
            more, problems = (
                _range(begin + ONE_DAY, on, kind, name, number) if on > begin else ([], [_backwards(begin, on)])
            )
            days += more
            wrong += problems
        else:
            days.append(Day(on, kind, name, number))
        begin, last_end = on, found.end()
    return days, wrong


def _with_weekdays_marked(sentence: str) -> str:
    """Brackets go, but a weekday that one holds stays right behind its date: `1月1日（农历除夕、周五）` → `1月1日周五`."""

    def keep(found: re.Match[str]) -> str:
        weekday = _WEEKDAY.search(found[0])
        return weekday[0] if weekday else ""

    return _BRACKETS.sub(keep, sentence)


def _backwards(first: date, last: date) -> str:
    return _("结束日期 %(last)s 早于开始日期 %(first)s。") % {"first": first, "last": last}


def _range(first: date, last: date, kind: SpecialDay.Kind, name: str, number: int) -> tuple[list[Day], list[str]]:
    if last < first:
        return [], [_backwards(first, last)]
    count = (last - first).days + 1
    if count > LONGEST_HOLIDAY:
        return [], [_("一次连续 %(count)s 天，太长了，请核对起止日期。") % {"count": count}]
    return [Day(first + offset * ONE_DAY, kind, name, number) for offset in range(count)], []


COLUMNS = {
    "on": ("日期", "开始日期", "放假日期", "day"),
    "last": ("结束日期", "止"),
    "kind": ("类别", "类型", "放假或上班", "kind"),
    "name": ("名称", "节日", "假日", "name"),
}


def read_file(path: Path) -> tuple[list[Day], list[Trouble]]:
    """The days of a sheet (XLSX or CSV) with the columns 日期, 类别 and perhaps 结束日期, 名称; rows are numbered as Excel shows them.

    Raises Refused for a file that is no sheet, or a sheet that is not a holiday notice.
    """
    labels = [label for aliases in COLUMNS.values() for label in aliases]
    days: list[Day] = []
    troubles: list[Trouble] = []
    with read_sheet(path, labels=labels) as sheet:
        places = {
            key: place
            for key, aliases in COLUMNS.items()
            for place, title in enumerate(sheet.header)
            if label_key(title) in {label_key(alias) for alias in aliases}
        }
        if not {"on", "kind"} <= places.keys():
            raise Refused(
                _(
                    "这张表里没有“日期”和“类别”两列（现有：%(columns)s），看起来不是放假安排。请换一张表，或直接粘贴通知原文。"
                )
                % {"columns": _("、").join(title for title in sheet.header if title)[:200]}
            )
        for row in sheet.rows:
            found, wrong = _sheet_row(row.number, row.values, places)
            days += found
            troubles += [Trouble(row.number, each) for each in wrong]
    return days, troubles


def _sheet_row(number: int, values: Sequence[Any], places: dict[str, int]) -> tuple[list[Day], list[str]]:
    from xiezhi.foundation.imports.columns import CellRefused, day

    cells = {key: values[place] if place < len(values) else None for key, place in places.items()}
    if is_blank(cells["on"]) and is_blank(cells["kind"]):
        return [], []
    parse = day()
    try:
        first = parse(cells["on"], cast(Any, None))
        last = first if is_blank(cells.get("last")) else parse(cells["last"], cast(Any, None))
    except CellRefused as refusal:
        return [], [_("“日期”列：%(reason)s%(mend)s") % {"reason": refusal.reason, "mend": refusal.mend}]
    kind = _WORDS.get(tidy_text(cells["kind"]).casefold())
    if kind is None:
        return [], [_("“类别”列写着“%(value)s”，应为“放假”或“上班”。") % {"value": as_text(cells["kind"])[:40]}]
    return _range(first, last, kind, tidy_text(as_text(cells.get("name"))), number)


def checked(days: Iterable[Day], year: int) -> tuple[list[Day], list[Trouble], list[str]]:
    """The days in order, without doubles; what forbids taking them; what one should look at.

    Forbidden: no day at all, a day outside the year, a day both off and worked, a make-up day on a weekday. A weekend day off that belongs
    to the year before or after changes nothing and is left out with a remark.
    """
    troubles: list[Trouble] = []
    remarks: list[str] = []
    by_day: dict[date, list[Day]] = defaultdict(list)
    for each in days:
        by_day[each.on].append(each)
    kept = []
    for on, those in sorted(by_day.items()):
        each = those[0]
        if len({one.kind for one in those}) > 1:
            text = _("%(day)s 既放假又上班。请只留一种。") % {"day": on.isoformat()}
            troubles.append(Trouble(those[-1].line, text))
        elif on.year != year:
            if each.kind == Kind.HOLIDAY and on.weekday() >= 5:
                remarks.append(_("%(day)s 不在 %(year)s 年，又是周末，不需要登记。") % {"day": on, "year": year})
            else:
                text = _("%(day)s 不在 %(year)s 年。一次只录一年。") % {"day": on.isoformat(), "year": year}
                troubles.append(Trouble(each.line, text))
        elif each.kind == Kind.MAKEUP and on.weekday() < 5:
            text = _("%(day)s 本来就是工作日，不是调休上班。") % {"day": on.isoformat()}
            troubles.append(Trouble(each.line, text))
        else:
            kept.append(each)
    troubles += list(_nameless(kept))
    holidays = sum(each.kind == Kind.HOLIDAY for each in kept)
    if not kept and not troubles:
        troubles.append(Trouble(0, _("没有读到任何放假或上班的日期。")))
    elif kept and holidays < FEWEST_HOLIDAYS:
        remarks.append(_("只有 %(count)s 天放假，比法定的少。请核对通知是否贴全。") % {"count": holidays})
    return kept, troubles, remarks


def _nameless(days: Iterable[Day]) -> Iterator[Trouble]:
    for each in days:
        if not each.name:
            yield Trouble(each.line, _("%(day)s 没有写是什么节日。") % {"day": each.on.isoformat()})
        elif len(each.name) > 40:
            yield Trouble(each.line, _("节日名称太长，请缩短到 40 字以内。"))
