"""Confirmed visits in the input: each must obey the rules as it stands, or it is bad input."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from xiezhi.engines.planning.problem import Params, Problem, day_of


def pin_faults(problem: Problem, params: Params) -> Iterator[tuple[int, str, str]]:
    """(check, column, message) for each pin that breaks a rule; checks are positions in the problem."""
    pinned = np.flatnonzero(problem.check_pin >= 0)
    if not len(pinned):
        return
    subject = np.searchsorted(problem.first_check, pinned, side="right") - 1
    pin = problem.check_pin[pinned]
    frame = pl.DataFrame(
        {
            "check": pinned,
            "pin": pin,
            "on": problem.pin_on[pin],
            "department": problem.check_department[pinned],
            "item": problem.check_item[pinned],
            "minutes": problem.minutes[pinned].astype(np.int64),
            "pool": problem.check_pool[pinned],
            "limit": np.where(problem.opt_out[subject], 1, params.max_departments),
        }
    )
    yield from _date_faults(problem, params, frame, subject)
    groups = frame.group_by("pin", maintain_order=True)
    crowded = groups.agg(pl.col("check").first(), pl.col("department").n_unique(), pl.col("limit").first())
    for check in crowded.filter(pl.col("department") > pl.col("limit"))["check"]:
        yield check, "pinned_visit", "the pinned visit has more departments than allowed"
    sizes = frame.group_by("pin").agg(pl.len().alias("size"))
    parts = frame.group_by("pin", "department", maintain_order=True).agg(
        pl.col("check").first(), pl.col("minutes").sum(), pl.col("on", "pool").first()
    )
    slow = parts.join(sizes, on="pin").filter((pl.col("minutes") > params.max_on_site_minutes) & (pl.col("size") > 1))
    for check in slow["check"]:
        yield check, "pinned_visit", f"the pinned visit takes more than {params.max_on_site_minutes} minutes on site"
    both = np.concatenate([problem.incompatible, problem.incompatible[:, ::-1]])
    pairs = pl.DataFrame(both, schema={"item": pl.Int32, "other": pl.Int32}).unique()
    met = (
        frame.join(pairs, on="item")
        .join(frame.select("pin", other="item", second="check"), on=["pin", "other"])
        .filter(pl.col("check") != pl.col("second"))
    )
    for check in met["check"].unique().sort():
        yield check, "pinned_visit", "the pinned visit holds incompatible items"
    yield from _capacity_faults(problem, params, parts)


def _date_faults(
    problem: Problem, params: Params, frame: pl.DataFrame, subject: np.ndarray
) -> Iterator[tuple[int, str, str]]:
    for check, on, pool, who in zip(frame["check"], frame["on"], frame["pool"], subject, strict=True):
        if not problem.earliest[check] <= on <= problem.latest[check]:
            yield check, "pinned_on", "lies outside earliest..latest"
            continue
        if problem.closed[who] >> ((on + 3) % 7) & 1:  # 1970-01-01 was a Thursday
            yield check, "pinned_on", "is a weekday on which the subject is closed"
            continue
        at = int(np.searchsorted(problem.dates, on))
        if pool < 0 or at == len(problem.dates) or problem.dates[at] != on or not problem.capacity[pool, at]:
            yield check, "pinned_on", "is a date on which the department's pool is shut"
            continue
        if problem.urgent[check]:
            start = int(np.searchsorted(problem.dates, problem.earliest[check]))
            weekday = (problem.dates[start:at] + 3) % 7
            opened = (problem.capacity[pool, start:at] > 0) & ~(problem.closed[who] >> weekday & 1).astype(bool)
            if opened.sum() >= params.urgent_open_days:
                yield (
                    check,
                    "pinned_on",
                    f"is later than the first {params.urgent_open_days} dates open to an urgent check",
                )


def _capacity_faults(problem: Problem, params: Params, parts: pl.DataFrame) -> Iterator[tuple[int, str, str]]:
    used = parts.group_by("pool", "on", maintain_order=True).agg(
        pl.col("check").first(), (pl.col("minutes") + params.travel_minutes).sum().alias("use")
    )
    for pool, on, check, use in used.iter_rows():
        at = int(np.searchsorted(problem.dates, on))
        room = 0
        if pool >= 0 and at < len(problem.dates) and problem.dates[at] == on:
            room = int(problem.capacity[pool, at])
        if use > room:
            name = "/".join(filter(None, problem.pool_name(pool))) if pool >= 0 else "no pool"
            yield check, "pinned_on", f"pins need {use} of {room} minutes of {name} on {day_of(on)}"


__all__ = ["pin_faults"]
