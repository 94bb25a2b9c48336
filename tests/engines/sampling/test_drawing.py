import hashlib
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xiezhi.engines.sampling import draw, draw_by_class, frame_digest, sample_size

identifiers = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), min_size=1, max_size=8)
frames = st.sets(identifiers, max_size=25)
seeds = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)


@given(frames, frames, seeds, st.integers(0, 30))
def test_anyone_can_repeat_a_draw_from_its_description(frame, excluded, seed, number):
    """Brute force straight from the text of the algorithm, sharing no code with it: pick the least ticket again and again."""
    left, expected = set(frame) - excluded, []
    while left and len(expected) < number:
        lowest = min(left, key=lambda each: (hashlib.sha256((seed + ":" + each).encode("utf-8")).digest(), each))
        expected.append(lowest)
        left.remove(lowest)
    result = draw(frame, seed=seed, number=number, excluded=excluded)
    assert list(result.selected) == expected
    assert result.shortfall == number - len(expected)
    assert set(result.excluded) == frame & excluded


@given(frames, seeds, st.randoms())
def test_the_order_of_the_frame_does_not_matter(frame, seed, random):
    shuffled = list(frame)
    random.shuffle(shuffled)
    assert draw(shuffled, seed=seed, ratio=Fraction(1, 3)) == draw(frame, seed=seed, ratio=Fraction(1, 3))


@given(frames, seeds, st.integers(0, 24))
def test_asking_for_one_more_only_adds_one(frame, seed, number):
    fewer, more = draw(frame, seed=seed, number=number), draw(frame, seed=seed, number=number + 1)
    assert more.selected[: len(fewer.selected)] == fewer.selected


@given(frames.filter(bool), seeds)
def test_taking_someone_out_leaves_everyone_elses_place(frame, seed):
    absent = min(frame)
    whole = draw(frame, seed=seed, number=len(frame)).selected
    assert draw(frame - {absent}, seed=seed, number=len(frame)).selected == tuple(x for x in whole if x != absent)


@given(st.integers(0, 5000), st.fractions(0, 1))
def test_the_size_is_rounded_up(size, ratio):
    wanted = sample_size(size, ratio)
    assert wanted - 1 < size * ratio <= wanted
    if size and ratio:
        assert wanted >= 1


def test_known_answers():
    """Computed with printf, sha256sum and sort; they change only if the published algorithm does, which then needs a new name."""
    result = draw([f"firm-{n}" for n in range(10)], seed="2026-11-23/demo", number=3)
    assert result.selected == ("firm-1", "firm-8", "firm-6")
    assert result.frame_digest == "f91ce5f297138c48fb085cbaa7bfab30b2204a45f6f1f62590cd43d6f8e817b2"
    assert frame_digest(["b", "a"]) == frame_digest(["a", "b"]) != frame_digest(["ab"])


def test_every_member_is_drawn_equally_often():
    """Chi-square over 2,000 fixed seeds: 20 firms, 5 drawn each time. 19 degrees of freedom, 0.999 quantile = 43.8."""
    frame, rounds, number = [f"{n:03d}" for n in range(20)], 2000, 5
    counts = dict.fromkeys(frame, 0)
    for seed in range(rounds):
        for each in draw(frame, seed=str(seed), number=number).selected:
            counts[each] += 1
    expected = rounds * number / len(frame)
    # Drawing without replacement, counts have covariance p(1-p)·N/(N-1)·(I - J/N) a round; scale Pearson's statistic to it.
    share, size = number / len(frame), len(frame)
    statistic = sum((count - expected) ** 2 for count in counts.values()) / expected / (1 - share) * (size - 1) / size
    assert statistic < 43.8


def test_pairs_are_drawn_equally_often():
    frame, rounds = list("abcdef"), 3000
    counts: dict[frozenset[str], int] = {}
    for seed in range(rounds):
        pair = frozenset(draw(frame, seed=f"pair {seed}", number=2).selected)
        counts[pair] = counts.get(pair, 0) + 1
    expected = rounds / 15
    statistic = sum((count - expected) ** 2 for count in counts.values()) / expected
    assert len(counts) == 15 and statistic < 36.1  # 14 degrees of freedom, 0.999 quantile


def test_each_class_draws_at_its_own_rate():
    classes = {f"{name}{n}": name for name, size in (("A", 200), ("B", 50), ("C", 10), ("D", 3)) for n in range(size)}
    rates = {"A": Fraction(1, 100), "B": Decimal("0.02"), "C": Decimal("0.1"), "D": Fraction(1)}
    result = draw_by_class(classes, rates, seed="q4", excluded={"D0"})
    assert {name: len(each.selected) for name, each in result.items()} == {"A": 2, "B": 1, "C": 1, "D": 2}
    assert result["D"].shortfall == 1 and result["D"].excluded == ("D0",)
    assert result["B"] == draw([each for each in classes if classes[each] == "B"], seed="q4/B", number=1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"frame": ["a"], "seed": "", "number": 1}, "needs a seed"),
        ({"frame": ["a"], "seed": "s"}, "either a number or a ratio"),
        ({"frame": ["a"], "seed": "s", "number": 1, "ratio": Fraction(1)}, "either a number or a ratio"),
        ({"frame": ["a", "a"], "seed": "s", "number": 1}, "twice"),
        ({"frame": ["a\nb"], "seed": "s", "number": 1}, "line feed"),
        ({"frame": [""], "seed": "s", "number": 1}, "empty"),
        ({"frame": ["a"], "seed": "s", "number": -1}, "cannot draw"),
        ({"frame": ["a"], "seed": "s", "ratio": Fraction(3, 2)}, "between 0 and 1"),
    ],
)
def test_bad_input_is_refused(arguments, message):
    frame = arguments.pop("frame")
    with pytest.raises(ValueError, match=message):
        draw(frame, **arguments)


def test_a_class_without_a_rate_is_refused():
    with pytest.raises(ValueError, match="no rate for D"):
        draw_by_class({"x": "A", "y": "D"}, {"A": Fraction(1, 10)}, seed="s")
