"""A worker to be killed: `python -m tests.domains.inspections.program JOB STEP MARK` plans the job's round on the database of the
environment, makes the file MARK in the middle of STEP (`plan`: merging, `save`: everything written, not yet committed) and waits there."""

import sys
import time
from pathlib import Path
from typing import Any

import django

django.setup()

from xiezhi.domains.inspections.services import rounds  # noqa: E402
from xiezhi.foundation.jobs.handlers import JobContext  # noqa: E402
from xiezhi.foundation.jobs.services import run  # noqa: E402

if __name__ == "__main__":
    job, step, mark = sys.argv[1:]

    def wait() -> None:
        Path(mark).touch()
        time.sleep(300)

    real_report, real_save = JobContext.report, rounds.save_plan

    def report(self: JobContext, phase: str, done: int, total: int) -> None:
        real_report(self, phase, done, total)
        if step == "plan" and phase == "合并与排期":
            wait()

    def save_plan(**given: Any) -> Any:
        saved = real_save(**given)
        if step == "save":
            wait()
        return saved

    JobContext.report = report  # type: ignore[method-assign]
    rounds.save_plan = save_plan
    run(int(job))
