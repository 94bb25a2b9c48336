"""Hints without learning: words that speak for an urgent tier or a strained conversation, each with its reason.

The word lists are ours, small and meant to be read; `LEXICON_VERSION` names their state and is kept with every hint that was shown. The
four tiers are Beijing's handling limits (2 小时、24 小时、7 天、15 天); which words speak for which is a working default, not a rule.
A hint never sets anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Generic, TypeVar

LEXICON_VERSION = "2026-11-23"
_LONGEST = 100_000

Level = TypeVar("Level", str, int)


@dataclass(frozen=True)
class Entry(Generic[Level]):
    """Words that speak for a level, and what they say in one phrase (for people, Chinese)."""

    level: Level
    why: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class HintReason:
    """The words found at ``text[start:end]`` and what they say."""

    fragment: str
    why: str
    start: int
    end: int


@dataclass(frozen=True)
class Hint(Generic[Level]):
    """The level the words speak for, None if no word speaks; every reason in order of the text, for the level given."""

    level: Level | None
    reasons: tuple[HintReason, ...]
    version: str = LEXICON_VERSION


URGENCY: tuple[Entry[str], ...] = (
    Entry(
        "2h",
        "提到有人受伤或就医",
        ("受伤", "骨折", "流血", "出血", "住院", "抢救", "昏迷", "休克", "急救", "送医", "烫伤", "烧伤", "溺水"),
    ),
    Entry("2h", "提到中毒或多人不适", ("食物中毒", "集体腹泻", "中毒", "上吐下泻", "多人呕吐", "多人腹泻", "拉肚子")),
    Entry("2h", "提到燃气、火情或爆炸", ("煤气", "燃气泄漏", "漏气", "爆炸", "起火", "着火", "冒烟", "火灾", "自燃")),
    Entry("2h", "提到电梯或特种设备险情", ("困在电梯", "电梯困人", "电梯坠落", "被困电梯", "锅炉泄漏", "坠落")),
    Entry("2h", "提到自伤或伤人", ("自杀", "轻生", "跳楼", "不想活", "同归于尽", "砍人", "持刀")),
    Entry(
        "24h", "提到停水停电停热", ("停水", "停电", "停气", "停暖", "没有暖气", "暖气不热", "不供热", "断水", "断电")
    ),
    Entry(
        "24h",
        "提到关门失联、卷款",
        ("跑路", "卷款", "人去楼空", "失联", "联系不上人", "突然关门", "突然闭店", "连夜搬"),
    ),
    Entry("24h", "提到老人或婴幼儿用品安全", ("婴儿奶粉", "假药", "过期药", "假疫苗", "过期疫苗")),
    Entry("24h", "提到人群聚集", ("聚集", "围堵", "拉横幅", "集体上访", "群体事件")),
    Entry(
        "15d", "提到历史遗留或多部门", ("历史遗留", "产权纠纷", "多个部门", "好几个部门", "多年未解决", "多年没有解决")
    ),
)
EMOTION: tuple[Entry[int], ...] = (
    Entry(1, "表示不满", ("不满意", "失望", "不合理", "无语", "郁闷", "心寒", "寒心")),
    Entry(
        2, "表示气愤", ("气愤", "愤怒", "生气", "气死", "恼火", "太过分", "欺负人", "欺人太甚", "岂有此理", "忍无可忍")
    ),
    Entry(2, "反复投诉未果", ("多次反映", "反复投诉", "多次投诉", "推诿", "踢皮球", "没人管", "无人管", "不作为")),
    Entry(
        3,
        "言语激烈或辱骂",
        ("骗子", "黑心", "无良", "混蛋", "王八蛋", "狗官", "去死", "畜生", "垃圾部门", "猪狗不如", "他妈的"),
    ),
    Entry(3, "提出升级或曝光", ("曝光", "找媒体", "上访", "投诉你们", "告你们", "网上发", "发抖音")),
    Entry(
        4,
        "提到威胁或自伤",
        ("自杀", "轻生", "跳楼", "不想活", "同归于尽", "砍人", "持刀", "弄死", "杀了你", "走着瞧", "后果自负"),
    ),
)
_NOT = re.compile(r"(?:没有|没|未|无人|无|不是|并非|避免|防止|以免|不会)(?:人|造成|发生|出现|导致|再)?$")
_TIERS = ("2h", "24h", "7d", "15d")


def _pattern(entries: tuple[Entry[Level], ...]) -> tuple[re.Pattern[str], dict[str, Entry[Level]]]:
    owner = {word: entry for entry in reversed(entries) for word in entry.words}
    return re.compile("|".join(sorted(map(re.escape, owner), key=lambda word: (-len(word), word)))), owner


_URGENCY, _EMOTION = _pattern(URGENCY), _pattern(EMOTION)


def urgency(text: str) -> Hint[str]:
    """The most urgent tier that words of the text speak for. None where no word speaks: the ordinary tier stands."""
    found = _found(text, *_URGENCY)
    level = min((entry.level for entry, _ in found), key=_TIERS.index, default=None)
    return Hint(level, tuple(reason for entry, reason in found if entry.level == level))


def emotion(text: str) -> Hint[int]:
    """How strained the words are: 1 不满, 2 气愤, 3 激烈, 4 威胁或自伤; None where no word speaks.

    About words, never about the person: it prepares the officer who will call, and must weigh in no decision on the matter.
    """
    found = _found(text, *_EMOTION)
    level = max((entry.level for entry, _ in found), default=None)
    return Hint(level, tuple(reason for entry, reason in found if entry.level == level))


def _found(
    text: str, pattern: re.Pattern[str], owner: dict[str, Entry[Level]]
) -> list[tuple[Entry[Level], HintReason]]:
    """Entries in order of the text; a word right after a negation (没有受伤) says nothing, a repeated word counts once."""
    found, seen = [], set()
    for hit in pattern.finditer(text, 0, _LONGEST):
        word = hit.group()
        if word in seen or _NOT.search(text[max(0, hit.start() - 5) : hit.start()]):
            continue
        seen.add(word)
        found.append((owner[word], HintReason(word, owner[word].why, *hit.span())))
    return found
