"""The task list: only one's own work, its bar, cancel and retry."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.builders.cast import NOW, Cast
from xiezhi.foundation.jobs import handlers, services
from xiezhi.foundation.jobs.handlers import JobContext
from xiezhi.foundation.jobs.models import Job
from xiezhi.foundation.jobs.progress import Progress

Login = Callable[[str], Client]


@pytest.fixture(autouse=True)
def toy(monkeypatch: Any) -> None:
    """A kind of work that does nothing."""

    def nothing(context: JobContext) -> None:
        return None

    monkeypatch.setattr(handlers, "_handlers", {**handlers._handlers, "toy": nothing})


@pytest.fixture
def job(cast: Cast) -> Job:
    actor = cast.actor("scjg.planner")
    return services.enqueue("toy", title="导入计划", actor=actor, at=NOW, link="/desk/x/")


PAGES = ["jobs:detail", "jobs:progress"]
ACTS = ["jobs:cancel", "jobs:retry"]


def test_the_list_holds_ones_own_work(job: Job, client_of: Login) -> None:
    assert "导入计划" in client_of("scjg.planner").get(reverse("jobs:list")).content.decode()
    stranger = client_of("xfjy.planner").get(reverse("jobs:list")).content.decode()
    assert "导入计划" not in stranger
    assert "还没有后台任务" in stranger
    assert "导入计划" in client_of("coordinator").get(reverse("jobs:list")).content.decode()


@pytest.mark.parametrize("name", PAGES + ACTS)
def test_other_peoples_work_is_not_found(job: Job, client_of: Login, name: str) -> None:
    client = client_of("xfjy.planner")
    answer = client.get if name in PAGES else client.post
    assert answer(reverse(name, args=[job.pk])).status_code == 404
    job.refresh_from_db()
    assert job.status == Job.Status.QUEUED


@pytest.mark.parametrize("name", ACTS)
def test_acts_are_not_done_by_following_a_link(job: Job, client_of: Login, name: str) -> None:
    assert client_of("scjg.planner").get(reverse(name, args=[job.pk])).status_code == 405


def test_the_list_costs_the_same_for_one_and_for_fifty(
    job: Job, cast: Cast, client_of: Login, no_counts: None, django_assert_num_queries: Any
) -> None:
    client = client_of("scjg.planner")
    owner = cast.people["scjg.planner"]
    client.get(reverse("jobs:list"))
    # session, person, memberships; views, count, page; two badges
    with django_assert_num_queries(8):
        client.get(reverse("jobs:list"))
    Job.objects.bulk_create(Job(kind="toy", title=f"任务 {n}", owner=owner, created_at=NOW) for n in range(49))
    with django_assert_num_queries(8):
        client.get(reverse("jobs:list"))


def test_cancel_then_retry(job: Job, client_of: Login) -> None:
    client = client_of("scjg.planner")
    page = client.post(reverse("jobs:cancel", args=[job.pk]), follow=True).content.decode()
    assert "任务已取消。" in page
    assert "再做一次" in page
    page = client.post(reverse("jobs:retry", args=[job.pk]), follow=True).content.decode()
    assert "重新排队" in page
    assert Job.objects.get(pk=job.pk).status == Job.Status.QUEUED


def test_a_running_job_is_asked_to_stop(job: Job, client_of: Login) -> None:
    Job.objects.filter(pk=job.pk).update(status="running", started_at=NOW)
    page = client_of("scjg.planner").post(reverse("jobs:cancel", args=[job.pk]), follow=True).content.decode()
    assert "正在停下" in page
    assert "取消任务</button>" not in page


def test_cancelling_what_is_over_is_refused_in_words(job: Job, client_of: Login) -> None:
    Job.objects.filter(pk=job.pk).update(status="succeeded")
    client = client_of("scjg.planner")
    back = f"http://testserver{reverse('jobs:detail', args=[job.pk])}"
    page = client.post(reverse("jobs:cancel", args=[job.pk]), headers={"Referer": back}, follow=True)
    assert "任务已经结束。" in page.content.decode()


def test_the_bar_asks_again_while_the_job_is_open_and_then_the_page_is_renewed(job: Job, client_of: Login) -> None:
    client = client_of("scjg.planner")
    open_bar = client.get(reverse("jobs:progress", args=[job.pk]))
    assert "hx-trigger" in open_bar.content.decode()
    assert "HX-Refresh" not in open_bar
    Job.objects.filter(pk=job.pk).update(status="failed", error="第 3 行的代码不对。")
    closed = client.get(reverse("jobs:progress", args=[job.pk]))
    assert closed["HX-Refresh"] == "true"
    assert "hx-trigger" not in closed.content.decode()
    assert "第 3 行的代码不对。" in closed.content.decode()


def test_the_result_is_one_click_away(job: Job, client_of: Login) -> None:
    Job.objects.filter(pk=job.pk).update(status="succeeded", started_at=NOW, finished_at=NOW + timedelta(minutes=5))
    page = client_of("scjg.planner").get(reverse("jobs:detail", args=[job.pk])).content.decode()
    assert 'href="/desk/x/"' in page
    assert "用了 5 分钟" in page


def mark_of(progress: Progress) -> dict[str, str]:
    found = re.fullmatch(r"\?phase=(.*)&since=(\d+)&done=(\d+)", progress.mark)
    assert found
    return {"phase": "写入", "since": found[2], "done_then": found[3]}


def test_rate_and_time_left_are_measured_from_the_first_look_at_a_phase() -> None:
    job = Job(status="running", phase="写入", done=1000, total=50_000, started_at=NOW, created_at=NOW)
    first = Progress.of(job, at=NOW)
    assert (first.rate, first.left) == ("", "")
    job.done = 3000
    later = Progress.of(job, at=NOW + timedelta(seconds=10), **mark_of(first))
    assert later.count == "3,000 / 50,000"
    assert later.rate == "每秒 200 项"
    assert later.left == "约剩 3 分钟"
    job.phase, job.done = "校验", 0
    assert Progress.of(job, at=NOW + timedelta(seconds=20), **mark_of(first)).rate == ""


@pytest.mark.parametrize(
    ("since", "done"), [("", ""), ("x", "1"), ("9" * 30, "1"), ("1", "1"), ("-5", "0"), ("²", "0")]
)
def test_a_mark_that_is_not_ours_is_ignored(since: str, done: str) -> None:
    job = Job(status="running", phase="写入", done=10, total=100, started_at=NOW, created_at=NOW)
    assert Progress.of(job, at=NOW, phase="写入", since=since, done_then=done).rate == ""
