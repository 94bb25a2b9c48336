"""Bad input is refused before planning, with file, row and column; nothing is written."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from xiezhi.engines.planning import CapacityRow, CheckRow, InvalidInput, Params, Problem, SubjectRow
from xiezhi.engines.planning.cli import main
from xiezhi.engines.planning.files import read_input

SUBJECTS = """subject_id,district,street,lon,lat,opt_out,closed_weekdays
S1,D1,A,116.3,39.9,0,67
S2,D1,B,116.4,39.8,1,
"""
CHECKS = """check_id,subject_id,department,item,earliest,latest,minutes,safety,urgent,source,pinned_visit,pinned_on
C1,S1,消防,消防1,2026-07-01,2026-07-10,40,1,0,routine,,
C2,S1,卫生,卫生1,2026-07-01,2026-07-10,30,0,1,random,,
C3,S2,消防,消防2,2026-07-02,2026-07-03,60,0,0,special,,
C4,S1,消防,消防2,2026-07-01,2026-07-10,50,0,0,case,,
"""
CAPACITY = """department,district,street,date,minutes
消防,D1,A,2026-07-01,100
消防,D1,A,2026-07-02,360
消防,D1,,2026-07-02,360
卫生,D1,,2026-07-02,360
卫生,D1,,2026-07-03,360
卫生,D1,,2026-07-06,360
"""
PAIRS = "item_a,item_b\n消防1,卫生1\n"


def folder(at: Path, **changed: str) -> Path:
    """A sound input folder with some files replaced."""
    at.mkdir(exist_ok=True)
    files = {"subjects": SUBJECTS, "checks": CHECKS, "capacity": CAPACITY, "incompatible": PAIRS} | changed
    for name, text in files.items():
        suffix = "toml" if name == "params" else "csv"
        (at / f"{name}.{suffix}").write_text(text, "utf-8")
    return at


def pinned(text: str, check: str, visit: str, on: str) -> str:
    """The checks with one confirmed."""
    rows = [f"{r[:-1]}{visit},{on}" if r.startswith(check) else r for r in text.splitlines()]
    return "\n".join(rows) + "\n"


def pins(*confirmed: tuple[str, str, str]) -> str:
    text = CHECKS
    for check, visit, on in confirmed:
        text = pinned(text, check, visit, on)
    return text


BAD = [
    ("subjects", SUBJECTS.replace("S2", "S1"), "subjects.csv", 2, "subject_id"),
    ("subjects", SUBJECTS.replace("S1,D1", ",D1"), "subjects.csv", 1, "subject_id"),
    ("subjects", SUBJECTS.replace("D1,B", ",B"), "subjects.csv", 2, "district"),
    ("subjects", SUBJECTS.replace("116.4", "NaN"), "subjects.csv", 2, "lon"),
    ("subjects", SUBJECTS.replace("39.8", "139.8"), "subjects.csv", 2, "lat"),
    ("subjects", SUBJECTS.replace(",1,", ",2,"), "subjects.csv", 2, "opt_out"),
    ("subjects", SUBJECTS.replace(",67", ",68"), "subjects.csv", 1, "closed_weekdays"),
    ("subjects", SUBJECTS.replace(",closed_weekdays", ",shut"), "subjects.csv", 0, "closed_weekdays"),
    ("checks", CHECKS.replace("C4,", "C1,"), "checks.csv", 4, "check_id"),
    ("checks", CHECKS.replace("C3,S2", "C3,S9"), "checks.csv", 3, "subject_id"),
    ("checks", CHECKS.replace("S2,消防,", "S2,消;防,"), "checks.csv", 3, "department"),
    ("checks", CHECKS.replace("S2,消防,", "S2,,"), "checks.csv", 3, "department"),
    ("checks", CHECKS.replace("2026-07-02,2026-07-03", "2026-07-32,2026-07-03"), "checks.csv", 3, "earliest"),
    ("checks", CHECKS.replace("2026-07-02,2026-07-03", "2026-07-04,2026-07-03"), "checks.csv", 3, "latest"),
    ("checks", CHECKS.replace(",60,", ",0,"), "checks.csv", 3, "minutes"),
    ("checks", CHECKS.replace(",60,", ",-5,"), "checks.csv", 3, "minutes"),
    ("checks", CHECKS.replace(",60,", ",60.5,"), "checks.csv", 3, "minutes"),
    ("checks", CHECKS.replace(",60,", ",NaN,"), "checks.csv", 3, "minutes"),
    ("checks", CHECKS.replace(",60,", ",99999999999999999999,"), "checks.csv", 3, "minutes"),
    ("checks", CHECKS.replace("60,0,0", "60,yes,0"), "checks.csv", 3, "safety"),
    ("checks", CHECKS.replace("60,0,0", "60,0,"), "checks.csv", 3, "urgent"),
    ("checks", CHECKS.replace("special", "habit"), "checks.csv", 3, "source"),
    ("capacity", CAPACITY.replace("卫生,D1,,2026-07-06", "城管,D1,,2026-07-06"), "capacity.csv", 6, "department"),
    ("capacity", CAPACITY.replace("2026-07-06", "2026-07-03"), "capacity.csv", 6, "date"),
    ("capacity", CAPACITY.replace("2026-07-06", "6 July"), "capacity.csv", 6, "date"),
    ("capacity", CAPACITY.replace("07-06,360", "07-06,-1"), "capacity.csv", 6, "minutes"),
    ("capacity", CAPACITY.replace("07-06,360", "07-06,inf"), "capacity.csv", 6, "minutes"),
    ("incompatible", "item_a,item_b\n消防1,\n", "incompatible.csv", 1, "item_b"),
    ("params", "max_departments = 0\n", "params.toml", 0, "max_departments"),
    ("params", "travel_minutes = 1.5\n", "params.toml", 0, "travel_minutes"),
    ("params", "max_visits = 3\n", "params.toml", 0, "max_visits"),
    ("params", "max_departments = \n", "params.toml", 0, ""),
    ("checks", pins(("C1", "P", "")), "checks.csv", 1, "pinned_on"),
    ("checks", pins(("C1", "", "2026-07-02")), "checks.csv", 1, "pinned_visit"),
    ("checks", pins(("C1", "P", "2026-07-02"), ("C4", "P", "2026-07-01")), "checks.csv", 4, "pinned_on"),
    ("checks", pins(("C1", "P", "2026-07-02"), ("C3", "P", "2026-07-02")), "checks.csv", 3, "pinned_visit"),
    ("checks", pins(("C3", "P", "2026-07-01")), "checks.csv", 3, "pinned_on"),  # before its window
    ("checks", pins(("C3", "P", "2026-07-03")), "checks.csv", 3, "pinned_on"),  # pool shut
    ("checks", pins(("C4", "P", "2026-07-04")), "checks.csv", 4, "pinned_on"),  # closed on Saturdays
    ("checks", pins(("C2", "P", "2026-07-06")), "checks.csv", 2, "pinned_on"),  # urgent: 2 and 3 July came first
    ("checks", pins(("C1", "P", "2026-07-02"), ("C2", "P", "2026-07-02")), "checks.csv", 1, "pinned_visit"),
    ("checks", pins(("C1", "P", "2026-07-01"), ("C4", "Q", "2026-07-01")), "checks.csv", 1, "pinned_on"),
]


@pytest.mark.parametrize(("name", "text", "file", "row", "column"), BAD)
def test_each_fault_is_named(tmp_path: Path, name: str, text: str, file: str, row: int, column: str) -> None:
    source = folder(tmp_path / "in", **{name: text})
    with pytest.raises(InvalidInput) as refused:
        read_input(source)
    found = {(e.file, e.row, e.column) for e in refused.value.errors}
    assert (file, row, column) in found, refused.value
    assert main([str(source), "--out", str(tmp_path / "out")]) == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in"]


@pytest.mark.parametrize(
    ("params", "column"), [("max_on_site_minutes = 80\n", "pinned_visit"), ("max_departments = 1\n", "pinned_visit")]
)
def test_pins_must_obey_the_limits(tmp_path: Path, params: str, column: str) -> None:
    confirmed = pins(("C1", "P", "2026-07-02"), ("C4", "P", "2026-07-02"))
    if "departments" in params:
        confirmed = pins(("C4", "P", "2026-07-02"), ("C2", "P", "2026-07-02"))
    read_input(folder(tmp_path / "sound", checks=confirmed))
    with pytest.raises(InvalidInput) as refused:
        read_input(folder(tmp_path / "in", checks=confirmed, params=params))
    assert {e.column for e in refused.value.errors} == {column}


def test_all_faults_are_listed_at_once(tmp_path: Path) -> None:
    source = folder(
        tmp_path / "in",
        subjects=SUBJECTS.replace("116.4", "x"),
        checks=CHECKS.replace(",60,", ",0,").replace("special", "?"),
        capacity=CAPACITY.replace("2026-07-06", "-"),
    )
    with pytest.raises(InvalidInput) as refused:
        read_input(source)
    assert [(e.file, e.row, e.column) for e in refused.value.errors] == [
        ("capacity.csv", 6, "date"),
        ("checks.csv", 3, "minutes"),
        ("checks.csv", 3, "source"),
        ("subjects.csv", 2, "lon"),
    ]


def test_many_faults_of_one_kind_are_counted_not_listed(tmp_path: Path) -> None:
    rows = [f"C{k},S1,消防,消防1,2026-07-01,2026-07-10,0,1,0,routine,," for k in range(500)]
    source = folder(tmp_path / "in", checks="\n".join([CHECKS.splitlines()[0], *rows]) + "\n", capacity=CAPACITY)
    with pytest.raises(InvalidInput) as refused:
        read_input(source)
    minutes = [e for e in refused.value.errors if e.column == "minutes"]
    assert len(minutes) == 101 and "400 more rows" in " ".join(e.message for e in minutes)


@pytest.mark.parametrize("name", ["subjects", "checks", "capacity"])
def test_a_missing_or_unreadable_table(tmp_path: Path, name: str) -> None:
    source = folder(tmp_path / "in")
    (source / f"{name}.csv").unlink()
    with pytest.raises(InvalidInput, match=name):
        read_input(source)
    (source / f"{name}.parquet").write_bytes(b"not parquet")
    with pytest.raises(InvalidInput, match="can't be read"):
        read_input(source)


def test_parquet_columns_of_the_wrong_type(tmp_path: Path) -> None:
    source = folder(tmp_path / "in")
    checks = pl.read_csv(source / "checks.csv", infer_schema=False, empty_string_is_null=False)
    (source / "checks.csv").unlink()
    minutes = checks.with_columns(minutes=pl.Series([40.0, float("nan"), 1.5, None]))
    minutes.write_parquet(source / "checks.parquet")
    with pytest.raises(InvalidInput) as refused:
        read_input(source)
    assert [(e.row, e.column) for e in refused.value.errors] == [(2, "minutes"), (3, "minutes"), (4, "minutes")]
    checks.with_columns(earliest=pl.lit(20260701)).write_parquet(source / "checks.parquet")
    with pytest.raises(InvalidInput, match="dates"):
        read_input(source)


def test_rows_are_checked_by_the_same_rules() -> None:
    on = dt.date(2026, 7, 1)
    with pytest.raises(InvalidInput) as refused:
        Problem.from_rows(
            [SubjectRow("S1", "D1", "A")],
            [CheckRow("C1", "S1", "消防", "x", on, on, 0), CheckRow("C1", "S2", "消防", "x", on, on, 10)],
            [CapacityRow("消防", "D1", "A", on, -1), CapacityRow("卫生", "D1", "A", on, -1)],
        )
    assert {(e.file, e.row, e.column) for e in refused.value.errors} == {
        ("capacity", 1, "minutes"),
        ("checks", 1, "minutes"),
        ("checks", 2, "check_id"),
        ("checks", 2, "subject_id"),
    }


def test_no_subjects_no_checks_no_capacity_is_an_empty_problem() -> None:
    problem = Problem.from_rows([], [], [], params=Params())
    assert len(problem.check_ids) == 0 and problem.capacity.shape == (0, 0)
