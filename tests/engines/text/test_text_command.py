"""`xiezhi complaints`: files in, figures out, nothing half-written, no Django."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
from openpyxl import Workbook

from tests.engines.text.made import complaints
from xiezhi.engines.text.cli import main

ROWS = list(zip(*complaints(90, 3), strict=True))


def written(path: Path, rows: list[tuple[str, ...]], encoding: str = "utf-8") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows(rows)
    return path


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("text") / "rows.csv", [("text", "label"), *ROWS])


def test_every_kind_of_file_gives_the_same_model(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    book = Workbook()
    for row in [("编号", "label", "text"), *((n, label, text) for n, (text, label) in enumerate(ROWS))]:
        book.active.append(row)
    book.save(tmp_path / "rows.xlsx")
    others = [
        written(tmp_path / "bom.csv", [("Text ", "LABEL"), *ROWS, ("", "")], "utf-8-sig"),
        written(tmp_path / "gb.csv", [("text", "label"), *ROWS], "gb18030"),
        tmp_path / "rows.xlsx",
    ]
    assert main(["train", str(source), "--out", str(tmp_path / "first")]) == 0
    for each in others:
        assert main(["train", str(each), "--out", str(tmp_path / "other")]) == 0
        assert (tmp_path / "other").read_bytes() == (tmp_path / "first").read_bytes()
    assert "macro-F1" in capsys.readouterr().out
    assert {each.name for each in tmp_path.iterdir()} == {"bom.csv", "gb.csv", "rows.xlsx", "first", "other"}

    assert main(["evaluate", str(source), "--model", str(tmp_path / "first"), "--json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert found["method"] == "given model" and found["texts"] == 90 and 0.8 < found["macro_f1"] <= 1
    assert "flatter" in err


def test_cross_validation_prints_every_figure(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(source), "--json", "--seeds", "2"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {"macro_f1", "per_class", "calibration", "confusion", "abstention"} <= set(found)
    assert len(found["macro_f1_by_seed"]) == found["seeds"] == 2 and found["folds"] == 5
    assert sum(map(sum, found["confusion"]["rows"])) == 2 * 90
    assert sum(each["texts"] for each in found["calibration"]["reliability"]) == 2 * 90
    assert set(found["per_class"]) == set(found["confusion"]["labels"])
    assert main(["evaluate", str(source), "--seeds", "1"]) == 0
    out = capsys.readouterr().out
    assert f"{found['macro_f1_by_seed'][0]:.4f}" in out and "计量" in out


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "must name the columns"),
        (b"text,text,label\n1,2,3\n", "once each"),
        ("内容,类别\n甲,乙\n".encode(), "内容、类别"),
        (b"text,label\n", "no rows"),
        (b"text,label\n,a\nb,\n", "row 2: the text is empty"),
        (b"text,label\na,b\n", "at least two labels"),
        (b"\xff\xfe\x00\x01", "neither UTF-8 nor GB18030"),
        (b"PK\x03\x04nonsense", "not a workbook"),
    ],
)
def test_bad_files_say_where_and_what(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, said: str
) -> None:
    (tmp_path / "bad").write_bytes(content)
    assert main(["train", str(tmp_path / "bad"), "--out", str(tmp_path / "model")]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "model").exists()


def test_bad_options_and_models_are_refused(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(tmp_path / "absent")]) == 2
    assert main(["evaluate", str(source), "--seeds", "0"]) == 2
    assert main(["evaluate", str(source), "--precision", "1.5"]) == 2
    assert main(["evaluate", str(source), "--model", str(source)]) == 2
    assert main(["train", str(source), "--out", str(tmp_path / "no" / "model")]) == 2
    err = capsys.readouterr().err
    for said in ("absent", "--seeds 0", "--precision 1.5", "not a model file", "nothing was written"):
        assert said in err


def test_the_command_needs_no_django(source: Path, tmp_path: Path) -> None:
    program = (
        "import sys; from xiezhi.cli import main\n"
        f"code = main(['complaints', 'train', {str(source)!r}, '--out', {str(tmp_path / 'model')!r}])\n"
        "sys.exit(code or any(name.split('.')[0] == 'django' for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=120).returncode == 0
