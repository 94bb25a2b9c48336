from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xiezhi.foundation.access.guards import SIGNED_IN, needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.files.sheets import workbook_response
from xiezhi.foundation.files.uploads import oversized_in
from xiezhi.foundation.imports import services
from xiezhi.foundation.imports.forms import ColumnsForm, start_form
from xiezhi.foundation.imports.models import ImportBatch
from xiezhi.foundation.imports.queries import batch_rows, problem_header, problem_rows
from xiezhi.foundation.imports.specs import ImportSpec, Outcome, spec_for, specs_for
from xiezhi.foundation.imports.tables import BatchFilters, BatchTable, row_table
from xiezhi.foundation.imports.workflow import import_workflow
from xiezhi.foundation.ui.forms import form_page, saved
from xiezhi.foundation.ui.lists import Empty, list_page
from xiezhi.foundation.workflow.services import why_not

STEPS = (gettext_lazy("选择文件"), gettext_lazy("对应各列"), gettext_lazy("核对"), gettext_lazy("导入结果"))
STEP_PAGES = {
    ImportBatch.Status.CHECKING: "imports:check",
    ImportBatch.Status.CHECKED: "imports:check",
    ImportBatch.Status.APPLYING: "imports:apply",
    ImportBatch.Status.APPLIED: "imports:apply",
    ImportBatch.Status.ABANDONED: "imports:apply",
}
SHOWN_FIRST = (Outcome.REFUSED, Outcome.TO_CONFIRM, Outcome.CHANGED, Outcome.NEW, Outcome.UNCHANGED)


def _spec(request: DeskRequest, key: str) -> ImportSpec:
    """The spec, for people who may use it. An unknown one is 404."""
    try:
        spec = spec_for(key)
    except KeyError as error:
        raise Http404 from error
    request.actor.require(spec.permission)
    return spec


def _batch(request: DeskRequest, pk: int) -> ImportBatch:
    """The batch, with a job that ended without it brought to rest."""
    batch = get_object_or_404(
        ImportBatch.objects.visible_to(request.actor).select_related("file", "organisation", "created_by", "job"), pk=pk
    )
    if batch.status in ImportBatch.BUSY and not (batch.job and batch.job.is_open):
        services.settle(batch=batch, at=timezone.now())
        batch.refresh_from_db()
    return batch


def _to_its_step(batch: ImportBatch) -> HttpResponse:
    page = STEP_PAGES.get(ImportBatch.Status(batch.status), "imports:columns")
    return redirect(page, pk=batch.pk)


@require_GET
@needs(SIGNED_IN)
def import_list(request: DeskRequest) -> HttpResponseBase:
    """Every import that this post may see, and what can be imported (数据导入)."""
    specs = specs_for(request.actor)
    return list_page(
        request,
        title=_("数据导入"),
        queryset=ImportBatch.objects.visible_to(request.actor).select_related("file", "organisation", "created_by"),
        table=BatchTable,
        filterset=BatchFilters,
        unit=_("次导入"),
        empty=Empty(_("还没有导入过表格"), _("从上面选一种内容开始；中途离开也能在这里接着做。"), icon="upload"),
        template="imports/list.html",
        context={"specs": specs},
    )


@require_http_methods(["GET", "POST"])
@needs(SIGNED_IN)
def start(request: DeskRequest, key: str) -> HttpResponse:
    """Step one: the file and the spec's own questions."""
    spec = _spec(request, key)
    if request.method == "POST":
        form = start_form(spec, request.actor, request.POST, request.FILES, oversized_in(request))
    else:
        form = start_form(spec, request.actor)

    def act(data: dict[str, Any]) -> tuple[ImportBatch, bool]:
        upload, owner = data.pop("import_file"), data.pop("import_owner", None)
        return services.start_import(
            key, upload=upload, organisation=owner, options=data, actor=request.actor, at=timezone.now()
        )

    if done := saved(form, act):
        batch, new = done
        if not new:
            messages.info(request, _("这个文件已经上传过，还没有导完，接着做就可以。"))
        return _to_its_step(batch)
    return form_page(
        request,
        form,
        title=_("导入%(what)s") % {"what": spec.title},
        intro=str(spec.description),
        submit=_("上传并识别列"),
        cancel_url=reverse("imports:list"),
        template="imports/start.html",
        spec=spec,
        steps=STEPS,
        step=1,
        open_batches=ImportBatch.objects.visible_to(request.actor)
        .filter(spec_key=key, status__in=ImportBatch.OPEN)
        .select_related("file")
        .order_by("-created_at")[:5],
    )


@require_GET
@needs(SIGNED_IN)
def template(request: DeskRequest, key: str) -> HttpResponseBase:
    """An empty sheet to fill in: header with explanations, one example row, notes on the second worksheet."""
    spec = _spec(request, key)
    return workbook_response(
        _("%(what)s导入模板") % {"what": spec.title} + ".xlsx",
        header=[f"{column.label}*" if column.required else column.label for column in spec.columns],
        rows=[[column.example for column in spec.columns]],
        title=str(spec.title),
        widths=[max(12, 2 * len(str(column.label)) + 4) for column in spec.columns],
        comments=[column.help for column in spec.columns],
        notes=[
            _("带 * 的列必填。第二行是示例，填写前请删除。"),
            *spec.notes,
            *(f"{column.label}{_('：')}{column.help}" for column in spec.columns if column.help),
        ],
        notes_title=_("填写说明"),
    )


@require_GET
@needs(SIGNED_IN)
def detail(request: DeskRequest, pk: int) -> HttpResponse:
    """Back to where the import stands."""
    return _to_its_step(_batch(request, pk))


@require_http_methods(["GET", "POST"])
@needs(SIGNED_IN)
def columns(request: DeskRequest, pk: int) -> HttpResponse:
    """Step two: which column is which; sending it starts the check."""
    batch = _batch(request, pk)
    if request.method == "GET" and (batch.status in ImportBatch.BUSY or batch.status not in ImportBatch.OPEN):
        return _to_its_step(batch)
    form = ColumnsForm(batch, request.POST if request.method == "POST" else None)

    def act(data: dict[str, Any]) -> ImportBatch:
        if batch.status in ImportBatch.BUSY and form.mapping() == batch.mapping:
            return batch  # the same click a second time
        return services.map_and_check(
            batch=batch,
            mapping=form.mapping(),
            actor=request.actor,
            at=timezone.now(),
            seen_status=request.POST.get("seen_status"),
        )

    if moved := saved(form, act):
        return _to_its_step(moved)
    return form_page(
        request,
        form,
        title=_("对应各列：%(what)s") % {"what": batch.spec.title},
        submit=_("开始核对"),
        template="imports/columns.html",
        batch=batch,
        steps=STEPS,
        step=2,
        seen_status=batch.status,
        matched=len(batch.mapping),
    )


@require_POST
@needs(SIGNED_IN)
def sheet(request: DeskRequest, pk: int) -> HttpResponse:
    """Read another worksheet of the workbook."""
    services.choose_sheet(
        batch=_batch(request, pk), name=request.POST.get("sheet", ""), actor=request.actor, at=timezone.now()
    )
    return redirect("imports:columns", pk=pk)


@require_http_methods(["GET", "POST"])
@needs(SIGNED_IN)
def check(request: DeskRequest, pk: int) -> HttpResponseBase:
    """Step three: the bar while rows are checked, then what would happen. POST checks again with the same columns."""
    batch = _batch(request, pk)
    if request.method == "POST":
        services.map_and_check(
            batch=batch,
            mapping=batch.mapping,
            actor=request.actor,
            at=timezone.now(),
            seen_status=request.POST.get("seen_status"),
        )
        return redirect("imports:check", pk=pk)
    if batch.status == ImportBatch.Status.CHECKING:
        return render(request, "imports/running.html", {"batch": batch, "steps": STEPS, "step": 3, "title": _("核对")})
    if batch.status != ImportBatch.Status.CHECKED:
        return _to_its_step(batch)
    return _review(request, batch, step=3)


def _review(request: DeskRequest, batch: ImportBatch, *, step: int) -> HttpResponseBase:
    counts = [(outcome, batch.counts.get(outcome.value, 0)) for outcome in SHOWN_FIRST]
    shown = request.GET.get("show", "")
    if shown not in Outcome.values:
        shown = next((outcome.value for outcome, count in counts if count), Outcome.NEW.value)
    workflow = import_workflow(batch.spec.permission)
    table, extra_columns = row_table(batch, shown)
    return list_page(
        request,
        title=_("核对：%(what)s") % {"what": batch.spec.title},
        queryset=batch_rows(batch, shown).select_related("batch"),
        table=table,
        table_kwargs={"extra_columns": extra_columns},
        unit=_("行"),
        export=False,
        empty=Empty(_("没有这样的行"), icon="circle-check"),
        template="imports/review.html",
        context={
            "batch": batch,
            "steps": STEPS,
            "step": step,
            "counts": counts,
            "shown": Outcome(shown),
            "refused": batch.counts.get(Outcome.REFUSED.value, 0),
            "to_save": batch.to_save,
            "why_not": why_not(workflow, batch, workflow["apply"], request.actor),
        },
    )


@require_http_methods(["GET", "POST"])
@needs(SIGNED_IN)
def apply(request: DeskRequest, pk: int) -> HttpResponse:
    """Step four: POST saves what was checked; the page shows the bar, then the result."""
    batch = _batch(request, pk)
    if request.method == "POST":
        services.apply_import(
            batch=batch, actor=request.actor, at=timezone.now(), seen_status=request.POST.get("seen_status")
        )
        return redirect("imports:apply", pk=pk)
    if batch.status == ImportBatch.Status.APPLYING:
        return render(request, "imports/running.html", {"batch": batch, "steps": STEPS, "step": 4, "title": _("导入")})
    if batch.status in ImportBatch.OPEN:
        return _to_its_step(batch)
    labels = batch.spec.result_labels()
    return render(
        request,
        "imports/result.html",
        {
            "batch": batch,
            "steps": STEPS,
            "step": 5 if batch.status == ImportBatch.Status.APPLIED else 4,
            "counts": [(outcome, batch.counts.get(outcome.value, 0)) for outcome in Outcome],
            "refused": batch_rows(batch, Outcome.REFUSED).count(),
            "numbers": [(labels.get(key, key), number) for key, number in batch.result.items() if key in labels],
        },
    )


@require_GET
@needs(SIGNED_IN)
def refused(request: DeskRequest, pk: int) -> HttpResponseBase:
    """The refused rows as a sheet, the problems in three columns behind them, to mend and upload again."""
    batch = _batch(request, pk)
    header = problem_header(batch)
    return workbook_response(
        _("%(what)s未通过的行") % {"what": batch.spec.title} + ".xlsx",
        header=header,
        rows=problem_rows(batch),
        title=_("未通过的行"),
        widths=[16] * (len(header) - 3) + [8, 50, 40],
        marked_columns=[len(header) - 2],
        notes=[_("改正后可以直接上传这份表：后三列不会被读取，已通过的行不在里面。")],
        notes_title=_("说明"),
    )


@require_POST
@needs(SIGNED_IN)
def abandon(request: DeskRequest, pk: int) -> HttpResponse:
    """Close the import without saving anything."""
    services.abandon_import(
        batch=_batch(request, pk), actor=request.actor, at=timezone.now(), seen_status=request.POST.get("seen_status")
    )
    messages.success(request, _("已放弃这次导入，没有保存任何内容。"))
    return redirect("imports:list")
