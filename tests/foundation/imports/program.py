"""What tests with several processes run: `python -m tests.foundation.imports.program COMMAND …`, on the database of the environment."""

import json
import sys
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import django

django.setup()

from django.core.files.base import File  # noqa: E402
from django.utils import timezone  # noqa: E402

from tests.builders.cast import NOW, make_cast  # noqa: E402
from tests.foundation.imports import toy  # noqa: E402
from xiezhi.foundation.access.actors import Actor  # noqa: E402
from xiezhi.foundation.access.models import Membership  # noqa: E402
from xiezhi.foundation.access.services import actor_for  # noqa: E402
from xiezhi.foundation.imports import services  # noqa: E402
from xiezhi.foundation.imports.models import ImportBatch  # noqa: E402
from xiezhi.foundation.jobs import services as jobs  # noqa: E402
from xiezhi.foundation.orgs.models import Organisation  # noqa: E402


def allowed(actor: Actor) -> Actor:
    return replace(actor, permissions=actor.permissions | {toy.PERMISSION})


def look() -> list[object]:
    """Status, staged rows, streets saved."""
    batch = ImportBatch.objects.get()
    return [batch.status, batch.rows.count(), Organisation.objects.filter(name__startswith="街道").count()]


def prepare(path: str) -> object:
    """A district, and a batch whose check is queued. Answers with the job's id."""
    actor = allowed(make_cast().actor("registrar"))
    with Path(path).open("rb") as file:
        batch, _new = services.start_import("tests.streets", upload=File(file, name="街道.csv"), actor=actor, at=NOW)
    return services.map_and_check(batch=batch, mapping=batch.mapping, actor=actor, at=NOW).job_id


def begin(job: str, mark: str) -> object:
    """Do a job; at its second chunk make the file `mark` and wait to be killed."""

    def wait(step: str, number: int) -> None:
        if number == 2:
            Path(mark).touch()
            time.sleep(120)

    toy.hooks.append(wait)
    return jobs.run(int(job))


def recover(job: str) -> object:
    """What the ticker and another worker do two minutes later: how it stood, jobs queued again, how it stands."""
    before = look()
    count = jobs.reclaim(at=timezone.now() + timedelta(minutes=2))
    jobs.run(int(job))
    return [before, count, look()]


def save() -> object:
    """Queue the saving of what was checked. Answers with the job's id."""
    batch = ImportBatch.objects.get()
    actor = allowed(actor_for(Membership.objects.get(pk=batch.membership_id)))
    return services.apply_import(batch=batch, actor=actor, at=timezone.now()).job_id


if __name__ == "__main__":
    toy.register_toys()
    print(json.dumps(globals()[sys.argv[1]](*sys.argv[2:])))
