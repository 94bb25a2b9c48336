"""Labelled texts out of CSV (UTF-8 with or without BOM, GB18030) and XLSX: the columns `text` and `label`."""

from __future__ import annotations

import csv
import io
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from xiezhi.engines.text.errors import InvalidInput

TEXT, LABEL = "text", "label"
LARGEST_BYTES = 500_000_000
LONGEST_FIELD = 10_000_000
_MOST_FAULTS = 20


def read_labelled(path: Path) -> tuple[list[str], list[str]]:
    """Texts and labels of every row, stripped at the ends, in order.

    Raises InvalidInput: no such file, wrong columns, no rows, rows with an empty text or label (by row number), unreadable encoding.
    """
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise InvalidInput([f"{path}: larger than {LARGEST_BYTES // 1_000_000} MB; train on a part of it"])
        data = path.read_bytes()
    except OSError as wrong:
        raise InvalidInput([f"{path}: {wrong.strerror or wrong}"]) from None
    rows = _xlsx(path, data) if data[:4] == b"PK\x03\x04" else _csv(path, data)
    return _pick(path, rows)


def _csv(path: Path, data: bytes) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(_decode(path, data), newline=""))
    before = csv.field_size_limit(LONGEST_FIELD)
    try:
        yield from enumerate(reader, 1)
    except csv.Error as wrong:
        raise InvalidInput([f"{path}: line {reader.line_num}: {wrong}"]) from None
    finally:
        csv.field_size_limit(before)


def _decode(path: Path, data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" in text:
            break
        return text
    raise InvalidInput([f"{path}: neither UTF-8 nor GB18030 text, nor an XLSX workbook; save it as CSV UTF-8"])


def _xlsx(path: Path, data: bytes) -> Iterator[tuple[int, list[str]]]:
    from openpyxl import load_workbook

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # styles and validations that nobody reads here
            book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
            for number, row in enumerate(book.worksheets[0].iter_rows(values_only=True), 1):
                yield number, ["" if cell is None else str(cell) for cell in row]
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, IndexError, EOFError) as wrong:
        raise InvalidInput(
            [f"{path}: not a workbook that can be read ({wrong}); save it again as XLSX or CSV"]
        ) from None


def _pick(path: Path, rows: Iterable[tuple[int, list[str]]]) -> tuple[list[str], list[str]]:
    rows = iter(rows)
    header = [cell.strip().lower() for cell in next(rows, (0, []))[1]]
    for name in (TEXT, LABEL):
        if header.count(name) != 1:
            have = "、".join(filter(None, header))[:200] or "nothing"
            raise InvalidInput(
                [f"{path}: the first row must name the columns {TEXT} and {LABEL} once each; it holds {have}"]
            )
    at_text, at_label = header.index(TEXT), header.index(LABEL)
    texts, labels, faults = [], [], []
    for number, row in rows:
        if not any(cell.strip() for cell in row):
            continue
        text, label = ((row[at] if at < len(row) else "").strip() for at in (at_text, at_label))
        if not text or not label:
            faults.append(
                f"{path}: row {number}: the {TEXT if not text else LABEL} is empty; fill it in or delete the row"
            )
        texts.append(text)
        labels.append(label)
    if len(faults) > _MOST_FAULTS:
        faults = [*faults[:_MOST_FAULTS], f"{path}: {len(faults) - _MOST_FAULTS} more rows like these"]
    if not texts:
        faults = [f"{path}: there are no rows under the header"]
    if faults:
        raise InvalidInput(faults)
    return texts, labels
