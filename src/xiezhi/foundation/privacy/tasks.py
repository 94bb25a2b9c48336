"""Background entries."""

from typing import Any

from xiezhi.foundation.jobs.handlers import JobContext, handles
from xiezhi.foundation.privacy import services

RESEAL = "privacy.reseal"


@handles(RESEAL)
def reseal(job: JobContext) -> dict[str, Any]:
    """Seal everything under the newest key, batch by batch; what a dead worker did stays done."""
    columns = list(services.sealed_columns())
    total, done, changed = sum(each.raw.count() for each in columns), 0, 0
    for column in columns:
        after: Any = None
        while True:
            job.report(str(column.model._meta.verbose_name), min(done, total), total)
            after, now = services.reseal_batch(column=column, after=after)
            changed += now
            done += services.BATCH
            if after is None:
                break
    return {"resealed": changed}
