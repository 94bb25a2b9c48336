"""`xiezhi plan IN --out OUT`, `xiezhi plan verify IN OUT`, `xiezhi plan explain OUT CHECK [CHECK]`."""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from xiezhi.engines.planning.caching import start_quickly
from xiezhi.engines.planning.problem import InvalidInput, NoCluster

if TYPE_CHECKING:
    from xiezhi.engines.planning.cluster import Cluster

WRONG_INPUT, BROKEN_PLAN, INTERRUPTED = 2, 1, 130


class Bar:
    """Progress on standard error: phase, share done, rate, time left. Quiet unless someone is watching."""

    def __init__(self, *, shown: bool) -> None:
        self.shown = shown
        self.phase = ""
        self.began = self.last = 0.0

    def __call__(self, phase: str, done: int, total: int) -> None:
        """Show where a phase stands."""
        if not self.shown:
            return
        now = time.monotonic()
        if phase != self.phase:
            self.phase, self.began, self.last = phase, now, 0.0
        if now - self.last < 0.1 and done < total:
            return
        self.last = now
        spent = max(now - self.began, 1e-6)
        rate = done / spent
        left = f"{(total - done) / rate:5.0f} s left" if done and total > 1 else ""
        filled = "█" * (24 * done // max(1, total))
        line = f"\r{phase:<8} {filled:<24} {100 * done // max(1, total):3d} %  {rate:12,.0f}/s  {left}"
        sys.stderr.write(line + "\x1b[K")
        sys.stderr.flush()

    def close(self) -> None:
        """End the line."""
        if self.shown and self.phase:
            sys.stderr.write("\r\x1b[K")


def main(argv: list[str]) -> int:
    """Run the command; 0 done, 1 the plan breaks a rule, 2 bad input, 130 interrupted."""
    start_quickly()
    bar = Bar(shown=False)
    try:
        if argv[:1] == ["verify"]:
            options = _verify_parser().parse_args(argv[1:])
            bar = Bar(shown=sys.stderr.isatty() and not options.quiet)
            return _verify(options, bar)
        if argv[:1] == ["explain"]:
            options = _explain_parser().parse_args(argv[1:])
            return _explain(options)
        options = _plan_parser().parse_args(argv)
        bar = Bar(shown=sys.stderr.isatty() and not options.quiet)
        return _plan(options, bar)
    except InvalidInput as invalid:
        bar.close()
        for error in invalid.errors:
            print(error, file=sys.stderr)
        print(f"{len(invalid.errors)} faults in the input; nothing was written", file=sys.stderr)
        return WRONG_INPUT
    except NoCluster as absent:
        bar.close()
        print(f"{absent}; nothing was written", file=sys.stderr)
        return WRONG_INPUT
    except KeyboardInterrupt:
        bar.close()
        print("interrupted; nothing was written", file=sys.stderr)
        return INTERRUPTED


def _plan_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="xiezhi plan",
        description="Plan joint inspections. Also: xiezhi plan verify IN OUT, xiezhi plan explain OUT CHECK [CHECK].",
    )
    parser.add_argument("folder", metavar="IN", type=Path, help="input folder (CSV or Parquet)")
    parser.add_argument("--out", metavar="OUT", type=Path, required=True, help="folder to write; replaced as a whole")
    parser.add_argument("--seed", type=int, default=0, help="same input and seed, same plan (default 0)")
    parser.add_argument("--workers", type=int, help="threads (default: one per core); never changes the plan")
    parser.add_argument("--engine", choices=("local", "ray"), default="local", help="ray: a task for each district")
    parser.add_argument("--address", help="running Ray cluster (default: --workers workers here)")
    parser.add_argument("--token-file", metavar="FILE", type=Path, help="file with that cluster's token")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    return parser


def _verify_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="xiezhi plan verify", description="Check a plan against every rule.")
    parser.add_argument("folder", metavar="IN", type=Path)
    parser.add_argument("out", metavar="OUT", type=Path)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--quiet", action="store_true")
    return parser


def _explain_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="xiezhi plan explain",
        description="Why a check has no date, or two are apart, and the least change that would mend it.",
    )
    parser.add_argument("out", metavar="OUT", type=Path)
    parser.add_argument("checks", metavar="CHECK", nargs="+")
    parser.add_argument("--input", type=Path, help="input folder, if it is not where the plan was made")
    return parser


def _plan(options: argparse.Namespace, bar: Bar) -> int:
    from xiezhi.engines.planning.files import read_input, write_plan
    from xiezhi.engines.planning.solve import solve

    began = time.perf_counter()
    bar("read", 0, 1)
    source = read_input(options.folder)
    read = time.perf_counter() - began
    with _engine(options) as cluster:
        plan = solve(
            source.problem,
            params=source.params,
            seed=options.seed,
            on_progress=bar,
            workers=options.workers,
            cluster=cluster,
        )
    write_plan(plan, source, options.out, seconds={"read": read}, on_progress=bar)
    bar.close()
    figures = plan.figures
    print(
        f"{figures.visits} visits for {figures.checks} checks ({figures.visits_if_each_alone} if each department goes"
        f" alone), at most {100 * figures.gap:.3f} % over the least possible; unplaced: "
        f"{figures.unplaced['no_open_day']} without an open day, {figures.unplaced['no_room']} without room;"
        f" {time.perf_counter() - began:.1f} s"
    )
    return 0


def _engine(options: argparse.Namespace) -> AbstractContextManager[Cluster | None]:
    """The cluster to plan on, None for this process; raises `NoCluster`."""
    if options.engine == "local":
        return nullcontext()
    from xiezhi.engines.planning.cluster import cluster

    return cluster(options.address, options.workers, options.token_file)


def _verify(options: argparse.Namespace, bar: Bar) -> int:
    from xiezhi.engines.planning.files import read_input, read_plan
    from xiezhi.engines.planning.verify import verify

    source = read_input(options.folder)
    report = verify(source.problem, read_plan(source, options.out), workers=options.workers, on_progress=bar)
    bar.close()
    for violation in report.violations:
        print(violation)
    if not report.ok:
        return BROKEN_PLAN
    print(f"every rule holds: {report.visits} visits, bound {report.bound}, {report.alone} if each goes alone")
    return 0


def _explain(options: argparse.Namespace) -> int:
    from xiezhi.engines.planning.explain import explain_check, explain_pair
    from xiezhi.engines.planning.files import input_of, read_input, read_plan

    source = read_input(options.input or input_of(options.out))
    plan = read_plan(source, options.out)
    if len(options.checks) > 2:
        print("one check or two", file=sys.stderr)
        return WRONG_INPUT
    try:
        explained = (
            explain_check(source.problem, plan, options.checks[0])
            if len(options.checks) == 1
            else explain_pair(source.problem, plan, *options.checks)
        )
    except KeyError as unknown:
        print(f"there is no check {unknown.args[0]}", file=sys.stderr)
        return WRONG_INPUT
    print(explained.text)
    return 0
