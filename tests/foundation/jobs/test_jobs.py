import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from tests.builders.cast import NOW, Cast, make_cast
from xiezhi.foundation.access.actors import PermissionRefused
from xiezhi.foundation.jobs import handlers, periodic, services
from xiezhi.foundation.jobs.handlers import JobContext, LeaseLost, handles
from xiezhi.foundation.jobs.models import Job
from xiezhi.foundation.workflow.errors import Refused

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cast() -> Cast:
    return make_cast()


@pytest.fixture(autouse=True)
def own_handlers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handlers, "_handlers", {})
    monkeypatch.setattr(handlers, "REPORT_EVERY", timedelta(0))


def queue(cast: Cast, handler: Any, who: str = "coordinator") -> Job:
    handles("demo")(handler)
    return services.enqueue("demo", title="演示任务", actor=cast.actor(who), at=NOW, number=3)


def outcome(job: Job) -> tuple[str, dict[str, Any], str]:
    job.refresh_from_db()
    return job.status, job.result, job.error


def test_a_job_runs_as_the_person_who_started_it(cast: Cast) -> None:
    def work(context: JobContext) -> dict[str, Any]:
        context.report("数数", 1, 2)
        return {"doubled": 2 * context.payload["number"], "role": context.actor.role}

    job = queue(cast, work)
    assert DBTaskResult.objects.count() == 1
    services.run(job.pk)
    assert outcome(job) == ("succeeded", {"doubled": 6, "role": "coordinator"}, "")
    assert (job.phase, job.percent, job.attempts) == ("数数", 50, 1)


def test_nothing_is_queued_when_the_act_is_rolled_back(cast: Cast) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        queue(cast, lambda context: None)
        raise ZeroDivisionError
    assert not Job.objects.exists() and not DBTaskResult.objects.exists()


def test_taking_the_same_job_twice_does_it_once(cast: Cast) -> None:
    calls: list[int] = []
    job = queue(cast, lambda context: calls.append(1))
    services.run(job.pk)
    services.run(job.pk)
    assert calls == [1]


def test_a_queued_job_is_cancelled_at_once_and_never_runs(cast: Cast) -> None:
    job = queue(cast, lambda context: pytest.fail("must not run"))
    services.cancel(job=job, actor=cast.actor("coordinator"), at=NOW)
    services.run(job.pk)
    assert outcome(job)[0] == "cancelled"
    with pytest.raises(Refused):
        services.cancel(job=job, actor=cast.actor("coordinator"), at=NOW)


def test_a_running_job_stops_at_its_next_report(cast: Cast) -> None:
    def work(context: JobContext) -> None:
        context.report("前半", 1, 2)
        services.cancel(job=context.job, actor=cast.actor("coordinator"), at=NOW)
        context.report("后半", 2, 2)
        pytest.fail("must have stopped")

    job = queue(cast, work)
    services.run(job.pk)
    assert outcome(job)[0] == "cancelled"


def test_others_cannot_cancel_or_retry(cast: Cast) -> None:
    job = queue(cast, lambda context: None, who="scjg.planner")
    for act in (services.cancel, services.retry):
        with pytest.raises(PermissionRefused):
            act(job=job, actor=cast.actor("xfjy.planner"), at=NOW)


def test_who_sees_every_job_may_not_stop_it_for_that_but_the_administrator_may(cast: Cast) -> None:
    job = queue(cast, lambda context: None, who="scjg.planner")
    for onlooker in ("supervisor", "coordinator", "registrar"):
        assert Job.objects.visible_to(cast.actor(onlooker)).filter(pk=job.pk).exists()
        with pytest.raises(PermissionRefused):
            services.cancel(job=job, actor=cast.actor(onlooker), at=NOW)
    services.cancel(job=job, actor=cast.actor("administrator"), at=NOW)
    assert outcome(job)[0] == "cancelled"


def test_a_refusal_is_told_in_its_own_words_and_a_fault_without_details(cast: Cast) -> None:
    def refuse(context: JobContext) -> None:
        raise Refused("文件第 3 行有误。")

    job = queue(cast, refuse)
    services.run(job.pk)
    assert outcome(job)[::2] == ("failed", "文件第 3 行有误。")

    def break_down(context: JobContext) -> None:
        raise ValueError("phone 13800000000")

    broken = queue(cast, break_down)
    services.run(broken.pk)
    status, _result, error = outcome(broken)
    assert status == "failed" and "ValueError" in error and "138" not in error


def test_a_failed_job_can_be_tried_again(cast: Cast) -> None:
    tries: list[int] = []

    def work(context: JobContext) -> None:
        tries.append(1)
        if len(tries) == 1:
            raise Refused("再试一次。")

    job = queue(cast, work)
    services.run(job.pk)
    services.retry(job=job, actor=cast.actor("coordinator"), at=NOW)
    services.run(job.pk)
    assert outcome(job)[0] == "succeeded" and len(tries) == 2


def dead(job: Job, attempts: int = 1) -> None:
    """As a killed worker leaves the row."""
    Job.objects.filter(pk=job.pk).update(
        status=Job.Status.RUNNING, attempts=attempts, lease_until=timezone.now() - timedelta(seconds=1)
    )


def test_a_dead_workers_job_is_reclaimed_and_done(cast: Cast) -> None:
    job = queue(cast, lambda context: {"attempt": context.attempt})
    dead(job)
    assert services.reclaim(at=timezone.now()) == 1
    services.run(job.pk)
    assert outcome(job)[:2] == ("succeeded", {"attempt": 2})


def test_a_live_lease_is_left_alone_and_the_third_death_ends_it(cast: Cast) -> None:
    job = queue(cast, lambda context: None)
    Job.objects.filter(pk=job.pk).update(status=Job.Status.RUNNING, lease_until=timezone.now() + timedelta(seconds=30))
    assert services.reclaim(at=timezone.now()) == 0
    dead(job, attempts=services.MOST_ATTEMPTS)
    assert services.reclaim(at=timezone.now()) == 1
    assert outcome(job)[0] == "failed"


def test_what_is_not_safe_to_repeat_is_done_once_at_most(cast: Cast) -> None:
    """Neither a dead worker nor a person makes it run again, and the page offers no button."""

    def work(context: JobContext) -> None:
        raise ValueError

    coordinator = cast.actor("coordinator")
    handles("once", repeatable=False)(work)
    job = services.enqueue("once", title="只做一次", actor=coordinator, at=NOW)
    dead(job)
    assert services.reclaim(at=timezone.now()) == 1
    assert outcome(job)[0] == "failed" and "核对" in outcome(job)[2]
    assert not services.may_retry(job, coordinator)
    with pytest.raises(Refused, match="两次"):
        services.retry(job=job, actor=coordinator, at=NOW)
    again = services.enqueue("once", title="只做一次", actor=coordinator, at=NOW)
    services.run(again.pk)
    assert "可能已经做了一部分" in outcome(again)[2]


def test_the_list_finds_a_task_again_by_words_status_owner_and_day(cast: Cast) -> None:
    mine, theirs = queue(cast, lambda context: None), queue(cast, lambda context: None, who="scjg.planner")
    services.cancel(job=theirs, actor=cast.actor("scjg.planner"), at=NOW)
    client = Client()
    client.force_login(cast.people["coordinator"])
    for query, found in {
        "": {mine, theirs},
        "?status=cancelled": {theirs},
        "?status=queued": {mine},
        "?mine=true": {mine},
        "?mine=false": {theirs},
        "?q=scjg.planner": {theirs},
        "?since=2026-11-23": {mine, theirs},
        "?since=2026-11-24": set(),
    }.items():
        rows = client.get(reverse("jobs:list") + query).context["page"].table.rows
        assert {row.record for row in rows} == found, query


def test_the_queues_own_rows_are_forgotten_after_a_day_and_the_jobs_stay(cast: Cast) -> None:
    job = queue(cast, lambda context: None)
    now = timezone.now()
    DBTaskResult.objects.update(status="SUCCESSFUL", finished_at=now - timedelta(hours=23))
    assert services.prune_carriers(at=now) == 0
    assert services.prune_carriers(at=now + timedelta(hours=2)) == 1
    assert Job.objects.get() == job


def test_a_worker_that_lost_its_lease_saves_nothing(cast: Cast) -> None:
    seen: list[str] = []

    def work(context: JobContext) -> None:
        if context.attempt == 1:
            Job.objects.filter(pk=context.job.pk).update(attempts=2)  # somebody else took it over meanwhile
            with pytest.raises(LeaseLost), transaction.atomic():
                context.fence()
            seen.append("fenced")
            context.report("后半", 1, 2)

    job = queue(cast, work)
    services.run(job.pk)
    assert seen == ["fenced"]
    assert outcome(job)[0] == "running"


def test_periodic_duties_run_when_due_and_once_for_all_tickers(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    monkeypatch.setattr(periodic, "_duties", {})
    periodic.register("demo.often", timedelta(seconds=5), lambda at: calls.append("often"))
    periodic.register("demo.broken", timedelta(seconds=5), lambda at: 1 / 0)
    periodic.register("demo.seldom", timedelta(hours=1), lambda at: calls.append("seldom"))
    assert periodic.run_due(at=NOW) == ["demo.often", "demo.seldom"]
    assert periodic.run_due(at=NOW + timedelta(seconds=4)) == []
    assert periodic.run_due(at=NOW + timedelta(seconds=5)) == ["demo.often"]
    assert calls == ["often", "seldom", "often"]


def test_a_slow_duty_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    network = threading.Event()
    monkeypatch.setattr(periodic, "_duties", {})
    monkeypatch.setattr(periodic, "_slow", set())
    periodic.register("demo.slow", timedelta(0), lambda at: (network.wait(30), calls.append("slow")), slow=True)
    periodic.register("demo.quick", timedelta(0), lambda at: calls.append("quick"))
    aside = periodic.Aside()
    assert periodic.run_due(at=NOW, aside=aside) == ["demo.slow", "demo.quick"]
    assert periodic.run_due(at=NOW + timedelta(seconds=1), aside=aside) == ["demo.quick"]
    assert calls == ["quick", "quick"]
    network.set()
    aside._threads["demo.slow"].join()
    assert calls[-1] == "slow" and not aside.busy("demo.slow")
    assert periodic.run_due(at=NOW + timedelta(seconds=2)) == ["demo.slow", "demo.quick"]
