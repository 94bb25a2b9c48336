"""统筹轮次: choose a horizon, look at what waits, let it be planned, look at the suggestions, send them."""

from typing import Any

import django_filters
import django_tables2
from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xiezhi.domains.inspections import rules
from xiezhi.domains.inspections.forms.rounds import HorizonForm
from xiezhi.domains.inspections.models import Leftover, Round, Visit
from xiezhi.domains.inspections.permissions import InspectionPermission as May
from xiezhi.domains.inspections.queries import rounds as queries
from xiezhi.domains.inspections.queries.explaining import way_for
from xiezhi.domains.inspections.services import rounds as services
from xiezhi.domains.inspections.workflow import ROUND, RoundStatus, VisitStatus
from xiezhi.foundation.access.guards import needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.jobs.models import Job
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.rules.queries import readings_of, rule_book
from xiezhi.foundation.rules.registry import get_rule
from xiezhi.foundation.ui.forms import saved
from xiezhi.foundation.ui.lists import Action, Empty, Filters, SearchFilter, list_page
from xiezhi.foundation.ui.tables import DayColumn, MomentColumn, NumberColumn, StatusColumn, Table

STEPS = (
    gettext_lazy("选择时段"),
    gettext_lazy("核对待统筹任务"),
    gettext_lazy("生成建议"),
    gettext_lazy("发送各部门"),
)


class RoundTable(Table):
    number = django_tables2.Column(linkify=("inspections:round", {"pk": django_tables2.A("pk")}))
    status = StatusColumn(RoundStatus, verbose_name=gettext_lazy("状态"))
    starts_on = DayColumn()
    ends_on = DayColumn()
    created_at = MomentColumn()
    sent_at = MomentColumn()
    phone = ("number", "status", "starts_on")

    class Meta(Table.Meta):
        model = Round
        fields = ("number", "status", "starts_on", "ends_on", "created_at", "sent_at")
        order_by = "-created_at"


@require_GET
@needs(May.VIEW)
def round_list(request: DeskRequest) -> HttpResponseBase:
    """All rounds; a department sees those that were sent."""
    start = Action(_("开始新一轮统筹"), reverse("inspections:round_new"), "route", "primary", May.RUN_ROUND)
    return list_page(
        request,
        title=_("统筹轮次"),
        queryset=Round.objects.visible_to(request.actor),
        table=RoundTable,
        unit=_("轮"),
        actions=[start],
        empty=Empty(
            _("还没有统筹过"),
            _("各部门报送计划以后，在这里把同一场所的检查合并成联合检查建议。"),
            start if request.actor.can(May.RUN_ROUND) else None,
            "route",
        ),
    )


@require_http_methods(["GET", "POST"])
@needs(May.RUN_ROUND)
def round_new(request: DeskRequest) -> HttpResponse:
    """Wizard, first two steps: GET with dates shows what waits; POST starts the planning job."""
    today = timezone.localdate()
    usual = rule_book(rules.MAX_DEPARTMENTS).reading(rules.MAX_DEPARTMENTS, on=today)
    data = request.POST if request.method == "POST" else (request.GET or None)
    form = HorizonForm(data, usual_departments=usual.value)
    if request.method == "POST":
        started = saved(form, lambda given: services.start_round(**given, actor=request.actor, at=timezone.now()))
        if started:
            return redirect("inspections:round", started.pk)
    preview = None
    if form.is_bound and form.is_valid() and form.cleaned_data["starts_on"] <= form.cleaned_data["ends_on"]:
        preview = queries.horizon_preview(
            start=form.cleaned_data["starts_on"], end=form.cleaned_data["ends_on"], on=today
        )
    context = {
        "form": form,
        "preview": preview,
        "steps": STEPS,
        "current": 2 if preview else 1,
        "reading": usual,
        "too_many": form.is_bound and form.is_valid() and form.cleaned_data["max_departments"] > usual.value,
    }
    return render(request, "inspections/rounds/new.html", context, status=422 if form.errors else 200)


def _round(request: DeskRequest, pk: int) -> Round:
    return get_object_or_404(Round.objects.visible_to(request.actor), pk=pk)


@require_GET
@needs(May.VIEW)
def round_detail(request: DeskRequest, pk: int) -> HttpResponse:
    """One round: progress while it is planned, before and after when it is ready, answers once it was sent."""
    round_ = _round(request, pk)
    context: dict[str, Any] = {
        "round": round_,
        "workflow": ROUND,
        "steps": STEPS,
        "current": {RoundStatus.PLANNING: 3, RoundStatus.READY: 4}.get(RoundStatus(round_.status), 5),
        "job": Job.objects.filter(pk=round_.job_id).first() if round_.job_id else None,
    }
    if round_.status in {RoundStatus.READY, RoundStatus.SENT}:
        context |= {
            "readings": list(readings_of(round_.rule_version_ids).values()),
            "held": round_.leftovers.filter(kind=Leftover.Kind.HELD).count(),
            "apart": round_.leftovers.filter(kind=Leftover.Kind.APART).count(),
            "gap_percent": f"{100 * round_.figures.get('gap', 0):.2f}",
            "unplaced": round_.leftovers.filter(kind=Leftover.Kind.UNPLACED).count(),
            "map": queries.street_map(round_),
            "streets": queries.street_bars(round_),
            "heat": queries.heat_map(round_),
            "gains": queries.gains(round_),
            "answers": queries.answers_of(round_) if round_.status == RoundStatus.SENT else None,
        }
    return render(request, "inspections/rounds/detail.html", context)


@require_POST
@needs(May.RUN_ROUND)
def round_move(request: DeskRequest, pk: int, move: str) -> HttpResponse:
    """Send or discard a round."""
    round_ = _round(request, pk)
    who: dict[str, Any] = {"actor": request.actor, "at": timezone.now(), "seen_status": request.POST.get("seen_status")}
    if move == "send":
        services.send_round(round_=round_, **who)
        messages.success(request, _("已发送，各部门的待办里能看到了。"))
    elif move == "discard":
        services.discard_round(round_=round_, reason=request.POST.get("reason", ""), **who)
        messages.success(request, _("本轮已作废，任务退回待统筹。"))
    else:
        raise Http404
    return redirect("inspections:round", pk)


class SuggestionTable(Table):
    number = django_tables2.Column(linkify=("inspections:visit", {"pk": django_tables2.A("pk")}))
    subject = django_tables2.Column(
        accessor="premises__subject__name", verbose_name=gettext_lazy("主体"), order_by="premises__subject__name"
    )
    street = django_tables2.Column(accessor="premises__street__short_name", verbose_name=gettext_lazy("街道"))
    on = DayColumn()
    lead = django_tables2.Column(order_by="lead__code")
    departments = NumberColumn(verbose_name=gettext_lazy("部门数"), unit=gettext_lazy("个"))
    on_site_minutes = NumberColumn(unit=gettext_lazy("分钟"))
    status = StatusColumn(VisitStatus, verbose_name=gettext_lazy("状态"))
    phone = ("subject", "on", "departments", "status")

    class Meta(Table.Meta):
        model = Visit
        fields = ("number", "subject", "street", "on", "lead", "departments", "on_site_minutes", "status")
        order_by = ("on", "number")


class SuggestionFilters(Filters):
    q = SearchFilter("premises__subject__name", "premises__subject__code", "premises__address", "number")
    street = django_filters.ModelChoiceFilter(
        field_name="premises__street",
        queryset=Organisation.objects.filter(kind=Organisation.Kind.STREET).order_by("code"),
        label=gettext_lazy("街道"),
    )
    department = django_filters.ModelChoiceFilter(
        field_name="participations__department",
        queryset=Organisation.objects.filter(kind=Organisation.Kind.DEPARTMENT).order_by("code"),
        label=gettext_lazy("部门"),
    )
    joint = django_filters.BooleanFilter(label=gettext_lazy("联合"), method="only_joint")

    class Meta:
        model = Visit
        fields = ("q", "street", "department", "joint")

    def only_joint(self, queryset: QuerySet[Visit], name: str, value: bool) -> QuerySet[Visit]:
        several = Q(departments__gte=2)  # `departments` is counted in `round_visits`
        return queryset.filter(several if value else ~several)


@require_GET
@needs(May.VIEW)
def round_visits(request: DeskRequest, pk: int) -> HttpResponseBase:
    """The suggestions of a round."""
    round_ = _round(request, pk)
    return list_page(
        request,
        title=_("轮次 %(number)s 的联合检查建议") % {"number": round_.number},
        queryset=queries.round_visits(round_, request.actor),
        table=SuggestionTable,
        filterset=SuggestionFilters,
        unit=_("次"),
        actions=[Action(_("回到本轮"), reverse("inspections:round", args=[pk]), "arrow-left")],
        empty=Empty(_("本轮没有建议"), _("没有任务能排进这段时间，请看未排入说明。"), icon="route"),
    )


class LeftoverTable(Table):
    check_task = django_tables2.Column(
        verbose_name=pgettext_lazy("inspection", "任务"),
        linkify=("inspections:check", {"pk": django_tables2.A("check_task_id")}),
        order_by="check_task__number",
    )
    subject = django_tables2.Column(accessor="check_task__premises__subject__name", verbose_name=gettext_lazy("主体"))
    department = django_tables2.Column(accessor="check_task__department__short_name", verbose_name=gettext_lazy("部门"))
    item = django_tables2.Column(accessor="check_task__item_version__name", verbose_name=gettext_lazy("事项"))
    other = django_tables2.Column(
        accessor="other_check__item_version__name", verbose_name=gettext_lazy("另一事项"), default="—"
    )
    kind = StatusColumn(Leftover.Kind, verbose_name=gettext_lazy("情况"))
    reason = django_tables2.Column()
    detail = django_tables2.Column(default="—")
    way = django_tables2.Column(
        accessor="pk",
        orderable=False,
        verbose_name=gettext_lazy("怎样才能"),
        linkify=("inspections:round_way", {"pk": django_tables2.A("round_id"), "leftover_pk": django_tables2.A("pk")}),
    )
    phone = ("subject", "item", "kind", "reason", "way")
    exported = ("check_task", "subject", "department", "item", "other", "kind", "reason", "detail")

    class Meta(Table.Meta):
        model = Leftover
        fields = ("check_task", "subject", "department", "item", "other", "kind", "reason", "detail", "way")

    def render_way(self) -> str:
        return _("看看差在哪里")

    def render_reason(self, value: str) -> str:
        return reason_words(value)

    def value_reason(self, value: str) -> str:
        return reason_words(value)


def reason_words(code: str) -> str:
    """A reason's sentence: the planner's code, or the title of the rule that holds the check."""
    if code in queries.REASONS:
        return str(queries.REASONS[code])
    return str(get_rule(code).title)


class LeftoverFilters(Filters):
    q = SearchFilter("check_task__premises__subject__name", "check_task__number", "check_task__item_version__name")
    kind = django_filters.ChoiceFilter(choices=Leftover.Kind.choices, label=gettext_lazy("情况"))
    department = django_filters.ModelChoiceFilter(
        field_name="check_task__department",
        queryset=Organisation.objects.filter(kind=Organisation.Kind.DEPARTMENT).order_by("code"),
        label=gettext_lazy("部门"),
    )

    class Meta:
        model = Leftover
        fields = ("q", "kind", "department")


@require_GET
@needs(May.VIEW)
def round_leftovers(request: DeskRequest, pk: int) -> HttpResponseBase:
    """What a round left out, held back or apart, each with its reason."""
    round_ = _round(request, pk)
    return list_page(
        request,
        title=_("轮次 %(number)s：没有排入或没有合并的") % {"number": round_.number},
        queryset=queries.leftovers_of(round_, request.actor),
        table=LeftoverTable,
        filterset=LeftoverFilters,
        actions=[Action(_("回到本轮"), reverse("inspections:round", args=[pk]), "arrow-left")],
        empty=Empty(_("全部排入、能合并的都已合并"), icon="circle-check"),
    )


@require_GET
@needs(May.VIEW)
def round_way(request: DeskRequest, pk: int, leftover_pk: int) -> HttpResponse:
    """What would give a left-out check a date, or join two that are apart, worked out now and proven by solving again."""
    round_ = _round(request, pk)
    leftover = get_object_or_404(queries.leftovers_of(round_, request.actor), pk=leftover_pk)
    context = {"round": round_, "leftover": leftover, "way": way_for(leftover, today=timezone.localdate())}
    return render(request, "inspections/rounds/way.html", context)
