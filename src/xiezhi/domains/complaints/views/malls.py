"""商场回应: what a mall's people see and write."""

import django_tables2
from django import forms
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from xiezhi.domains.complaints.models import MallRequest
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.services.malls import answer_mall
from xiezhi.domains.complaints.views.common import act_page, who
from xiezhi.foundation.access.guards import needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.ui.lists import Empty, list_page
from xiezhi.foundation.ui.tables import DeadlineColumn, MomentColumn, Table
from xiezhi.foundation.ui.templatetags.ui import deadline
from xiezhi.foundation.ui.words import moment


class RequestTable(Table):
    told = django_tables2.Column(
        linkify=("complaints:mall_request", {"pk": django_tables2.A("pk")}), verbose_name=gettext_lazy("诉求")
    )
    asked_at = MomentColumn()
    due_at = DeadlineColumn()
    answered_at = MomentColumn()
    phone = ("told", "due_at", "answered_at")

    class Meta(Table.Meta):
        model = MallRequest
        fields = ("told", "asked_at", "due_at", "answered_at")

    def render_due_at(self, record: MallRequest) -> str:
        """Once answered there is no time left to tell, only when it was due."""
        return moment(record.due_at) if record.answered_at else deadline(record.due_at)

    def render_told(self, value: str) -> str:
        return value.partition("\n")[0][:60]


class AnswerForm(forms.Form):
    """What the mall did."""

    answer = forms.CharField(
        label=gettext_lazy("处理情况"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=gettext_lazy("写明和商户怎样处理、答应什么、什么时候做到。诉求人和承办单位都会看到。"),
    )


@require_GET
@needs(May.ANSWER)
def request_list(request: DeskRequest) -> HttpResponseBase:
    """What was put to the mall: unanswered first."""
    return list_page(
        request,
        title=_("等商场回应的诉求"),
        queryset=MallRequest.objects.visible_to(request.actor).order_by("answered_at", "due_at"),
        table=RequestTable,
        unit=_("件"),
        empty=Empty(_("没有转来的诉求"), _("监管部门转来的消费者诉求在这里，请在 24 小时内回应。"), icon="phone"),
    )


@require_http_methods(["GET", "POST"])
@needs(May.ANSWER)
def request_detail(request: DeskRequest, pk: int) -> HttpResponseBase:
    """One request: read it, answer it."""
    asked = get_object_or_404(MallRequest.objects.visible_to(request.actor), pk=pk)
    back = reverse("complaints:mall_requests")
    return act_page(
        request, AnswerForm(request.POST or None),
        lambda given: answer_mall(request=asked, answer=given["answer"], **who(request)),
        title=_("回应消费者诉求"), submit=_("提交回应"), done=_("已提交，承办单位已收到。"), back=back,
        template="complaints/mall_request.html", asked=asked,
    )  # fmt: skip
