from datetime import timedelta

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class JobsConfig(AppConfig):
    name = "xiezhi.foundation.jobs"
    label = "jobs"
    verbose_name = _("后台任务")

    def ready(self) -> None:
        from xiezhi.foundation.audit.services import seal_entries, sign_head
        from xiezhi.foundation.events.services import deliver_due
        from xiezhi.foundation.jobs import periodic, services
        from xiezhi.foundation.jobs.models import Job
        from xiezhi.foundation.ui.statuses import dress

        periodic.register("audit.seal", timedelta(seconds=5), lambda at: seal_entries())
        periodic.register("audit.head", timedelta(hours=1), lambda at: sign_head(at=at))
        periodic.register("events.deliver", timedelta(seconds=2), lambda at: deliver_due(at=at))
        periodic.register("jobs.reclaim", timedelta(seconds=15), lambda at: services.reclaim(at=at))
        periodic.register("jobs.prune", timedelta(hours=1), lambda at: services.prune_carriers(at=at))
        dress(
            Job.Status,
            {
                Job.Status.QUEUED: ("hourglass", "neutral"),
                Job.Status.RUNNING: ("player-play", "active"),
                Job.Status.SUCCEEDED: ("circle-check", "good"),
                Job.Status.FAILED: ("circle-x", "urgent"),
                Job.Status.CANCELLED: ("player-stop", "neutral"),
            },
        )
