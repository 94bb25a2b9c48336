from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xiezhi.foundation.rules.registry import Confidence, Rule, Source, Version, register
from xiezhi.foundation.rules.values import (
    Choice,
    Column,
    DayOfYear,
    Flag,
    Number,
    Several,
    Table,
    ValueProblem,
    Whole,
    Yearly,
)

RATES = Table(
    {"A": "A 类", "D": "D 类"},
    {"percent": Column("比例", Number(Decimal(0), Decimal(100)), "%"), "times": Column("次数", Whole(0, 12))},
)
LETTERS = {"a": "甲", "b": "乙", "c": "丙"}


@given(st.integers(-5, 5), st.decimals(0, 100, places=2), st.sets(st.sampled_from("abc")), st.dates())
def test_what_is_stored_comes_back(whole, number, letters, day):
    pairs = [
        (Whole(-5, 5), whole),
        (Number(), number),
        (Several(LETTERS), letters),
        (Yearly(), DayOfYear(day.month, day.day)),
        (RATES, {"A": {"percent": number, "times": 1}, "D": {"percent": Decimal(1), "times": 12}}),
    ]
    for kind, raw in pairs:
        value = kind.check(raw)
        assert kind.from_json(kind.to_json(value)) == value
        assert kind.display(value)


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (Whole(1, 5), 6, "1 到 5"),
        (Whole(1, 5), "三", "整数"),
        (Whole(1, 5), True, "整数"),
        (Whole(1, 5), 2.0, "整数"),
        (Number(), 0.5, "文字形式"),
        (Number(), "abc", "请填数字"),
        (Number(), "NaN", "之间的数"),
        (Number(), "1.234", "2 位小数"),
        (Number(), "101", "之间的数"),
        (Flag(), "yes", "“是”或“否”"),
        (Choice(LETTERS), "z", "甲、乙、丙"),
        (Several(LETTERS), ["a", "z"], "甲、乙、丙"),
        (Several(LETTERS), "a", "甲、乙、丙"),
        (Yearly(), "02-30", "03-31"),
        (Yearly(), None, "03-31"),
        (RATES, {"A": {"percent": "1", "times": 1}}, "A 类、D 类"),
        (RATES, {"A": {"percent": "1"}, "D": {"percent": "1", "times": 1}}, "“A 类”一行"),
        (RATES, {"A": {"percent": "200", "times": 1}, "D": {"percent": "1", "times": 1}}, "A 类 · 比例"),
    ],
)
def test_a_wrong_value_says_what_would_be_right(kind, value, message):
    with pytest.raises(ValueProblem, match=message):
        kind.check(value)


def test_full_width_digits_typed_by_hand_are_read():
    assert Whole().check("１２") == 12
    assert Whole().check(" 7 ") == 7


def test_the_last_of_february_exists_every_year():
    assert DayOfYear(2, 29).in_year(2027) == date(2027, 2, 28)
    assert DayOfYear(3, 31).in_year(2027) == date(2027, 3, 31)


def version(value, start, end=None):
    return Version(value, start, Source(), Confidence.WORKING_DEFAULT, effective_to=end)


def test_a_rule_with_overlapping_or_wrong_versions_cannot_be_declared():
    with pytest.raises(ValueError, match="overlaps"):
        Rule("x.y", "甲", Whole(), (version(1, date(2025, 1, 1)), version(2, date(2025, 1, 1))))
    with pytest.raises(ValueError, match="overlaps"):
        Rule("x.y", "甲", Whole(), (version(1, date(2025, 1, 1), date(2026, 1, 1)), version(2, date(2026, 1, 1))))
    with pytest.raises(ValueError, match="整数"):
        Rule("x.y", "甲", Whole(), (version("many", date(2025, 1, 1)),))
    with pytest.raises(ValueError, match="first version"):
        Rule("x.y", "甲", Whole(), ())


def test_a_key_belongs_to_one_rule():
    from xiezhi.domains.inspections.rules import MAX_DEPARTMENTS

    register([MAX_DEPARTMENTS])  # again: nothing happens
    with pytest.raises(ValueError, match="two rules"):
        register([Rule(MAX_DEPARTMENTS.key, "乙", Whole(), (version(1, date(2025, 1, 1)),))])
