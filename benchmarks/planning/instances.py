"""Seeded planning instances of any size, as the contract describes them.

    python -m benchmarks.planning.instances district OUT --seed 7

Streets have the same number of subjects; capacity comes in whole team-days of 360 minutes spread at random over
the working days of a quarter; the first half of the departments has a pool per street, the others one per district.
"""

from __future__ import annotations

import argparse
import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

TEAM_DAY = 360
TRAVEL = 20
WINDOWS = (5, 10, 20, 40, 62)
CHECKS_PER_SUBJECT = (0.29, 0.265, 0.20, 0.12, 0.07, 0.035, 0.02)  # 1..7, 2.6 on average
MINUTES, MINUTES_SHARE = (20, 30, 40, 60, 90, 120), (0.2, 0.25, 0.2, 0.2, 0.1, 0.05)
DEPARTMENTS = (
    *("市场监管", "消防", "卫生健康", "生态环境", "应急管理", "城管执法", "文化旅游"),
    *("公安", "人力社保", "住房建设", "交通运输", "税务", "教育", "农业农村"),
)


@dataclass(frozen=True)
class Size:
    """How large an instance is and how full its pools are."""

    subjects: int
    districts: int
    streets: int
    load: float = 0.85


SIZES = {
    "small": Size(1_000, 1, 1),
    "station": Size(2_000, 1, 1),
    "five": Size(5_000, 1, 3),
    "district": Size(50_000, 1, 20),
    "tight": Size(50_000, 1, 20, 0.97),
    "quarter": Size(650_000, 4, 85),
    "city": Size(2_600_000, 16, 340),
}


def working_days(start: dt.date, count: int) -> NDArray[np.datetime64]:
    """The first `count` weekdays from `start`."""
    days = np.datetime64(start, "D") + np.arange(count * 2)
    return days[np.is_busday(days)][:count]


def make(size: Size, seed: int, departments: int = 14) -> dict[str, pl.DataFrame]:
    """The tables of an instance."""
    rng = np.random.default_rng(seed)
    days = working_days(dt.date(2026, 7, 1), 62)
    street = np.sort(rng.integers(0, size.streets, size.subjects))
    district = street * size.districts // size.streets
    per = rng.choice(np.arange(1, 8), size.subjects, p=CHECKS_PER_SUBJECT)
    subject = np.repeat(np.arange(size.subjects), per)
    count = len(subject)
    share = rng.dirichlet(np.full(departments, 8.0))
    department = rng.choice(departments, count, p=share)
    minutes = rng.choice(MINUTES, count, p=MINUTES_SHARE)
    length = rng.choice(WINDOWS, count)
    start = (rng.random(count) * (len(days) - length + 1)).astype(np.int64)
    item = rng.integers(0, 6, count)
    names = np.array(
        [f"D{d:02d}{DEPARTMENTS[d % 14]}" if departments > 14 else DEPARTMENTS[d] for d in range(departments)]
    )
    district_names = np.array([f"第{d + 1:02d}区" for d in range(size.districts)])
    street_names = np.array([f"街道{s + 1:03d}" for s in range(size.streets)])
    closed = rng.choice(np.array(["", "67", "7", "1", "3"]), size.subjects, p=[0.8, 0.1, 0.05, 0.03, 0.02])
    subjects = pl.DataFrame(
        {
            "subject_id": pl.Series(np.arange(size.subjects)).cast(pl.String).str.zfill(8).str.replace("^", "S"),
            "district": pl.Series(district_names)[district],
            "street": pl.Series(street_names)[street],
            "lon": 116.2 + 0.4 * rng.random(size.subjects),
            "lat": 39.8 + 0.3 * rng.random(size.subjects),
            "opt_out": (rng.random(size.subjects) < 0.02).astype(np.int8),
            "closed_weekdays": pl.Series(closed),
        }
    )
    items = np.array([f"{n}-事项{i + 1}" for n in names for i in range(6)])
    checks = pl.DataFrame(
        {
            "check_id": pl.Series(np.arange(count)).cast(pl.String).str.zfill(9).str.replace("^", "C"),
            "subject_id": subjects["subject_id"][subject],
            "department": pl.Series(names)[department],
            "item": pl.Series(items)[department * 6 + item],
            "earliest": days[start],
            "latest": days[start + length - 1],
            "minutes": minutes.astype(np.int32),
            "safety": (rng.random(count) < 1 / 8).astype(np.int8),
            "urgent": (rng.random(count) < 1 / 50).astype(np.int8),
            "source": pl.Series(rng.choice(np.array(["routine", "random", "special", "case"]), count)),
        }
    )
    demand = np.zeros((departments, size.streets))
    np.add.at(demand, (department, street[subject]), minutes + TRAVEL)
    capacity = _capacity(rng, demand, size, names, district_names, street_names, days)
    pairs = rng.choice(len(items), (8, 2), replace=False)
    incompatible = pl.DataFrame({"item_a": items[pairs[:, 0]], "item_b": items[pairs[:, 1]]})
    return {"subjects": subjects, "checks": checks, "capacity": capacity, "incompatible": incompatible}


def _capacity(
    rng: np.random.Generator,
    demand: NDArray[np.float64],
    size: Size,
    names: NDArray[np.str_],
    district_names: NDArray[np.str_],
    street_names: NDArray[np.str_],
    days: NDArray[np.datetime64],
) -> pl.DataFrame:
    home = np.arange(size.streets) * size.districts // size.streets
    rows: list[tuple[str, str, str, NDArray[np.int64]]] = []
    for d, name in enumerate(names):
        if d < len(names) // 2:
            pools = [(home[s], street_names[s], demand[d, s]) for s in range(size.streets)]
        else:
            pools = [(k, "", demand[d, home == k].sum()) for k in range(size.districts)]
        for where, street, minutes in pools:
            teams = int(np.ceil(minutes / size.load / TEAM_DAY))
            spread = rng.multinomial(teams, np.full(len(days), 1 / len(days)))
            rows.append((name, district_names[where], street, spread))
    spread = np.concatenate([r[3] for r in rows])
    held = spread > 0
    column = [np.repeat([r[k] for r in rows], len(days))[held] for k in range(3)]
    return pl.DataFrame(
        {
            "department": column[0],
            "district": column[1],
            "street": column[2],
            "date": np.tile(days, len(rows))[held],
            "minutes": (spread[held] * TEAM_DAY).astype(np.int32),
        }
    )


def write(tables: dict[str, pl.DataFrame], folder: Path, suffix: str = "parquet") -> None:
    """Write an input folder as Parquet or CSV."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in tables.items():
        if suffix == "csv":
            frame.write_csv(folder / f"{name}.csv")
        else:
            frame.write_parquet(folder / f"{name}.parquet")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("size", choices=SIZES)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--suffix", choices=("parquet", "csv"), default="parquet")
    options = parser.parse_args()
    write(make(SIZES[options.size], options.seed), options.out, options.suffix)


if __name__ == "__main__":
    main()
