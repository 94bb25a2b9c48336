"""The same matter again: keys find shared text, the ranking explains itself; topics rise by an exact test."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engines.text.made import complaints
from xiezhi.engines.text.nearness import (
    MOST_ASKED,
    MOST_STORED,
    WINDOW,
    Matter,
    fact_key,
    query_keys,
    rank,
    shortlist,
    similarity,
    stored_keys,
)
from xiezhi.engines.text.rising import chance_of, rising

TEXTS = complaints(120, 9)[0]
FACT_KEY = 1697228890873976332
STORED = (1987639635159162805, 2125109420157547721, 2520815658164259766, 2751289234324612363, 4608378153835797678)
chinese = st.text(alphabet=[chr(0x4E00 + at) for at in range(60)], max_size=60)


def test_keys_are_the_same_everywhere() -> None:
    """They are stored for years: a change here needs every row written anew."""
    assert fact_key("merchant:12") == FACT_KEY
    assert stored_keys("金榆健身房突然关门不退年卡") == STORED


@given(
    chinese,
    chinese,
    chinese,
    chinese,
    st.text(alphabet=[chr(0x5200 + at) for at in range(60)], min_size=WINDOW + 2, max_size=30),
)
@settings(max_examples=60, deadline=None)
def test_a_shared_piece_is_always_found(a: str, b: str, c: str, d: str, piece: str) -> None:
    assert set(stored_keys(a + piece + b)) & set(query_keys(c + piece + d)) or len(c + piece + d) > MOST_ASKED


@given(st.text(max_size=30), st.lists(st.text(max_size=5), max_size=3))
@settings(max_examples=60, deadline=None)
def test_keys_are_bounded_sorted_and_fit_a_column(text: str, facts: list[str]) -> None:
    for keys, most in ((stored_keys(text * 40, facts), MOST_STORED), (query_keys(text * 40, facts), MOST_ASKED)):
        assert len(keys) <= most + len(facts) and list(keys) == sorted(set(keys))
        assert all(-(2**63) <= each < 2**63 for each in keys)
        assert {fact_key(each) for each in facts} <= set(keys)


@given(chinese, chinese)
@settings(max_examples=60, deadline=None)
def test_similarity_is_symmetric_and_within_bounds(a: str, b: str) -> None:
    assert similarity(a, b) == pytest.approx(similarity(b, a)) and 0 <= similarity(a, b) <= 1
    assert similarity(a, a) == (1.0 if a else 0.0)


def search(text: str, facts: tuple[str, ...] = ()) -> list[int]:
    """What the desk does with its table, in a dictionary."""
    asked = set(query_keys(text, facts))
    rows = [
        (key, at) for at, kept in enumerate(TEXTS) for key in stored_keys(kept, (f"merchant:{at % 7}",)) if key in asked
    ]
    listed = shortlist(rows, facts=facts)
    found = rank(Matter(text, facts), [(at, Matter(TEXTS[at], (f"merchant:{at % 7}",))) for at in listed])
    return [int(str(each.id)) for each in found]


def test_copies_and_pieces_lead_back_to_their_case() -> None:
    for at in range(0, 120, 8):
        assert search(TEXTS[at])[0] == at
        assert search("您好！" + TEXTS[at].replace("，", ""))[0] == at
        assert at in search(TEXTS[at][-20:])
    assert search("完全无关的一段话在说别的") == [] and search("") == []


def test_facts_and_days_lift_what_the_text_bears_out() -> None:
    today = date(2026, 11, 23)
    query = Matter("健身房关门了年卡余额不肯退还", ("merchant:1", "place:2"), today)
    text = "健身房关门了，年卡里的余额一直不肯退"
    cases = [
        ("other", Matter(text, ("merchant:9",), today)),
        ("old", Matter(text, ("merchant:1",), today - timedelta(days=360))),
        ("same", Matter(text, ("merchant:1", "place:2"), today)),
        ("facts only", Matter("电子秤少了二两", ("merchant:1", "place:2"), today)),
    ]
    found = rank(query, cases)
    assert [each.id for each in found] == ["same", "old", "other"]
    assert found[0].facts == ("merchant:1", "place:2") and found[0].days_apart == 0 and found[1].days_apart == 360
    assert found[0].score > found[1].score > found[2].score == found[2].likeness
    assert found[0].fragments and all(each in "健身房关门了年卡余额不肯退还" for each in found[0].fragments)
    assert rank(query, [("copy", Matter(query.text))])[0].level == "same"


@given(st.integers(0, 30), st.integers(0, 60), st.integers(1, 9), st.integers(1, 40))
def test_the_chance_is_the_binomial_tail(recent: int, baseline: int, days: int, before: int) -> None:
    """Brute force in exact fractions."""
    total, share = recent + baseline, Fraction(days, days + before)
    exact = sum(comb(total, k) * share**k * (1 - share) ** (total - k) for k in range(recent, total + 1))
    assert chance_of(recent, baseline, recent_days=days, baseline_days=before) == pytest.approx(float(exact), rel=1e-9)


counted = st.dictionaries(
    st.tuples(st.sampled_from("甲乙丙丁"), st.sampled_from("东西")),
    st.tuples(st.lists(st.integers(0, 6), min_size=4, max_size=4), st.lists(st.integers(0, 9), min_size=2, max_size=2)),
    max_size=6,
)


@given(counted)
@settings(deadline=None)
def test_rising_topics_are_those_of_the_definition(topics: dict[tuple[str, ...], tuple[list[int], list[int]]]) -> None:
    daily = {topic: [99, *before, *now] for topic, (before, now) in topics.items()}  # the first day lies outside
    found = rising(daily, recent_days=2, baseline_days=4, least=4, ratio=1.5, false_share=0.2)
    chances = {
        t: chance_of(sum(now), sum(before), recent_days=2, baseline_days=4) for t, (before, now) in topics.items()
    }
    passing = [p for p in chances.values() if p <= 0.2 * sum(other <= p for other in chances.values()) / len(chances)]
    expected = {
        t
        for t, (before, now) in topics.items()
        if passing and chances[t] <= max(passing) and sum(now) >= 4 and sum(now) >= 1.5 * sum(before) / 2
    }
    assert {each.topic for each in found} == expected
    assert [each.p for each in found] == sorted(each.p for each in found)
    for each in found:
        assert each.ratio is None if not each.baseline else each.ratio == each.recent / each.expected


def test_a_large_steady_topic_is_not_rising_and_a_new_one_is() -> None:
    daily = {("预付卡", "东"): [20] * 35, ("计量", "西"): [0] * 28 + [1] * 7, ("食品", "东"): [1] * 28 + [1] * 6 + [2]}
    (found,) = rising(daily)
    assert found.topic == ("计量", "西") and found.ratio is None and found.recent == 7 and found.p < 1e-4
    with pytest.raises(ValueError, match="35 daily counts"):
        rising({("短",): [1] * 34})
    with pytest.raises(ValueError):
        rising({}, ratio=0.5)
