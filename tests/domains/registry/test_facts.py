from decimal import Decimal

import pytest

from tests.builders.registry import fictional_code
from xiezhi.domains.registry import facts, industries
from xiezhi.domains.registry.facts import BadFact

GOOD = fictional_code(1)


@pytest.mark.parametrize(
    "written",
    [
        GOOD,
        GOOD.lower(),
        f" {GOOD} ",
        f"{GOOD[:6]} {GOOD[6:12]}-{GOOD[12:]}",
        GOOD.translate({48 + n: 0xFF10 + n for n in range(10)}),
    ],
)
def test_a_code_is_the_same_however_it_is_written(written):
    assert facts.clean_code(written) == GOOD


@pytest.mark.parametrize(
    ("written", "says"),
    [
        (GOOD[:17], "这里是 17 位"),
        (GOOD[:17] + ("0" if GOOD[17] != "0" else "1"), f"应为 {GOOD[17]}"),
        (GOOD[:9] + "O" + GOOD[10:], "O → 0"),
        ("A" + GOOD[1:], "前 8 位只用数字"),
        ("", "这里是 0 位"),
    ],
)
def test_a_bad_code_says_what_and_how_to_mend(written, says):
    with pytest.raises(BadFact, match=says) as refusal:
        facts.clean_code(written)
    assert refusal.value.field == "code" and refusal.value.mend


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("H6210", "H6210"),
        ("6210", "H6210"),
        ("ｈ６２", "H62"),
        ("H", "H"),
        ("", ""),
        ("011", "A011"),
        ("9700", "T9700"),
    ],
)
def test_the_section_of_an_industry_follows_from_its_digits(written, stored):
    assert facts.clean_industry(written) == stored


@pytest.mark.parametrize("written", ["F6210", "H9", "9800", "餐饮业", "H62101", "00"])
def test_an_industry_that_is_not_in_the_standard_is_refused(written):
    with pytest.raises(BadFact):
        facts.clean_industry(written)


def test_sections_hold_every_division_once():
    held = [n for first, last, _name in industries.SECTIONS.values() for n in range(first, last + 1)]
    assert held == list(range(1, 98))


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("67", "67"),
        ("７、６", "67"),
        ("周六、周日", "67"),
        ("星期一", "1"),
        ("每周一、三休息", "13"),
        ("周一至周三", "123"),
        ("周末", "67"),
        ("双休", "67"),
        ("礼拜天", "7"),
        ("全年无休", ""),
        ("", ""),
    ],
)
def test_closing_days_as_people_write_them(written, stored):
    assert facts.clean_weekdays(written) == stored


@pytest.mark.parametrize("written", ["八", "周六下午", "0", "8", "每月一次", "1234567", "周三至周一"])
def test_closing_days_nobody_can_read_are_refused(written):
    with pytest.raises(BadFact):
        facts.clean_weekdays(written)


def test_coordinates():
    assert facts.clean_coordinate("116.3668", "longitude") == Decimal("116.366800")
    assert facts.clean_coordinate("３９.9", "latitude") == Decimal("39.900000")
    assert facts.clean_coordinate(" ", "latitude") is None
    with pytest.raises(BadFact, match="填反"):
        facts.clean_coordinate("39.9", "longitude")
    with pytest.raises(BadFact, match="73 至"):
        facts.clean_coordinate("2.35", "longitude")
    for text in ("东经116度", "NaN", "1e999999"):
        with pytest.raises(BadFact):
            facts.clean_coordinate(text, "longitude")
