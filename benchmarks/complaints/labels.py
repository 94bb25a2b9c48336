"""How good, how fast: labels of texts by our learner and by a linear SVM on the same folds; training and prediction on one core.

    python -m benchmarks.complaints.labels FILE [--seeds 5] [--peers]

FILE has the columns text and label. The peer sees the same folds: scikit-learn's TfidfVectorizer (characters, 1–3 and 1–4) and LinearSVC.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path

import numpy as np

from xiezhi.engines.text.files import read_labelled
from xiezhi.engines.text.folds import deal, near_duplicates
from xiezhi.engines.text.modelfile import dump
from xiezhi.engines.text.training import FOLDS, cross_validate, train


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--peers", action="store_true")
    options = parser.parse_args()
    texts, labels = read_labelled(options.file)
    print(f"{len(texts):,} texts, {sum(map(len, texts)) / len(texts):.0f} characters on average")
    began = time.perf_counter()
    found = cross_validate(texts, labels, seeds=range(options.seeds))
    spent = time.perf_counter() - began
    seeds = ", ".join(f"{each:.4f}" for each in found.by_seed)
    print(
        f"ours: macro-F1 {found.macro_f1:.4f} ({seeds}), ECE {found.ece:.4f}, {spent:.1f} s for all folds", flush=True
    )
    began, busy = time.perf_counter(), time.process_time()
    model = train(texts, labels)
    print(
        f"training: {time.perf_counter() - began:.1f} s, {time.process_time() - busy:.1f} of processor; file {len(dump(model)) / 1e6:.1f} MB"
    )
    many = (texts * (10_000 // len(texts) + 1))[:10_000]
    began = time.perf_counter()
    list(model.suggest_many(many))
    print(f"prediction: {len(many) / (time.perf_counter() - began):,.0f} texts a second")
    began = time.perf_counter()
    for text in texts[:300]:
        model.suggest(text)
    print(f"one text with reasons: {1000 * (time.perf_counter() - began) / min(300, len(texts)):.2f} ms")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB", flush=True)
    if options.peers:
        peers(texts, labels, options.seeds)


def peers(texts: list[str], labels: list[str], seeds: int) -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.metrics import f1_score
    from sklearn.svm import LinearSVC

    names, target = np.unique(labels, return_inverse=True)
    groups = near_duplicates(texts)
    for longest in (3, 4):
        scores = []
        for seed in range(seeds):
            fold, guess = deal(groups, target, folds=FOLDS, seed=seed), np.empty_like(target)
            for each in range(FOLDS):
                here, there = np.flatnonzero(fold == each), np.flatnonzero(fold != each)
                words = TfidfVectorizer(analyzer="char", ngram_range=(1, longest), sublinear_tf=True, min_df=2)
                learned = words.fit_transform([texts[at] for at in there])
                machine = LinearSVC(class_weight="balanced", random_state=0).fit(learned, target[there])
                guess[here] = machine.predict(words.transform([texts[at] for at in here]))
            scores.append(f1_score(target, guess, average="macro"))
        print(
            f"characters 1–{longest}, linear SVM: macro-F1 {np.mean(scores):.4f} over {seeds} seeds, {len(names)} labels",
            flush=True,
        )


if __name__ == "__main__":
    main()
