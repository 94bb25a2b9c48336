"""What the foundation itself knows to hang on a person: background tasks and imports under way, certificates, requests of their own."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.access.models import Membership
from xiezhi.foundation.access.services.handover import Kind, Thing
from xiezhi.foundation.accounts.models import User


def _jobs(user: User) -> Any:
    from xiezhi.foundation.jobs.models import Job

    return Job.objects.filter(owner=user, status__in=[Job.Status.QUEUED, Job.Status.RUNNING])


def _batches(user: User) -> Any:
    from xiezhi.foundation.imports.models import ImportBatch

    return ImportBatch.objects.filter(created_by=user, status__in=ImportBatch.OPEN)


def _list_jobs(user: User, at: datetime) -> Iterator[Thing]:
    return (Thing(job.title, reverse("jobs:detail", args=[job.pk])) for job in _jobs(user).order_by("pk"))


def _list_batches(user: User, at: datetime) -> Iterator[Thing]:
    rows = _batches(user).select_related("file").order_by("pk")
    return (Thing(str(batch), reverse("imports:detail", args=[batch.pk])) for batch in rows)


def _list_certificates(user: User, at: datetime) -> Iterator[Thing]:
    officer = getattr(user, "officer", None)
    if officer is not None and officer.is_active:
        yield Thing(f"{officer.name} {officer.certificate_number}", reverse("orgs:officer", args=[officer.pk]))


@transaction.atomic
def transfer_jobs(*, user: User, to: Membership, actor: Actor, at: datetime) -> int:
    """Open tasks become the colleague's; one that still waits runs under the colleague's post, one that runs keeps the post it began in."""
    from xiezhi.foundation.jobs.models import Job

    moved: int = _jobs(user).filter(status=Job.Status.QUEUED).update(owner_id=to.user_id, membership_id=to.pk)
    return moved + int(_jobs(user).update(owner_id=to.user_id))


@transaction.atomic
def transfer_batches(*, user: User, to: Membership, actor: Actor, at: datetime) -> int:
    """Imports under way become the colleague's where it is the same organisation's; others stay to be seen there."""
    mine = _batches(user).filter(organisation_id=to.organisation_id)
    return int(mine.update(created_by_id=to.user_id, membership_id=to.pk))


KINDS = (
    Kind("jobs", _("后台任务"), _list_jobs, transfer_jobs),
    Kind("imports", _("未完成的导入"), _list_batches, transfer_batches),
    Kind("certificates", _("在岗执法人员登记"), _list_certificates),
)
"""What `handover.register` is told at start."""
