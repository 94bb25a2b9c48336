"""A worker killed (SIGKILL, its own process, the same database) when it has written everything and committed nothing: not a trace of it
remains, and the next worker does the whole. Rounds have a test of their own. On SQLite and PostgreSQL alike."""

from datetime import timedelta
from pathlib import Path

import pytest
import time_machine

from tests.builders.cast import NOW, make_cast
from tests.builders.inspections import given_case, given_item, given_plan, given_premises, sampling_row
from tests.builders.visits import given_teams
from tests.support.processes import kill_in_the_middle
from xiezhi.domains.inspections.models import Check, Draw, Visit
from xiezhi.domains.inspections.services.filing import submit_plan
from xiezhi.foundation.audit.models import Entry
from xiezhi.foundation.jobs import services as jobs
from xiezhi.foundation.jobs.models import Job

LATER = NOW + timedelta(minutes=10)


@pytest.mark.django_db(transaction=True)
def test_killed_while_filing_a_plan_and_while_placing_an_urgent_check(tmp_path: Path) -> None:
    cast = make_cast()
    given_teams(cast, "scjg")
    item, door = given_item(cast, "scjg"), given_premises(cast)
    plan = given_plan(cast, "scjg", [sampling_row(item, quantity=1)], filed=False)
    filing = submit_plan(plan=plan, actor=cast.actor("scjg.planner"), at=NOW)
    assert isinstance(filing, Job)
    urgent = given_case(cast, door, given_item(cast, "scjg"), urgent=True)
    placing = Job.objects.exclude(pk=filing.pk).get()

    def stored() -> list[object]:
        plan.refresh_from_db()
        urgent.refresh_from_db()
        entries = Entry.objects.filter(action="inspections.plan.file").count()
        return [plan.status, Draw.objects.count(), Check.objects.count(), entries, urgent.status, Visit.objects.count()]

    before = ["draft", 0, 1, 0, "waiting", 0]
    assert stored() == before
    for job in (filing, placing):
        kill_in_the_middle("tests.support.killed_job", str(job.pk), "saving", folder=tmp_path, clock=NOW)
    assert stored() == before
    assert jobs.reclaim(at=NOW) == 0, "the leases have not run out: the workers may still be alive"
    assert jobs.reclaim(at=LATER) == 2
    with time_machine.travel(LATER, tick=False):
        for job in (
            filing,
            placing,
            filing,
            placing,
        ):  # the second time as the first workers' own tasks, delivered late
            jobs.run(job.pk)
    assert set(Job.objects.values_list("status", "attempts")) == {("succeeded", 2)}
    assert stored() == ["filed", 1, 2, 1, "suggested", 1]
