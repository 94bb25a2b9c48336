"""From tables to a `Problem`: every fault of the input is found here and named by file, row and column.

Tables come from files (`files.py`) or from plain rows; both are checked by the same rules. Nothing is repaired:
what can't be read as the contract says is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields

import numpy as np
import polars as pl
from numpy.typing import NDArray

from xiezhi.engines.planning.pins import pin_faults
from xiezhi.engines.planning.problem import (
    SOURCES,
    CapacityRow,
    CheckRow,
    InputError,
    InvalidInput,
    Params,
    Problem,
    SubjectRow,
)

SHOWN_PER_RULE = 100  # faults listed for one rule of one column; the rest are counted
MOST_MINUTES = 1_000_000  # far above any real figure, far below what overflows

SUBJECTS = ("subject_id", "district", "street", "lon", "lat", "opt_out", "closed_weekdays")
CHECKS = (
    *("check_id", "subject_id", "department", "item", "earliest", "latest", "minutes", "safety", "urgent"),
    "source",
)
PINS = ("pinned_visit", "pinned_on")
CAPACITY = ("department", "district", "street", "date", "minutes")
INCOMPATIBLE = ("item_a", "item_b")


@dataclass
class Faults:
    """Collects what is wrong, table by table."""

    names: Mapping[str, str] = field(default_factory=dict)
    found: list[InputError] = field(default_factory=list)

    def add(self, table: str, column: str, bad: pl.Series | NDArray[np.bool_], message: str) -> bool:
        """Note each row where `bad` holds; returns whether there was any."""
        rows = np.flatnonzero(np.asarray(bad, dtype=bool))
        name = self.names.get(table, table)
        for row in rows[:SHOWN_PER_RULE]:
            self.found.append(InputError(name, int(row) + 1, column, message))
        if len(rows) > SHOWN_PER_RULE:
            more = f"{message} (and {len(rows) - SHOWN_PER_RULE} more rows)"
            self.found.append(InputError(name, 0, column, more))
        return len(rows) > 0

    def whole(self, table: str, column: str, message: str) -> None:
        """Note a fault of the whole table."""
        self.found.append(InputError(self.names.get(table, table), 0, column, message))

    def stop(self) -> None:
        """Raise `InvalidInput` if anything was found."""
        if self.found:
            raise InvalidInput(sorted(self.found, key=lambda e: (e.file, e.row, e.column)))


@dataclass(frozen=True)
class _Reader:
    """Reads typed columns of one table, noting what does not fit."""

    faults: Faults
    table: str
    frame: pl.DataFrame

    def has(self, columns: Iterable[str]) -> bool:
        """Whether all columns are there; each missing one is a fault."""
        missing = [c for c in columns if c not in self.frame.columns]
        for column in missing:
            self.faults.whole(self.table, column, "the column is missing")
        return not missing

    def text(self, column: str, *, empty: bool = False) -> pl.Series:
        """Strings; null counts as empty."""
        series = self.frame[column]
        if series.dtype != pl.String:
            series = series.cast(pl.String)
        if series.null_count():
            series = series.fill_null("")
        if not empty:
            self.faults.add(self.table, column, series == "", "is empty")
        return series

    def whole(self, column: str, low: int, high: int, message: str) -> NDArray[np.int64]:
        """Whole numbers in `[low, high]`."""
        series = self.frame[column]
        if series.dtype.is_float():
            bad = (series.is_null() | series.is_nan() | series.is_infinite()) | (series != series.round())
            series = pl.select(pl.when(bad.fill_null(True)).then(None).otherwise(series)).to_series()
        numbers = series.cast(pl.Int64, strict=False)
        wrong = numbers.is_null() | (numbers < low).fill_null(True) | (numbers > high).fill_null(True)
        self.faults.add(self.table, column, wrong, message)
        return numbers.fill_null(low).to_numpy()

    def number(self, column: str, limit: float) -> None:
        """Finite numbers within ±limit, for columns planning only checks."""
        numbers = self.frame[column].cast(pl.Float64, strict=False)
        wrong = ~(numbers.is_finite() & (numbers.abs() <= limit)).fill_null(False)
        self.faults.add(self.table, column, wrong, f"is not a number between {-limit:g} and {limit:g}")

    def date(self, column: str, *, empty: bool = False) -> pl.Series:
        """Days since 1970-01-01; null only where `empty` allows it."""
        series = self.frame[column]
        given = series.is_not_null()
        if series.dtype == pl.String:
            given = given & (series != "")
            series = series.str.to_date("%Y-%m-%d", strict=False)
        elif series.dtype not in (pl.Date, pl.Null) and not isinstance(series.dtype, pl.Datetime):
            self.faults.whole(self.table, column, "is not a column of dates")
            return pl.Series(column, np.zeros(len(series), np.int32))
        series = series.cast(pl.Date)
        wrong = series.is_null() & given if empty else series.is_null()
        self.faults.add(self.table, column, wrong, "is not a date (YYYY-MM-DD)")
        return series.to_physical().cast(pl.Int32)


def _codes(series: pl.Series, names: Iterable[str]) -> NDArray[np.int32]:
    """Positions in `names`; -1 where a value is not among them."""
    kinds = pl.Enum(list(names))
    return series.cast(kinds, strict=False).to_physical().cast(pl.Int32).fill_null(-1).to_numpy()


def unique(faults: Faults, table: str, column: str, series: pl.Series) -> None:
    """Note values that stand twice. Hashes that all differ prove that nothing does."""
    if series.hash().n_unique() != len(series) and series.n_unique() != len(series):
        again = ~series.is_first_distinct() & (series != "")
        faults.add(table, column, again, "stands twice; each must be unique")


def problem_from_rows(
    subjects: Iterable[SubjectRow],
    checks: Iterable[CheckRow],
    capacity: Iterable[CapacityRow],
    incompatible: Iterable[tuple[str, str]],
    params: Params,
) -> Problem:
    """See `Problem.from_rows`. Capacity of departments without a check is left out, not refused."""
    rows = list(checks)
    named = {c.department for c in rows}
    tables = {
        "subjects": _frame(SubjectRow, subjects),
        "checks": _frame(CheckRow, rows),
        "capacity": _frame(CapacityRow, (c for c in capacity if c.department in named)),
        "incompatible": pl.DataFrame(list(incompatible), schema=dict.fromkeys(INCOMPATIBLE, pl.String), orient="row"),
    }
    return build(tables, params, Faults())


_TYPES = {"str": pl.String, "int": pl.Int64, "float": pl.Float64, "bool": pl.Boolean}


def _frame(kind: type, rows: Iterable[SubjectRow | CheckRow | CapacityRow]) -> pl.DataFrame:
    held = list(rows)
    columns = {}
    for column in fields(kind):
        values = [getattr(row, column.name) for row in held]
        columns[column.name] = pl.Series(values, dtype=_TYPES.get(str(column.type), pl.Date), strict=True)
    return pl.DataFrame(columns)


def build(tables: Mapping[str, pl.DataFrame], params: Params, faults: Faults) -> Problem:
    """A `Problem` from the tables of the contract; raises `InvalidInput` with every fault."""
    readers = {name: _Reader(faults, name, frame) for name, frame in tables.items()}
    whole = readers["subjects"].has(SUBJECTS) & readers["checks"].has(CHECKS)
    whole &= readers["capacity"].has(CAPACITY)
    if "incompatible" in readers:
        whole &= readers["incompatible"].has(INCOMPATIBLE)
    if not whole:
        faults.stop()
    subjects, places = _read_subjects(readers["subjects"], readers["capacity"])
    checks = _read_checks(readers["checks"], subjects["ids"])
    pools = _read_capacity(readers["capacity"], checks["departments"], places)
    pairs = _read_incompatible(readers.get("incompatible"), checks["items"])
    faults.stop()
    problem, row = _assemble(subjects, places, checks, pools, pairs)
    for fault_row, column, message in pin_faults(problem, params):
        at = int(row[fault_row]) + 1
        faults.found.append(InputError(faults.names.get("checks", "checks"), at, column, message))
    faults.stop()
    return problem


def _read_subjects(reader: _Reader, capacity: _Reader) -> tuple[dict, dict]:
    faults = reader.faults
    ids = reader.text("subject_id")
    unique(faults, "subjects", "subject_id", ids)
    district, street = reader.text("district"), reader.text("street")
    reader.number("lon", 180)
    reader.number("lat", 90)
    opt_out = reader.whole("opt_out", 0, 1, "is not 0 or 1") == 1
    digits = reader.text("closed_weekdays", empty=True)
    if digits.n_unique() > 1 or (len(digits) and digits[0] != ""):
        faults.add("subjects", "closed_weekdays", ~digits.str.contains("^[1-7]*$"), "is not ISO weekday digits 1-7")
        closed = np.zeros(len(ids), np.uint8)
        for weekday in range(1, 8):
            closed |= digits.str.contains(str(weekday), literal=True).to_numpy().astype(np.uint8) << (weekday - 1)
    else:
        closed = np.zeros(len(ids), np.uint8)

    pool_district = capacity.text("district")
    pool_street = capacity.text("street", empty=True)
    districts = pl.concat([district.unique(), pool_district.unique()]).unique().sort().to_list()
    names = pl.concat([street.unique(), pool_street.unique()]).unique().sort().to_list()
    pair = _codes(district, districts).astype(np.int64) * len(names) + _codes(street, names)
    pool_pair = _codes(pool_district, districts).astype(np.int64) * len(names) + _codes(pool_street, names)
    pairs = np.unique(np.concatenate([pl.Series(pair).unique().to_numpy(), np.unique(pool_pair)]))
    places = {
        "districts": districts,
        "streets": [(int(p) // len(names), names[int(p) % len(names)]) for p in pairs],
        "pool_district": _codes(pool_district, districts),
        "pool_street": np.where((pool_street == "").to_numpy(), -1, np.searchsorted(pairs, pool_pair)).astype(np.int32),
    }
    subjects = {
        "ids": ids,
        "district": _codes(district, districts),
        "street": np.searchsorted(pairs, pair).astype(np.int32),
        "opt_out": opt_out,
        "closed": closed,
    }
    return subjects, places


def _read_checks(reader: _Reader, subject_ids: pl.Series) -> dict:
    faults = reader.faults
    ids = reader.text("check_id")
    unique(faults, "checks", "check_id", ids)
    subject = positions(reader.text("subject_id"), subject_ids)
    faults.add("checks", "subject_id", subject < 0, "is not among the subjects")
    department, item = reader.text("department"), reader.text("item")
    faults.add("checks", "department", department.str.contains(";", literal=True), "holds ';'")
    departments, items = department.unique().sort().to_list(), item.unique().sort().to_list()
    earliest, latest = reader.date("earliest").to_numpy(), reader.date("latest").to_numpy()
    both = np.isfinite(earliest) & np.isfinite(latest)
    faults.add("checks", "latest", both & (latest < earliest), "lies before earliest")
    minutes = reader.whole("minutes", 1, MOST_MINUTES, "is not a whole number of minutes above 0")
    safety = reader.whole("safety", 0, 1, "is not 0 or 1") == 1
    urgent = reader.whole("urgent", 0, 1, "is not 0 or 1") == 1
    source = reader.text("source")
    faults.add("checks", "source", ~source.is_in(list(SOURCES)), f"is not one of {', '.join(SOURCES)}")
    return {
        "ids": ids,
        "subject": subject,
        "departments": departments,
        "department": _codes(department, departments),
        "items": items,
        "item": _codes(item, items),
        "earliest": earliest,
        "latest": latest,
        "minutes": minutes,
        "safety": safety,
        "urgent": urgent,
    } | _read_pins(reader, subject)


def _read_pins(reader: _Reader, subject: NDArray[np.int32]) -> dict:
    faults = reader.faults
    nothing = {"pin": np.full(len(subject), -1, np.int32), "pin_names": [], "pin_on": np.zeros(0, np.int32)}
    if not any(column in reader.frame.columns for column in PINS) or not reader.has(PINS):
        return nothing
    visit, on = reader.text("pinned_visit", empty=True), reader.date("pinned_on", empty=True)
    pinned = (visit != "").to_numpy()
    faults.add("checks", "pinned_on", pinned & on.is_null().to_numpy(), "is empty though the visit is pinned")
    faults.add("checks", "pinned_visit", ~pinned & on.is_not_null().to_numpy(), "is empty though a date is pinned")
    names = visit.filter(pl.Series(pinned)).unique().sort().to_list()
    if not names:
        return nothing
    pin = _codes(visit, names)
    rows = np.flatnonzero(pinned)
    day = on.fill_null(0).to_numpy()
    first = np.zeros(len(names), np.int64)
    first[pin[rows[::-1]]] = rows[::-1]
    at_first = first[pin[rows]]
    for column, values, what in (("pinned_on", day, "date"), ("pinned_visit", subject, "subject")):
        bad = np.zeros(len(subject), bool)
        bad[rows] = values[rows] != values[at_first]
        faults.add("checks", column, bad, f"names another {what} than an earlier row of the same pinned visit")
    return {"pin": pin, "pin_names": names, "pin_on": day[first].astype(np.int32)}


def positions(values: pl.Series, known: pl.Series) -> NDArray[np.int32]:
    """Row of each value in `known`, -1 where there is none.

    Joins on hashes, which is several times faster than on strings, and looks whether the strings agree.
    """
    right = pl.DataFrame({"id": known.hash()}).with_row_index("at").unique("id", keep="first", maintain_order=False)
    left = pl.DataFrame({"id": values.hash()})
    at = left.join(right, on="id", how="left", maintain_order="left")["at"].cast(pl.Int32)
    if (known.gather(at) == values).fill_null(at.is_null()).all():
        return at.fill_null(-1).to_numpy()
    right = pl.DataFrame({"id": known}).with_row_index("at").unique("id", keep="first", maintain_order=False)
    at = pl.DataFrame({"id": values}).join(right, on="id", how="left", maintain_order="left")["at"]
    return at.cast(pl.Int32).fill_null(-1).to_numpy()


def _read_capacity(reader: _Reader, departments: list[str], places: dict) -> dict:
    faults = reader.faults
    department = _codes(reader.text("department"), departments)
    faults.add("capacity", "department", department < 0, "no check names this department")
    date = reader.date("date").fill_null(0).to_numpy()
    minutes = reader.whole("minutes", 0, MOST_MINUTES, "is not a whole number of minutes, 0 or more")
    keys = pl.DataFrame(
        {"dep": department, "district": places["pool_district"], "street": places["pool_street"], "date": date}
    )
    if keys.n_unique() != len(keys):
        again = ~keys.select(pl.struct(keys.columns).is_first_distinct()).to_series()
        faults.add("capacity", "date", again, "the pool has an earlier row for this date")
    pools = keys.select("dep", "district", "street").unique().sort("district", "street", "dep")
    at = keys.join(pools.with_row_index("pool"), on=["dep", "district", "street"], how="left", maintain_order="left")
    pool = at["pool"].fill_null(0).to_numpy()
    dates = np.unique(date[minutes > 0]).astype(np.int32)
    held = np.zeros((len(pools), len(dates)), np.int32)
    open_rows = minutes > 0
    held[pool[open_rows], np.searchsorted(dates, date[open_rows])] = minutes[open_rows]
    return {
        "department": pools["dep"].to_numpy(),
        "district": pools["district"].to_numpy(),
        "street": pools["street"].to_numpy(),
        "dates": dates,
        "capacity": held,
    }


def _read_incompatible(reader: _Reader | None, items: list[str]) -> NDArray[np.int32]:
    if reader is None:
        return np.zeros((0, 2), np.int32)
    pairs = np.stack([_codes(reader.text("item_a"), items), _codes(reader.text("item_b"), items)], axis=1)
    pairs = np.sort(pairs[(pairs >= 0).all(axis=1)], axis=1)  # an item nobody checks can't meet another
    return np.unique(pairs, axis=0).astype(np.int32).reshape(-1, 2)


def _assemble(subjects: dict, places: dict, checks: dict, pools: dict, pairs: NDArray) -> tuple[Problem, NDArray]:
    """The problem with checks grouped by subject, and the input row of each check."""
    subject = checks["subject"]
    row = np.arange(len(subject))
    ids = checks["ids"]
    if np.any(np.diff(subject) < 0):
        row = np.argsort(subject, kind="stable")
        ids = ids.gather(row)
        checks = {k: v[row] if isinstance(v, np.ndarray) and k != "pin_on" else v for k, v in checks.items()}
    first = np.zeros(len(subjects["ids"]) + 1, np.int64)
    np.cumsum(np.bincount(subject, minlength=len(subjects["ids"])), out=first[1:])

    kinds = len(checks["departments"])
    by_street = np.full((kinds, len(places["streets"])), -1, np.int32)
    by_district = np.full((kinds, len(places["districts"])), -1, np.int32)
    number = np.arange(len(pools["department"]), dtype=np.int32)
    local = pools["street"] >= 0
    by_street[pools["department"][local], pools["street"][local]] = number[local]
    by_district[pools["department"][~local], pools["district"][~local]] = number[~local]
    of = checks["subject"]
    own = by_street[checks["department"], subjects["street"][of]]
    pool = np.where(own >= 0, own, by_district[checks["department"], subjects["district"][of]])
    problem = Problem(
        subject_ids=subjects["ids"],
        check_ids=ids,
        departments=tuple(checks["departments"]),
        items=tuple(checks["items"]),
        districts=tuple(places["districts"]),
        streets=tuple(places["streets"]),
        pin_names=tuple(checks["pin_names"]),
        subject_district=subjects["district"],
        subject_street=subjects["street"],
        opt_out=subjects["opt_out"],
        closed=subjects["closed"],
        first_check=first,
        check_department=checks["department"],
        check_item=checks["item"],
        check_pool=pool,
        earliest=checks["earliest"].astype(np.int32),
        latest=checks["latest"].astype(np.int32),
        minutes=checks["minutes"].astype(np.int32),
        safety=checks["safety"],
        urgent=checks["urgent"],
        check_pin=checks["pin"],
        pin_on=checks["pin_on"],
        pool_department=pools["department"],
        pool_district=pools["district"],
        pool_street=pools["street"],
        dates=pools["dates"],
        capacity=pools["capacity"],
        incompatible=pairs,
    )
    return problem, row


def checked_params(values: Mapping[str, object], faults: Faults) -> Params:
    """`Params` from a parsed `params.toml`; unknown names and values out of range are faults."""
    known = {f.name: (0 if f.name == "travel_minutes" else 1) for f in fields(Params)}
    good: dict[str, int] = {}
    for name, value in values.items():
        if name not in known:
            faults.whole("params", name, f"is unknown; known are {', '.join(known)}")
        elif type(value) is not int or not known[name] <= value <= MOST_MINUTES:
            faults.whole("params", name, f"is not a whole number of at least {known[name]}")
        else:
            good[name] = value
    return Params(**good)


__all__ = ["Faults", "build", "checked_params", "positions", "problem_from_rows", "unique"]
