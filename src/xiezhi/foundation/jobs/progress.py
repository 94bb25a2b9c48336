"""How far a job is, in words: count, rate and time left."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from xiezhi.foundation.jobs.models import Job
from xiezhi.foundation.ui.words import duration

LEAST_WATCHED = timedelta(seconds=1)
LONGEST_WATCHED = timedelta(days=1)


@dataclass(frozen=True)
class Progress:
    """What the bar says. Rate and time left are measured from the first look at the present phase, which `mark` carries along."""

    words: str
    count: str = ""
    rate: str = ""
    left: str = ""
    elapsed: str = ""
    mark: str = ""

    @classmethod
    def of(cls, job: Job, *, at: datetime, phase: str = "", since: str = "", done_then: str = "") -> Self:
        """The progress of `job` at `at`; `phase`, `since` and `done_then` come from an earlier `mark`, as text from an address."""
        if not job.is_open:
            return cls(words=_over(job))
        first_at, first_done = _first_look(job, at, phase, since, done_then)
        rate, left = "", ""
        watched, moved = at - first_at, job.done - first_done
        if watched >= LEAST_WATCHED and moved > 0:
            per_second = moved / watched.total_seconds()
            rate = _("每秒 %(n)s 项") % {"n": f"{per_second:,.0f}" if per_second >= 10 else f"{per_second:.1f}"}
            if job.total:
                left = _("约剩 %(time)s") % {"time": duration(timedelta(seconds=(job.total - job.done) / per_second))}
        return cls(
            words=job.phase or (_("等待处理程序") if job.status == Job.Status.QUEUED else _("刚开始")),
            count=f"{job.done:,} / {job.total:,}",
            rate=rate,
            left=left,
            elapsed=_("已用 %(time)s") % {"time": duration(at - job.started_at)} if job.started_at else "",
            mark="?" + urlencode({"phase": job.phase, "since": int(first_at.timestamp()), "done": first_done}),
        )


def _over(job: Job) -> str:
    if job.started_at and job.finished_at and job.status == Job.Status.SUCCEEDED:
        return _("用了 %(time)s") % {"time": duration(job.finished_at - job.started_at)}
    return ""


def _first_look(job: Job, at: datetime, phase: str, since: str, done_then: str) -> tuple[datetime, int]:
    """When and where the present phase was first seen; now, if the phase is new or the mark is not ours."""
    if phase != job.phase or not all(each.isdecimal() and len(each) < 19 for each in (since, done_then)):
        return at, job.done
    seconds, first_done = int(since), int(done_then)
    if first_done > job.done or not at.timestamp() - LONGEST_WATCHED.total_seconds() < seconds <= at.timestamp():
        return at, job.done
    return datetime.fromtimestamp(seconds, tz=at.tzinfo), first_done
