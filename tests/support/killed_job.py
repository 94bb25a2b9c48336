"""A worker to be killed: `python -m tests.support.killed_job JOB WHERE MARK` begins the job on the database of the environment, makes the
file MARK where it is told to, and waits there. WHERE is `saving` (behind the job's fence everything is written, and nothing committed yet)
or `between` (at its second report, after what it committed before)."""

import sys
import time
from pathlib import Path
from typing import Any

import django

django.setup()

from django.db import connection  # noqa: E402
from django.db.transaction import Atomic  # noqa: E402

from xiezhi.foundation.jobs.handlers import JobContext  # noqa: E402
from xiezhi.foundation.jobs.services import run  # noqa: E402

if __name__ == "__main__":
    job, where, mark = sys.argv[1:]
    fenced, reports = [], []
    real_fence, real_report, real_exit = JobContext.fence, JobContext.report, Atomic.__exit__

    def wait() -> None:
        Path(mark).touch()
        time.sleep(300)

    def fence(self: JobContext) -> None:
        real_fence(self)
        fenced.append(self)

    def report(self: JobContext, phase: str, done: int, total: int) -> None:
        real_report(self, phase, done, total)
        reports.append(phase)
        if where == "between" and len(reports) == 2:
            wait()

    def leave(self: Atomic, *error: Any) -> None:
        if where == "saving" and fenced and not connection.savepoint_ids:
            wait()
        real_exit(self, *error)

    JobContext.fence, JobContext.report = fence, report  # type: ignore[method-assign]
    Atomic.__exit__ = leave  # type: ignore[method-assign]
    run(int(job))
