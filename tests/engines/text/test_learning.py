"""Suggested labels: learned, honest about chance, repeatable, and read from a file that can't do harm."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engines.text.made import KINDS, complaints
from xiezhi.engines.text import calibration
from xiezhi.engines.text.errors import InvalidInput
from xiezhi.engines.text.folds import deal, near_duplicates
from xiezhi.engines.text.grams import buckets, counts
from xiezhi.engines.text.model import LONGEST, Model
from xiezhi.engines.text.modelfile import dump, load
from xiezhi.engines.text.normal import narrow, normalise
from xiezhi.engines.text.training import cross_validate, measure, train

TEXTS, LABELS = complaints(240, 3)
any_text = st.text(max_size=40)


@pytest.fixture(scope="module")
def model() -> Model:
    return train(TEXTS, LABELS)


def test_learns_what_can_be_learned_and_says_how_far_to_trust_it(model: Model) -> None:
    found = cross_validate(TEXTS, LABELS, seeds=range(2))
    assert found.macro_f1 > 0.85 and found.by_seed[0] == pytest.approx(model.facts.out_of_fold["macro_f1"], abs=1e-6)
    assert found.ece < 0.12
    assert sum(map(sum, found.confusion)) == 2 * len(TEXTS)
    assert found.accuracy == pytest.approx(sum(found.confusion[i][i] for i in range(4)) / (2 * len(TEXTS)))
    fresh = complaints(120, 4)
    assert measure(model, *fresh).macro_f1 > 0.85


def test_shuffled_labels_teach_nothing() -> None:
    shuffled = random.Random(1).sample(LABELS, len(LABELS))
    found = cross_validate(TEXTS, shuffled, seeds=range(3))
    assert found.macro_f1 < 0.36  # chance is 0.25
    assert found.answered < 0.1  # and it knows that it does not know


def test_a_suggestion_gives_runners_up_and_reasons_from_the_text(model: Model) -> None:
    text = "菜市场的电子秤有问题，买三斤少了二两，要求复秤"
    found = model.suggest(text)
    assert found.label == found.top[0].label == "计量" and len(found.top) == 3
    assert 1 >= found.top[0].confidence >= found.top[1].confidence >= found.top[2].confidence >= 0
    assert found.reasons and all(each.fragment in normalise(text) and each.weight > 0 for each in found.reasons)
    assert any(each.fragment in "电子秤少了二两复秤菜市场" or "秤" in each.fragment for each in found.reasons)


@pytest.mark.parametrize("text", ["", "  ！？。", "😀😀", "量子纠缠", "\ud800"])
def test_what_says_nothing_gets_no_label(model: Model, text: str) -> None:
    found = model.suggest(text)
    assert found.label is None and len(found.top) == 3


def test_a_very_long_text_is_read_to_its_limit(model: Model) -> None:
    long = "菜市场电子秤" + "好" * 100_000
    assert model.suggest(long).top == model.suggest(long[:LONGEST]).top


def test_batches_and_single_texts_agree(model: Model) -> None:
    many = list(model.suggest_many(TEXTS[:20], reasons=True))
    for text, found in zip(TEXTS, many, strict=False):
        alone = model.suggest(text)
        assert alone.label == found.label and alone.reasons == found.reasons
        assert [c.confidence for c in alone.top] == pytest.approx([c.confidence for c in found.top], abs=1e-6)


def test_the_same_rows_give_the_same_file(model: Model) -> None:
    data = dump(model)
    assert data == dump(train(TEXTS, LABELS))
    again = load(data)
    assert dump(again) == data and again.facts == model.facts
    assert again.suggest(TEXTS[0]) == model.suggest(TEXTS[0])


def test_a_forged_file_is_refused(model: Model) -> None:
    import hashlib
    import pickle

    data = dump(model)

    def sealed(body: bytes) -> bytes:
        return b"xiezhi-text-model 1 " + hashlib.sha256(body).hexdigest().encode() + b"\n" + body

    body = data.partition(b"\n")[2]
    line, _, numbers = body.partition(b"\n")
    head = json.loads(line)
    assert sealed(body) == data
    forged = [
        b"",
        pickle.dumps({"a": 1}),
        data[:-1],
        data.replace(b"xiezhi-text-model 1 ", b"xiezhi-text-model 2 ", 1),
        data[:-2] + bytes([data[-2] ^ 1]) + data[-1:],
        sealed(b"[]\n" + numbers),
        sealed(b"{}\n"),
        sealed(b"[" * 200_000 + b"\n" + numbers),
    ]
    for wrong in ({"columns": -1}, {"columns": 10**12}, {"labels": ["a"]}, {"shift": ["nan"] * 4}, {"temperature": 0}):
        forged.append(sealed(json.dumps(head | wrong).encode() + b"\n" + numbers))
    forged.append(sealed(line + b"\n" + numbers[:-4] + np.float32("nan").tobytes()))
    for each in forged:
        with pytest.raises(InvalidInput):
            load(each)


@pytest.mark.parametrize(
    ("labels", "said"), [(["a"] * 240, "two labels"), (["a"] * 237 + ["b"] * 3, "label b: 3 distinct texts")]
)
def test_too_little_to_learn_from_is_said(labels: list[str], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        train(TEXTS, labels)
    with pytest.raises(InvalidInput, match="does not know the label b"):
        measure(train(TEXTS[:60], LABELS[:60]), ["x"], ["b"])


def test_copies_of_a_text_never_sit_on_both_sides() -> None:
    """A label that only its copies could teach is not learned: with copies apart it would score 1."""
    rng = random.Random(5)
    originals = ["".join(chr(0x4E00 + rng.randrange(2000)) for _ in range(40)) for _ in range(40)]
    texts = [f"{text}{tail}" for text in originals for tail in ("", "谢谢", "请回复！")]
    labels = [f"{rng.randrange(2)}" for _ in originals for _ in range(3)]
    labels = [labels[3 * (at // 3)] for at in range(len(labels))]
    found = cross_validate(texts, labels, seeds=range(2))
    assert found.groups == 40 and found.macro_f1 < 0.75


@given(st.lists(st.text(alphabet="甲乙丙丁", max_size=9), min_size=1, max_size=12))
@settings(max_examples=40, deadline=None)
def test_groups_are_chains_of_similar_texts(texts: list[str]) -> None:
    """Brute force: every pair compared, sharing no code."""

    def like(a: str, b: str) -> bool:
        left, right = ({t[i : i + 4] for i in range(len(t) - 3)} for t in (a, b))
        return a == b or bool(left | right and len(left & right) >= 0.5 * len(left | right))

    expected = list(range(len(texts)))
    for _ in texts:
        for i, a in enumerate(texts):
            for j, b in enumerate(texts):
                if like(a, b):
                    expected[i] = expected[j] = min(expected[i], expected[j])
    found = near_duplicates(texts).tolist()
    assert [[a == b for a in expected] for b in expected] == [[a == b for a in found] for b in found]
    assert found[0] == 0 and all(b <= max(found[:at]) + 1 for at, b in enumerate(found) if at)


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 2)), min_size=1, max_size=60), st.integers(0, 5))
@settings(max_examples=30, deadline=None)
def test_folds_keep_groups_whole(pairs: list[tuple[int, int]], seed: int) -> None:
    groups = np.unique([g for g, _ in pairs], return_inverse=True)[1]
    fold = deal(groups, np.array([label for _, label in pairs]), folds=5, seed=seed)
    assert all(len(set(fold[groups == each])) == 1 for each in groups) and set(fold) <= set(range(5))


def test_folds_spread_each_label_evenly() -> None:
    labels = np.array([0] * 53 + [1] * 17 + [2] * 5)
    fold = deal(np.arange(75), labels, folds=5, seed=1)
    for each in range(3):
        share = np.bincount(fold[labels == each], minlength=5)
        assert share.max() - share.min() <= 1


@given(any_text)
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)
    assert len(narrow(text)) == len(text)


def test_what_is_levelled() -> None:
    assert normalise("Ａ３区 ２０１９年，Ｂ市！") == normalise("b7区2020年a市") == "△区0年△市"


@given(st.lists(any_text, min_size=1, max_size=4), st.integers(1, 4), st.integers(0, 12))
@settings(max_examples=40, deadline=None)
def test_counts_are_the_counts_of_n_grams(texts: list[str], order: int, head: int) -> None:
    table = counts(texts, [order], head=head)
    for row, text in enumerate(texts):
        expected: dict[int, float] = {}
        for at in range(len(text) - order + 1):
            bucket = int(buckets([text[at : at + order]], order)[2][0])
            expected[bucket] = expected.get(bucket, 0) + 1 + (at + order <= head)
        columns = table.indices[table.indptr[row] : table.indptr[row + 1]]
        values = table.data[table.indptr[row] : table.indptr[row + 1]]
        assert dict(zip(columns.tolist(), values.tolist(), strict=True)) == expected


@given(st.lists(st.tuples(st.integers(0, 10), st.booleans()), min_size=1, max_size=30))
def test_the_threshold_is_the_least_that_keeps_the_promise(pairs: list[tuple[int, bool]]) -> None:
    confidence, right = np.array([c / 11 for c, _ in pairs]), np.array([r for _, r in pairs])
    good = [t for t in sorted(set(confidence.tolist())) if right[confidence >= t].mean() >= 0.8]
    assert calibration.threshold_for(confidence, right, 0.8) == (max(good[0], 0.5) if good else calibration.NEVER)


def test_the_temperature_is_found_again() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(4000, len(KINDS)))
    truth = calibration.chances(scores, 0.4)
    labels = np.array([rng.choice(len(KINDS), p=row) for row in truth])
    assert calibration.fit_temperature(scores, labels) == pytest.approx(0.4, rel=0.1)
