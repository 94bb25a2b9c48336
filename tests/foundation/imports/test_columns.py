"""From a cell to a value: what is understood, and what is refused rather than guessed."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, cast

import pytest

from xiezhi.foundation.imports import columns as c
from xiezhi.foundation.imports.specs import ImportContext, Outcome

NOWHERE = cast(ImportContext, None)
SPACE = "\u3000"

UNDERSTOOD = [
    (c.day(), "2026-11-23", date(2026, 11, 23)),
    (c.day(), "2026/1/3", date(2026, 1, 3)),
    (c.day(), "２０２６年１１月２３日", date(2026, 11, 23)),
    (c.day(), " 2026.11.23 ", date(2026, 11, 23)),
    (c.day(), 20261123, date(2026, 11, 23)),
    (c.day(), "2026-11-23 00:00:00", date(2026, 11, 23)),
    (c.day(), datetime(2026, 11, 23, tzinfo=UTC), date(2026, 11, 23)),
    (c.integer(0, unit="人"), "１，２３４ 人", 1234),
    (c.integer(), 12.0, 12),
    (c.decimal(places=2), "3.14159", Decimal("3.14")),
    (c.fen(), "¥1,234.50", 123450),
    (c.fen(), "12 元", 1200),
    (c.fen(), 0.1, 10),
    (c.percent(), "30%", Decimal("0.3")),
    (c.percent(), 0.3, Decimal("0.3")),
    (c.percent(), 30, Decimal("0.3")),
    (c.percent(), 1, Decimal(1)),
    (c.yes_no(), "是", True),
    (c.yes_no(), False, False),
    (c.yes_no(), "ｎ", False),
    (c.code(r"[0-9A-Z]{6}"), f" ９１１１０{SPACE}a", "91110A"),
    (c.code(), 9111, "9111"),
    (c.text(), f"{SPACE}Ｋ歌（金榆） ", "K歌（金榆）"),
    (c.choice(Outcome), "待确认", "to_confirm"),
    (c.choice(Outcome), "to_confirm", "to_confirm"),
    (c.choice({"高": "A"}), " 高", "A"),
    (c.several(c.choice({"餐饮": "f", "酒店": "h"})), "餐饮、酒店,餐饮", ["f", "h"]),
]
NOT_TAKEN = [
    (c.day(), "23/11/2026", "不是日期"),
    (c.day(), "2026-02-30", "没有这一天"),
    (c.day(), 46349, "日期序号"),
    (c.day(date(2026, 1, 1), date(2026, 12, 31)), "2025-12-31", "不在"),
    (c.integer(), "12.5", "整数"),
    (c.integer(), "许多", "数字"),
    (c.integer(1, 5), 6, "1 到 5"),
    (c.integer(), datetime(2026, 11, 23, tzinfo=UTC), "数字"),
    (c.integer(), "nan", "数字"),
    (c.integer(), "1e999999", "数字"),
    (c.fen(), "1.234", "两位小数"),
    (c.fen(), "-1", "范围"),
    (c.percent(), "130%", "之间"),
    (c.code(), 9.1110102e17, "末尾几位"),
    (c.code(), 911101020000000000, "末尾几位"),
    (c.code(), "9.11E+17", "末尾几位"),
    (c.code(r"\d{4}"), "12", "格式"),
    (c.text(3), "一二三四", "太长"),
    (c.yes_no(), "也许", "是"),
    (c.choice(Outcome), "新的", "不认识"),
]


@pytest.mark.parametrize(("parse", "cell", "value"), UNDERSTOOD)
def test_understood(parse: c.Parser, cell: Any, value: Any) -> None:
    assert parse(cell, NOWHERE) == value


@pytest.mark.parametrize(("parse", "cell", "words"), NOT_TAKEN)
def test_not_taken(parse: c.Parser, cell: Any, words: str) -> None:
    with pytest.raises(c.CellRefused, match=words):
        parse(cell, NOWHERE)
