"""识别模型: versions and their figures, learning, uploading, putting into use, and how often people took what was suggested."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xiezhi.domains.complaints.models import ModelUse, TextModel
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.queries.loaded import use_now
from xiezhi.domains.complaints.queries.suggestions import COUNTED, adoption
from xiezhi.domains.complaints.services import likeness, teaching
from xiezhi.domains.complaints.views.common import act_page, who
from xiezhi.foundation.access.guards import needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.jobs.models import Job
from xiezhi.foundation.ui.words import UNKNOWN

SHOWN = 30


class UploadForm(forms.Form):
    """A model file or a labelled table."""

    file = forms.FileField(
        label=gettext_lazy("文件"),
        help_text=gettext_lazy(
            "模型文件，或者有 text、label 两列的表格（.xlsx、.csv）；label 写问题类别的名称或者代码。"
        ),
    )
    note = forms.CharField(label=gettext_lazy("说明"), max_length=200, required=False)


@require_GET
@needs(May.TEACH)
def model_list(request: DeskRequest) -> HttpResponse:
    """All versions, what is in use, the job that is under way, and 采纳率 of each kind."""
    at = timezone.now()
    use = use_now()
    uses = list(ModelUse.objects.select_related("model", "by").defer("model__data").order_by("-pk")[:10])
    jobs = Job.objects.visible_to(request.actor).filter(kind__in=[teaching.JOB_KIND, likeness.JOB_KIND]).order_by("-pk")
    context = {
        "models": [_shown(each, use) for each in TextModel.objects.visible_to(request.actor).select_related("made_by").order_by("-version")[:SHOWN]],
        "use": use,
        "uses": uses,
        "before": uses[1] if len(uses) > 1 else None,
        "job": jobs.filter(status__in=[Job.Status.QUEUED, Job.Status.RUNNING]).first() or jobs.first(),
        "adoption": adoption(at=at),
        "days": COUNTED.days,
    }  # fmt: skip
    return render(request, "complaints/models.html", context)


def _shown(model: TextModel, use: ModelUse | None) -> dict[str, Any]:
    measured = model.facts.get("out_of_fold", {})

    def percent(name: str) -> str:
        value = measured.get(name)
        return UNKNOWN if value is None else f"{100 * value:.1f}%"

    return {
        "row": model,
        "in_use": use is not None and use.model_id == model.pk,
        "texts": model.facts.get("texts", 0),
        "labels": len(model.facts.get("per_label", {})),
        "macro_f1": UNKNOWN if model.macro_f1 is None else f"{model.macro_f1:.4f}",
        "accuracy": percent("accuracy"),
        "answered": percent("answered"),
        "ece": percent("ece"),
    }


@require_POST
@needs(May.TEACH)
def train(request: DeskRequest) -> HttpResponseBase:
    """Learn from the desk's own decided cases."""
    teaching.train_in_background(**who(request))
    messages.success(request, _("已开始学习，完成后在这里出现新的一版。"))
    return redirect("complaints:models")


@require_POST
@needs(May.TEACH)
def fill_keys(request: DeskRequest) -> HttpResponseBase:
    """Make matching keys for cases that have none."""
    likeness.fill_in_background(**who(request))
    messages.success(request, _("已开始建立查重键。"))
    return redirect("complaints:models")


@require_http_methods(["GET", "POST"])
@needs(May.TEACH)
def upload(request: DeskRequest) -> HttpResponseBase:
    """Bring in a model file or a labelled table."""
    form = UploadForm(request.POST or None, request.FILES or None)
    return act_page(
        request, form,
        lambda given: teaching.receive_file(upload=given["file"], note=given["note"], **who(request)),
        title=_("上传识别模型或者标注表"), submit=_("上传"), done=_("已收到。模型文件立即成为新的一版；标注表学习完成后出现新的一版。"),
        back=reverse("complaints:models"), intro=_("新的一版不会自动启用：看过成绩以后再启用。"),
    )  # fmt: skip


@require_POST
@needs(May.TEACH)
def use(request: DeskRequest) -> HttpResponseBase:
    """Put a version into use (`version`), or keywords (none)."""
    wanted, seen = request.POST.get("version", ""), request.POST.get("seen", "0")
    chosen = None
    if wanted:
        number = int(wanted) if wanted.isdecimal() and len(wanted) < 10 else 0
        chosen = get_object_or_404(TextModel.objects.visible_to(request.actor), version=number)
    teaching.use_model(model=chosen, seen=int(seen) if seen.isdecimal() and len(seen) < 19 else 0, **who(request))
    messages.success(
        request,
        _("已启用第 %(n)s 版，可以随时换回。") % {"n": chosen.version}
        if chosen
        else _("已改为按关键词，可以随时换回。"),
    )
    return redirect("complaints:models")
