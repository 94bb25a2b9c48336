"""到场检查: on the day, on a phone: who came, each result, the end; and the papers of a visit."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xiezhi.domains.inspections import rules
from xiezhi.domains.inspections.forms.visits import ArrivalForm, FinishForm, RecusalForm, ResultForm, typed_so_far
from xiezhi.domains.inspections.models import Check, Participation, ResultDraft, Visit
from xiezhi.domains.inspections.permissions import InspectionPermission as May
from xiezhi.domains.inspections.queries import visits as queries
from xiezhi.domains.inspections.services import results
from xiezhi.domains.inspections.views.visits import afterwards, visit_or_404
from xiezhi.domains.inspections.workflow import VISIT, Answer, CheckStatus, VisitStatus
from xiezhi.foundation.access.guards import needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.orgs.models import Officer
from xiezhi.foundation.rules.queries import reading, rule_book
from xiezhi.foundation.ui.forms import form_page, saved


def _own(request: DeskRequest, pk: int) -> tuple[Visit, Participation]:
    visit = visit_or_404(request.actor, pk)
    rows = Participation.objects.visible_to(request.actor).filter(department_id=request.actor.department_id)
    return visit, get_object_or_404(
        rows.select_related("department", "visit__premises__subject"), visit=visit, answer=Answer.CONFIRMED
    )


def _who(request: DeskRequest) -> dict[str, Any]:
    return {"actor": request.actor, "at": timezone.now()}


def _arrival_form(request: DeskRequest, visit: Visit, part: Participation, data: Any = None) -> ArrivalForm:
    officers = results.officers_for(part, on=visit.on)
    return ArrivalForm(data, officers=officers, on=visit.on, afterwards=afterwards(visit, timezone.now()))


@require_http_methods(["GET", "POST"])
@needs(May.RECORD)
def day(request: DeskRequest, pk: int) -> HttpResponse:
    """The visit on its day. POST registers my department's officers."""
    visit, part = _own(request, pk)
    form = _arrival_form(request, visit, part, request.POST if request.method == "POST" else None)

    def start(given: dict[str, Any]) -> Visit:
        return results.start_visit(
            visit=visit,
            officers=list(given["officers"]),
            arrived_at=given.get("arrived_at"),
            seen_status=None,
            **_who(request),
        )

    if saved(form, start):
        messages.success(request, _("到场人员已登记，可以逐项记录结果。"))
        return redirect("inspections:day", pk)
    return _day_page(request, visit, part, form)


def _day_page(
    request: DeskRequest, visit: Visit, part: Participation, form: ArrivalForm, finish: FinishForm | None = None
) -> HttpResponse:
    parts = [each for each in queries.parts_of(visit) if each.is_living]
    mine = next(each for each in parts if each.participation.pk == part.pk)
    drafts = set(
        ResultDraft.objects.filter(check_task__visit=visit, check_task__department_id=part.department_id).values_list(
            "check_task_id", flat=True
        )
    )
    late = afterwards(visit, timezone.now())
    context = {
        "visit": visit,
        "workflow": VISIT,
        "part": part,
        "mine": mine,
        "others": [each for each in parts if each is not mine],
        "form": form,
        "finish": finish or FinishForm(on=visit.on, afterwards=late),
        "drafts": drafts,
        "late": late,
        "too_early": timezone.localdate() < visit.on,
        "all_done": all(check.status == CheckStatus.DONE for check in mine.checks),
        "waiting_for": [
            each
            for each in parts
            if each.participation.arrived_at and any(check.status != CheckStatus.DONE for check in each.checks)
        ],
        "absent": [each for each in parts if not each.participation.arrived_at],
        "needed": reading(rules.OFFICERS_PER_DEPARTMENT, on=visit.on),
    }
    failed = form.errors or (finish is not None and finish.errors)
    return render(request, "inspections/visits/day.html", context, status=422 if failed else 200)


@require_http_methods(["GET", "POST"])
@needs(May.RECORD)
def result(request: DeskRequest, pk: int, check_pk: int) -> HttpResponse:
    """One check's form. Its own department fills it in; another department's result can be read on the visit's page."""
    visit, part = _own(request, pk)
    rows = Check.objects.visible_to(request.actor).filter(visit=visit, department_id=part.department_id)
    check = get_object_or_404(rows.select_related("item_version__item", "department", "visit", "result"), pk=check_pk)
    lines = list(check.item_version.form_lines.order_by("position"))
    known = getattr(check, "result", None)
    about: dict[str, Any] = {"check": check, "lines": lines, "codes": results.current_codes()}
    form = ResultForm(request.POST if request.method == "POST" else None, initial=_initial(check, known), **about)
    if request.method == "POST" and request.POST.get("act") == "draft":
        results.save_draft(check=check, content=typed_so_far(form), **_who(request))
        messages.success(request, _("草稿已保存，可以稍后继续填。"))
        return redirect("inspections:day", pk)

    def keep(given: dict[str, Any]) -> Any:
        return results.record_result(check=check, found=form.found(), seen=given["seen"], **_who(request))

    if saved(form, keep):
        messages.success(request, _("结果已记录：%(item)s。") % {"item": check.item_version.name})
        return redirect("inspections:day", pk)
    return form_page(
        request,
        form,
        title=check.item_version.name,
        submit=_("更正结果") if known else _("记录结果"),
        cancel_url=reverse("inspections:day", args=[pk]),
        template="inspections/visits/result.html",
        draft="" if known else f"inspections.result:{check.pk}",
        visit=visit,
        check=check,
        known=known,
    )


def _initial(check: Check, known: Any) -> dict[str, Any]:
    """What the form starts with: the recorded result, else the draft."""
    if known:
        return {
            **{f"line_{position}": value for position, value in known.answers.items()},
            "codes": known.raw_codes,
            "finding": known.finding,
            "order": known.order,
            "rectify_by": known.rectify_by,
            "seen": results.mark_of(known),
        }
    draft = ResultDraft.objects.filter(check_task=check).first()
    return dict(draft.content) if draft else {}


@require_POST
@needs(May.RECORD)
def finish(request: DeskRequest, pk: int) -> HttpResponse:
    """End the visit and make the record."""
    visit, part = _own(request, pk)
    form = FinishForm(request.POST, on=visit.on, afterwards=afterwards(visit, timezone.now()))

    def end(given: dict[str, Any]) -> Visit:
        return results.finish_visit(
            visit=visit,
            left_at=given.get("left_at"),
            seen_status=request.POST.get("seen_status") or None,
            **_who(request),
        )

    if saved(form, end):
        messages.success(request, _("检查已结束，记录已生成。"))
        return redirect("inspections:visit_record", pk)
    return _day_page(request, visit, part, _arrival_form(request, visit, part), form)


@require_http_methods(["GET", "POST"])
@needs(May.RECORD)
def recusal(request: DeskRequest, pk: int) -> HttpResponse:
    """An officer of my department may not inspect this subject."""
    visit, part = _own(request, pk)
    form = RecusalForm(request.POST or None, officers=results.officers_for(part, on=visit.on))

    def add(given: dict[str, Any]) -> Any:
        officer: Officer = given["officer"]
        return results.add_recusal(
            officer=officer, subject=visit.premises.subject, reason=given["reason"], **_who(request)
        )

    if saved(form, add):
        messages.success(request, _("已登记回避，请更换执法人员。"))
        return redirect("inspections:day", pk)
    return form_page(
        request,
        form,
        title=_("登记回避"),
        submit=_("登记回避"),
        cancel_url=reverse("inspections:day", args=[pk]),
        intro=_("登记以后，该人员不能参加对“%(subject)s”的检查。") % {"subject": visit.premises.subject.name},
        style="caution",
    )


@require_GET
@needs(May.VIEW)
def visit_notice(request: DeskRequest, pk: int) -> HttpResponse:
    """The notice to the subject (行政检查通知), to print."""
    return _paper(request, pk, "inspections/visits/notice.html")


@require_GET
@needs(May.VIEW)
def visit_record(request: DeskRequest, pk: int) -> HttpResponse:
    """The record of the visit (现场检查记录), to print: one for all departments, results per department and item."""
    return _paper(request, pk, "inspections/visits/record.html")


def _paper(request: DeskRequest, pk: int, template: str) -> HttpResponse:
    visit = visit_or_404(request.actor, pk)
    codes = {code.code: code.text for code in results.current_codes()}
    book = rule_book(rules.OFFICERS_PER_DEPARTMENT, rules.ANNUAL_CAP)
    context = {
        "visit": visit,
        "codes": codes,
        "recorded": visit.status == VisitStatus.RECORDED,
        "officers": book.reading(rules.OFFICERS_PER_DEPARTMENT, on=visit.on),
        "cap": book.reading(rules.ANNUAL_CAP, on=visit.on),
        **queries.facts_for_print(visit),
    }
    return render(request, template, context)
