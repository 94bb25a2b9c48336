import django_filters
import django_tables2
from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from xiezhi.foundation.access.guards import SIGNED_IN, needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.jobs import services
from xiezhi.foundation.jobs.models import Job
from xiezhi.foundation.jobs.progress import Progress
from xiezhi.foundation.ui.lists import Empty, Filters, SearchFilter, SinceFilter, list_page
from xiezhi.foundation.ui.tables import MomentColumn, StatusColumn, Table


class JobTable(Table):
    title = django_tables2.Column(linkify=("jobs:detail", {"pk": django_tables2.A("pk")}))
    status = StatusColumn(Job.Status, verbose_name=gettext_lazy("状态"))
    owner = django_tables2.Column(verbose_name=gettext_lazy("提交人"), order_by="owner__display_name")
    created_at = MomentColumn()
    finished_at = MomentColumn(verbose_name=gettext_lazy("结束时间"))
    phone = ("title", "status", "created_at")

    class Meta(Table.Meta):
        model = Job
        fields = ("title", "status", "owner", "created_at", "finished_at")
        order_by = "-created_at"


class JobFilters(Filters):
    q = SearchFilter("title", "owner__display_name")
    status = django_filters.ChoiceFilter(choices=Job.Status.choices, label=gettext_lazy("状态"))
    mine = django_filters.BooleanFilter(method="by_owner", label=gettext_lazy("我提交的"))
    since = SinceFilter(
        field_name="created_at",
        label=gettext_lazy("提交日期从"),
        widget=forms.DateInput(attrs={"type": "date"}),
    )

    class Meta:
        model = Job
        fields = ("q", "status", "mine", "since")

    def by_owner(self, jobs: QuerySet[Job], name: str, value: bool) -> QuerySet[Job]:
        """The person's own, or everybody else's."""
        own = {"owner_id": self.request.actor.user_id}
        return jobs.filter(**own) if value else jobs.exclude(**own)


@require_GET
@needs(SIGNED_IN)
def job_list(request: DeskRequest) -> HttpResponseBase:
    """The task list (后台任务): long work that this person started, or all of it for district-wide posts."""
    return list_page(
        request,
        title=_("后台任务"),
        queryset=Job.objects.visible_to(request.actor).select_related("owner"),
        table=JobTable,
        filterset=JobFilters,
        unit=_("项任务"),
        empty=Empty(
            _("还没有后台任务"), _("导入文件、生成建议这类较长的工作会列在这里，关掉页面也能再找到。"), icon="hourglass"
        ),
        export=False,
    )


def _job(request: DeskRequest, pk: int) -> Job:
    return get_object_or_404(Job.objects.visible_to(request.actor).select_related("owner"), pk=pk)


@require_GET
@needs(SIGNED_IN)
def job_detail(request: DeskRequest, pk: int) -> HttpResponse:
    """One task: how far it is, what came out, cancel and retry."""
    job = _job(request, pk)
    return render(request, "jobs/detail.html", {"job": job, "may_retry": services.may_retry(job, request.actor)})


@require_GET
@needs(SIGNED_IN)
def job_progress(request: DeskRequest, pk: int) -> HttpResponse:
    """The bar alone, for the page that shows it. Once the job is over the page is loaded again to show the outcome."""
    job = _job(request, pk)
    mark = {"phase": request.GET.get("phase", ""), "since": request.GET.get("since", "")}
    progress = Progress.of(job, at=timezone.now(), **mark, done_then=request.GET.get("done", ""))
    may_steer = services.may_steer(job, request.actor)
    response = render(request, "ui/progress.html", {"job": job, "progress": progress, "may_steer": may_steer})
    if not job.is_open:
        response["HX-Refresh"] = "true"
    return response


@require_POST
@needs(SIGNED_IN)
def job_cancel(request: DeskRequest, pk: int) -> HttpResponse:
    """Ask the job to stop."""
    job = services.cancel(job=_job(request, pk), actor=request.actor, at=timezone.now())
    if job.is_open:
        messages.success(request, _("已经请它停下，很快就会停。"))
    else:
        messages.success(request, _("任务已取消。"))
    return redirect("jobs:detail", pk=pk)


@require_POST
@needs(SIGNED_IN)
def job_retry(request: DeskRequest, pk: int) -> HttpResponse:
    """Queue the job again."""
    services.retry(job=_job(request, pk), actor=request.actor, at=timezone.now())
    messages.success(request, _("任务已重新排队。"))
    return redirect("jobs:detail", pk=pk)
