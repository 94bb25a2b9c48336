"""What stands in a text: personal data to mask, amounts, dates, demands. Regular expressions of bounded repeats only: linear time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from xiezhi.engines.text.normal import narrow


@dataclass(frozen=True)
class Span:
    """Personal data at ``text[start:end]``."""

    kind: str  # "phone" | "landline" | "identity" | "bank_card" | "email"
    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Amount:
    """Money at ``text[start:end]``, in fen."""

    fen: int
    start: int
    end: int


@dataclass(frozen=True)
class Day:
    """A day named at ``text[start:end]``."""

    day: date
    start: int
    end: int


@dataclass(frozen=True)
class Demand:
    """What the person wants, by its name in the list, and the words at ``text[start:end]`` that say so."""

    name: str
    fragment: str
    start: int
    end: int


_GAP = r"[ \-]?"
_NOT_AFTER, _NOT_BEFORE = r"(?<![0-9a-z])", r"(?![0-9a-z])"
_IDENTITY = re.compile(r"(?<![0-9])[1-9]\d{16}[0-9x](?![0-9a-z])|(?<![0-9])[1-9]\d{5} \d{8} \d{3}[0-9x](?![0-9a-z])")
_CARD = re.compile(rf"(?<![0-9])\d{{4}}{_GAP}\d{{4}}{_GAP}\d{{4}}{_GAP}\d{{4}}(?:{_GAP}\d{{1,3}})?(?![0-9])")
_PHONE = re.compile(rf"(?<![0-9])(?:(?:\+|00)?86{_GAP})?(1[3-9]\d{_GAP}\d{{4}}{_GAP}\d{{4}})(?![0-9])")
_LANDLINE = re.compile(
    r"(?<![0-9])\(?0(?:10|2\d|[3-9]\d\d)\)?[ \-]?[2-8]\d{6,7}(?:[\-转]\d{1,5})?(?![0-9])|(?<![0-9])(?:400|800)-?\d{3}-?\d{4}(?![0-9])"
)
_EMAIL = re.compile(r"(?<![a-z0-9._%+\-])[a-z0-9._%+\-]{1,64}@[a-z0-9\-]{1,63}(?:\.[a-z0-9\-]{1,63}){1,4}")
_WEIGHTS, _CHECKS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2), "10x98765432"


def personal(text: str) -> tuple[Span, ...]:
    """Identity numbers (by check digit, GB 11643), bank cards (Luhn), mobile and fixed telephones, e-mail; in order, none overlapping.

    Full-width digits count. A number that fails its check digit is no identity number or bank card, but may hide a telephone only if it
    has a telephone's length.
    """
    plain = narrow(text)
    found: list[Span] = []
    taken = bytearray(len(text))
    for kind, pattern, group in (
        ("email", _EMAIL, 0),
        ("identity", _IDENTITY, 0),
        ("bank_card", _CARD, 0),
        ("phone", _PHONE, 1),
        ("landline", _LANDLINE, 0),
    ):
        for hit in pattern.finditer(plain):
            start, end = hit.span(group)
            if any(taken[start:end]) or not _holds(kind, hit.group(group)):
                continue
            taken[start:end] = b"\x01" * (end - start)
            found.append(Span(kind, start, end, text[start:end]))
    return tuple(sorted(found, key=lambda each: each.start))


def _holds(kind: str, value: str) -> bool:
    figures = [each for each in value if each.isalnum()]
    if kind == "identity":
        total = sum(weight * int(each) for weight, each in zip(_WEIGHTS, figures, strict=False))
        return figures[-1] == _CHECKS[total % 11]
    if kind == "bank_card":
        doubled = [int(each) * (1 + at % 2) for at, each in enumerate(reversed(figures))]
        return len(figures) >= 16 and sum(each - 9 * (each > 9) for each in doubled) % 10 == 0
    return True


def mask(text: str) -> str:
    """The text with personal data covered: ``138****5678``, ``110***********123X``, ``z***@…``; the length stays."""
    covered = list(text)
    for each in personal(text):
        head, tail = {"email": (1, len(each.text) - each.text.find("@")), "landline": (3, 0)}.get(each.kind, (3, 4))
        for at in range(each.start + head, each.end - tail):
            if covered[at].isalnum():
                covered[at] = "*"
    return "".join(covered)


_DIGIT = {each: at for at, each in enumerate("零一二三四五六七八九")} | {
    "〇": 0,
    "两": 2,
    "壹": 1,
    "贰": 2,
    "叁": 3,
    "肆": 4,
}
_DIGIT |= {"伍": 5, "陆": 6, "柒": 7, "捌": 8, "玖": 9}
_UNIT = {"十": 10, "百": 100, "千": 1000, "拾": 10, "佰": 100, "仟": 1000}
_CHINESE = "".join(_DIGIT) + "".join(_UNIT) + "万"
_MONEY = re.compile(
    rf"(?<![0-9.,])(?:[¥￥] ?)?(?P<figure>\d{{1,12}}(?:,\d{{3}}){{0,4}}(?:\.\d{{1,2}})?) ?(?P<times>万|千|百)? ?(?P<name>元|块钱|块|圆|人民币|rmb)"
    rf"|[¥￥] ?(?P<signed>\d{{1,12}}(?:,\d{{3}}){{0,4}}(?:\.\d{{1,2}})?)(?![0-9])"
    rf"|(?<![{_CHINESE}])(?P<words>[{_CHINESE}]{{1,14}})(?:元|块钱|圆)"
)


def amounts(text: str) -> tuple[Amount, ...]:
    """Sums of money: 1,280.5元, ¥99, 3万元, 两千八百元, 五块钱. Numbers without a currency are no sums."""
    found = []
    for hit in _MONEY.finditer(narrow(text)):
        if hit["words"]:
            yuan = chinese_number(hit["words"])
            fen = None if yuan is None else 100 * yuan
        else:
            whole, _, part = (hit["figure"] or hit["signed"]).replace(",", "").partition(".")
            fen = 100 * int(whole) + int(part.ljust(2, "0") or 0)
            fen *= {"万": 10_000, "千": 1000, "百": 100}.get(hit["times"] or "", 1)
        if fen is not None:
            found.append(Amount(fen, *hit.span()))
    return tuple(found)


def chinese_number(words: str) -> int | None:
    """两千八百 → 2800, 一万二 → 12000, 十五 → 15, 二〇 → 20; None for what is no number."""
    if all(each in _DIGIT for each in words):
        return int("".join(str(_DIGIT[each]) for each in words)) if words else None
    total = section = digit = 0
    last = 1
    for each in words:
        if each in _DIGIT:
            digit = _DIGIT[each]
        elif each in _UNIT:
            section += (digit or 1) * _UNIT[each]
            digit, last = 0, _UNIT[each]
        elif each == "万":
            total, section, digit, last = (total + section + digit) * 10_000, 0, 0, 10_000
        else:
            return None
    bare = digit * (last // 10) if last > 10 and words[-1] in _DIGIT and "零" not in words[-2:] else digit
    return total + section + bare


_DATE = re.compile(
    r"(?<!\d)(?:(?P<year>(?:19|20)\d\d)(?:年|[./\-]))?(?P<month>1[0-2]|0?[1-9])(?:月|(?<=[./\-]\d)[./\-]|(?<=[./\-]\d\d)[./\-])(?P<day>3[01]|[12]\d|0?[1-9])(?:日|号|(?!\d))"
    r"|(?P<near>大前天|前天|昨天|今天|昨日|今日|前日)"
)
_NEAR = {"今": 0, "昨": 1, "前": 2, "大": 3}


def dates(text: str, on: date) -> tuple[Day, ...]:
    """Days the text names: 2026年3月15日, 2026-03-15, 3月15日 (the last one not after `on`), 昨天. Days that don't exist are left out."""
    return tuple(_days(narrow(text), on))


def _days(plain: str, on: date) -> Iterator[Day]:
    for hit in _DATE.finditer(plain):
        try:
            if hit["near"]:
                day = on - timedelta(days=_NEAR[hit["near"][0]])
            elif hit["year"]:
                day = date(int(hit["year"]), int(hit["month"]), int(hit["day"]))
            else:
                day = date(on.year, int(hit["month"]), int(hit["day"]))
                day = day if day <= on else day.replace(year=on.year - 1)
        except (ValueError, OverflowError):
            continue
        yield Day(day, *hit.span())


DEMANDS: dict[str, tuple[str, ...]] = {
    "退款": ("退款", "退钱", "退还", "退费", "退余额", "退卡", "退押金", "全额退", "返还"),
    "退货": ("退货", "退换货"),
    "更换": ("更换", "换货", "换新", "换一台", "换一个", "调换"),
    "修理": ("维修", "修理", "返修", "免费修"),
    "赔偿": ("赔偿", "赔付", "补偿", "退一赔", "假一赔", "赔钱"),
    "道歉": ("道歉", "赔礼"),
    "查处": ("查处", "处罚", "严查", "彻查", "取缔", "吊销", "关停", "依法处理"),
    "履行合同": ("继续履行", "履行合同", "按合同", "恢复服务", "继续服务", "尽快发货"),
    "开具发票": ("开发票", "开具发票", "补开发票"),
    "答复": ("答复", "回复", "给个说法", "解释"),
}
_DEMAND = re.compile(
    "|".join(sorted((re.escape(word) for words in DEMANDS.values() for word in words), key=lambda w: (-len(w), w)))
)
_NAME_OF = {word: name for name, words in DEMANDS.items() for word in words}


def demands(text: str) -> tuple[Demand, ...]:
    """What is asked for, in order of appearance, each kind once. Words only: 拒绝退款 speaks of a refund too."""
    found: dict[str, Demand] = {}
    for hit in _DEMAND.finditer(text):
        name = _NAME_OF[hit.group()]
        found.setdefault(name, Demand(name, hit.group(), *hit.span()))
    return tuple(found.values())
