"""机构、执法人员、检查力量: lists and forms; a department keeps its own, the administrator everybody's."""

from datetime import date, timedelta
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
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xiezhi.foundation.access.guards import needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.orgs import forms, queries, services
from xiezhi.foundation.orgs.models import Absence, Officer, Organisation, TeamPattern
from xiezhi.foundation.orgs.permissions import OrgsPermission as May
from xiezhi.foundation.ui.forms import form_page, saved
from xiezhi.foundation.ui.lists import Action, Empty, Filters, SearchFilter, list_page
from xiezhi.foundation.ui.tables import DayColumn, StatusColumn, Table

DAYS_SHOWN = 14
EXPIRING = timedelta(days=60)


class OrganisationTable(Table):
    name = django_tables2.Column(linkify=("orgs:rename", {"pk": django_tables2.A("pk")}))
    kind = StatusColumn(Organisation.Kind)
    parent = django_tables2.Column(order_by="parent__code")
    street = django_tables2.Column(order_by="street__code", default="—")
    qualified = django_tables2.BooleanColumn(yesno=(gettext_lazy("是"), gettext_lazy("否")))
    phone = ("name", "kind", "parent")

    class Meta(Table.Meta):
        model = Organisation
        fields = ("name", "short_name", "code", "kind", "parent", "street", "qualified")
        order_by = ("kind", "code")


class OrganisationFilters(Filters):
    q = SearchFilter("name", "short_name", "code")
    kind = django_filters.ChoiceFilter(choices=Organisation.Kind.choices, label=gettext_lazy("类别"))

    class Meta:
        model = Organisation
        fields = ("q", "kind")


@require_GET
@needs(May.MANAGE_ORGANISATIONS)
def organisation_list(request: DeskRequest) -> HttpResponseBase:
    """All organisations of the district."""
    new = Action(_("设立机构"), reverse("orgs:new"), "plus", "primary")
    return list_page(
        request,
        title=_("机构"),
        queryset=Organisation.objects.select_related("parent", "street"),
        table=OrganisationTable,
        filterset=OrganisationFilters,
        unit=_("个"),
        actions=[new, Action(_("导入机构名单"), reverse("imports:start", args=["orgs.organisations"]), "upload")],
        empty=Empty(_("还没有机构"), action=new, icon="building"),
    )


@require_http_methods(["GET", "POST"])
@needs(May.MANAGE_ORGANISATIONS)
def organisation_new(request: DeskRequest) -> HttpResponse:
    """Set up an organisation."""
    form = forms.OrganisationForm(request.POST or None)
    made = saved(form, lambda given: services.create_organisation(**given, **_who(request)))
    if made:
        messages.success(request, _("已设立“%(name)s”。") % {"name": made.name})
        return redirect("orgs:list")
    return form_page(request, form, title=_("设立机构"), submit=_("设立"), cancel_url=reverse("orgs:list"))


@require_http_methods(["GET", "POST"])
@needs(May.MANAGE_ORGANISATIONS)
def organisation_rename(request: DeskRequest, pk: int) -> HttpResponse:
    """Change an organisation's names and qualification."""
    organisation = get_object_or_404(Organisation, pk=pk)
    initial = {name: getattr(organisation, name) for name in ("name", "short_name", "qualified")}
    form = forms.RenameForm(request.POST or None, initial=initial)
    if saved(form, lambda given: services.rename_organisation(organisation=organisation, **given, **_who(request))):
        messages.success(request, _("已保存。"))
        return redirect("orgs:list")
    title = _("修改“%(name)s”") % {"name": organisation.name}
    return form_page(request, form, title=title, submit=_("保存"), cancel_url=reverse("orgs:list"))


class OfficerTable(Table):
    name = django_tables2.Column(linkify=("orgs:officer", {"pk": django_tables2.A("pk")}))
    department = django_tables2.Column(order_by="department__code")
    station = django_tables2.Column(order_by="station__code", default=gettext_lazy("机关"))
    certificate_to = DayColumn()
    is_active = django_tables2.BooleanColumn(yesno=(gettext_lazy("是"), gettext_lazy("否")))
    phone = ("name", "certificate_number", "certificate_to")

    class Meta(Table.Meta):
        model = Officer
        fields = ("name", "department", "station", "certificate_number", "certificate_to", "is_active")
        order_by = ("department", "name")


class OfficerFilters(Filters):
    q = SearchFilter("name", "certificate_number")
    department = django_filters.ModelChoiceFilter(
        queryset=Organisation.objects.filter(kind=Organisation.Kind.DEPARTMENT).order_by("code"),
        label=gettext_lazy("部门"),
    )
    certificate = django_filters.ChoiceFilter(
        choices=[
            ("valid", gettext_lazy("有效")),
            ("expiring", gettext_lazy("60 天内到期")),
            ("expired", gettext_lazy("已过期")),
        ],
        method="by_certificate",
        label=gettext_lazy("执法证"),
    )

    class Meta:
        model = Officer
        fields = ("q", "department", "certificate")

    def by_certificate(self, officers: QuerySet[Officer], name: str, value: str) -> QuerySet[Officer]:
        today = timezone.localdate()
        if value == "expired":
            return officers.filter(certificate_to__lt=today)
        valid = officers.filter(certificate_to__gte=today)
        return valid.filter(certificate_to__lte=today + EXPIRING) if value == "expiring" else valid


@require_GET
@needs(May.MANAGE_OFFICERS)
def officer_list(request: DeskRequest) -> HttpResponseBase:
    """Officers with their certificates."""
    new = Action(_("登记执法人员"), reverse("orgs:officer_new"), "plus", "primary")
    many = Action(_("导入名册"), reverse("imports:start", args=["orgs.officers"]), "upload")
    return list_page(
        request,
        title=_("执法人员"),
        queryset=Officer.objects.visible_to(request.actor).select_related("department", "station"),
        table=OfficerTable,
        filterset=OfficerFilters,
        unit=_("人"),
        actions=[new, many],
        empty=Empty(_("还没有登记执法人员"), _("到场检查的每个部门至少要有规定人数的持证人员。"), new, "users"),
    )


@require_http_methods(["GET", "POST"])
@needs(May.MANAGE_OFFICERS)
def officer_new(request: DeskRequest) -> HttpResponse:
    """Enter an officer."""
    form = forms.OfficerForm(request.POST or None, actor=request.actor)
    if saved(form, lambda given: services.certify_officer(**given, **_who(request))):
        messages.success(request, _("已登记。"))
        return redirect("orgs:officers")
    return form_page(request, form, title=_("登记执法人员"), submit=_("登记"), cancel_url=reverse("orgs:officers"))


@require_http_methods(["GET", "POST"])
@needs(May.MANAGE_OFFICERS)
def officer_edit(request: DeskRequest, pk: int) -> HttpResponse:
    """Change an officer's name, station, certificate, or whether they are in service."""
    officer = get_object_or_404(Officer.objects.visible_to(request.actor), pk=pk)
    form = forms.OfficerForm(request.POST or None, instance=officer, actor=request.actor)
    if saved(form, lambda given: services.update_officer(officer=officer, **given, **_who(request))):
        messages.success(request, _("已保存。"))
        return redirect("orgs:officers")
    title = _("修改执法人员")
    return form_page(request, form, title=title, submit=_("保存"), cancel_url=reverse("orgs:officers"))


@require_GET
@needs(May.VIEW_CAPACITY)
def capacity(request: DeskRequest) -> HttpResponse:
    """检查力量: minutes that each pool can give in the coming days, the patterns behind them, absences."""
    start = _first_day(request.GET.get("from"))
    days = [start + timedelta(days=offset) for offset in range(DAYS_SHOWN)]
    patterns = TeamPattern.objects.visible_to(request.actor).select_related("department", "street")
    absences = Absence.objects.visible_to(request.actor).select_related("department", "street")
    context: dict[str, Any] = {
        "days": days,
        "shut": queries.holidays_among(days),
        "pools": queries.capacity_calendar(actor=request.actor, start=start, days=days),
        "patterns": patterns.exclude(ends_on__lt=timezone.localdate()).order_by(
            "department__code", "street__code", "starts_on"
        ),
        "absences": absences.filter(ends_on__gte=timezone.localdate()).order_by("starts_on"),
        "earlier": start - timedelta(days=DAYS_SHOWN),
        "later": start + timedelta(days=DAYS_SHOWN),
        "may_change": request.actor.can(May.MANAGE_CAPACITY),
    }
    return render(request, "orgs/capacity.html", context)


def _first_day(text: str | None) -> date:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return timezone.localdate()


@require_http_methods(["GET", "POST"])
@needs(May.MANAGE_CAPACITY)
def pattern_new(request: DeskRequest) -> HttpResponse:
    """Let teams work on some weekdays from a day on."""
    form = forms.TeamPatternForm(request.POST or None, actor=request.actor)
    if saved(form, lambda given: services.set_team_pattern(**given, **_who(request))):
        messages.success(request, _("排班已保存。"))
        return redirect("orgs:capacity")
    return form_page(request, form, title=_("设置排班"), submit=_("保存排班"), cancel_url=reverse("orgs:capacity"))


@require_http_methods(["GET", "POST"])
@needs(May.MANAGE_CAPACITY)
def pattern_end(request: DeskRequest, pk: int) -> HttpResponse:
    """Say a pattern's last day."""
    pattern = get_object_or_404(TeamPattern.objects.visible_to(request.actor), pk=pk)
    form = forms.EndForm(request.POST or None)
    if saved(form, lambda given: services.end_team_pattern(pattern=pattern, **given, **_who(request))):
        messages.success(request, _("排班到那天为止。"))
        return redirect("orgs:capacity")
    title = _("结束排班：%(pattern)s 队") % {"pattern": pattern}
    return form_page(
        request, form, title=title, submit=_("结束排班"), style="danger", cancel_url=reverse("orgs:capacity")
    )


@require_http_methods(["GET", "POST"])
@needs(May.MANAGE_CAPACITY)
def absence_new(request: DeskRequest) -> HttpResponse:
    """Take teams out for some days."""
    form = forms.AbsenceForm(request.POST or None, actor=request.actor)
    if saved(form, lambda given: services.record_absence(**given, **_who(request))):
        messages.success(request, _("缺勤已登记。"))
        return redirect("orgs:capacity")
    return form_page(request, form, title=_("登记缺勤"), submit=_("登记缺勤"), cancel_url=reverse("orgs:capacity"))


@require_POST
@needs(May.MANAGE_CAPACITY)
def absence_cancel(request: DeskRequest, pk: int) -> HttpResponse:
    """Give the teams back."""
    absence = get_object_or_404(Absence.objects.visible_to(request.actor), pk=pk)
    services.cancel_absence(absence=absence, **_who(request))
    messages.success(request, _("缺勤已取消，力量已恢复。"))
    return redirect("orgs:capacity")


def _who(request: DeskRequest) -> dict[str, Any]:
    return {"actor": request.actor, "at": timezone.now()}
