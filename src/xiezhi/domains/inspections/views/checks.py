"""检查任务: list, detail, off-site first, cancelling, and raising a case."""

from collections.abc import Sequence
from typing import Any

import django_filters
import django_tables2
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xiezhi.domains.inspections.forms.checks import CaseForm
from xiezhi.domains.inspections.models import Check, PlanRow
from xiezhi.domains.inspections.permissions import InspectionPermission as May
from xiezhi.domains.inspections.queries import checks as queries
from xiezhi.domains.inspections.queries.catalogue import items_in_force
from xiezhi.domains.inspections.services import checks as services
from xiezhi.domains.inspections.workflow import CHECK, CheckStatus
from xiezhi.domains.registry.models import Premises
from xiezhi.foundation.access.guards import needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.rules.queries import rule_book
from xiezhi.foundation.rules.registry import get_rule
from xiezhi.foundation.ui import words
from xiezhi.foundation.ui.forms import form_page
from xiezhi.foundation.ui.lists import Action, Bulk, Empty, Filters, SearchFilter, bulk_reason, list_page, selected
from xiezhi.foundation.ui.tables import StatusColumn, Table
from xiezhi.foundation.workflow.errors import Refused

MOVES = {
    "finish_off_site": lambda checks, reason, who: services.settle_off_site(checks=checks, note=reason, **who),
    "go_on_site": lambda checks, reason, who: services.go_on_site(checks=checks, reason=reason, **who),
    "cancel": lambda checks, reason, who: services.cancel_checks(checks=checks, reason=reason, **who),
}
DONE = {
    "finish_off_site": gettext_lazy("%(count)d 项已非现场办结。"),
    "go_on_site": gettext_lazy("%(count)d 项转为到现场检查，等待统筹。"),
    "cancel": gettext_lazy("%(count)d 项不再检查。"),
}


ONE_LINE = {"td": {"class": "text-nowrap"}}


class CheckTable(Table):
    number = django_tables2.Column(linkify=("inspections:check", {"pk": django_tables2.A("pk")}), attrs=ONE_LINE)
    subject = django_tables2.Column(
        accessor="premises__subject__name", verbose_name=gettext_lazy("主体"), order_by="premises__subject__name"
    )
    street = django_tables2.Column(
        accessor="premises__street__short_name",
        verbose_name=gettext_lazy("街道"),
        order_by="premises__street__code",
        attrs=ONE_LINE,
    )
    department = django_tables2.Column(order_by="department__code", attrs=ONE_LINE)
    item = django_tables2.Column(
        accessor="item_version__name", verbose_name=gettext_lazy("检查事项"), order_by="item_version__name"
    )
    source = django_tables2.Column(attrs=ONE_LINE)
    window = django_tables2.Column(
        accessor="latest", verbose_name=gettext_lazy("最早至最晚日期"), order_by=("latest", "number"), attrs=ONE_LINE
    )
    marks = django_tables2.TemplateColumn(
        template_name="inspections/checks/marks.html", verbose_name=gettext_lazy("提示"), orderable=False
    )
    status = StatusColumn(CheckStatus, verbose_name=gettext_lazy("状态"))
    phone = ("subject", "item", "window", "status")

    class Meta(Table.Meta):
        model = Check
        fields = (
            "number",
            "subject",
            "street",
            "department",
            "item",
            "source",
            "window",
            "marks",
            "status",
        )
        order_by = "window"

    def render_window(self, record: Check) -> SafeString:
        return format_html("{} –<br>{}", words.day(record.earliest), words.day(record.latest))

    def value_window(self, record: Check) -> str:
        return f"{record.earliest.isoformat()} – {record.latest.isoformat()}"

    def value_marks(self, record: Check) -> str:
        marks = [_("紧急")] if record.urgent else []
        marks += [_("涉及安全")] if record.safety else []
        marks += [str(get_rule(record.hold_reason).title)] if record.hold_reason else []
        return _("、").join(marks)


class CheckFilters(Filters):
    q = SearchFilter(
        "number", "premises__subject__name", "premises__subject__code", "premises__address", "item_version__name"
    )
    status = django_filters.ChoiceFilter(choices=CheckStatus.choices, label=gettext_lazy("状态"))
    department = django_filters.ModelChoiceFilter(
        queryset=Organisation.objects.filter(kind=Organisation.Kind.DEPARTMENT).order_by("code"),
        label=gettext_lazy("部门"),
    )
    source = django_filters.ChoiceFilter(choices=PlanRow.Source.choices, label=gettext_lazy("检查类型"))
    street = django_filters.ModelChoiceFilter(
        field_name="premises__street",
        queryset=Organisation.objects.filter(kind=Organisation.Kind.STREET).order_by("code"),
        label=gettext_lazy("街道"),
    )
    due_from = django_filters.DateFilter(field_name="latest", lookup_expr="gte", label=gettext_lazy("最晚日期不早于"))
    due_to = django_filters.DateFilter(field_name="earliest", lookup_expr="lte", label=gettext_lazy("最早日期不晚于"))
    safety = django_filters.BooleanFilter(label=gettext_lazy("涉及安全"))
    urgent = django_filters.BooleanFilter(label=gettext_lazy("紧急"))
    held = django_filters.BooleanFilter(method="by_hold", label=gettext_lazy("依规则暂缓"))
    plan = django_filters.NumberFilter(field_name="plan_row__plan", label=gettext_lazy("计划"))

    class Meta:
        model = Check
        fields = (
            "q",
            "status",
            "department",
            "source",
            "street",
            "due_from",
            "due_to",
            "safety",
            "urgent",
            "held",
            "plan",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Only a link from a plan sets it: a number that nobody would type.
        self.form.fields["plan"].widget = self.form.fields["plan"].hidden_widget()

    def by_hold(self, queryset: QuerySet[Check], name: str, value: bool) -> QuerySet[Check]:
        """Waiting checks that a rule keeps out of rounds, or all others."""
        if value:
            return queryset.filter(status=CheckStatus.WAITING).exclude(hold_reason="")
        return queryset.exclude(pk__in=queryset.filter(status=CheckStatus.WAITING).exclude(hold_reason=""))


@require_GET
@needs(May.VIEW)
def check_list(request: DeskRequest) -> HttpResponseBase:
    """Checks: a department's own, or everybody's for district-wide posts."""
    raise_case = Action(_("登记个案检查"), reverse("inspections:case_new"), "plus", "primary", May.RAISE_CASE)
    queryset = Check.objects.visible_to(request.actor).select_related(
        "premises__subject", "premises__street", "department", "item_version"
    )
    bulk = [
        Bulk(
            _("非现场办结"),
            reverse("inspections:checks_move", args=["finish_off_site"]),
            "check",
            "primary",
            May.RECORD,
            True,
        ),
        Bulk(
            _("需要到现场"),
            reverse("inspections:checks_move", args=["go_on_site"]),
            "map-pin",
            "secondary",
            May.SUBMIT_PLAN,
            True,
        ),
        Bulk(
            _("不再检查"), reverse("inspections:checks_move", args=["cancel"]), "ban", "danger", May.SUBMIT_PLAN, True
        ),
    ]
    return list_page(
        request,
        title=_("检查任务"),
        queryset=queryset,
        table=CheckTable,
        filterset=CheckFilters,
        unit=_("项"),
        actions=[raise_case],
        bulk=bulk,
        table_kwargs={} if request.actor.district_wide else {"exclude": ("department",)},
        empty=Empty(
            _("还没有检查任务"),
            _("计划报送以后，每个要检查的场所在这里成为一项任务；投诉、线索等个案可以直接登记。"),
            raise_case if request.actor.can(May.RAISE_CASE) else None,
            "checklist",
        ),
    )


def _visible(request: DeskRequest) -> QuerySet[Check]:
    return Check.objects.visible_to(request.actor).select_related(
        "premises__subject",
        "premises__street",
        "department",
        "item_version__item__department",
        "visit",
        "plan_row__plan",
        "plan_row__scene",
        "plan_row__street",
        "plan_row__premises__subject",
    )


@require_GET
@needs(May.VIEW)
def check_detail(request: DeskRequest, pk: int) -> HttpResponse:
    """One check: what to do now, why it is here, what holds it, what happened."""
    check, today = get_object_or_404(_visible(request), pk=pk), timezone.localdate()
    here, waiting = queries.why_here(check), queries.why_waiting(check, on=today)
    keys = {why.rule_key for why in (*here, *waiting) if why.rule_key}
    book = rule_book(*(get_rule(key) for key in sorted(keys))) if keys else None
    context: dict[str, Any] = {
        "check": check,
        "workflow": CHECK,
        "here": here,
        "waiting": waiting,
        "readings": book.readings(on=today) if book else {},
        "off_site": queries.may_settle_off_site(check),
        "story": queries.story_of(check),
    }
    return render(request, "inspections/checks/check.html", context)


@require_POST
@needs(May.VIEW)
def check_move(request: DeskRequest, pk: int, move: str) -> HttpResponse:
    """Settle off-site, send on site or cancel one check."""
    check = get_object_or_404(_visible(request), pk=pk)
    if move not in MOVES:
        raise Http404
    _move(request, [check], move)
    return redirect("inspections:check", pk)


@require_POST
@needs(May.VIEW)
def checks_move(request: DeskRequest, move: str) -> HttpResponse:
    """The same for all selected checks, all or none."""
    if move not in MOVES:
        raise Http404
    _move(request, selected(request, Check.objects.visible_to(request.actor)), move)
    back = request.POST.get("back", "")
    safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return redirect(back if safe else "inspections:checks")


def _move(request: DeskRequest, checks: Sequence[Check], move: str) -> None:
    who = {"actor": request.actor, "at": timezone.now()}
    count = MOVES[move](checks, bulk_reason(request), who)
    messages.success(request, str(DONE[move]) % {"count": count})


@require_http_methods(["GET", "POST"])
@needs(May.RAISE_CASE)
def case_new(request: DeskRequest) -> HttpResponse:
    """Raise a case; what speaks against it is shown once before it is saved, and blocks nothing."""
    items = items_in_force(request.actor, on=timezone.localdate())
    form = CaseForm(request.POST or None, items=items, actor=request.actor, initial=_from_door(request))
    warnings: list[str] = []
    if request.method == "POST" and form.is_valid():
        given = dict(form.cleaned_data)
        for name in ("subject_code", "premises_number"):
            given.pop(name)
        try:
            if not request.POST.get("seen"):
                aim = {name: given[name] for name in ("premises", "item", "earliest", "latest")}
                warnings = services.case_warnings(**aim, on=timezone.localdate())
            if not warnings:
                check = services.raise_case_check(**given, actor=request.actor, at=timezone.now())
                messages.success(request, _("已登记，任务编号 %(number)s。") % {"number": check.number})
                return redirect("inspections:check", check.pk)
        except Refused as refusal:
            form.add_error(None, str(refusal))
    return form_page(
        request,
        form,
        title=_("登记个案检查"),
        submit=_("仍然登记") if warnings else _("登记"),
        cancel_url=reverse("inspections:checks"),
        template="inspections/checks/case.html",
        warnings=warnings,
    )


def _from_door(request: DeskRequest) -> dict[str, Any]:
    """Start from a premises when the page was opened from one."""
    asked = request.GET.get("premises", "")
    door = (
        Premises.objects.visible_to(request.actor).select_related("subject").filter(pk=asked).first()
        if asked.isdecimal()
        else None
    )
    return {"subject_code": door.subject.code, "premises_number": door.number} if door else {}
