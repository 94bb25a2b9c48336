from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xiezhi.foundation.ui import words

BEIJING = ZoneInfo("Asia/Shanghai")


def test_a_date_carries_its_weekday_in_local_time() -> None:
    assert words.day(date(2026, 11, 23)) == "2026-11-23（周一）"
    late_utc = datetime(2026, 11, 22, 17, 0, tzinfo=ZoneInfo("UTC"))
    assert words.day(late_utc) == "2026-11-23（周一）"
    assert words.moment(late_utc) == "2026-11-23 01:00"


@pytest.mark.parametrize("write", [words.day, words.moment, words.money, words.minutes, words.masked])
def test_unknown_is_a_dash_and_never_zero(write) -> None:  # type: ignore[no-untyped-def]
    assert write(None) == "—"


@pytest.mark.parametrize(
    ("fen", "text"),
    [(0, "¥0.00"), (123_450, "¥1,234.50"), (5, "¥0.05"), (-100, "−¥1.00"), (10**12 + 1, "¥10,000,000,000.01")],
)
def test_money(fen: int, text: str) -> None:
    assert words.money(fen) == text


@given(st.integers(min_value=-(10**15), max_value=10**15))
def test_money_loses_no_fen(fen: int) -> None:
    digits = words.money(fen).replace(",", "").replace("¥", "").replace("−", "-").replace(".", "")
    assert int(digits) == fen


@pytest.mark.parametrize("wrong", [1.5, "12", True])
def test_money_takes_integers_only(wrong: object) -> None:
    with pytest.raises(TypeError):
        words.money(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0 分钟"), (59, "59 分钟"), (60, "1 小时"), (150, "2 小时 30 分钟"), (60_000, "1,000 小时")]
)
def test_minutes(value: int, text: str) -> None:
    assert words.minutes(value) == text


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("张三", "张*"),
        ("欧阳演示", "欧**"),
        ("13800001234", "138****1234"),
        ("110101199001011234", "110***********1234"),
        ("zhang@example.cn", "z***@example.cn"),
        ("", "—"),
        ("  ", "—"),
        ("李", "李*"),
    ],
)
def test_masking(text: str, hidden: str) -> None:
    assert words.masked(text) == hidden


@given(st.text(alphabet="0123456789", min_size=7, max_size=30))
def test_masking_hides_the_middle_of_every_long_number(number: str) -> None:
    hidden = words.masked(number)
    assert hidden.count("*") >= 4
    assert sum(each.isdigit() for each in hidden) <= 7


def test_relative_time() -> None:
    now = datetime(2026, 11, 23, 9, 0, tzinfo=BEIJING)
    assert words.ago(now - timedelta(seconds=30), now) == "刚刚"
    assert words.ago(now - timedelta(minutes=5), now) == "5 分钟前"
    assert words.ago(now - timedelta(days=3), now) == "3 天前"
