"""Personal data, money, days, demands, names, hints: found where they stand, and in linear time."""

from __future__ import annotations

import random
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xiezhi.engines.text.extract import amounts, chinese_number, dates, demands, mask, personal
from xiezhi.engines.text.hints import EMOTION, LEXICON_VERSION, URGENCY, emotion, urgency
from xiezhi.engines.text.names import NameIndex

IDENTITY = "11010519491231002X"  # the standard's own example
CARD = "4111 1111 1111 1111"  # the payment industry's test number
TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("text", "kind", "found"),
    [
        ("我的电话13800138000，", "phone", "13800138000"),
        ("手机：138-0013-8000", "phone", "138-0013-8000"),
        ("+86 13800138000", "phone", "13800138000"),
        ("电话１３８００１３８０００", "phone", "１３８００１３８０００"),
        ("座机010-62345678转801", "landline", "010-62345678转801"),
        ("客服400-800-1234", "landline", "400-800-1234"),
        (f"身份证{IDENTITY}", "identity", IDENTITY),
        (f"身份证{IDENTITY.lower()}号", "identity", IDENTITY.lower()),
        (f"卡号{CARD}", "bank_card", CARD),
        ("邮箱zhang.san@example.com。", "email", "zhang.san@example.com"),
    ],
)
def test_personal_data_is_found_and_covered(text: str, kind: str, found: str) -> None:
    (span,) = personal(text)
    assert (span.kind, span.text, text[span.start : span.end]) == (kind, found, found)
    covered = mask(text)
    assert len(covered) == len(text) and found not in covered and personal(covered) == ()
    assert covered[: span.start] == text[: span.start] and covered[span.end :] == text[span.end :]


@pytest.mark.parametrize(
    "text", ["订单20261123000001", "110105194912310021", "12345678901234567", "3.14159265", "2026-11-23", "12345 12315"]
)
def test_other_numbers_stay(text: str) -> None:
    assert personal(text) == () and mask(text) == text


@given(st.text(alphabet="0123456789１+-() @.x年月元万零五百a", max_size=60))
@settings(max_examples=150, deadline=None)
def test_whatever_comes_spans_are_in_order_and_inside(text: str) -> None:
    spans = personal(text)
    assert all(0 <= a.start < a.end <= b.start for a, b in pairwise(spans))
    assert all(each.text == text[each.start : each.end] for each in spans)
    covered = mask(text)
    assert len(covered) == len(text)
    assert all(each.fen >= 0 for each in amounts(text))
    dates(text, TODAY)


@pytest.mark.parametrize(
    "piece", ["1", "a", "a.", "1-", "1,111", "@", "13800138000 ", "一千", "2026-", "a@a.", "没有", "(0"]
)
def test_long_texts_of_one_piece_are_no_trap(piece: str) -> None:
    """Backtracking over 100,000 characters would take minutes and be stopped by the suite's own limit."""
    text = piece * (100_000 // len(piece))
    for function in (personal, amounts, demands, urgency, emotion):
        function(text)
    dates(text, TODAY)
    NameIndex([(1, "aaaaaaaab"), (2, "11111112")]).find(text)


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("花了1,280.50元", [128050]),
        ("￥99和¥100.5", [9900, 10050]),
        ("办卡3万元，又充2千块", [3000000, 200000]),
        ("两千八百元", [280000]),
        ("一万二元，五块钱", [1200000, 500]),
        ("十五元一斤买了三斤", [1500]),
        ("2026年3月，电话13800138000", []),
        ("第3号楼", []),
    ],
)
def test_sums_of_money(text: str, fen: list[int]) -> None:
    assert [each.fen for each in amounts(text)] == fen


@given(st.integers(1, 99_999_999))
def test_chinese_numbers_read_back(number: int) -> None:
    def below_ten_thousand(n: int) -> str:
        spoken, zero = "", False
        for power, unit in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
            figure, n = divmod(n, power)
            if figure:
                spoken += ("零" if zero else "") + "零一二三四五六七八九"[figure] + unit
                zero = False
            else:
                zero = bool(spoken)
        return spoken

    high, low = divmod(number, 10_000)
    between = "零" if high and low and low < 1000 else ""
    spoken = (below_ten_thousand(high) + "万" if high else "") + between + below_ten_thousand(low)
    assert chinese_number(spoken) == number


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("2026年3月15日购买", [date(2026, 3, 15)]),
        ("2026-03-15、2026/3/5", [date(2026, 3, 15), date(2026, 3, 5)]),
        ("12月1日办的，11月2号关门", [date(2025, 12, 1), date(2026, 11, 2)]),
        ("昨天和前天", [date(2026, 11, 22), date(2026, 11, 21)]),
        ("2月30日", []),
        ("价格3.5元", []),
    ],
)
def test_days(text: str, days: list[date]) -> None:
    assert [each.day for each in dates(text, TODAY)] == days


def test_demands_are_named_once() -> None:
    text = "要求全额退款并赔偿，再说一次退款，请查处"
    found = demands(text)
    assert [each.name for each in found] == ["退款", "赔偿", "查处"] or [each.name for each in found][1:] == [
        "赔偿",
        "查处",
    ]
    assert all(text[each.start : each.end] == each.fragment for each in found)


NAMES = NameIndex(
    [
        (1, "金榆健身有限公司（万达店）"),
        (2, "金榆健身（城北店）"),
        (3, "金榆健身房服务（城南分店）"),
        (4, "演示银槐商贸有限责任公司"),
        (5, "青檀购物中心"),
        (6, "ＡＢＣ Kids 早教"),
    ]
)


@pytest.mark.parametrize(
    ("text", "keys", "exact"),
    [
        ("在金榆健身办的卡", [1, 2], False),
        ("金榆健身万达的店", [1], True),
        ("金榆健身（城北店）关门", [2], True),
        ("金榆健身房服务关门", [3], False),
        ("演示银槐商贸不退钱", [4], True),
        ("青檀购物中心里的abc kids早教", [5, 6], True),
        ("今天天气好", [], True),
    ],
)
def test_names_are_found_whole_or_without_form_and_branch(text: str, keys: list[int], exact: bool) -> None:
    hits = NAMES.find(text)
    assert [each.key for each in hits] == keys
    assert all(each.exact is exact for each in hits)


def test_a_name_in_part_is_offered_with_the_part() -> None:
    (match, *_) = NAMES.best("我在银槐商贸买的东西")
    assert match.key == 4 and match.fragment == "银槐商贸" and 0.5 <= match.score < 1
    assert NAMES.best("什么都没有") == ()


@given(
    st.lists(st.text(alphabet="甲乙丙", min_size=3, max_size=5), min_size=1, max_size=8, unique=True),
    st.text(alphabet="甲乙丙，", max_size=30),
)
@settings(max_examples=80, deadline=None)
def test_finding_names_agrees_with_looking_everywhere(names: list[str], text: str) -> None:
    plain = text.replace("，", "")
    expected, at = [], 0
    while at < len(plain):
        here = max((name for name in names if plain.startswith(name, at)), key=len, default="")
        expected += [names.index(here)] if here else []
        at += len(here) or 1
    assert [each.key for each in NameIndex(enumerate(names)).find(text)] == expected


def test_many_names_are_told_apart() -> None:
    rng = random.Random(2)
    names = sorted({"".join(chr(0x4E00 + rng.randrange(900)) for _ in range(rng.randint(4, 9))) for _ in range(3000)})
    index = NameIndex(enumerate(names))
    for key in rng.sample(range(len(names)), 50):
        hits = {each.key for each in index.find(f"昨天去{names[key]}消费")}
        assert key in hits or any(names[each] in names[key] or names[key] in names[each] for each in hits)


@pytest.mark.parametrize(
    ("text", "level", "word"),
    [
        ("孩子吃坏了住院三天", "2h", "住院"),
        ("闻到煤气味", "2h", "煤气"),
        ("店家跑路，老人受伤", "2h", "受伤"),
        ("健身房跑路了", "24h", "跑路"),
        ("属于历史遗留问题", "15d", "历史遗留"),
        ("没有受伤，只想退款", None, ""),
        ("年报在哪里办理", None, ""),
    ],
)
def test_urgency_is_hinted_with_its_word(text: str, level: str | None, word: str) -> None:
    found = urgency(text)
    assert found.level == level and found.version == LEXICON_VERSION
    assert (word in [each.fragment for each in found.reasons]) if level else found.reasons == ()
    assert all(text[each.start : each.end] == each.fragment and each.why for each in found.reasons)


def test_emotion_takes_the_strongest_words() -> None:
    assert emotion("请问个体户年报在哪里办理").level is None
    assert emotion("太失望了，这种黑心店家一定要曝光").level == 3
    assert emotion("再不解决就同归于尽").level == 4


def test_no_word_stands_twice_in_a_lexicon() -> None:
    for lexicon in (URGENCY, EMOTION):
        words = [word for entry in lexicon for word in entry.words]
        assert len(words) == len(set(words))
