from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from xiezhi.foundation.access.actors import Actor


class JobQuerySet(models.QuerySet["Job"]):
    def visible_to(self, actor: Actor) -> "JobQuerySet":
        """The person's own jobs; district-wide posts see all."""
        if actor.district_wide:
            return self
        return self.filter(owner_id=actor.user_id) if actor.user_id else self.none()


class Job(models.Model):
    """One piece of background work and how far it is."""

    class Status(models.TextChoices):
        QUEUED = "queued", _("排队中")
        RUNNING = "running", _("进行中")
        SUCCEEDED = "succeeded", _("已完成")
        FAILED = "failed", _("未完成")
        CANCELLED = "cancelled", _("已取消")

    kind = models.CharField(max_length=60)
    title = models.CharField(_("任务"), max_length=200)
    payload = models.JSONField(default=dict)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="jobs")
    membership_id = models.BigIntegerField(null=True)
    status = models.CharField(_("状态"), max_length=10, choices=Status, default=Status.QUEUED)
    phase = models.CharField(_("阶段"), max_length=60, blank=True)
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    cancel_requested_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(_("提交时间"))
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    error = models.TextField(_("原因"), blank=True)
    result = models.JSONField(default=dict)
    link = models.CharField(max_length=300, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        verbose_name = _("后台任务")
        indexes = [models.Index(fields=["status", "lease_until"], name="jobs_by_lease")]

    def __str__(self) -> str:
        return self.title

    @property
    def is_open(self) -> bool:
        """Still queued or running."""
        return self.status in {self.Status.QUEUED, self.Status.RUNNING}

    @property
    def percent(self) -> int | None:
        """Share done, 0–100; None while the total is unknown."""
        return min(100, self.done * 100 // self.total) if self.total else None


class PeriodicRun(models.Model):
    """When a periodic duty last ran; compare-and-set on it keeps several tickers from doubling."""

    name = models.CharField(max_length=80, primary_key=True)
    last_run_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name
