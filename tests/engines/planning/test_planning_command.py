"""The command: folders in and out, the same plan each time, nothing half-written, no Django."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from benchmarks.planning.instances import Size, make, write
from xiezhi.engines.planning import solve
from xiezhi.engines.planning.cli import main
from xiezhi.engines.planning.files import read_input, read_plan

FILES = ["apart", "assignments", "prices", "unplaced", "visits"]
SMALL = Size(300, 2, 4, 0.9)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One instance as Parquet and as CSV."""
    at = tmp_path_factory.mktemp("planning")
    tables = make(SMALL, seed=5, departments=5)
    write(tables, at / "parquet")
    write(tables, at / "csv", "csv")
    return at


def contents(folder: Path) -> dict[str, bytes]:
    """What a run wrote, without the seconds."""
    found = {p.name: p.read_bytes() for p in folder.iterdir() if p.name != "report.json"}
    report = json.loads((folder / "report.json").read_text("utf-8"))
    del report["seconds"]
    return found | {"report.json": json.dumps(report).encode()}


def test_both_suffixes_give_the_same_plan_and_it_verifies(
    folders: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frames = {}
    for suffix in ("parquet", "csv"):
        out = tmp_path / suffix
        assert main([str(folders / suffix), "--out", str(out), "--seed", "3"]) == 0
        assert sorted(p.name for p in out.iterdir()) == sorted([f"{f}.{suffix}" for f in FILES] + ["report.json"])
        assert main(["verify", str(folders / suffix), str(out)]) == 0
        read = pl.read_parquet if suffix == "parquet" else pl.read_csv
        frames[suffix] = {f: read(out / f"{f}.{suffix}") for f in FILES}
        assert "every rule holds" in capsys.readouterr().out
    for name in FILES:
        one, two = (frames[s][name] for s in ("parquet", "csv"))
        assert one.columns == two.columns
        assert one.cast(pl.String).rows() == two.cast(pl.String).fill_null("").rows()
    report = json.loads((tmp_path / "csv" / "report.json").read_text("utf-8"))
    assert report["seed"] == 3 and report["input_digest"].startswith("sha256:") and report["version"]
    assert {"read", "prepare", "plan", "bound", "report", "write"} <= set(report["seconds"])
    assert report["visits"] == len(frames["csv"]["visits"])
    assert report["checks"] == len(frames["csv"]["assignments"]) + len(frames["csv"]["unplaced"])


def test_any_number_of_workers_writes_the_same_bytes(folders: Path, tmp_path: Path) -> None:
    for workers in ("1", "2", "5"):
        assert main([str(folders / "parquet"), "--out", str(tmp_path / workers), "--workers", workers]) == 0
    assert contents(tmp_path / "1") == contents(tmp_path / "2") == contents(tmp_path / "5")


def test_a_plan_reads_back_as_it_was_written(folders: Path, tmp_path: Path) -> None:
    main([str(folders / "csv"), "--out", str(tmp_path / "out")])
    source = read_input(folders / "csv")
    made, read = solve(source.problem, params=source.params), read_plan(source, tmp_path / "out")
    assert list(made.visits()) == list(read.visits())
    assert list(made.unplaced()) == list(read.unplaced())
    assert list(made.apart()) == list(read.apart())
    assert list(made.prices()) == list(read.prices())
    assert made.summary() == read.summary()


def tamper(out: Path, name: str, change: pl.Expr) -> None:
    path = out / f"{name}.csv"
    pl.read_csv(path, infer_schema=False, empty_string_is_null=False).with_columns(change).write_csv(path)


@pytest.mark.parametrize(
    ("name", "change", "status"),
    [
        ("visits", pl.col("lead").reverse(), 1),
        ("visits", pl.lit("2026-08-01").alias("date"), 1),
        ("visits", pl.lit("nobody").alias("subject_id"), 2),
        ("visits", pl.lit("消防").alias("departments"), 2),
        ("assignments", pl.col("visit_id").reverse(), 1),
        ("assignments", pl.lit("V1").alias("visit_id"), 2),
        ("assignments", pl.col("check_id").shift(1).fill_null("C?"), 2),
    ],
)
def test_a_tampered_plan_does_not_verify(
    folders: Path, tmp_path: Path, name: str, change: pl.Expr, status: int
) -> None:
    out = tmp_path / "out"
    main([str(folders / "csv"), "--out", str(out)])
    tamper(out, name, change)
    assert main(["verify", str(folders / "csv"), str(out)]) in {status, 2}


def test_a_folder_that_is_not_a_plan_is_left_alone(folders: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("keep")
    assert main([str(folders / "csv"), "--out", str(tmp_path / "mine")]) == 2
    assert main([str(folders / "csv"), "--out", str(folders / "csv")]) == 2
    assert (tmp_path / "mine" / "letter.txt").read_text() == "keep" and (folders / "csv" / "checks.csv").exists()


@pytest.mark.parametrize("phase", ["read", "plan", "bound", "write"])
def test_an_interrupt_leaves_the_former_plan_whole(
    folders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, phase: str
) -> None:
    out = tmp_path / "out"
    main([str(folders / "csv"), "--out", str(out), "--seed", "1"])
    before = contents(out)

    def interrupt(self: object, name: str, done: int, total: int) -> None:
        if name == phase:
            raise KeyboardInterrupt

    monkeypatch.setattr("xiezhi.engines.planning.cli.Bar.__call__", interrupt)
    assert main([str(folders / "csv"), "--out", str(out), "--seed", "2"]) == 130
    assert contents(out) == before and sorted(p.name for p in tmp_path.iterdir()) == ["out"]


def test_explain_finds_the_input_by_itself(folders: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    main([str(folders / "csv"), "--out", str(out)])
    apart = pl.read_csv(out / "apart.csv")
    capsys.readouterr()
    assert main(["explain", str(out), apart["check_a"][0], apart["check_b"][0]]) == 0
    assert apart["check_a"][0] in capsys.readouterr().out
    assert main(["explain", str(out), "nobody"]) == 2
    assert main(["explain", str(tmp_path), "nobody"]) == 2


def test_nothing_due_is_a_plan_too(folders: Path, tmp_path: Path) -> None:
    tables = make(SMALL, seed=5, departments=5)
    write({n: f.head(0) for n, f in tables.items()}, tmp_path / "in", "csv")
    assert main([str(tmp_path / "in"), "--out", str(tmp_path / "out")]) == 0
    assert main(["verify", str(tmp_path / "in"), str(tmp_path / "out")]) == 0


def test_planning_needs_no_django() -> None:
    code = "import sys; from xiezhi.cli import main; import xiezhi.engines.planning; assert 'django' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": "src", "PATH": ""})


def test_a_year_long_horizon_and_odd_weekdays(tmp_path: Path) -> None:
    """More than 64 open dates: masks of several words."""
    days = [dt.date(2026, 1, 1) + dt.timedelta(days=k) for k in range(200)]
    (tmp_path / "in").mkdir()
    pl.DataFrame(
        {
            "subject_id": ["S1", "S2"],
            "district": "D",
            "street": "A",
            "lon": 116.0,
            "lat": 39.0,
            "opt_out": 0,
            "closed_weekdays": ["12345", ""],
        }
    ).write_csv(tmp_path / "in" / "subjects.csv")
    pl.DataFrame(
        {
            "check_id": ["C1", "C2", "C3"],
            "subject_id": ["S1", "S1", "S2"],
            "department": ["甲", "乙", "甲"],
            "item": ["x", "y", "x"],
            "earliest": [days[0], days[180], days[199]],
            "latest": days[199],
            "minutes": 30,
            "safety": 0,
            "urgent": 0,
            "source": "routine",
        }
    ).write_csv(tmp_path / "in" / "checks.csv")
    rows = [{"department": d, "district": "D", "street": "", "date": on, "minutes": 60} for d in "甲乙" for on in days]
    pl.DataFrame(rows).write_csv(tmp_path / "in" / "capacity.csv")
    assert main([str(tmp_path / "in"), "--out", str(tmp_path / "out")]) == 0
    assert main(["verify", str(tmp_path / "in"), str(tmp_path / "out")]) == 0
    visits = pl.read_csv(tmp_path / "out" / "visits.csv", try_parse_dates=True)
    assert len(visits) == 2 and visits["date"][0].isoweekday() in (6, 7)
