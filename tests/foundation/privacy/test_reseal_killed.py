"""A worker killed (SIGKILL, its own process, the same database and keys) while it seals everything anew loses no number: each lies under
the old key or the new one, both open it, and the next worker does the rest."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import call_command

from tests.builders.cast import NOW, make_cast
from tests.builders.prepaid import World
from tests.support.processes import kill_in_the_middle
from xiezhi.domains.prepaid.models import Holder
from xiezhi.foundation.jobs import services as jobs
from xiezhi.foundation.jobs.models import Job
from xiezhi.foundation.privacy import keyring
from xiezhi.foundation.privacy.services import rows_by_key

LATER = NOW + timedelta(minutes=10)
NUMBERS = ["199 1234-5678", "19912340000"]


@pytest.mark.django_db(transaction=True)
def test_killed_between_two_batches(settings: Any, tmp_path: Path) -> None:
    settings.DATA = tmp_path
    world = World(make_cast())
    for number in NUMBERS:
        world.sell(world.product(), 10_000, phone=number)
    with time_machine.travel(NOW, tick=False):
        call_command("keys", "rotate")
    job = Job.objects.get()
    kill_in_the_middle("tests.support.killed_job", str(job.pk), "between", folder=tmp_path, clock=NOW)
    job.refresh_from_db()
    assert (job.status, job.attempts) == ("running", 1)
    assert [each.phone for each in Holder.objects.order_by("pk")] == NUMBERS
    assert jobs.reclaim(at=LATER) == 1
    with time_machine.travel(LATER, tick=False):
        jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.status, job.attempts) == ("succeeded", 2)
    assert set(rows_by_key()) == {keyring.ring().newest}
    assert [each.phone for each in Holder.objects.order_by("pk")] == NUMBERS
