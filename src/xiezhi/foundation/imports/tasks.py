"""Background entry: the check and the apply as jobs. Both may be run again from the start after a worker died."""

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.foundation.access.actors import SYSTEM
from xiezhi.foundation.imports.models import ImportBatch
from xiezhi.foundation.imports.running import run_apply, run_check
from xiezhi.foundation.imports.workflow import import_workflow
from xiezhi.foundation.jobs.handlers import Cancelled, JobContext, LeaseLost, handles
from xiezhi.foundation.jobs.models import Job
from xiezhi.foundation.workflow.errors import Refused
from xiezhi.foundation.workflow.services import advance

Step = Callable[..., dict[str, int]]


@handles("imports.check")
def check(job: JobContext) -> dict[str, Any]:
    """Check a batch."""
    return _do(job, run_check, busy=ImportBatch.Status.CHECKING, over=ImportBatch.Status.CHECKED, stop="stop_check")


@handles("imports.apply")
def apply(job: JobContext) -> dict[str, Any]:
    """Save a batch."""
    return _do(job, run_apply, busy=ImportBatch.Status.APPLYING, over=ImportBatch.Status.APPLIED, stop="stop_apply")


def _do(job: JobContext, step: Step, *, busy: str, over: str, stop: str) -> dict[str, Any]:
    batch = ImportBatch.objects.select_related("file", "organisation").get(pk=job.payload["batch"])
    if batch.job_id == job.job.pk and batch.status == over:
        return {}  # an earlier attempt got as far as its commit
    if batch.job_id != job.job.pk or batch.status != busy:
        raise Refused(_("这次导入已不在这一步，请从导入页面继续。"))
    try:
        return dict(step(batch, progress=job, actor=job.actor, at=timezone.now()))
    except LeaseLost:
        raise
    except Cancelled:
        _leave(job, batch, stop)
        raise
    except Refused as refusal:
        _leave(job, batch, "fail", error=str(refusal))
        raise
    except Exception:
        _leave(job, batch, "fail", error=_("程序中断，没有保存任何结果。请重新核对；若再次出现，请联系管理员。"))
        raise


def _leave(job: JobContext, batch: ImportBatch, move: str, **changes: str) -> None:
    """Bring the batch to rest, unless the job is another worker's by now."""
    with transaction.atomic():
        mine = Job.objects.select_for_update().filter(pk=job.job.pk, status=Job.Status.RUNNING, attempts=job.attempt)
        if mine.exists():
            workflow = import_workflow(batch.spec.permission)
            advance(workflow, batch, move, actor=SYSTEM, at=timezone.now(), changes=dict(changes))
