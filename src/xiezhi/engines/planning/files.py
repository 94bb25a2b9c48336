"""Input and output folders of the contract: CSV or Parquet by suffix, read strictly and written all or nothing."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from polars.exceptions import PolarsError

from xiezhi.engines.planning.facts import department_sets
from xiezhi.engines.planning.problem import (
    APART_REASONS,
    UNPLACED_REASONS,
    Figures,
    InputError,
    InvalidInput,
    Params,
    Plan,
    Problem,
)
from xiezhi.engines.planning.tables import Faults, build, checked_params, positions, unique

VERSION = "3"  # of the planner: raised whenever the same input and seed may give another plan
SUFFIXES = (".csv", ".parquet")
TABLES = ("subjects", "checks", "capacity")


@dataclass(frozen=True)
class Input:
    """A folder as read: where, the problem, its limits, the suffix to answer in and a digest of the bytes read."""

    folder: Path
    problem: Problem
    params: Params
    suffix: str
    digest: str


def read_input(folder: Path) -> Input:
    """Read and check an input folder; raises `InvalidInput` with every fault found."""
    faults = Faults()
    if not folder.is_dir():
        raise InvalidInput([InputError(str(folder), 0, "", "is not a folder")])
    paths = {name: _table_path(folder, name, faults) for name in (*TABLES, "incompatible")}
    for name in TABLES:
        if paths[name] is None:
            faults.whole(name, "", f"there is no {name}.csv or {name}.parquet in {folder}")
    found = {name: path for name, path in paths.items() if path is not None}
    faults = Faults({name: path.name for name, path in found.items()} | {"params": "params.toml"}, faults.found)
    faults.stop()
    params = _read_params(folder / "params.toml", faults)
    tables = {name: frame for name, path in found.items() if (frame := _read_table(path, name, faults)) is not None}
    faults.stop()
    problem = build(tables, params, faults)
    files = sorted([*found.values(), *(folder.glob("params.toml"))], key=lambda path: path.name)
    return Input(folder.absolute(), problem, params, found["checks"].suffix, _digest(files))


def _table_path(folder: Path, name: str, faults: Faults) -> Path | None:
    found = [path for suffix in SUFFIXES if (path := folder / f"{name}{suffix}").is_file()]
    if len(found) > 1:
        faults.whole(name, "", f"both {found[0].name} and {found[1].name} are there; keep one")
    return found[0] if found else None


def _read_table(path: Path, name: str, faults: Faults) -> pl.DataFrame | None:
    try:
        if path.suffix == ".csv":
            return pl.read_csv(path, infer_schema=False, empty_string_is_null=False)
        return pl.read_parquet(path)
    except (PolarsError, OSError, UnicodeDecodeError) as error:
        faults.whole(name, "", f"can't be read: {str(error).splitlines()[0]}")
        return None


def _read_params(path: Path, faults: Faults) -> Params:
    if not path.exists():
        return Params()
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        faults.whole("params", "", f"can't be read: {error}")
        return Params()
    return checked_params(values, faults)


def _digest(paths: list[Path]) -> str:
    """SHA-256 over names and contents."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode() + b"\0")
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return f"sha256:{digest.hexdigest()}"


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """A folder beside `out` that takes its place only if all goes well; what stood there before stays until then."""
    out = out.absolute()
    if out.exists() and not (out / "report.json").exists() and not (out.is_dir() and not any(out.iterdir())):
        raise InvalidInput([InputError(str(out), 0, "", "is there already and is not an earlier plan; name another")])
    out.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        yield made
        made.chmod(0o755)
        old = made.with_name(made.name + ".old")
        if out.exists():
            out.rename(old)
        made.rename(out)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def write_plan(
    plan: Plan,
    source: Input,
    out: Path,
    *,
    seconds: Mapping[str, float] | None = None,
    on_progress: Callable[[str, int, int], None] | None = None,
) -> None:
    """Write the output folder of the contract; all files or none. `seconds` are phases outside the solver's own."""
    began = time.perf_counter()
    with whole_folder(out) as folder:
        for k, (name, make) in enumerate(_WRITERS.items()):
            if on_progress:
                on_progress("write", k, len(_WRITERS))
            frame = make(plan)
            if source.suffix == ".csv":
                frame.write_csv(folder / f"{name}.csv")
            else:
                frame.write_parquet(folder / f"{name}.parquet", compression="lz4", statistics=False)
        spent = dict(seconds or {}) | dict(plan.seconds) | {"write": time.perf_counter() - began}
        (folder / "report.json").write_text(report_text(plan, source, spent), "utf-8")


def report_text(plan: Plan, source: Input, seconds: Mapping[str, float]) -> str:
    """`report.json` as text. `input` is where the folder was read, so that `explain` finds it again."""
    report: dict[str, Any] = plan.summary() | {
        "seconds": {phase: round(value, 3) for phase, value in seconds.items()},
        "seed": plan.seed,
        "input": str(source.folder),
        "input_digest": source.digest,
        "version": VERSION,
    }
    return json.dumps(report, ensure_ascii=False, indent=2) + "\n"


def _dates(days: np.ndarray) -> pl.Series:
    return pl.Series(days.astype(np.int32)).cast(pl.Date)


def _visits(plan: Plan) -> pl.DataFrame:
    problem = plan.problem
    names = pl.Series(problem.departments, dtype=pl.String)
    return pl.DataFrame(
        {
            "visit_id": plan.visit_ids,
            "subject_id": problem.subject_ids.gather(plan.visit_subject),
            "date": _dates(plan.visit_date),
            "lead": names.gather(plan.visit_lead) if len(names) else names,
            "departments": _joined_departments(plan),
            "on_site_minutes": plan.visit_minutes,
        }
    )


def _joined_departments(plan: Plan) -> pl.Series:
    """Each visit's departments, `;`-joined in code-point order: each combination is spelled once."""
    departments = plan.problem.departments
    sets = np.zeros((len(plan.visit_date), len(departments) // 63 + 1), np.int64)
    department_sets(plan.problem.check_department, plan.check_visit, sets)
    code = np.zeros(len(sets), np.int64)
    for column in range(sets.shape[1]):  # fold the words into one small code
        values = pl.Series(sets[:, column]).unique().sort().to_numpy()
        code = code * len(values) + np.searchsorted(values, sets[:, column])
        known = pl.Series(code).unique().sort().to_numpy()
        code = np.searchsorted(known, code)
    example = np.zeros(int(code.max()) + 1 if len(code) else 0, np.int64)
    example[code] = np.arange(len(code))
    bits = [[k for k in range(len(departments)) if int(sets[v, k // 63]) >> (k % 63) & 1] for v in example]
    names = [";".join(departments[k] for k in present) for present in bits]
    return pl.Series(names, dtype=pl.String).gather(code)


def _assignments(plan: Plan) -> pl.DataFrame:
    held = np.flatnonzero(plan.check_visit >= 0)
    return pl.DataFrame(
        {
            "check_id": plan.problem.check_ids.gather(held),
            "visit_id": plan.visit_ids.gather(plan.check_visit[held]),
        }
    )


def _unplaced(plan: Plan) -> pl.DataFrame:
    rows = [(u.check_id, u.reason, u.detail) for u in plan.unplaced()]
    return pl.DataFrame(rows, schema=dict.fromkeys(("check_id", "reason", "detail"), pl.String), orient="row")


def _apart(plan: Plan) -> pl.DataFrame:
    ids = plan.problem.check_ids
    return pl.DataFrame(
        {
            "check_a": ids.gather(plan.apart_a),
            "check_b": ids.gather(plan.apart_b),
            "reason": pl.Series(APART_REASONS).gather(plan.apart_reason.astype(np.int64)),
        }
    )


def _prices(plan: Plan) -> pl.DataFrame:
    schema = {
        "department": pl.String,
        "district": pl.String,
        "street": pl.String,
        "date": pl.Date,
        "price": pl.Int64,
    }
    return pl.DataFrame(list(plan.prices()), schema=schema, orient="row")


_WRITERS: dict[str, Callable[[Plan], pl.DataFrame]] = {
    "visits": _visits,
    "assignments": _assignments,
    "unplaced": _unplaced,
    "apart": _apart,
    "prices": _prices,
}


def input_of(out: Path) -> Path:
    """The input folder a plan was made from, as its report says; raises `InvalidInput` if it doesn't."""
    try:
        return Path(json.loads((out / "report.json").read_text("utf-8"))["input"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidInput([InputError("report.json", 0, "input", f"can't be read: {error}")]) from error


def read_plan(source: Input, out: Path) -> Plan:
    """Read an output folder back against its input; raises `InvalidInput` where it can't be a plan at all."""
    faults = Faults()
    frames: dict[str, pl.DataFrame] = {}
    for name in _WRITERS:
        path = _table_path(out, name, faults)
        if path is None:
            faults.whole(name, "", f"there is no {name}.csv or {name}.parquet in {out}")
        elif (frame := _read_table(path, name, faults)) is not None:
            frames[name] = frame
    faults.stop()
    try:
        report = json.loads((out / "report.json").read_text("utf-8"))
        figures = Figures(**{name: report[name] for name in Figures.__dataclass_fields__})
        return _plan_from(source, frames, figures, int(report["seed"]), faults)
    except (OSError, ValueError, KeyError, TypeError, PolarsError) as error:
        raise InvalidInput([InputError("report.json", 0, "", f"can't be read: {error}")]) from error


def _plan_from(source: Input, frames: dict[str, pl.DataFrame], figures: Figures, seed: int, faults: Faults) -> Plan:
    problem = source.problem
    visits, placed, unplaced = frames["visits"], frames["assignments"], frames["unplaced"]
    visit_ids = visits["visit_id"]
    for name, column in (("visits", "visit_id"), ("assignments", "check_id"), ("unplaced", "check_id")):
        unique(faults, name, column, frames[name][column])
    check = _found(placed["check_id"], problem.check_ids, "assignments", "check_id", faults)
    visit = _found(placed["visit_id"], visit_ids, "assignments", "visit_id", faults)
    left = _found(unplaced["check_id"], problem.check_ids, "unplaced", "check_id", faults)
    subject = _found(visits["subject_id"], problem.subject_ids, "visits", "subject_id", faults)
    departments = pl.Series(problem.departments, dtype=pl.String)
    lead = _found(visits["lead"], departments, "visits", "lead", faults)
    both = pl.concat([frames["apart"]["check_a"], frames["apart"]["check_b"]])
    apart = np.split(_found(both, problem.check_ids, "apart", "check_a, check_b", faults), 2)
    codes = _found(frames["apart"]["reason"], pl.Series(APART_REASONS), "apart", "reason", faults)
    why = _found(unplaced["reason"], pl.Series(UNPLACED_REASONS), "unplaced", "reason", faults)
    faults.stop()
    check_visit = np.full(len(problem.check_ids), -1, np.int32)
    check_visit[check] = visit
    reason = np.zeros(len(problem.check_ids), np.uint8)
    reason[left] = why
    if len(check) + len(left) != len(problem.check_ids) or (check_visit[left] >= 0).any():
        faults.whole("assignments", "check_id", "with unplaced, each check must stand exactly once")
    plan = Plan(
        problem=problem,
        params=source.params,
        seed=seed,
        check_visit=check_visit,
        visit_ids=visit_ids,
        visit_subject=subject,
        visit_date=_day_numbers(visits["date"]),
        visit_lead=lead,
        visit_minutes=visits["on_site_minutes"].cast(pl.Int32).to_numpy(),
        unplaced_reason=reason,
        apart_a=apart[0],
        apart_b=apart[1],
        apart_reason=codes.astype(np.uint8),
        price=_price_table(problem, frames["prices"], faults),
        figures=figures,
    )
    if len(visits) and (_joined_departments(plan) != visits["departments"]).any():
        faults.whole("visits", "departments", "are not those of the visits' checks")
    faults.stop()
    return plan


def _found(values: pl.Series, known: pl.Series, table: str, column: str, faults: Faults) -> np.ndarray:
    at = positions(values, known)
    faults.add(table, column, at < 0, "is unknown")
    return np.maximum(at, 0)


def _day_numbers(series: pl.Series) -> np.ndarray:
    dates = series.str.to_date("%Y-%m-%d") if series.dtype == pl.String else series.cast(pl.Date)
    return dates.to_physical().cast(pl.Int32).to_numpy()


def _price_table(problem: Problem, frame: pl.DataFrame, faults: Faults) -> np.ndarray:
    price = np.zeros(problem.capacity.shape, np.int64)
    if not len(frame):
        return price
    at = {problem.pool_name(p): p for p in range(len(problem.pool_department))}
    day = {int(d): k for k, d in enumerate(problem.dates)}
    columns = [frame["department"], frame["district"], frame["street"].fill_null("")]
    numbers = _day_numbers(frame["date"])
    values = frame["price"].cast(pl.Int64)
    for row, (*pool, number, value) in enumerate(zip(*columns, numbers, values, strict=True)):
        if tuple(pool) not in at or int(number) not in day:
            faults.found.append(InputError("prices", row + 1, "date", "is no pool-day of the input"))
        else:
            price[at[tuple(pool)], day[int(number)]] = value
    return price
