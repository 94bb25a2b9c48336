"""A worker to be killed: `python -m tests.foundation.imports.program JOB MARK` begins the job on the database of the environment,
and at its second chunk makes the file MARK and waits."""

import sys
import time
from pathlib import Path

import django

django.setup()

from tests.foundation.imports import toy  # noqa: E402
from xiezhi.foundation.jobs.services import run  # noqa: E402

if __name__ == "__main__":
    job, mark = sys.argv[1:]
    toy.register_toys()

    def wait(step: str, number: int) -> None:
        if number == 2:
            Path(mark).touch()
            time.sleep(120)

    toy.hooks.append(wait)
    run(int(job))
