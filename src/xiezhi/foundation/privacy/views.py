"""个人信息: the map, who opened what, what goes next, and requests. For administrators; one's own openings for everybody."""

import json
from typing import Any

import django_filters
import django_tables2
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xiezhi.foundation.access.guards import SIGNED_IN, needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.privacy import queries, services
from xiezhi.foundation.privacy.forms import RequestForm
from xiezhi.foundation.privacy.holdings import KEEP, all_holdings, exceptions, holding_of
from xiezhi.foundation.privacy.models import Opening, Request
from xiezhi.foundation.privacy.permissions import PrivacyPermission
from xiezhi.foundation.ui.exports import export_response
from xiezhi.foundation.ui.forms import form_page, saved
from xiezhi.foundation.ui.lists import Action, Empty, Filters, SinceFilter, UntilFilter, list_page
from xiezhi.foundation.ui.tables import MomentColumn, StatusColumn, Table
from xiezhi.foundation.ui.words import masked

MANAGE = PrivacyPermission.MANAGE.value


def _who(request: DeskRequest) -> dict[str, Any]:
    return {"actor": request.actor, "at": timezone.now()}


def _unkept(response: HttpResponseBase) -> HttpResponseBase:
    response["Cache-Control"] = "private, no-store"
    return response


@require_GET
@needs(MANAGE)
def overview(request: DeskRequest) -> HttpResponse:
    """The map of personal data: what, whose, what for, on what basis, how long, who may open it."""
    now = timezone.now()
    holdings = [{"is": each, "rule": queries.keeping_rule(each, now)} for each in all_holdings()]
    return render(request, "privacy/map.html", {"holdings": holdings, "exceptions": exceptions()})


class OpeningTable(Table):
    at = MomentColumn(verbose_name=gettext_lazy("时间"))
    by = django_tables2.Column(verbose_name=gettext_lazy("谁查看"), order_by="by__display_name")
    kind = django_tables2.Column(verbose_name=gettext_lazy("查看了什么"))
    fields = django_tables2.Column(verbose_name=gettext_lazy("内容"), orderable=False)
    of = django_tables2.Column(verbose_name=gettext_lazy("谁的（有账号的）"), orderable=False, default="—")
    reason = django_tables2.Column(verbose_name=gettext_lazy("用途"), orderable=False, default="—")
    phone = ("by", "at", "kind", "reason")

    class Meta(Table.Meta):
        model = Opening
        fields = ("at", "by", "kind", "fields", "of", "reason")

    def render_kind(self, record: Opening) -> str:
        """The table's word and the row's number."""
        holding = holding_of(record.kind)
        return f"{holding.title if holding else record.kind} {record.object_id}"

    def render_fields(self, record: Opening) -> str:
        """The columns' words."""
        holding = holding_of(record.kind)
        known = holding.fields if holding else {}
        return _("、").join(str(known[name].what) if name in known else name for name in record.fields)


class OpeningFilters(Filters):
    q = django_filters.CharFilter(label=gettext_lazy("搜索"), field_name="by__display_name", lookup_expr="icontains")
    kind = django_filters.ChoiceFilter(
        label=gettext_lazy("数据"), choices=lambda: [(each.model, each.title) for each in all_holdings()]
    )
    first = SinceFilter(label=gettext_lazy("从"), field_name="at")
    last = UntilFilter(label=gettext_lazy("到"), field_name="at")

    class Meta:
        model = Opening
        fields = ("q", "kind", "first", "last")


@require_GET
@needs(MANAGE)
def openings(request: DeskRequest) -> HttpResponseBase:
    """Who opened whose personal data."""
    return list_page(
        request,
        title=_("查看记录"),
        intro=_("谁在什么时候查看了哪一条个人信息。只增不改，记录里没有看到的内容。"),
        queryset=Opening.objects.visible_to(request.actor).select_related("by", "of").order_by("-at"),
        table=OpeningTable,
        filterset=OpeningFilters,
        unit=_("次查看"),
        actions=[Action(_("个人信息清单"), reverse("privacy:map"), "list")],
        empty=Empty(_("还没有人查看过"), _("有人点开隐去的姓名、电话时，会记在这里。"), icon="eye"),
    )


class MyTable(OpeningTable):
    class Meta(OpeningTable.Meta):
        exclude = ("of",)


@require_GET
@needs(SIGNED_IN)
def mine(request: DeskRequest) -> HttpResponseBase:
    """Who opened mine."""
    return list_page(
        request,
        title=_("谁查看过我的信息"),
        intro=_("按您账号里登记的手机号查找。没有登记手机号的，查不到用手机号办的事。"),
        queryset=Opening.objects.about(request.actor).select_related("by").order_by("-at"),
        table=MyTable,
        unit=_("次查看"),
        export=False,
        empty=Empty(_("没有人查看过"), _("有人查看您的个人信息时，会记在这里。"), icon="eye"),
    )


@require_POST
@needs(SIGNED_IN)
def open_row(request: DeskRequest, kind: str, pk: int) -> HttpResponseBase:
    """显示: one row in full, with a trace. Not kept by the browser."""
    holding = holding_of(kind)
    if holding is None or holding.openable is None:
        raise Http404
    row = get_object_or_404(holding.openable(request.actor), pk=pk)
    values = services.open_row(row=row, reason=request.POST.get("reason", ""), **_who(request))
    return _unkept(render(request, "privacy/opened.html", {"holding": holding, "values": values, "row": row}))


@require_GET
@needs(MANAGE)
def retention(request: DeskRequest) -> HttpResponse:
    """What goes at the next turn, and why: a dry run."""
    return render(request, "privacy/retention.html", {"lines": queries.dry_run(timezone.now())})


class RequestTable(Table):
    asked_at = MomentColumn(
        verbose_name=gettext_lazy("登记时间"), linkify=("privacy:request", {"pk": django_tables2.A("pk")})
    )
    status = StatusColumn(Request.Status)
    phone = ("asked_at", "found_by", "status")

    class Meta(Table.Meta):
        model = Request
        fields = ("asked_at", "found_by", "identity", "status", "copied_at", "closed_at", "by")


@require_GET
@needs(MANAGE)
def requests(request: DeskRequest) -> HttpResponseBase:
    """People's requests about their own data."""
    return list_page(
        request,
        title=_("个人申请"),
        intro=_("本人要求查阅、复制（个人信息保护法第四十五条）或者删除（第四十七条）自己的信息，在这里办理。"),
        queryset=Request.objects.visible_to(request.actor).select_related("by").order_by("-asked_at"),
        table=RequestTable,
        unit=_("件申请"),
        actions=[Action(_("登记申请"), reverse("privacy:ask"), "plus", "primary")],
        empty=Empty(_("还没有申请"), _("有人来问自己的信息时，先核实身份，再登记。"), icon="file-text"),
    )


@require_http_methods(["GET", "POST"])
@needs(MANAGE)
def ask(request: DeskRequest) -> HttpResponseBase:
    """Enter a request."""
    form = RequestForm(request.POST or None)
    made = saved(form, lambda data: services.enter_request(**data, **_who(request)))
    if made is None:
        return form_page(
            request,
            form,
            title=_("登记个人申请"),
            submit=_("查找"),
            intro=_("先核实来人就是本人或者受委托的人。查找内容加密保存，办结时删除。"),
            cancel_url=reverse("privacy:requests"),
        )
    return redirect("privacy:request", made.pk)


def _one(request: DeskRequest, pk: int) -> Request:
    return get_object_or_404(Request.objects.visible_to(request.actor).select_related("by"), pk=pk)


@require_GET
@needs(MANAGE)
def detail(request: DeskRequest, pk: int) -> HttpResponse:
    """What was found, masked; what may go and what must stay; the report afterwards."""
    asked = _one(request, pk)
    now = timezone.now()
    found = [
        {
            "holding": holding,
            "row": row,
            "values": {what: masked(value) for what, value in holding.values(row).items()},
            "why": queries.duty_of(holding, row, now),
        }
        for holding, row in queries.rows_of(asked)
    ]
    report = [
        {
            "title": holding.title if holding else each["kind"],
            "keeps": holding.keeps if holding and _keeps_something(holding) else "",
            **each,
        }
        for each in asked.outcome
        if (holding := holding_of(each["kind"])) or True
    ]
    return render(request, "privacy/request.html", {"asked": asked, "found": found, "report": report})


def _keeps_something(holding: Any) -> bool:
    return any(datum.erased is KEEP for datum in holding.fields.values())


@require_POST
@needs(MANAGE)
def copy(request: DeskRequest, pk: int) -> HttpResponseBase:
    """A copy for the person: JSON for machines, XLSX for people."""
    lines = services.copy_for(request=_one(request, pk), **_who(request))
    if request.POST.get("format") == "xlsx":
        header = [_("表"), _("编号"), _("内容"), _("值")]
        return _unkept(export_response(_("个人信息副本"), header, lines, "xlsx"))
    records: dict[str, dict[str, Any]] = {}
    for title, number, what, value in lines:
        records.setdefault(f"{title} {number}", {_("表"): title, _("编号"): number})[what] = value
    text = json.dumps(list(records.values()), ensure_ascii=False, indent=1)
    response = HttpResponse(text, content_type="application/json; charset=utf-8")
    name = f"personal-data-{timezone.localdate():%Y%m%d}.json"
    response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    return _unkept(response)


@require_POST
@needs(MANAGE)
def erase(request: DeskRequest, pk: int) -> HttpResponseBase:
    """Erase what may go, once somebody has ticked that they have seen what was found."""
    seen = request.POST.get("seen", "")
    services.erase_for(request=_one(request, pk), seen=int(seen) if seen.isdecimal() else -1, **_who(request))
    messages.success(request, _("已办理删除，结果见下。"))
    return redirect("privacy:request", pk)


@require_POST
@needs(MANAGE)
def close(request: DeskRequest, pk: int) -> HttpResponseBase:
    """Done without erasing."""
    services.close_request(request=_one(request, pk), **_who(request))
    messages.success(request, _("申请已办结，查找内容已经删除。"))
    return redirect("privacy:request", pk)
