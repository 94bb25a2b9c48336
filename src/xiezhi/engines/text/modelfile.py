"""A model as bytes: a line that names the format, one line of JSON, then plain numbers. Nothing in it is ever executed.

``xiezhi-text-model 1 <sha256 of all that follows>\\n`` · JSON in one line (labels, head starts, temperature, threshold, facts, count of columns) ·
little-endian int32 columns, float32 scales, float32 weights row by row. The same model gives the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict
from typing import Any

import numpy as np

from xiezhi.engines.text import ridge
from xiezhi.engines.text.errors import InvalidInput
from xiezhi.engines.text.grams import BITS
from xiezhi.engines.text.model import Facts, Model

NAME = b"xiezhi-text-model"
VERSION = 1
_LONGEST_LINE = 1_000_000


def dump(model: Model) -> bytes:
    """The model's file."""
    weights = model.weights
    head = {
        "labels": list(model.labels),
        "temperature": model.temperature,
        "threshold": model.threshold,
        "shift": [float(each) for each in weights.shift],
        "columns": len(weights.columns),
        "facts": asdict(model.facts),
    }
    line = json.dumps(head, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    numbers = (weights.columns.astype("<i4"), weights.scale.astype("<f4"), weights.weights.astype("<f4"))
    body = line + b"".join(each.tobytes() for each in numbers)
    return b"%s %d %s\n" % (NAME, VERSION, hashlib.sha256(body).hexdigest().encode()) + body


def digest(data: bytes) -> str:
    """What a model's file is known by: the SHA-256 that its first line carries."""
    return data[: data.index(b"\n")].rsplit(b" ", 1)[-1].decode()


def load(data: bytes) -> Model:
    """The model in a file's bytes. Raises InvalidInput for anything that `dump` did not write, another version's file included."""
    first, _, body = data.partition(b"\n")
    words = first[:200].split(b" ")
    if len(words) != 3 or words[0] != NAME:
        raise InvalidInput(["this is not a model file; make one with: xiezhi complaints train FILE --out MODEL"])
    if words[1] != b"%d" % VERSION:
        raise InvalidInput([f"this version reads model files of version {VERSION}; train the model again"])
    if words[2].decode("ascii", "replace") != hashlib.sha256(body).hexdigest():
        raise InvalidInput(
            ["the model file was changed or cut short: its digest does not match; train or copy it again"]
        )
    line, _, numbers = body.partition(b"\n")
    try:
        if len(line) > _LONGEST_LINE:
            raise ValueError("its head is too long")
        return _model(json.loads(line), numbers)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as wrong:
        raise InvalidInput([f"the model file holds what no model does ({wrong}); train it again"]) from None


def _model(head: dict[str, Any], numbers: bytes) -> Model:
    labels, columns = tuple(head["labels"]), int(head["columns"])
    facts = Facts(**head["facts"])
    temperature, threshold = float(head["temperature"]), float(head["threshold"])
    if not all(isinstance(each, str) for each in labels) or len(set(labels)) != len(labels) or len(labels) < 2:
        raise ValueError("labels")
    if columns < 1 or len(numbers) != 4 * columns * (2 + len(labels)):
        raise ValueError("size")
    if not (math.isfinite(temperature) and temperature > 0 and 0 <= threshold <= 1):
        raise ValueError("temperature or threshold")
    shift = np.array([float(each) for each in head["shift"]])
    if len(shift) != len(labels) or not np.isfinite(shift).all():
        raise ValueError("head starts")
    buckets = np.frombuffer(numbers, "<i4", columns)
    scale = np.frombuffer(numbers, "<f4", columns, offset=4 * columns)
    weights = np.frombuffer(numbers, "<f4", offset=8 * columns).reshape(columns, len(labels))
    if not (np.isfinite(scale).all() and np.isfinite(weights).all()):
        raise ValueError("numbers that are not finite")
    if (np.diff(buckets) <= 0).any() or buckets[0] < 0 or buckets[-1] >= len(ridge.ORDERS) << BITS:
        raise ValueError("columns")
    return Model(labels, ridge.Weights(buckets, scale, weights, shift), temperature, threshold, facts)
