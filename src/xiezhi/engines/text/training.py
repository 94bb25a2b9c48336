"""Learning a model from labelled texts, and measuring it without flattering: near-duplicates never sit on both sides."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any

import numpy as np

from xiezhi.engines.text import calibration, ridge
from xiezhi.engines.text.errors import InvalidInput
from xiezhi.engines.text.folds import deal, near_duplicates
from xiezhi.engines.text.grams import Array
from xiezhi.engines.text.model import Facts, Model, prepare, tabulate

FOLDS = 5
AT_ONCE = 2  # folds learned at the same time: sparse products leave Python's lock, and each takes its own memory
PRECISION = 0.9  # a suggestion is given where this share of such suggestions proved right
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class LabelScore:
    """One label's precision, recall and F1, and how many texts bear it."""

    label: str
    precision: float
    recall: float
    f1: float
    texts: int


@dataclass(frozen=True)
class Evaluation:
    """How good suggestions are. `confusion[i][j]`: texts of `labels[i]` taken for `labels[j]`, over all seeds.

    `by_seed` are the macro-F1 of each division into folds (one figure if a given model was measured); `ece` and `bins` speak of the
    calibrated confidence of the likeliest label; `answered` is the share of texts at or above the threshold, `answered_right` the share of
    those that is right.
    """

    labels: tuple[str, ...]
    macro_f1: float
    accuracy: float
    by_seed: tuple[float, ...]
    per_label: tuple[LabelScore, ...]
    confusion: tuple[tuple[int, ...], ...]
    ece: float
    bins: tuple[calibration.Bin, ...]
    answered: float
    answered_right: float
    texts: int
    groups: int
    folds: int


@dataclass(frozen=True)
class _Prepared:
    """Labelled texts, tabulated once for all folds."""

    table: Any
    labels: tuple[str, ...]
    target: Array
    groups: Array


def source_digest(texts: Sequence[str], labels: Sequence[str]) -> str:
    """SHA-256 over the rows in order, whatever file they came from."""
    held = hashlib.sha256()
    for text, label in zip(texts, labels, strict=True):
        held.update(json.dumps([text, label], ensure_ascii=True).encode() + b"\n")
    return held.hexdigest()


def train(
    texts: Sequence[str],
    labels: Sequence[str],
    *,
    seed: int = 0,
    precision: float = PRECISION,
    on_progress: Progress | None = None,
) -> Model:
    """Learn a model; same rows and seed, same model to the bit.

    Temperature and threshold come from scores out of fold. Raises InvalidInput where there are fewer than two labels, or a label with
    fewer than `FOLDS` distinct texts.
    """
    tell = on_progress or _silent
    data = _prepare(texts, labels, tell)
    scores = _out_of_fold(data, seed, lambda done: tell("learn", done, FOLDS + 1))
    temperature = calibration.fit_temperature(scores, data.target)
    found = calibration.chances(scores, temperature)
    confidence, right = found.max(1), found.argmax(1) == data.target
    threshold = calibration.threshold_for(confidence, right, precision)
    weights = ridge.fit(data.table, data.target, len(data.labels))
    tell("learn", FOLDS + 1, FOLDS + 1)
    measured = {
        "macro_f1": _macro_f1(_confusion(data, found.argmax(1))),
        "accuracy": float(right.mean()),
        "ece": calibration.reliability(confidence, right)[1],
        "answered": float(_sure(confidence, threshold).mean()),
    }
    per_label = dict(sorted(Counter(labels).items()))
    groups = int(data.groups.max()) + 1
    digest = source_digest(texts, labels)
    facts = Facts(len(texts), groups, per_label, digest, seed, precision, {k: round(v, 6) for k, v in measured.items()})
    return Model(data.labels, weights, temperature, threshold, facts)


def cross_validate(
    texts: Sequence[str],
    labels: Sequence[str],
    *,
    seeds: Sequence[int] = range(5),
    precision: float = PRECISION,
    on_progress: Progress | None = None,
) -> Evaluation:
    """Stratified cross-validation in `FOLDS` folds, once for each seed, near-duplicates in one fold.

    A fold's temperature and threshold are fitted on the other folds' out-of-fold scores. Raises InvalidInput as `train` does.
    """
    tell = on_progress or _silent
    data = _prepare(texts, labels, tell)
    confusions, confidences, rights, sures = [], [], [], []
    for turn, seed in enumerate(seeds):

        def step(done: int, before: int = turn * FOLDS) -> None:
            tell("validate", before + done, FOLDS * len(seeds))

        scores = _out_of_fold(data, seed, step)
        fold = deal(data.groups, data.target, folds=FOLDS, seed=seed)
        found, sure = np.empty_like(scores), np.zeros(len(scores), dtype=bool)
        for each in range(FOLDS):
            here, there = fold == each, fold != each
            temperature = calibration.fit_temperature(scores[there], data.target[there])
            found[here] = calibration.chances(scores[here], temperature)
            others = calibration.chances(scores[there], temperature)
            hit = others.argmax(1) == data.target[there]
            sure[here] = _sure(found[here].max(1), calibration.threshold_for(others.max(1), hit, precision))
        confusions.append(_confusion(data, found.argmax(1)))
        confidences.append(found.max(1))
        rights.append(found.argmax(1) == data.target)
        sures.append(sure)
    return _evaluation(data, confusions, *(np.concatenate(each) for each in (confidences, rights, sures)), folds=FOLDS)


def measure(model: Model, texts: Sequence[str], labels: Sequence[str]) -> Evaluation:
    """How a given model does on labelled texts. Raises InvalidInput for labels that the model does not know."""
    strange = sorted(set(labels) - set(model.labels))
    if strange:
        raise InvalidInput(
            [f"the model does not know the label {each}; it knows {'、'.join(model.labels)}" for each in strange]
        )
    if not texts:
        raise InvalidInput(["there are no rows to measure on"])
    target = np.array([model.labels.index(each) for each in labels])
    data = _Prepared(None, model.labels, target, near_duplicates(texts))
    found = model.chances(texts)
    right = found.argmax(1) == target
    sure = _sure(found.max(1), model.threshold)
    return _evaluation(data, [_confusion(data, found.argmax(1))], found.max(1), right, sure, folds=0)


def _silent(phase: str, done: int, total: int) -> None:
    pass


def _sure(confidence: Array, threshold: float) -> Array:
    return (confidence >= threshold) & (threshold < calibration.NEVER)


def _prepare(texts: Sequence[str], labels: Sequence[str], tell: Progress) -> _Prepared:
    names = tuple(sorted(set(labels)))
    if len(names) < 2:
        raise InvalidInput([f"learning needs at least two labels; there {'is one' if names else 'are none'}"])
    target = np.array([names.index(each) for each in labels])
    tell("compare", 0, 1)
    groups = near_duplicates(texts)
    few = [
        f"label {name}: {have} distinct texts, at least {FOLDS} are needed; add texts, or merge or leave out the label"
        for at, name in enumerate(names)
        if (have := len(set(groups[target == at].tolist()))) < FOLDS
    ]
    empty = sum(not prepare(text) for text in texts)
    if few or empty == len(texts):
        raise InvalidInput(few or ["no text holds a word"])
    tell("compare", 1, 1)
    return _Prepared(tabulate(texts), names, target, groups)


def _out_of_fold(data: _Prepared, seed: int, step: Callable[[int], None]) -> Array:
    """Scores of each fold's texts from what the other folds teach; folds are independent, so learning two at once changes no bit."""
    fold = deal(data.groups, data.target, folds=FOLDS, seed=seed)
    scores = np.empty((len(data.target), len(data.labels)))

    def learn(each: int) -> tuple[Array, Array]:
        there, here = np.flatnonzero(fold != each), np.flatnonzero(fold == each)
        weights = ridge.fit(data.table[there], data.target[there], len(data.labels))
        return here, weights.scores(data.table[here])

    with ThreadPoolExecutor(AT_ONCE) as pool:
        folds = [pool.submit(learn, each) for each in range(FOLDS)]
        try:
            for done, each in enumerate(as_completed(folds), 1):
                here, found = each.result()
                scores[here] = found
                step(done)
        finally:  # somebody cancelled, or a fold failed: begin no other
            for waiting in folds:
                waiting.cancel()
    return scores


def _confusion(data: _Prepared, found: Array) -> Array:
    table = np.zeros((len(data.labels), len(data.labels)), dtype=np.int64)
    np.add.at(table, (data.target, found), 1)
    return table


def _f1(confusion: Array) -> Array:
    both = confusion.sum(0) + confusion.sum(1)
    scores: Array = 2 * np.diag(confusion) / np.maximum(both, 1)
    return scores


def _macro_f1(confusion: Array) -> float:
    """The mean F1 over labels that occur, truly or as an answer."""
    present = (confusion.sum(0) + confusion.sum(1)) > 0
    return float(_f1(confusion)[present].mean())


def _evaluation(
    data: _Prepared, confusions: list[Array], confidence: Array, right: Array, sure: Array, *, folds: int
) -> Evaluation:
    whole = np.sum(confusions, axis=0)
    hits = np.diag(whole)
    precision, recall = hits / np.maximum(whole.sum(0), 1), hits / np.maximum(whole.sum(1), 1)
    bins, ece = calibration.reliability(confidence, right)
    by_seed = tuple(_macro_f1(each) for each in confusions)
    return Evaluation(
        labels=data.labels,
        macro_f1=float(np.mean(by_seed)),
        accuracy=float(right.mean()),
        by_seed=by_seed,
        per_label=tuple(
            LabelScore(name, float(p), float(r), float(f), int((data.target == at).sum()))
            for at, (name, p, r, f) in enumerate(zip(data.labels, precision, recall, _f1(whole), strict=True))
        ),
        confusion=tuple(tuple(int(each) for each in row) for row in whole),
        ece=ece,
        bins=tuple(bins),
        answered=float(sure.mean()),
        answered_right=float(right[sure].mean()) if sure.any() else 0.0,
        texts=len(data.target),
        groups=int(data.groups.max()) + 1,
        folds=folds,
    )
