"""诉求: the list and one case."""

from typing import Any

import django_filters
import django_tables2
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from xiezhi.domains.complaints.models import Case, Category
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.queries.cases import cases_listed, clocks_shown
from xiezhi.domains.complaints.queries.search import search_cases
from xiezhi.domains.complaints.views.common import case_of
from xiezhi.domains.complaints.words import CaseStatus, Channel, Kind, Tier
from xiezhi.domains.complaints.workflow import CASE
from xiezhi.foundation.access.guards import needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.ui.lists import Empty, Filters, SearchFilter, list_page
from xiezhi.foundation.ui.tables import DeadlineColumn, MomentColumn, StatusColumn, Table

ONE_LINE = {"td": {"class": "text-nowrap"}}


class CaseTable(Table):
    number = django_tables2.Column(linkify=("complaints:case", {"pk": django_tables2.A("pk")}), attrs=ONE_LINE)
    title = django_tables2.Column(order_by="title")
    kind = django_tables2.Column(attrs=ONE_LINE)
    channel = django_tables2.Column(attrs=ONE_LINE)
    respondent = django_tables2.Column(
        accessor="respondent", verbose_name=gettext_lazy("被诉方"), order_by="respondent_name"
    )
    unit = django_tables2.Column(order_by="unit__code", attrs=ONE_LINE)
    received_at = MomentColumn()
    next_due_at = DeadlineColumn()
    status = StatusColumn(CaseStatus, verbose_name=gettext_lazy("状态"))
    phone = ("title", "respondent", "next_due_at", "status")

    class Meta(Table.Meta):
        model = Case
        fields = ("number", "title", "kind", "channel", "respondent", "unit", "received_at", "next_due_at", "status")

    def render_number(self, record: Case, value: str) -> SafeString:
        return format_html('<a href="{}">{}</a>', f"{record.pk}/", value)


class CaseFilters(Filters):
    q = SearchFilter()
    status = django_filters.ChoiceFilter(choices=CaseStatus.choices, label=gettext_lazy("状态"))
    kind = django_filters.ChoiceFilter(choices=Kind.choices, label=gettext_lazy("类型"))
    channel = django_filters.ChoiceFilter(choices=Channel.choices, label=gettext_lazy("渠道"))
    tier = django_filters.ChoiceFilter(choices=Tier.choices, label=gettext_lazy("时限"))
    category = django_filters.ModelChoiceFilter(
        queryset=Category.objects.filter(is_active=True).order_by("code"), label=gettext_lazy("类别")
    )
    street = django_filters.ModelChoiceFilter(
        queryset=Organisation.objects.filter(kind=Organisation.Kind.STREET).order_by("code"),
        label=gettext_lazy("街道"),
    )
    from_day = django_filters.DateFilter(
        field_name="received_at", lookup_expr="date__gte", label=gettext_lazy("收到自")
    )
    to_day = django_filters.DateFilter(field_name="received_at", lookup_expr="date__lte", label=gettext_lazy("至"))

    class Meta:
        model = Case
        fields = ("q", "status", "kind", "channel", "tier", "category", "street", "from_day", "to_day")

    def filter_queryset(self, queryset: QuerySet[Case]) -> QuerySet[Case]:
        """Words go through the search of cases; the rest is django-filter's."""
        text = self.form.cleaned_data.pop("q", "")
        found = search_cases(super().filter_queryset(queryset), text or "")
        self.form.cleaned_data["q"] = text
        return found


@require_GET
@needs(May.VIEW)
def case_list(request: DeskRequest) -> HttpResponseBase:
    """Cases: a unit's own, or everybody's for district-wide posts; those due soonest first."""
    return list_page(
        request,
        title=_("诉求"),
        queryset=cases_listed(request.actor).order_by("next_due_at", "-arrived_at"),
        table=CaseTable,
        filterset=CaseFilters,
        unit=_("件"),
        empty=Empty(_("还没有诉求"), _("各渠道收到、派给本单位的诉求在这里。"), icon="phone"),
    )


@require_GET
@needs(May.VIEW)
def case_detail(request: DeskRequest, pk: int) -> HttpResponse:
    """One case: what is needed now, its clocks, what it is about, and what happened."""
    case, at = case_of(request, pk), timezone.now()
    context: dict[str, Any] = {
        "case": case,
        "workflow": CASE,
        "clocks": clocks_shown(case, at),
        "parties": case.parties.all(),
        "story": [
            {"at": each.at, "title": each.title, "text": each.text} for each in case.events.order_by("-at", "-pk")
        ],
    }
    return render(request, "complaints/case.html", context)
