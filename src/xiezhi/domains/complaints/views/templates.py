"""答复模板: what is offered when replying; a change is a new version, and what was sent keeps its own."""

from typing import Any

import django_filters
import django_tables2
from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xiezhi.domains.complaints.forms import TemplateForm
from xiezhi.domains.complaints.models import ReplyTemplate
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.services import templates
from xiezhi.domains.complaints.services.templates import Draft
from xiezhi.domains.complaints.views.common import who
from xiezhi.domains.complaints.words import CaseStatus, Kind, Outcome
from xiezhi.foundation.access.guards import needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.ui.forms import form_page, saved
from xiezhi.foundation.ui.lists import Action, Empty, Filters, SearchFilter, list_page
from xiezhi.foundation.ui.tables import Table


class TemplateTable(Table):
    title = django_tables2.Column(linkify=("complaints:template", {"pk": django_tables2.A("pk")}))
    bound = django_tables2.Column(empty_values=(), orderable=False, verbose_name=gettext_lazy("用在"))
    article = django_tables2.Column()
    text = django_tables2.Column(orderable=False)
    version = django_tables2.Column()
    is_active = django_tables2.BooleanColumn(yesno=(gettext_lazy("在用"), gettext_lazy("停用")))
    phone = ("title", "bound", "article")

    class Meta(Table.Meta):
        model = ReplyTemplate
        fields = ("title", "bound", "article", "text", "version", "is_active")
        order_by = ("-is_active", "title")

    def render_bound(self, record: ReplyTemplate) -> str:
        words = [str(Kind(each).label) for each in record.kinds.split()]
        words += [str(CaseStatus(each).label) for each in record.statuses.split()]
        words += [str(Outcome(each).label) for each in record.outcomes.split()]
        return " · ".join(words) or _("不限")

    value_bound = render_bound

    def render_text(self, value: str) -> str:
        return value if len(value) < 60 else f"{value[:60]}…"

    def value_text(self, value: str) -> str:
        return value

    def render_is_active(self, value: bool) -> str:
        return _("在用") if value else _("停用")


class TemplateFilters(Filters):
    q = SearchFilter("title", "text")
    is_active = django_filters.BooleanFilter(label=gettext_lazy("在用"))

    class Meta:
        model = ReplyTemplate
        fields = ("q", "is_active")


@require_GET
@needs(May.VIEW)
def template_list(request: DeskRequest) -> HttpResponseBase:
    """Every template and version, those in use first."""
    new = Action(_("新模板"), reverse("complaints:template_new"), "plus", "primary", May.DISPATCH)
    return list_page(
        request,
        title=_("答复模板"),
        queryset=ReplyTemplate.objects.all(),
        table=TemplateTable,
        filterset=TemplateFilters,
        unit=_("个模板"),
        intro=_("改动另存为新的一版；已经发出的答复保留当时的版本。"),
        actions=[new],
        empty=Empty(_("还没有答复模板"), _("常用的答复写成模板，答复时按类型、状态和结果自动给出。"), icon="file-text"),
    )


@require_http_methods(["GET", "POST"])
@needs(May.DISPATCH)
def new(request: DeskRequest) -> HttpResponseBase:
    """Write a template."""
    return _edit(request, None)


@require_http_methods(["GET", "POST"])
@needs(May.DISPATCH)
def template(request: DeskRequest, pk: int) -> HttpResponseBase:
    """A template; saving makes the next version."""
    return _edit(request, get_object_or_404(ReplyTemplate, pk=pk))


def _edit(request: DeskRequest, standing: ReplyTemplate | None) -> HttpResponseBase:
    form = TemplateForm(request.POST or None, initial=TemplateForm.of(standing) if standing else {})

    def save(given: dict[str, Any]) -> ReplyTemplate:
        return templates.save_template(draft=Draft(**given), replaces=standing, **who(request))

    if made := saved(form, save):
        messages.success(request, _("已保存“%(title)s”第 %(n)s 版。") % {"title": made.title, "n": made.version})
        return redirect("complaints:templates")
    return form_page(
        request, form, title=standing.title if standing else _("新模板"), submit=_("保存为新的一版") if standing else _("保存"),
        cancel_url=reverse("complaints:templates"), template="complaints/template.html", standing=standing,
    )  # fmt: skip


@require_POST
@needs(May.DISPATCH)
def retire(request: DeskRequest, pk: int) -> HttpResponse:
    """Offer it no longer."""
    templates.retire_template(template=get_object_or_404(ReplyTemplate, pk=pk), **who(request))
    messages.success(request, _("已停用。已经发出的答复不受影响。"))
    return redirect("complaints:templates")
