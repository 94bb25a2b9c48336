"""The rule book as a file: XLSX and JSON out and in, the same either way. Reading names row and column of everything that cannot be taken.

A file holds versions. Those that are there already, with the same content, are left alone; others become new versions. So a book that was
taken out and comes back unchanged changes nothing.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xiezhi.foundation.files.sheets import read_sheet
from xiezhi.foundation.files.sheets.cells import Cell, as_text, is_blank, label_key, tidy_text
from xiezhi.foundation.rules.models import RuleVersion
from xiezhi.foundation.rules.registry import Confidence, Rule, Source, all_rules, get_rule
from xiezhi.foundation.rules.values import Flag, Several, Table, ValueProblem, ValueType
from xiezhi.foundation.workflow.errors import Refused

ONE_DAY = timedelta(days=1)
FORMAT = "xiezhi-rules-1"
COLUMNS = {
    "key": gettext_lazy("规则键"),
    "code": gettext_lazy("编号"),
    "title": gettext_lazy("规则"),
    "value": gettext_lazy("取值"),
    "unit": gettext_lazy("单位"),
    "effective_from": gettext_lazy("生效日期"),
    "effective_to": gettext_lazy("失效日期"),
    "instrument": gettext_lazy("依据文件"),
    "article": gettext_lazy("条款"),
    "body": gettext_lazy("发布机关"),
    "jurisdiction": gettext_lazy("适用地域"),
    "confidence": gettext_lazy("核实情况"),
    "note": gettext_lazy("说明"),
}
TOLD_ONLY = ("code", "title", "unit")
"""Columns for people; the program knows them better and ignores them when a file comes in."""
NEEDED = ("key", "value", "effective_from", "confidence")
LONGEST = {"instrument": 200, "article": 80, "body": 80, "jurisdiction": 40, "note": 600}


@dataclass(frozen=True)
class Trouble:
    """What cannot be taken: `where` (a row of the sheet or a version of the JSON), in which column, and why."""

    where: str
    column: str
    text: str

    def __str__(self) -> str:
        column = COLUMNS.get(self.column)
        return f"{self.where}{_('，“%(column)s”：') % {'column': column} if column else _('：')}{self.text}"


@dataclass(frozen=True)
class Proposal:
    """One version as a file gives it. `value` in the rule's own type; `where` for messages."""

    where: str
    key: str
    value: Any
    effective_from: date
    effective_to: date | None
    source: Source
    confidence: Confidence
    note: str

    @property
    def rule(self) -> Rule[Any]:
        """The rule that it is a version of."""
        return get_rule(self.key)

    @property
    def value_display(self) -> str:
        """The value as people read it."""
        return self.rule.display(self.value)


@dataclass
class Sorted:
    """A file against the book: what is there already, what is new, what cannot be taken."""

    unchanged: list[Proposal] = field(default_factory=list)
    new: list[Proposal] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)


def book() -> dict[str, Any]:
    """Every version of every declared rule, as JSON values."""
    versions: dict[str, list[RuleVersion]] = defaultdict(list)
    for version in RuleVersion.objects.order_by("key", "effective_from"):
        versions[version.key].append(version)
    return {
        "format": FORMAT,
        "rules": [
            {
                "key": rule.key,
                "code": rule.code,
                "title": str(rule.title),
                "unit": str(rule.unit),
                "versions": [version_as_json(each) for each in versions[rule.key]],
            }
            for rule in all_rules()
        ],
    }


def version_as_json(version: RuleVersion) -> dict[str, Any]:
    """One version with its value as stored."""
    return {
        "value": version.value,
        "effective_from": version.effective_from.isoformat(),
        "effective_to": version.effective_to.isoformat() if version.effective_to else None,
        **{name: getattr(version, name) for name in ("instrument", "article", "body", "jurisdiction")},
        "confidence": version.confidence,
        "note": version.note,
    }


def sheet_rows() -> Iterator[list[Cell]]:
    """The same as rows under `COLUMNS`, for XLSX: dates as dates, tables and lists as JSON text, the rest as people read it."""
    for rule in book()["rules"]:
        for version in rule["versions"]:
            cells = {**rule, **version, "value": _as_cell(get_rule(rule["key"]).kind, version["value"])}
            cells["confidence"] = str(Confidence(version["confidence"]).label)
            for name in ("effective_from", "effective_to"):
                cells[name] = date.fromisoformat(version[name]) if version[name] else None
            yield [cells[name] for name in COLUMNS]


def _as_cell(kind: ValueType[Any], stored: Any) -> Cell:
    if isinstance(kind, Table | Several):
        return json.dumps(stored, ensure_ascii=False)
    if isinstance(kind, Flag):
        return _("是") if stored else _("否")
    return cast(Cell, stored)


def read_json(text: str) -> tuple[list[Proposal], list[Trouble]]:
    """The versions of a JSON book. Raises Refused when it is no rule book at all."""
    try:
        content = json.loads(text)
    except ValueError as error:
        raise Refused(_("这不是有效的 JSON 文件（%(error)s）。请重新导出后再改。") % {"error": error}) from None
    if not isinstance(content, dict) or content.get("format") != FORMAT or not isinstance(content.get("rules"), list):
        raise Refused(_("这个文件不是规则导出文件：开头应写明格式 %(format)s。") % {"format": FORMAT})
    proposals: list[Proposal] = []
    troubles: list[Trouble] = []
    for place, rule in enumerate(content["rules"], start=1):
        versions = rule.get("versions") if isinstance(rule, dict) else None
        if not isinstance(versions, list):
            troubles.append(Trouble(_("第 %(n)s 条规则") % {"n": place}, "", _("没有 versions 列表。")))
            continue
        for number, version in enumerate(versions, start=1):
            where = _("第 %(n)s 条规则第 %(m)s 个版本") % {"n": place, "m": number}
            if not isinstance(version, dict):
                troubles.append(Trouble(where, "", _("应为一个对象。")))
                continue
            found = _proposal(where, {**version, "key": rule.get("key")})
            (proposals if isinstance(found, Proposal) else troubles).append(cast(Any, found))
    return proposals, troubles


def read_workbook(path: Path) -> tuple[list[Proposal], list[Trouble]]:
    """The versions of a sheet (XLSX or CSV); rows are numbered as Excel shows them. Raises Refused for a sheet that is no rule book."""
    titles = {label_key(str(label)): name for name, label in COLUMNS.items()}
    proposals: list[Proposal] = []
    troubles: list[Trouble] = []
    with read_sheet(path, labels=[str(label) for label in COLUMNS.values()]) as sheet:
        places = {
            titles[label_key(title)]: place for place, title in enumerate(sheet.header) if label_key(title) in titles
        }
        missing = [str(COLUMNS[name]) for name in NEEDED if name not in places]
        if missing:
            raise Refused(
                _("这张表不是规则表：缺少%(missing)s列。请先导出规则，在导出的表里修改。")
                % {"missing": _("、").join(f"“{each}”" for each in missing)}
            )
        for row in sheet.rows:
            cells = {name: row.values[place] if place < len(row.values) else None for name, place in places.items()}
            if all(is_blank(value) for value in cells.values()):
                continue
            where = _("第 %(n)s 行") % {"n": row.number}
            bad = [
                Trouble(where, name, row.troubles[place].reason)
                for name, place in places.items()
                if place in row.troubles
            ]
            found = bad[0] if bad else _proposal(where, cells)
            (proposals if isinstance(found, Proposal) else troubles).append(cast(Any, found))
    return proposals, troubles


def _proposal(where: str, cells: Mapping[str, Any]) -> Proposal | Trouble:
    """A version, or the first thing that is wrong with it."""
    key = as_text(cells.get("key")).strip()
    try:
        rule = get_rule(key)
    except KeyError:
        return Trouble(where, "key", _("没有这条规则：%(key)s。") % {"key": key or "—"})
    try:
        value = rule.kind.check(_raw_value(rule.kind, cells.get("value")))
    except ValueProblem as problem:
        return Trouble(where, "value", str(problem))
    days: dict[str, date | None] = {}
    for name in ("effective_from", "effective_to"):
        try:
            days[name] = _day(cells.get(name))
        except ValueError as error:
            return Trouble(where, name, str(error))
    begin = days["effective_from"]
    if begin is None:
        return Trouble(where, "effective_from", _("请填写生效日期。"))
    end = days["effective_to"]
    if end and end < begin:
        return Trouble(where, "effective_to", _("失效日期早于生效日期。"))
    texts = {
        name: tidy_text(as_text(cells.get(name))) if name != "note" else as_text(cells.get(name)).strip()
        for name in LONGEST
    }
    too_long = next((name for name, text in texts.items() if len(text) > LONGEST[name]), None)
    if too_long:
        return Trouble(where, too_long, _("太长，请缩短到 %(most)s 字以内。") % {"most": LONGEST[too_long]})
    words = {str(each.label): each for each in Confidence} | {each.value: each for each in Confidence}
    confidence = words.get(as_text(cells.get("confidence")).strip())
    if confidence is None:
        return Trouble(
            where, "confidence", _("应为%(words)s。") % {"words": _("、").join(str(each.label) for each in Confidence)}
        )
    if confidence == Confidence.CONFIRMED and not (texts["instrument"] and texts["body"]):
        return Trouble(where, "instrument", _("标为“已核实”须写明依据文件和发布机关。"))
    note = texts.pop("note")
    return Proposal(where, key, value, begin, end, Source(**texts), confidence, note)


def _raw_value(kind: ValueType[Any], cell: Any) -> Any:
    """What a cell or a JSON value says, as the kind's `check` wants it."""
    if isinstance(kind, Table | Several) and isinstance(cell, str):
        try:
            return json.loads(cell)
        except ValueError:
            raise ValueProblem(_("应为 JSON 文字，请照导出表里的样子改。")) from None
    if isinstance(kind, Flag) and isinstance(cell, str):
        return {"是": True, "否": False, "true": True, "false": False, "yes": True, "no": False}.get(
            cell.strip().casefold(), cell
        )
    if isinstance(cell, float):
        return as_text(cell)  # a spreadsheet program knows no other numbers
    return cell


def _day(cell: Any) -> date | None:
    from xiezhi.foundation.imports.columns import CellRefused, day

    if is_blank(cell):
        return None
    try:
        return cast(date, day()(cell, cast(Any, None)))
    except CellRefused as refusal:
        raise ValueError(f"{refusal.reason}{refusal.mend}") from None


def sorted_out(proposals: Sequence[Proposal], *, today: date) -> Sorted:
    """A file's versions against the book: unchanged, new, or refused (two of one day, periods that overlap, a past that cannot change)."""
    found = Sorted(troubles=list(_overlaps(proposals)))
    present = {(each.key, each.effective_from): each for each in RuleVersion.objects.all()}
    starts = {*present, *((each.key, each.effective_from) for each in proposals)}
    for each in proposals:
        there = present.get((each.key, each.effective_from))
        if there is None and each.effective_from < today:
            found.troubles.append(
                Trouble(
                    each.where,
                    "effective_from",
                    _("早于今天的版本不能补录：已经作出的决定按当时的规则办。请改为今天或以后。"),
                )
            )
        elif there is None and each.effective_to and (each.key, each.effective_to + ONE_DAY) not in starts:
            found.troubles.append(
                Trouble(
                    each.where, "effective_to", _("版本到下一个版本生效时结束。没有下一个版本的，请把失效日期留空。")
                )
            )
        elif there is None:
            found.new.append(each)
        elif _same(each, there):
            found.unchanged.append(each)
        else:
            found.troubles.append(
                Trouble(
                    each.where,
                    "effective_from",
                    _("%(day)s 起已经有一个内容不同的版本。已有的版本不能改，请另写一行，用今天或以后的生效日期。")
                    % {"day": each.effective_from.isoformat()},
                )
            )
    return found


def _same(proposal: Proposal, version: RuleVersion) -> bool:
    source = proposal.source
    return (
        proposal.rule.kind.to_json(proposal.value),
        *(getattr(source, name) for name in ("instrument", "article", "body", "jurisdiction")),
        proposal.confidence,
        proposal.note,
    ) == (
        version.value,
        *(tidy_text(getattr(version, name)) for name in ("instrument", "article", "body", "jurisdiction")),
        version.confidence,
        version.note.strip(),
    )


def _overlaps(proposals: Iterable[Proposal]) -> Iterator[Trouble]:
    by_key: dict[str, list[Proposal]] = defaultdict(list)
    for each in proposals:
        by_key[each.key].append(each)
    for those in by_key.values():
        those.sort(key=lambda each: each.effective_from)
        for earlier, later in pairwise(those):
            if earlier.effective_from == later.effective_from:
                yield Trouble(later.where, "effective_from", _("与%(other)s同一天生效。") % {"other": earlier.where})
            elif earlier.effective_to and earlier.effective_to >= later.effective_from:
                yield Trouble(
                    earlier.where,
                    "effective_to",
                    _("与%(other)s的生效期重叠（%(day)s 起）。")
                    % {"other": later.where, "day": later.effective_from.isoformat()},
                )
