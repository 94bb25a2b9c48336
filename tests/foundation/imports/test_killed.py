"""A worker killed in the middle (SIGKILL, its own process, a real database) leaves nothing half done."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile

from tests.builders.cast import NOW, Cast
from tests.foundation.imports import toy
from tests.support.postgres import Server
from tests.support.site import Site
from xiezhi.foundation.imports import services
from xiezhi.foundation.jobs import services as jobs
from xiezhi.foundation.jobs.models import Job

Upload = Callable[..., ContentFile]
WITHIN_SECONDS = 60
ROOT = Path(__file__).parents[3]


class Programs:
    """Runs `program` commands as processes on one site."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.environment = {**site.environment, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}

    def start(self, *command: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.foundation.imports.program", *command],
            cwd=self.site.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, *command: str) -> Any:
        process = self.start(*command)
        output, _nothing = process.communicate(timeout=WITHIN_SECONDS)
        assert process.returncode == 0
        return json.loads(output)

    def kill_in_the_middle(self, job: int) -> None:
        """Begin the job, and kill its process at the second chunk."""
        mark = self.site.folder / f"mark-{job}"
        worker = self.start("begin", str(job), str(mark))
        try:
            give_up = time.monotonic() + WITHIN_SECONDS
            while not mark.exists() and worker.poll() is None and time.monotonic() < give_up:
                time.sleep(0.05)
            assert mark.exists(), "the worker never reached its second chunk"
        finally:
            worker.send_signal(signal.SIGKILL)
            worker.communicate()


def killed_twice_and_done(site: Site) -> None:
    lines = ["代码,名称", *(f"{1000 + number},街道{number}" for number in range(70))]
    path = site.folder / "streets.csv"
    path.write_text("\n".join(lines), "utf-8")
    programs = Programs(site)

    check = programs.run("prepare", str(path))
    programs.kill_in_the_middle(check)
    # The first chunk's short commit stands, unseen; the second attempt begins anew.
    assert programs.run("recover", str(check)) == [["checking", 20, 0], 1, ["checked", 70, 0]]

    save = programs.run("save")
    programs.kill_in_the_middle(save)
    # Not one of the twenty streets that were written remains.
    assert programs.run("recover", str(save)) == [["applying", 70, 0], 1, ["applied", 70, 70]]


def test_killed_on_sqlite(make_site: Callable[..., Site]) -> None:
    killed_twice_and_done(make_site("killed"))


@pytest.mark.postgres
def test_killed_on_postgres(make_site: Callable[..., Site], postgres_server: Server) -> None:
    with postgres_server.database() as url:
        killed_twice_and_done(make_site("killed-postgres", url))


def test_a_worker_that_lost_its_job_saves_nothing(cast: Cast, workbook: Upload) -> None:
    """A slow worker wakes after another has taken over: its fence stops it, and it does not disturb the batch."""
    actor = cast.actor("registrar")
    batch, _new = services.start_import("tests.streets", upload=workbook(toy.sheet_rows(70)), actor=actor, at=NOW)
    batch = services.map_and_check(batch=batch, mapping=batch.mapping, actor=actor, at=NOW)
    assert batch.job

    def taken_over(step: str, number: int) -> None:
        if number == 2:
            Job.objects.filter(pk=batch.job_id).update(attempts=9)

    toy.hooks.append(taken_over)
    jobs.run(batch.job.pk)
    batch.refresh_from_db()
    assert batch.status == "checking" and batch.rows.count() == 20
    assert Job.objects.get(pk=batch.job_id).status == Job.Status.RUNNING
