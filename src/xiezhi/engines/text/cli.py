"""`xiezhi complaints train FILE --out MODEL` and `xiezhi complaints evaluate FILE [--model MODEL] [--json]`."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from xiezhi.engines.text.errors import InvalidInput

if TYPE_CHECKING:
    from xiezhi.engines.text.training import Evaluation

WRONG_INPUT, INTERRUPTED = 2, 130


def main(argv: list[str]) -> int:
    """Run the command; 0 done, 2 bad input (nothing written), 130 interrupted."""
    options = parser().parse_args(argv)
    try:
        return _train(options) if options.command == "train" else _evaluate(options)
    except InvalidInput as invalid:
        _clear(options)
        for fault in invalid.faults:
            print(fault, file=sys.stderr)
        return WRONG_INPUT
    except KeyboardInterrupt:
        _clear(options)
        print("interrupted; nothing was written", file=sys.stderr)
        return INTERRUPTED


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    whole = argparse.ArgumentParser(
        prog="xiezhi complaints", description="Learn from labelled texts (CSV or XLSX with the columns text and label)."
    )
    commands = whole.add_subparsers(dest="command", required=True)
    train = commands.add_parser("train", help="learn a model from labelled texts")
    train.add_argument("file", metavar="FILE", type=Path)
    train.add_argument("--out", metavar="MODEL", type=Path, required=True, help="model file to write")
    train.add_argument("--seed", type=int, default=0, help="of the internal folds (default 0)")
    evaluate = commands.add_parser("evaluate", help="cross-validate, or measure a model on labelled texts")
    evaluate.add_argument("file", metavar="FILE", type=Path)
    evaluate.add_argument("--model", metavar="MODEL", type=Path, help="measure this model instead of cross-validating")
    evaluate.add_argument("--seeds", type=int, default=5, help="how many divisions into folds (default 5)")
    evaluate.add_argument("--json", action="store_true", help="everything, as JSON")
    for each in (train, evaluate):
        each.add_argument(
            "--precision", type=float, help="share of given suggestions that should be right (default 0.9)"
        )
        each.add_argument("--quiet", action="store_true", help="no progress")
    return whole


def _train(options: argparse.Namespace) -> int:
    from xiezhi.engines.text.files import read_labelled
    from xiezhi.engines.text.modelfile import digest, dump
    from xiezhi.engines.text.training import train

    texts, labels = read_labelled(options.file)
    model = train(texts, labels, seed=options.seed, precision=_precision(options), on_progress=_progress(options))
    data = dump(model)
    _write(options.out, data)
    _clear(options)
    measured = model.facts.out_of_fold
    print(
        f"{options.out}: {len(model.labels)} labels from {len(texts)} texts ({model.facts.groups} distinct); out of fold"
        f" macro-F1 {measured['macro_f1']:.4f}, accuracy {measured['accuracy']:.4f}, calibration error {measured['ece']:.4f};"
        f" answers {100 * measured['answered']:.1f} % at confidence {model.threshold:.3f} and above; sha256 {digest(data)}"
    )
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    from xiezhi.engines.text.files import read_labelled
    from xiezhi.engines.text.modelfile import load
    from xiezhi.engines.text.training import cross_validate, measure, source_digest

    if options.seeds < 1:
        raise InvalidInput([f"--seeds {options.seeds}: at least 1"])
    texts, labels = read_labelled(options.file)
    if options.model is None:
        precision = _precision(options)
        found = cross_validate(
            texts, labels, seeds=range(options.seeds), precision=precision, on_progress=_progress(options)
        )
        own_texts = False
    else:
        if options.precision is not None:
            raise InvalidInput(["--precision is part of the model; leave it out with --model"])
        try:
            model = load(options.model.read_bytes())
        except OSError as wrong:
            raise InvalidInput([f"{options.model}: {wrong.strerror or wrong}"]) from None
        except InvalidInput as invalid:
            raise InvalidInput([f"{options.model}: {fault}" for fault in invalid.faults]) from None
        found = measure(model, texts, labels)
        own_texts = model.facts.source_digest == source_digest(texts, labels)
    _clear(options)
    if own_texts:
        print("the model learned from these very texts: the figures flatter it", file=sys.stderr)
    print(json.dumps(report(found), ensure_ascii=False, indent=2) if options.json else _told(found))
    return 0


def report(found: Evaluation) -> dict[str, object]:
    """What `--json` prints: every figure, rounded to six places."""
    return {
        "macro_f1": round(found.macro_f1, 6),
        "macro_f1_by_seed": [round(each, 6) for each in found.by_seed],
        "accuracy": round(found.accuracy, 6),
        "method": f"duplicate-safe stratified {found.folds}-fold cross-validation" if found.folds else "given model",
        "folds": found.folds,
        "seeds": len(found.by_seed) if found.folds else 0,
        "texts": found.texts,
        "distinct_texts": found.groups,
        "per_class": {
            each.label: {k: round(v, 6) if isinstance(v, float) else v for k, v in asdict(each).items() if k != "label"}
            for each in found.per_label
        },
        "calibration": {
            "ece": round(found.ece, 6),
            "reliability": [
                {"texts": each.texts, "claimed": round(each.claimed, 6), "right": round(each.right, 6)}
                for each in found.bins
            ],
        },
        "abstention": {"answered": round(found.answered, 6), "answered_right": round(found.answered_right, 6)},
        "confusion": {"labels": list(found.labels), "rows": [list(row) for row in found.confusion]},
    }


def _told(found: Evaluation) -> str:
    spread = f" (from {min(found.by_seed):.4f} to {max(found.by_seed):.4f} over {len(found.by_seed)} seeds)"
    lines = [
        f"macro_f1 {found.macro_f1:.4f}{spread if found.folds else ''}, accuracy {found.accuracy:.4f};"
        f" {found.texts} texts, {found.groups} distinct",
        f"calibration error (ECE) {found.ece:.4f}; answered {100 * found.answered:.1f} %, of which right"
        f" {100 * found.answered_right:.1f} %",
        "",
        "precision  recall      f1   texts  label",
        *(f"{s.precision:9.4f} {s.recall:7.4f} {s.f1:7.4f} {s.texts:7d}  {s.label}" for s in found.per_label),
        "",
        "claimed   right   texts  (confidence against truth)",
        *(f"{each.claimed:7.3f} {each.right:7.3f} {each.texts:7d}" for each in found.bins),
        "",
        "true label below, taken for:  " + "  ".join(f"{n}={name}" for n, name in enumerate(found.labels, 1)),
        *(
            "".join(f"{count:7d}" for count in row) + f"  {n}={name}"
            for n, (name, row) in enumerate(zip(found.labels, found.confusion, strict=True), 1)
        ),
    ]
    return "\n".join(lines)


def _precision(options: argparse.Namespace) -> float:
    from xiezhi.engines.text.training import PRECISION

    wanted: float = PRECISION if options.precision is None else options.precision
    if not 0 < wanted <= 1:
        raise InvalidInput([f"--precision {wanted}: above 0, at most 1"])
    return wanted


class _progress:  # noqa: N801 - called like a function
    """Phase and share done on standard error, if someone is watching."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.shown = _watched(options)

    def __call__(self, phase: str, done: int, total: int) -> None:
        if self.shown:
            filled = "█" * (24 * done // max(1, total))
            sys.stderr.write(f"\r{phase:<10} {filled:<24} {done}/{total}\x1b[K")
            sys.stderr.flush()


def _watched(options: argparse.Namespace) -> bool:
    return sys.stderr.isatty() and not options.quiet


def _clear(options: argparse.Namespace) -> None:
    if _watched(options):
        sys.stderr.write("\r\x1b[K")


def _write(path: Path, data: bytes) -> None:
    """All or nothing: a file beside it takes its place when it is whole."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(data)
        beside.replace(path)
    except OSError as wrong:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise InvalidInput([f"{path}: {wrong.strerror or wrong}; nothing was written"]) from None
