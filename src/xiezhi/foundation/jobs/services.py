import logging
import threading
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.foundation.access.actors import Actor, PermissionRefused
from xiezhi.foundation.access.permissions import AccessPermission
from xiezhi.foundation.jobs.handlers import LEASE, Cancelled, JobContext, LeaseLost, handler_for, repeatable
from xiezhi.foundation.jobs.models import Job
from xiezhi.foundation.workflow.errors import Refused

log = logging.getLogger(__name__)
MOST_ATTEMPTS = 3


@transaction.atomic
def enqueue(kind: str, *, title: str, actor: Actor, at: datetime, link: str = "", **payload: Any) -> Job:
    """Queue a job in the caller's transaction: it runs only if that commits."""
    handler_for(kind)
    job = Job.objects.create(
        kind=kind,
        title=title,
        payload=payload,
        owner_id=actor.user_id,
        membership_id=actor.membership_id,
        created_at=at,
        link=link,
    )
    _send(job)
    return job


def _send(job: Job) -> None:
    from xiezhi.foundation.jobs.tasks import run_job

    run_job.enqueue(job.pk)


def may_steer(job: Job, actor: Actor) -> bool:
    """Whether `actor` may cancel the job or queue it again: whose it is, and who manages accounts, for people who are away.

    Seeing it is not enough: district-wide posts see every job, and some of them are there to read only.
    """
    its_own = job.owner_id is not None and job.owner_id == actor.user_id
    return its_own or actor.can(AccessPermission.MANAGE_PEOPLE)


def may_retry(job: Job, actor: Actor) -> bool:
    """Whether `actor` may queue it again: `may_steer`, it ended without success, and its handler is safe to run again."""
    unfinished = job.status in {Job.Status.FAILED, Job.Status.CANCELLED}
    return unfinished and repeatable(job.kind) and may_steer(job, actor)


@transaction.atomic
def cancel(*, job: Job, actor: Actor, at: datetime) -> Job:
    """Ask a job to stop: a queued one stops at once, a running one at its next report. Raises Refused when it is over already,
    PermissionRefused as `may_steer` says."""
    if not may_steer(job, actor):
        raise PermissionRefused(_("只能取消自己提交的任务。"))
    locked = Job.objects.select_for_update().get(pk=job.pk)
    if not locked.is_open:
        raise Refused(_("任务已经结束。"))
    locked.cancel_requested_at = at
    if locked.status == Job.Status.QUEUED:
        locked.status, locked.finished_at = Job.Status.CANCELLED, at
    locked.save(update_fields=["cancel_requested_at", "status", "finished_at"])
    return locked


@transaction.atomic
def retry(*, job: Job, actor: Actor, at: datetime) -> Job:
    """Queue a failed or cancelled job again from the start. Raises PermissionRefused as `may_steer` says, and
    Refused when it is not over without success or its handler is not safe to run again."""
    if not may_steer(job, actor):
        raise PermissionRefused(_("只能重试自己提交的任务。"))
    locked = Job.objects.select_for_update().get(pk=job.pk)
    if locked.status not in {Job.Status.FAILED, Job.Status.CANCELLED}:
        raise Refused(_("只有未完成或已取消的任务可以重试。"))
    if not repeatable(locked.kind):
        raise Refused(_("这类任务重做可能把同一件事办两次，不能直接重试。请回到出处重新发起。"))
    Job.objects.filter(pk=job.pk).update(
        status=Job.Status.QUEUED,
        cancel_requested_at=None,
        finished_at=None,
        error="",
        done=0,
        total=0,
        phase="",
        created_at=at,
    )
    locked.refresh_from_db()
    _send(locked)
    return locked


def run(job_id: int) -> None:
    """Do one job in this process. Whoever takes the row by compare-and-set does it; a second call does nothing."""
    now = timezone.now()
    job = Job.objects.get(pk=job_id)
    taken = Job.objects.filter(pk=job_id, status=Job.Status.QUEUED, attempts=job.attempts).update(
        status=Job.Status.RUNNING, started_at=now, lease_until=now + LEASE, attempts=job.attempts + 1
    )
    if not taken:
        return
    job.refresh_from_db()
    context = JobContext(job)
    heart = threading.Thread(target=context.beat, daemon=True)
    heart.start()
    try:
        result = handler_for(job.kind)(context)
        _finish(context, Job.Status.SUCCEEDED, result=result or {})
    except Cancelled:
        _finish(context, Job.Status.CANCELLED)
    except LeaseLost:
        log.warning("job %s was taken over by another worker", job_id)
    except Refused as refusal:
        _finish(context, Job.Status.FAILED, error=str(refusal))
    except Exception as error:
        log.exception("job %s failed", job_id)
        message = _broken_off(job.kind) % {
            "phase": job.phase or job.title,
            "kind": type(error).__name__,
            "id": job_id,
        }
        _finish(context, Job.Status.FAILED, error=message)
    finally:
        context.stop_beating()
        heart.join(timeout=5)


def _broken_off(kind: str) -> str:
    if repeatable(kind):
        return _(
            "程序在“%(phase)s”阶段中断（%(kind)s），没有保存任何结果。可以重试；若再次出现，请把任务编号 %(id)s 告诉管理员。"
        )
    return _(
        "程序在“%(phase)s”阶段中断（%(kind)s），可能已经做了一部分。请先核对结果，再把任务编号 %(id)s 告诉管理员。"
    )


def _finish(context: JobContext, status: str, *, result: dict[str, Any] | None = None, error: str = "") -> None:
    Job.objects.filter(pk=context.job.pk, status=Job.Status.RUNNING, attempts=context.attempt).update(
        status=status, result=result or {}, error=error, finished_at=timezone.now(), lease_until=None
    )


def reclaim(*, at: datetime) -> int:
    """Queue again the running jobs whose lease has run out (their worker died); they fail after MOST_ATTEMPTS, or at once when their
    handler is not safe to run again. Returns how many."""
    count = 0
    for job in Job.objects.filter(status=Job.Status.RUNNING, lease_until__lt=at):
        with transaction.atomic():
            mine = Job.objects.filter(pk=job.pk, status=Job.Status.RUNNING, attempts=job.attempts, lease_until__lt=at)
            if job.cancel_requested_at:
                count += mine.update(status=Job.Status.CANCELLED, finished_at=at, lease_until=None)
            elif not repeatable(job.kind):
                message = _("处理这项任务的程序中断了，可能已经做了一部分。请先核对结果，再决定是否重新发起。")
                count += mine.update(status=Job.Status.FAILED, error=message, finished_at=at, lease_until=None)
            elif job.attempts >= MOST_ATTEMPTS:
                message = _("处理这项任务的程序三次中断，没有保存任何结果。请联系管理员。")
                count += mine.update(status=Job.Status.FAILED, error=message, finished_at=at, lease_until=None)
            elif mine.update(status=Job.Status.QUEUED, lease_until=None):
                _send(job)
                count += 1
    return count


def prune_carriers(*, at: datetime) -> int:
    """Forget the queue's own rows of tasks that ended more than a day ago: the jobs themselves stay. Returns how many."""
    from django_tasks_db.models import DBTaskResult

    deleted, _by_model = DBTaskResult.objects.finished().filter(finished_at__lt=at - timedelta(days=1)).delete()
    return deleted
