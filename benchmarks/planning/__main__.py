"""Compare planners on the same seeded inputs in one run.

    python -m benchmarks.planning --sizes small five district --seed 7 --seconds 90 --out build/planning

Each planner runs in a process of its own; its plan is checked by our verifier and measured against the bound for the
checks it placed, at our prices. Writes figures.csv, figures.md and figures.svg and prints the table. With
`--explain 1000` so many unplaced checks and pairs apart are explained, each proven by re-solving, and one visit is
declined and planned anew. `--only ours "one CP-SAT model"` runs some planners; rows of earlier runs into the same
folder stay in the table, so a long comparison can be made in portions.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.planning.instances import SIZES, make, write
from benchmarks.planning.peers import PEERS, Absent, Assignment
from xiezhi.engines.planning import Explainer, Params, Plan, Problem, relief, replan, solve, verify
from xiezhi.engines.planning.files import read_input
from xiezhi.engines.planning.kernels import LEVELS
from xiezhi.engines.planning.outcome import make_plan
from xiezhi.engines.planning.shard import sweep_weights
from xiezhi.engines.planning.solve import Run
from xiezhi.engines.planning.state import make_state, make_static

SMALL_ONLY = {
    "one CP-SAT model": 5_000,
    "one MIP (SCIP)": 5_000,
    "one MIP (HiGHS)": 5_000,
    "earliest-deadline stabbing": 50_000,
}
COLUMNS = (
    "size",
    "subjects",
    "planner",
    "visits",
    "over_bound_percent",
    "unplaced",
    "unplaced_safety",
    "seconds",
    "mib",
    "note",
)


def judge(problem: Problem, params: Params, found: Assignment) -> Plan:
    """A peer's assignment as a plan of ours, with the bound for what it placed; raises if it breaks a rule."""
    static = make_static(problem, params)
    state = make_state(problem, static)
    lost = np.zeros(len(problem.subject_ids), np.bool_)
    relief.restore(static, state, sweep_weights(np.zeros(LEVELS, np.int64)), *found, lost)
    if lost.any():
        raise ValueError(f"{int(lost.sum())} subjects' visits break a rule")
    price, least = Run(problem, params, 0).bound(static, state)
    plan = make_plan(problem, params, 0, static, state, price, least)
    report = verify(problem, plan)
    if not report.ok:
        raise ValueError(report.violations[0])
    return plan


def one(name: str, folder: Path, seconds: float) -> dict[str, object]:
    """Run one planner on a folder (in this process)."""
    source = read_input(folder)
    if name in ("ours", "each department alone"):  # kernels compiled before the clock starts
        solve(replace_small(), seed=0)
    began = time.perf_counter()
    try:
        found = PEERS[name](source.problem, source.params, seconds)
    except Absent as absent:
        return {"note": str(absent)}
    spent = time.perf_counter() - began
    plan = judge(source.problem, source.params, found)
    f = plan.figures
    return {
        "visits": f.visits,
        "over_bound_percent": round(100 * f.gap, 3),
        "unplaced": sum(f.unplaced.values()),
        "unplaced_safety": f.unplaced_safety,
        "seconds": round(spent, 2),
        "note": "",
    }


def replace_small() -> Problem:
    """A problem of a few subjects, to compile on."""
    from xiezhi.engines.planning.tables import Faults, build

    return build(make(replace(SIZES["small"], subjects=20), 1), Params(), Faults())


def measured(name: str, folder: Path, seconds: float) -> dict[str, object]:
    """Run one planner in a process of its own and add its memory."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.planning",
        "--one",
        name,
        "--in",
        str(folder),
        "--seconds",
        str(seconds),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout
    text = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        return {"note": f"ended with status {process.returncode}"}
    return json.loads(text) | {"mib": usage.ru_maxrss // 1024}


def explained(folder: Path, count: int) -> str:
    """Explain a sample of one plan's unplaced checks and pairs apart."""
    source = read_input(folder)
    plan = solve(source.problem, params=source.params, seed=1)
    explainer = Explainer(source.problem, plan)
    questions: list[tuple[str, ...]] = [(u.check_id,) for u in plan.unplaced()]
    questions += [(a, b) for a, b, _ in plan.apart()]
    sample = random.Random(1).sample(questions, min(count, len(questions)))
    began = time.perf_counter()
    answers = [explainer.check(*q) if len(q) == 1 else explainer.pair(*q) for q in sample]
    spent = time.perf_counter() - began
    kinds: dict[str, int] = {}
    for answer in answers:
        kinds[answer.change] = kinds.get(answer.change, 0) + 1
    proven = sum(a.proven for a in answers)
    return f"{len(answers)} explanations, {proven} proven by re-solving, {1000 * spent / max(1, len(answers)):.1f} ms each; least changes: {kinds}"


def declined(folder: Path) -> str:
    """Decline one visit of a finished plan and plan again; kernels loaded before the clock starts."""
    source = read_input(folder)
    plan = solve(source.problem, params=source.params, seed=1)
    visits = [v for v, _ in zip(plan.visits(), range(1000), strict=False)]
    spent = []
    for visit in (visits[0], visits[500], visits[-1]):
        began = time.perf_counter()
        again, changes = replan(
            source.problem,
            plan,
            affected_subjects=[visit.subject_id],
            avoid=[(visit.check_ids[0], visit.date)],
            params=source.params,
        )
        spent.append(time.perf_counter() - began)
        if not verify(source.problem, again).ok:
            raise ValueError("the new plan breaks a rule")
    return f"one visit declined: planned anew in {', '.join(f'{s:.2f}' for s in spent)} s; last: {len(changes)} checks moved"


def earlier(out: Path) -> list[dict[str, object]]:
    """The rows of earlier portions."""
    path = out / "figures.csv"
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [{k: v for k, v in row.items() if v != ""} for row in csv.DictReader(file)]


def ordered(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """By size, then in the order of the planners."""
    return sorted(rows, key=lambda r: (int(str(r["subjects"])), list(PEERS).index(str(r["planner"]))))


def table(rows: list[dict[str, object]]) -> str:
    """The rows as a Markdown table."""
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + " --- |" * len(COLUMNS)]
    lines += ["| " + " | ".join(str(row.get(c, "")) for c in COLUMNS) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def plot(rows: list[dict[str, object]]) -> str:
    """Bars of visits over bound by size and planner (log scale, percent) as an SVG."""
    bars = [r for r in rows if r.get("over_bound_percent") is not None]
    height, left, wide = 22, 330, 420
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + wide + 120}" height="{height * len(bars) + 40}" '
        'font-family="sans-serif" font-size="12">',
        '<text x="10" y="18" font-weight="bold">Visits over the proven bound, % (log scale)</text>',
    ]
    for k, row in enumerate(bars):
        over = float(str(row["over_bound_percent"]))
        length = wide * (np.log10(max(over, 0.001)) + 3) / 5
        y = 30 + k * height
        colour = "#1f6feb" if row["planner"] == "ours" else "#9aa4b2"
        label = f"{int(str(row['subjects'])):,} subjects · {row['planner']}"
        parts.append(f'<text x="{left - 8}" y="{y + 14}" text-anchor="end">{label}</text>')
        parts.append(
            f'<rect x="{left}" y="{y + 3}" width="{max(length, 1):.0f}" height="{height - 8}" fill="{colour}"/>'
        )
        parts.append(f'<text x="{left + length + 6:.0f}" y="{y + 14}">{over:g}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=["small", "five", "district"])
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=90, help="for the models that know no end")
    parser.add_argument("--out", type=Path, default=Path("build/planning"))
    parser.add_argument("--explain", type=int, default=0, metavar="N")
    parser.add_argument("--only", nargs="+", choices=PEERS, default=list(PEERS), metavar="PLANNER")
    parser.add_argument("--one", choices=PEERS, help=argparse.SUPPRESS)
    parser.add_argument("--in", dest="folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(one(options.one, options.folder, options.seconds)))
        return
    rows = earlier(options.out)
    for size in options.sizes:
        folder = options.out / f"{size}-{options.seed}"
        write(make(SIZES[size], options.seed), folder)
        for name in options.only:
            subjects = SIZES[size].subjects
            row: dict[str, object] = {"size": size, "subjects": subjects, "planner": name}
            if subjects > SMALL_ONLY.get(name, 10**9):
                continue
            row |= measured(name, folder, options.seconds)
            rows = [r for r in rows if (r["size"], r["planner"]) != (size, name)] + [row]
            print(row, file=sys.stderr, flush=True)
        if options.explain:
            print(explained(folder, options.explain))
            print(declined(folder), flush=True)
    rows = ordered(rows)
    with (options.out / "figures.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    (options.out / "figures.md").write_text(table(rows), "utf-8")
    (options.out / "figures.svg").write_text(plot(rows), "utf-8")
    print(table(rows))


if __name__ == "__main__":
    main()
