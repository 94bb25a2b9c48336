"""诉求: the list and one case."""

from typing import Any

import django_filters
import django_tables2
from django.contrib import messages
from django.db.models import F, QuerySet, prefetch_related_objects
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import content_disposition_header, url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xiezhi.domains.complaints.documents import agreement_document
from xiezhi.domains.complaints.forms import PurposeForm
from xiezhi.domains.complaints.models import Agreement, Case, Category, ComplaintParty, PartyOpening
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.queries.callbacks import callbacks_shown, satisfaction_hidden
from xiezhi.domains.complaints.queries.cases import (
    answer_blanks,
    cases_listed,
    clocks_shown,
    related_cases,
    story_of,
    waiting_for,
)
from xiezhi.domains.complaints.queries.hints import claim_hints, missing_material, mixed_material, same_person
from xiezhi.domains.complaints.queries.search import search_cases
from xiezhi.domains.complaints.services.people import may_see_person, open_party
from xiezhi.domains.complaints.views.acts import further_acts, leads, links_for
from xiezhi.domains.complaints.views.common import case_of, goes_on, who
from xiezhi.domains.complaints.views.suggestions import EARLY, suggestions_shown
from xiezhi.domains.complaints.words import OPEN, CallbackOutcome, CaseStatus, Channel, Kind, Satisfaction, Tier
from xiezhi.domains.complaints.workflow import CASE
from xiezhi.foundation.access.actors import PermissionRefused
from xiezhi.foundation.access.guards import needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.files.kinds import CONTENT_TYPES
from xiezhi.foundation.files.kinds import Kind as FileKind
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.ui.forms import form_page, saved
from xiezhi.foundation.ui.lists import Action, Bulk, Empty, Filters, SearchFilter, SinceFilter, UntilFilter, list_page
from xiezhi.foundation.ui.tables import DeadlineColumn, MomentColumn, StatusColumn, Table
from xiezhi.foundation.ui.templatetags.ui import deadline, tag

PER_PAGE = 30
LISTED = (
    "number", "title", "kind", "channel", "status", "respondent_name", "received_at", "next_due_at", "unit__name", "unit__short_name",
    "subject__name",
)  # fmt: skip
"""The columns of which the list needs anything: a case has fifty, with texts of up to 100,000 characters."""
ONE_LINE = {"td": {"class": "text-nowrap"}}


class CaseTable(Table):
    number = django_tables2.Column(linkify=("complaints:case", {"pk": django_tables2.A("pk")}), attrs=ONE_LINE)
    title = django_tables2.Column(order_by="title")
    kind = django_tables2.Column(attrs=ONE_LINE)
    respondent = django_tables2.Column(
        accessor="respondent", verbose_name=gettext_lazy("被诉方"), order_by="respondent_name"
    )
    unit = django_tables2.Column(order_by=("unit_id", "next_due_at"), attrs=ONE_LINE)
    received_at = MomentColumn()
    next_due_at = DeadlineColumn(empty_values=())
    status = StatusColumn(CaseStatus, verbose_name=gettext_lazy("状态"))
    phone = ("title", "respondent", "next_due_at", "status")

    class Meta(Table.Meta):
        model = Case
        fields = ("number", "title", "kind", "respondent", "unit", "received_at", "next_due_at", "status")

    def render_kind(self, record: Case) -> SafeString:
        return format_html(
            '{}<div class="text-secondary">{}</div>', Kind(record.kind).label, Channel(record.channel).label
        )

    def value_kind(self, record: Case) -> str:
        return record.get_kind_display()

    def render_next_due_at(self, record: Case) -> SafeString | str:
        """No period of law runs for a lead yet: how long it has waited for its number stands in its place."""
        if record.status != CaseStatus.LEAD:
            return deadline(record.next_due_at)
        days = (timezone.now() - record.arrived_at).days
        text = ngettext("线索，已等 %(n)s 天", "线索，已等 %(n)s 天", days) % {"n": days}
        return tag(text if days else _("线索，今天收到"), "caution" if days else "neutral", "hourglass")


class CaseFilters(Filters):
    q = SearchFilter()
    stage = django_filters.ChoiceFilter(
        method="by_stage", label=gettext_lazy("进度"),
        choices=[("open", gettext_lazy("未答复")), ("late", gettext_lazy("已超期")), ("ended", gettext_lazy("已答复或者结束"))],
    )  # fmt: skip
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
    from_day = SinceFilter(field_name="received_at", label=gettext_lazy("收到自"))
    to_day = UntilFilter(field_name="received_at", label=gettext_lazy("至"))

    class Meta:
        model = Case
        fields = ("q", "stage", "status", "kind", "channel", "tier", "category", "street", "from_day", "to_day")

    def by_stage(self, queryset: QuerySet[Case], name: str, value: str) -> QuerySet[Case]:
        """Open ones, those over time, or the rest."""
        if value == "late":
            return queryset.filter(status__in=OPEN, next_due_at__lt=timezone.now())
        return queryset.filter(status__in=OPEN) if value == "open" else queryset.exclude(status__in=OPEN)

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
    enter = Action(_("登记诉求"), reverse("complaints:new"), "plus", "primary", May.REGISTER)
    onward = Action(_("办理下一件"), reverse("complaints:next"), "arrow-right")
    filed = Action(
        _("导入工单文件"), reverse("imports:start", args=["complaints.12345"]), "upload", permission=May.DISPATCH
    )
    export = Action(
        _("按 12345、12315 的列导出"), f"{reverse('complaints:export')}?{request.GET.urlencode()}", "table-export"
    )
    return list_page(
        request,
        title=_("诉求"),
        queryset=cases_listed(request.actor, helping=request.GET.get("helping") == "true")
        .only(*LISTED)
        .order_by(F("next_due_at").asc(nulls_last=True), "-pk"),
        table=CaseTable,
        filterset=CaseFilters,
        per_page=PER_PAGE,
        unit=_("件"),
        actions=[enter, onward, filed, export],
        bulk=[
            Bulk(_("派单"), reverse("complaints:dispatch_together"), "arrow-right", "primary", May.DISPATCH),
            Bulk(_("一起答复"), reverse("complaints:reply_together"), "file-text", "primary", May.HANDLE),
        ],
        empty=Empty(
            _("还没有诉求"), _("各渠道收到、派给本单位的诉求在这里。"),
            enter if request.actor.can(May.REGISTER) else None, icon="phone",
        ),
    )  # fmt: skip


@require_GET
@needs(May.VIEW)
def next_case(request: DeskRequest) -> HttpResponseBase:
    """Open the case that is due soonest among those that wait for this person's unit (or, for dispatchers, for dispatch)."""
    after = request.GET.get("after", "")
    waiting = waiting_for(request.actor).exclude(pk=int(after) if after.isdecimal() and len(after) < 19 else 0)
    found = waiting.values_list("pk", flat=True).first()
    if found is None:
        messages.info(request, _("没有等您办理的诉求了。"))
        return redirect("complaints:cases")
    return redirect("complaints:case", found)


@require_POST
@needs(May.VIEW)
def onward(request: DeskRequest) -> HttpResponse:
    """Turn 办完看下一件 on or off for this session: whether the next case opens itself after an act that ends one's part."""
    request.session["complaints.onward"] = not goes_on(request)
    back = request.POST.get("back", "")
    safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return redirect(back if safe else "complaints:cases")


@require_GET
@needs(May.VIEW)
def case_detail(request: DeskRequest, pk: int) -> HttpResponse:
    """One case: what is needed now, its clocks, what it is about, who brought it (masked), and what happened."""
    case, at, actor = answer_blanks(case_of(request, pk)), timezone.now(), request.actor
    prefetch_related_objects([case], "parties", "numbers")
    deciding = case.kind == Kind.COMPLAINT and case.status == CaseStatus.HANDLING and leads(case, actor)
    mediations = list(case.mediations.select_related("agreement").order_by("-held_at"))
    context: dict[str, Any] = {
        "case": case,
        "workflow": CASE,
        "links": links_for(case, mediations),
        "further": further_acts(case, actor),
        "clocks": clocks_shown(case, at),
        "numbers": case.numbers.all(),
        "parties": case.parties.all(),
        "may_see_person": may_see_person(case, actor),
        "mixed": mixed_material(case, actor),
        "missing": missing_material(case) if case.kind == Kind.COMPLAINT and case.is_open else [],
        "hints": claim_hints(case, actor) if deciding else [],
        "suggestions": suggestions_shown(case, actor),
        "early": case.status in EARLY and (actor.can(May.DISPATCH) or actor.can(May.HANDLE)),
        "same_person": list(same_person(case, actor)[:5]) if actor.can(May.SEE_PERSON) else [],
        "related": related_cases(case, actor),
        "co_handlers": case.co_handlers.select_related("unit"),
        "returns": case.returns.select_related("unit", "target").order_by("-asked_at"),
        "mediations": mediations,
        "clues": case.clues.order_by("-found_at"),
        "requests": case.mall_requests.select_related("mall"),
        "supervisions": case.supervisions.order_by("-at"),
        "applications": case.applications.order_by("-asked_at"),
        "handoffs": case.handoffs.all(),
        "attachments": case.attachments.select_related("file"),
        "callbacks": callbacks_shown(case),
        "satisfaction_hidden": satisfaction_hidden(case, actor),
        "outcomes": CallbackOutcome,
        "satisfactions": Satisfaction,
        "may_call": actor.can(May.CALL_BACK) and case.status in {CaseStatus.REPLIED, CaseStatus.CLOSED},
        "leads": leads(case, actor),
        "may_approve": actor.can(May.APPROVE),
        "tiers": Tier,
        "onward": goes_on(request),
        "children": case.children.open().count() if leads(case, actor) else 0,
        "story": story_of(case),
    }
    return render(request, "complaints/case.html", context)


@require_http_methods(["GET", "POST"])
@needs(May.SEE_PERSON)
def person(request: DeskRequest, pk: int) -> HttpResponseBase:
    """Who brought it, in full: after saying what for, and with a trace (留痕). Nothing of it is kept by the browser."""
    case = case_of(request, pk)
    if not may_see_person(case, request.actor):
        raise PermissionRefused(
            _("您的岗位不能打开这位诉求人的信息。举报人信息只有承办单位和派单员可以打开（第三十七条）。")
        )
    form = PurposeForm(request.POST or None)

    def show(given: dict[str, Any]) -> list[ComplaintParty]:
        parties = list(case.parties.select_related("case"))
        for party in parties:
            open_party(party=party, purpose=given["purpose"], **who(request))
        return parties

    parties = saved(form, show)
    if parties is None:
        return form_page(
            request, form, title=_("打开诉求人信息"), submit=_("打开"), template="complaints/act.html", case=case,
            intro=_("谁、什么时候、为什么打开，都会记录。"), cancel_url=reverse("complaints:case", args=[pk]),
        )  # fmt: skip
    openings = PartyOpening.objects.filter(party__case=case).select_related("by").order_by("-at")[:20]
    response = render(request, "complaints/person.html", {"case": case, "parties": parties, "openings": openings})
    response["Cache-Control"] = "private, no-store"
    return response


@require_GET
@needs(May.VIEW)
def agreement(request: DeskRequest, pk: int, of: int) -> HttpResponse:
    """The mediation agreement (调解书) as a Word document."""
    case = case_of(request, pk)
    if not leads(case, request.actor):
        raise PermissionRefused(_("只有承办单位可以制作调解书。"))
    made = get_object_or_404(Agreement.objects.select_related("mediation"), pk=of, mediation__case=case)
    content = agreement_document(case, made)
    response = HttpResponse(content, content_type=CONTENT_TYPES[FileKind.DOCX])
    response["Content-Disposition"] = (
        content_disposition_header(True, _("调解书-%(number)s.docx") % {"number": case.number}) or ""
    )
    response["Cache-Control"] = "private, no-store"
    return response
