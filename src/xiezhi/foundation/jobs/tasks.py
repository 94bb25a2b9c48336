from django_tasks import task

from xiezhi.foundation.jobs import services


@task()
def run_job(job_id: int) -> None:
    """The worker's entry: do one job."""
    services.run(job_id)
