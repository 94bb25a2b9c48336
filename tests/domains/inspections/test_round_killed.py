"""A worker killed (SIGKILL, its own process, the same database) while it plans, and again while it saves, leaves nothing half saved;
another worker takes the job over and the round becomes ready exactly once. On SQLite and PostgreSQL alike."""

from datetime import timedelta
from pathlib import Path

import pytest
import time_machine

from tests.builders.cast import NOW, TODAY, make_cast
from tests.builders.inspections import given_check, given_premises
from tests.builders.visits import given_teams
from tests.support.processes import kill_in_the_middle
from xiezhi.domains.inspections.models import Check, Leftover, Participation, Round, Visit
from xiezhi.domains.inspections.services.rounds import start_round
from xiezhi.foundation.audit.models import Entry
from xiezhi.foundation.jobs import services as jobs
from xiezhi.foundation.jobs.models import Job
from xiezhi.foundation.workflow.errors import Refused

PROGRAM = "tests.domains.inspections.program"


def _stored(round_: Round) -> dict[str, object]:
    round_.refresh_from_db()
    return {
        "round": round_.status,
        "job": Job.objects.get(pk=round_.job_id).status,
        "visits": Visit.objects.count(),
        "parts": Participation.objects.count(),
        "leftovers": Leftover.objects.count(),
        "checks": sorted(set(Check.objects.values_list("status", flat=True))),
        "completed": Entry.objects.filter(action="inspections.round.complete").count(),
    }


@pytest.mark.django_db(transaction=True)
def test_killed_while_planning_and_while_saving(tmp_path: Path) -> None:
    cast = make_cast()
    given_teams(cast)
    for _ in range(2):
        place = given_premises(cast)
        for department in ("scjg", "xfjy"):
            given_check(cast, place, department)
    horizon = {"starts_on": TODAY + timedelta(days=8), "ends_on": TODAY + timedelta(days=42)}
    round_ = start_round(**horizon, actor=cast.actor("coordinator"), at=NOW)
    untouched = {"visits": 0, "parts": 0, "leftovers": 0, "checks": ["waiting"], "completed": 0}

    clock = NOW
    for attempt, step in enumerate(("plan", "save"), start=1):
        kill_in_the_middle(PROGRAM, str(round_.job_id), step, folder=tmp_path, clock=clock)
        assert _stored(round_) == {"round": "planning", "job": "running", **untouched}
        assert Job.objects.get(pk=round_.job_id).attempts == attempt
        with pytest.raises(Refused, match="另一轮"):
            start_round(**horizon, actor=cast.actor("coordinator"), at=clock)
        assert jobs.reclaim(at=clock) == 0, "the lease has not run out: the worker may still be alive"
        clock += timedelta(minutes=10)
        assert jobs.reclaim(at=clock) == 1

    ready = {"round": "ready", "job": "succeeded", "visits": 2, "parts": 4, "checks": ["suggested"], "completed": 1}
    with time_machine.travel(clock, tick=False):
        jobs.run(round_.job_id or 0)
        assert _stored(round_) == {**ready, "leftovers": 0}
        jobs.run(round_.job_id or 0)  # the first worker's own task, delivered late
    assert _stored(round_) == {**ready, "leftovers": 0}
