"""A worker killed in the middle (SIGKILL, its own process, the same database) leaves nothing half done. On SQLite and PostgreSQL alike."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone

from tests.builders.cast import NOW, Cast
from tests.foundation.imports import toy
from tests.foundation.imports.conftest import cast_with_permission
from tests.support.processes import kill_in_the_middle
from xiezhi.foundation.imports import services
from xiezhi.foundation.imports.models import ImportBatch
from xiezhi.foundation.jobs import services as jobs
from xiezhi.foundation.jobs.models import Job
from xiezhi.foundation.orgs.models import Organisation

Upload = Callable[..., ContentFile]
PROGRAM = "tests.foundation.imports.program"


def look() -> list[object]:
    """Status, staged rows, streets saved."""
    batch = ImportBatch.objects.get()
    return [batch.status, batch.rows.count(), Organisation.objects.filter(name__startswith="街道").count()]


def recover(batch: ImportBatch, *, minutes: int) -> list[object]:
    """What the ticker and another worker do some minutes later."""
    assert batch.job_id and jobs.reclaim(at=timezone.now() + timedelta(minutes=minutes)) == 1
    jobs.run(batch.job_id)
    return look()


@pytest.mark.django_db(transaction=True)
def test_killed_while_checking_and_while_saving(toys: None, workbook: Upload, tmp_path: Path) -> None:
    actor = cast_with_permission().actor("registrar")
    batch, _new = services.start_import("tests.streets", upload=workbook(toy.sheet_rows(70)), actor=actor, at=NOW)
    batch = services.map_and_check(batch=batch, mapping=batch.mapping, actor=actor, at=NOW)
    kill_in_the_middle(PROGRAM, str(batch.job_id), folder=tmp_path)
    assert look() == ["checking", 20, 0], "the first chunk's short commit stands, unseen"
    assert recover(batch, minutes=2) == ["checked", 70, 0], "the second attempt begins anew"

    batch.refresh_from_db()
    batch = services.apply_import(batch=batch, actor=actor, at=NOW)
    kill_in_the_middle(PROGRAM, str(batch.job_id), folder=tmp_path)
    assert look() == ["applying", 70, 0], "not one of the twenty streets already written remains"
    assert recover(batch, minutes=4) == ["applied", 70, 70]


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
