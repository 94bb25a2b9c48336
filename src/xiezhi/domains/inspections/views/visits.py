"""联合检查: the list, the calendar, one visit, and what a coordinator does with it."""

import calendar as months
from datetime import date, datetime, timedelta
from typing import Any

import django_filters
import django_tables2
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from xiezhi.domains.inspections import rules
from xiezhi.domains.inspections.forms.visits import ExtendForm
from xiezhi.domains.inspections.models import Participation, Visit
from xiezhi.domains.inspections.permissions import InspectionPermission as May
from xiezhi.domains.inspections.queries import visits as queries
from xiezhi.domains.inspections.services import escalation
from xiezhi.domains.inspections.services import visits as services
from xiezhi.domains.inspections.services.composition import OPEN_TO_ANSWERS, Clock
from xiezhi.domains.inspections.workflow import PARTICIPATION, VISIT, Answer, VisitStatus
from xiezhi.domains.registry.models import Scene
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.access.guards import needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.rules.queries import rule_book
from xiezhi.foundation.ui.forms import ReasonForm, form_page, saved
from xiezhi.foundation.ui.lists import Action, Empty, Filters, SearchFilter, list_page
from xiezhi.foundation.ui.tables import DayColumn, NumberColumn, StatusColumn, Table
from xiezhi.foundation.workflow.services import available, why_not

WHY = {
    "urgent": gettext_lazy("有紧急检查：尽早安排，不等待其他部门，其他部门可以加入。"),
    "safety_joint": gettext_lazy("同一场所有几个部门的检查同期到期，其中有安全检查，合为一次。"),
    "joint": gettext_lazy("同一场所有几个部门的检查同期到期，合为一次。"),
    "single": gettext_lazy("同期没有其他部门的检查可以合并，单独进行。"),
}


class VisitTable(Table):
    number = django_tables2.Column(linkify=("inspections:visit", {"pk": django_tables2.A("pk")}))
    subject = django_tables2.Column(
        accessor="premises__subject__name", verbose_name=gettext_lazy("主体"), order_by="premises__subject__name"
    )
    street = django_tables2.Column(accessor="premises__street__short_name", verbose_name=gettext_lazy("街道"))
    on = DayColumn()
    lead = django_tables2.Column(order_by="lead__code")
    departments = django_tables2.Column(empty_values=(), orderable=False, verbose_name=gettext_lazy("参加部门"))
    on_site_minutes = NumberColumn(unit=gettext_lazy("分钟"))
    status = StatusColumn(VisitStatus, verbose_name=gettext_lazy("状态"))
    phone = ("subject", "on", "departments", "status")

    class Meta(Table.Meta):
        model = Visit
        fields = ("number", "subject", "street", "on", "lead", "departments", "on_site_minutes", "status")
        order_by = ("on", "number")

    def render_departments(self, record: Visit) -> str:
        names = [part.department.short_name for part in getattr(record, "living", [])]
        return _("、").join(names) or "—"

    value_departments = render_departments


class VisitFilters(Filters):
    q = SearchFilter("premises__subject__name", "premises__subject__code", "premises__address", "number")
    status = django_filters.ChoiceFilter(choices=VisitStatus.choices, label=gettext_lazy("状态"))
    from_day = django_filters.DateFilter(field_name="on", lookup_expr="gte", label=gettext_lazy("自"))
    to_day = django_filters.DateFilter(field_name="on", lookup_expr="lte", label=gettext_lazy("至"))
    street = django_filters.ModelChoiceFilter(
        field_name="premises__street",
        queryset=Organisation.objects.filter(kind=Organisation.Kind.STREET).order_by("code"),
        label=gettext_lazy("街道"),
    )
    department = django_filters.ModelChoiceFilter(
        method="with_department",
        queryset=Organisation.objects.filter(kind=Organisation.Kind.DEPARTMENT).order_by("code"),
        label=gettext_lazy("部门"),
    )
    scene = django_filters.ModelChoiceFilter(
        field_name="premises__subject__scenes", queryset=Scene.objects.order_by("code"), label=gettext_lazy("场景")
    )

    class Meta:
        model = Visit
        fields = ("q", "status", "from_day", "to_day", "street", "department", "scene")

    def with_department(self, queryset: QuerySet[Visit], name: str, value: Organisation | None) -> QuerySet[Visit]:
        """Visits in which the department still takes part."""
        if value is None:
            return queryset
        parts = Participation.objects.filter(department=value, answer__in=[Answer.PENDING, Answer.CONFIRMED])
        return queryset.filter(pk__in=parts.values("visit_id"))


def visit_or_404(actor: Actor, pk: int) -> Visit:
    """A visit that `actor` may see, with what its pages name; 404 otherwise."""
    rows = Visit.objects.visible_to(actor).select_related("premises__subject", "premises__street", "lead", "round")
    return get_object_or_404(rows, pk=pk)


@require_GET
@needs(May.VIEW)
def visit_list(request: DeskRequest) -> HttpResponseBase:
    """Visits: all of the district's, or those that the department has a part in."""
    return list_page(
        request,
        title=_("联合检查"),
        queryset=queries.visits_listed(request.actor),
        table=VisitTable,
        filterset=VisitFilters,
        unit=_("次"),
        actions=[Action(_("看日历"), reverse("inspections:calendar"), "calendar")],
        empty=Empty(_("还没有联合检查"), _("统筹员生成建议并发送以后，本部门参加的检查在这里。"), icon="route"),
    )


def _asked_day(text: str | None) -> date:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return timezone.localdate()


@require_GET
@needs(May.VIEW)
def calendar(request: DeskRequest) -> HttpResponse:
    """A month or a week of visits; every day and visit is a link, so the keyboard reaches all of it."""
    on = _asked_day(request.GET.get("on"))
    week = request.GET.get("view") == "week"
    if week:
        first = on - timedelta(days=on.weekday())
        last, before, after, month = first + timedelta(days=6), on - timedelta(days=7), on + timedelta(days=7), None
    else:
        start, end = on.replace(day=1), on.replace(day=months.monthrange(on.year, on.month)[1])
        first, last = start - timedelta(days=start.weekday()), end + timedelta(days=6 - end.weekday())
        before, after, month = start - timedelta(days=1), end + timedelta(days=1), on.month
    visits = queries.visits_listed(request.actor)
    narrowed = VisitFilters(request.GET, queryset=visits, request=request)
    weeks = queries.calendar_days(
        narrowed.qs, first=first, last=last, month=month, today=timezone.localdate(), shown=30 if week else 4
    )
    context = {
        "weeks": weeks,
        "week": week,
        "on": on,
        "first": first,
        "last": last,
        "before": before,
        "after": after,
        "filters": narrowed,
        "workflow": VISIT,
        "total": sum(day.total for line in weeks for day in line if day.inside),
    }
    return render(request, "inspections/visits/calendar.html", context)


@require_GET
@needs(May.VIEW)
def visit_detail(request: DeskRequest, pk: int) -> HttpResponse:
    """One visit: what is needed now, why it was suggested, who takes part, what moved, what happened."""
    visit = visit_or_404(request.actor, pk)
    parts = queries.parts_of(visit)
    mine = next((part for part in parts if part.participation.department_id == request.actor.department_id), None)
    today = timezone.localdate()
    changes = queries.changes_of(visit)
    context: dict[str, Any] = {
        "visit": visit,
        "workflow": VISIT,
        "answers": PARTICIPATION,
        "parts": parts,
        "mine": mine,
        "moves": _answer_moves(visit, mine, request.actor),
        "why": WHY.get(visit.why.get("reason", ""), ""),
        "window": [date.fromisoformat(each) for each in visit.why.get("window", [])],
        "changes": changes,
        "visible": queries.visible_targets(changes, request.actor),
        "history": queries.history_of(visit),
        "silent": [part for part in parts if part.is_living and part.participation.answer == Answer.PENDING],
        "overdue": bool(visit.answer_by and visit.answer_by <= timezone.now()),
        "may_coordinate": request.actor.can(May.RUN_ROUND) and visit.status in OPEN_TO_ANSWERS,
        "may_cancel": why_not(VISIT, visit, VISIT["cancel"], request.actor) is None,
        "may_record": request.actor.can(May.RECORD) and mine is not None and visit.on <= today,
        "missed": visit.status == VisitStatus.CONFIRMED and visit.on < today,
        "readings": _readings(visit),
        "alone_minutes": sum(part.participation.minutes for part in parts if part.is_living),
        "doors_alone": sum(part.is_living for part in parts),
    }
    return render(request, "inspections/visits/detail.html", context)


def _answer_moves(visit: Visit, mine: queries.Part | None, actor: Actor) -> set[str]:
    """The answers that this person can give now."""
    if mine is None or visit.status not in OPEN_TO_ANSWERS:
        return set()
    moves = {move.name for move in available(PARTICIPATION, mine.participation, actor)} & {
        "confirm",
        "propose",
        "decline",
    }
    return moves - {"propose"} if visit.status == VisitStatus.CONFIRMED else moves


def _readings(visit: Visit) -> dict[str, Any]:
    """The rules behind what the page says, as in force when the visit was sent (today, before that)."""
    on = timezone.localdate(visit.offered_at) if visit.offered_at else timezone.localdate()
    book = rule_book(
        rules.JOINT_WHERE_POSSIBLE,
        rules.MAX_DEPARTMENTS,
        rules.MAX_ON_SITE_MINUTES,
        rules.CONFIRMATION_WORKDAYS,
        rules.URGENT_WAITS_FOR_NOBODY,
        rules.OFFICERS_PER_DEPARTMENT,
    )
    return {key.rsplit(".", 1)[-1]: reading for key, reading in book.readings(on=on).items()}


def _who(request: DeskRequest) -> dict[str, Any]:
    return {"actor": request.actor, "at": timezone.now()}


@require_http_methods(["GET", "POST"])
@needs(May.RUN_ROUND)
def visit_cancel(request: DeskRequest, pk: int) -> HttpResponse:
    """Cancel a visit with a reason; its checks are planned anew."""
    visit = visit_or_404(request.actor, pk)
    form = ReasonForm(request.POST or None)
    seen = request.POST.get("seen_status") or visit.status

    def cancel(given: dict[str, Any]) -> Visit:
        return services.cancel_visit(visit=visit, reason=given["reason"], seen_status=seen, **_who(request))

    if saved(form, cancel):
        messages.success(request, _("已取消。其中的检查任务已重新统筹，结果见下。"))
        return redirect("inspections:visit", pk)
    return form_page(
        request,
        form,
        title=_("取消检查 %(number)s") % {"number": visit.number},
        submit=_("取消这次检查"),
        cancel_url=reverse("inspections:visit", args=[pk]),
        intro=_("各部门会收到通知。其中的检查任务退回，立即另排日期（%(day)s 除外），由各部门重新答复。")
        % {"day": visit.on.isoformat()},
        style="danger",
    )


@require_http_methods(["GET", "POST"])
@needs(May.RUN_ROUND)
def visit_extend(request: DeskRequest, pk: int) -> HttpResponse:
    """Give silent departments more time."""
    visit = visit_or_404(request.actor, pk)
    latest = Clock.on(timezone.localdate()).last_answer(visit.on)
    form = ExtendForm(request.POST or None, initial={"answer_by": timezone.localtime(latest)})

    def extend(given: dict[str, Any]) -> Visit:
        return escalation.extend_deadline(visit=visit, **given, **_who(request))

    if saved(form, extend):
        messages.success(request, _("答复期限已延长，待答复的部门已收到通知。"))
        return redirect("inspections:visit", pk)
    return form_page(
        request,
        form,
        title=_("延长答复期限 %(number)s") % {"number": visit.number},
        submit=_("延长期限"),
        cancel_url=reverse("inspections:visit", args=[pk]),
        intro=_("检查日 %(day)s；最晚可到 %(latest)s。")
        % {"day": visit.on.isoformat(), "latest": timezone.localtime(latest).strftime("%Y-%m-%d %H:%M")},
    )


@require_http_methods(["GET", "POST"])
@needs(May.RUN_ROUND)
def visit_remove(request: DeskRequest, pk: int, part_pk: int) -> HttpResponse:
    """Go on without a department that stayed silent past its deadline."""
    visit = visit_or_404(request.actor, pk)
    part = get_object_or_404(visit.participations.select_related("department"), pk=part_pk)
    form = ReasonForm(request.POST or None)

    def remove(given: dict[str, Any]) -> Any:
        return escalation.remove_silent(participation=part, reason=given["reason"], **_who(request))

    if saved(form, remove):
        messages.success(request, _("已移出，其余部门照常；移出的检查任务已重新统筹。"))
        return redirect("inspections:visit", pk)
    return form_page(
        request,
        form,
        title=_("未答复移出：%(department)s") % {"department": part.department.short_name},
        submit=_("移出这个部门"),
        cancel_url=reverse("inspections:visit", args=[pk]),
        intro=_("检查 %(number)s 由其余部门照常进行；%(department)s的检查任务立即另排日期。")
        % {"number": visit.number, "department": part.department.short_name},
        style="danger",
    )


def afterwards(visit: Visit, at: datetime) -> bool:
    """Whether the visit's day is over, so that what is entered now is written up afterwards."""
    return timezone.localdate(at) > visit.on
