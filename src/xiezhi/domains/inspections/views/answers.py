"""待我答复: what waits for a department's answer, the answer itself, and, for coordinators, who stays silent."""

from typing import Any

import django_tables2
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xiezhi.domains.inspections.forms.visits import DeclineForm, ProposeForm
from xiezhi.domains.inspections.models import Participation, Visit
from xiezhi.domains.inspections.permissions import InspectionPermission as May
from xiezhi.domains.inspections.queries import visits as queries
from xiezhi.domains.inspections.services import confirmation
from xiezhi.domains.inspections.services.composition import OPEN_TO_ANSWERS
from xiezhi.domains.inspections.views.visits import visit_or_404
from xiezhi.domains.inspections.workflow import PARTICIPATION, VISIT, VisitStatus
from xiezhi.foundation.access.guards import needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.ui.forms import saved
from xiezhi.foundation.ui.lists import Bulk, Empty, Filters, SearchFilter, list_page
from xiezhi.foundation.ui.tables import DayColumn, DeadlineColumn, NumberColumn, Table
from xiezhi.foundation.workflow.errors import AlreadyDone, Refused
from xiezhi.foundation.workflow.services import available


class AnswerTable(Table):
    subject = django_tables2.Column(
        accessor="visit__premises__subject__name",
        linkify=lambda record: reverse("inspections:answer", args=[record.visit_id]),
        verbose_name=gettext_lazy("主体"),
    )
    on = DayColumn(accessor="visit__on", verbose_name=gettext_lazy("检查日"))
    street = django_tables2.Column(accessor="visit__premises__street__short_name", verbose_name=gettext_lazy("街道"))
    mine = django_tables2.Column(empty_values=(), orderable=False, verbose_name=gettext_lazy("本部门事项"))
    others = django_tables2.Column(empty_values=(), orderable=False, verbose_name=gettext_lazy("同去的部门"))
    minutes = NumberColumn(unit=gettext_lazy("分钟"))
    answer_by = DeadlineColumn(accessor="visit__answer_by", verbose_name=gettext_lazy("答复期限"))
    actions = django_tables2.Column(empty_values=(), orderable=False, verbose_name=gettext_lazy("答复"))
    phone = ("subject", "on", "answer_by")

    class Meta(Table.Meta):
        model = Participation
        fields = ("subject", "on", "street", "mine", "others", "minutes", "answer_by", "actions")
        order_by = ("answer_by", "on")

    def render_mine(self, record: Participation) -> str:
        names = [
            check.item_version.name
            for check in record.visit.checks.all()
            if check.department_id == record.department_id
        ]
        return _("、").join(names)

    value_mine = render_mine

    def render_others(self, record: Participation) -> str:
        names = {
            check.department.short_name
            for check in record.visit.checks.all()
            if check.department_id != record.department_id
        }
        return _("、").join(sorted(names)) or "—"

    value_others = render_others

    def render_actions(self, record: Participation) -> SafeString:
        return format_html(
            '<span class="text-nowrap"><button class="btn btn-sm btn-primary" type="submit" form="bulk" formaction="{}">{}</button>'
            ' <a class="btn btn-sm" href="{}">{}</a></span>',
            reverse("inspections:answer_confirm", args=[record.visit_id]),
            _("确认"),
            reverse("inspections:answer", args=[record.visit_id]),
            _("其他"),
        )


class AnswerFilters(Filters):
    q = SearchFilter("visit__premises__subject__name", "visit__premises__address", "visit__number")

    class Meta:
        model = Participation
        fields = ("q",)


@require_GET
@needs(May.CONFIRM)
def answer_list(request: DeskRequest) -> HttpResponseBase:
    """What waits for my department, soonest deadline first; one click confirms."""
    return list_page(
        request,
        title=_("待我答复"),
        queryset=queries.answers_due(request.actor),
        table=AnswerTable,
        filterset=AnswerFilters,
        unit=_("次"),
        bulk=[Bulk(_("确认参加所选"), reverse("inspections:answers_confirm"), "check", "primary", May.CONFIRM)],
        empty=Empty(
            _("没有待答复的检查"), _("新的联合检查建议发来时，您会收到消息，也能在这里看到。"), icon="circle-check"
        ),
        intro=_("不答复不算同意：临期提醒，逾期报统筹员，到检查日仍未答复的移出。"),
    )


@require_POST
@needs(May.CONFIRM)
def answers_confirm(request: DeskRequest) -> HttpResponse:
    """Confirm the selected ones, each for itself: what cannot be confirmed any more is named, the others stand."""
    keys = [int(key) for key in request.POST.getlist("selected") if key.isdigit()]
    parts = queries.answers_due(request.actor).filter(pk__in=keys).order_by("pk")
    done, refused = 0, []
    for part in parts:
        try:
            confirmation.confirm_part(participation=part, actor=request.actor, at=timezone.now())
            done += 1
        except AlreadyDone:
            done += 1
        except Refused as refusal:
            refused.append(f"{part.visit.number}{_('：')}{refusal}")
    if done:
        messages.success(request, ngettext("已确认 %(n)d 次检查。", "已确认 %(n)d 次检查。", done) % {"n": done})
    if refused:
        messages.error(request, "\n".join(refused))
    if not done and not refused:
        messages.warning(request, _("没有选中待答复的检查；可能已经答复过了。"))
    return redirect("inspections:answers")


def _own_part(request: DeskRequest, pk: int) -> tuple[Visit, Participation]:
    """The visit and my department's part in it; 404 for people who have none."""
    visit = visit_or_404(request.actor, pk)
    rows = Participation.objects.visible_to(request.actor).filter(department_id=request.actor.department_id)
    part = get_object_or_404(rows.select_related("department", "visit__premises"), visit=visit)
    return visit, part


def _seen(request: DeskRequest) -> dict[str, Any]:
    """Who answers, when, and which state of things the page showed."""
    revision = request.POST.get("seen_revision", "")
    return {
        "actor": request.actor,
        "at": timezone.now(),
        "seen_revision": int(revision) if revision.isdigit() else None,
        "seen_status": request.POST.get("seen_answer") or None,
    }


@require_GET
@needs(May.CONFIRM)
def answer(request: DeskRequest, pk: int) -> HttpResponse:
    """The answer page: confirm, propose another day, or decline."""
    visit, part = _own_part(request, pk)
    return _answer_page(request, visit, part)


def _answer_page(
    request: DeskRequest,
    visit: Visit,
    part: Participation,
    *,
    propose: ProposeForm | None = None,
    decline: DeclineForm | None = None,
) -> HttpResponse:
    open_now = visit.status in OPEN_TO_ANSWERS
    moves = {move.name for move in available(PARTICIPATION, part, request.actor)} if open_now else set()
    if visit.status == VisitStatus.CONFIRMED:
        moves.discard("propose")
    options = confirmation.dates_for(visit, at=timezone.now()) if "propose" in moves else []
    context = {
        "visit": visit,
        "part": part,
        "workflow": VISIT,
        "answers": PARTICIPATION,
        "parts": [each for each in queries.parts_of(visit) if each.is_living],
        "moves": moves,
        "options": options,
        "possible": [each for each in options if not each.refusal],
        "propose": propose or ProposeForm(options=options),
        "decline": decline or DeclineForm(),
    }
    failed = any(form is not None and form.errors for form in (propose, decline))
    return render(request, "inspections/visits/answer.html", context, status=422 if failed else 200)


@require_POST
@needs(May.CONFIRM)
def answer_confirm(request: DeskRequest, pk: int) -> HttpResponse:
    """Confirm my department's part."""
    visit, part = _own_part(request, pk)
    confirmation.confirm_part(participation=part, **_seen(request))
    visit.refresh_from_db(fields=["status"])
    if visit.status == VisitStatus.CONFIRMED:
        messages.success(request, _("已确认参加 %(number)s，各部门均已确认，检查排定。") % {"number": visit.number})
    else:
        messages.success(request, _("已确认参加 %(number)s，等待其他部门答复。") % {"number": visit.number})
    return redirect("inspections:answers" if request.POST.get("back") else reverse("inspections:visit", args=[pk]))


@require_http_methods(["GET", "POST"])
@needs(May.CONFIRM)
def answer_move(request: DeskRequest, pk: int, move: str) -> HttpResponse:
    """Propose another day or decline; with mistakes the answer page comes back with what was typed."""
    visit, part = _own_part(request, pk)
    if request.method == "GET":
        return redirect("inspections:answer", pk)
    seen = _seen(request)
    if move == "propose":
        options = confirmation.dates_for(visit, at=timezone.now())
        form = ProposeForm(request.POST, options=options)
        if saved(form, lambda given: confirmation.propose_date(participation=part, **given, **seen)):
            messages.success(request, _("已改期，其他部门会被重新征询。"))
            return redirect("inspections:visit", pk)
        return _answer_page(request, visit, part, propose=form)
    if move == "decline":
        words = DeclineForm(request.POST)
        if saved(words, lambda given: confirmation.decline_part(participation=part, **given, **seen)):
            messages.success(request, _("已答复不参加。本部门的检查任务已另行安排，见“变动”。"))
            return redirect("inspections:visit", pk)
        return _answer_page(request, visit, part, decline=words)
    raise Http404


class SilentTable(Table):
    department = django_tables2.Column(order_by="department__code", verbose_name=gettext_lazy("部门"))
    subject = django_tables2.Column(
        accessor="visit__premises__subject__name",
        linkify=lambda record: reverse("inspections:visit", args=[record.visit_id]),
        verbose_name=gettext_lazy("主体"),
    )
    on = DayColumn(accessor="visit__on", verbose_name=gettext_lazy("检查日"))
    answer_by = DeadlineColumn(accessor="visit__answer_by", verbose_name=gettext_lazy("答复期限"))
    phone = ("subject", "department", "answer_by")

    class Meta(Table.Meta):
        model = Participation
        fields = ("department", "subject", "on", "answer_by")
        order_by = ("answer_by", "department")


@require_GET
@needs(May.RUN_ROUND)
def silent_list(request: DeskRequest) -> HttpResponseBase:
    """Departments that let their deadline pass: extend it, or go on without them."""
    return list_page(
        request,
        title=_("逾期未答复"),
        queryset=queries.overdue_answers(request.actor, timezone.now()),
        table=SilentTable,
        filterset=AnswerFilters,
        unit=_("项"),
        empty=Empty(_("没有逾期未答复的部门"), icon="circle-check"),
        intro=_("未答复不视为同意。可以延长期限，或不等该部门，让其余部门照常进行。"),
    )
