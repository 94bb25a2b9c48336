"""来信: what came to the desk's mail box, and those that people must see to."""

from typing import Any

import django_filters
import django_tables2
from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from xiezhi.domains.complaints.models import Mail
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.services import inbox
from xiezhi.domains.complaints.texts import mask_personal
from xiezhi.domains.complaints.views.common import who
from xiezhi.foundation.access.guards import needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.ui.forms import saved
from xiezhi.foundation.ui.lists import Empty, Filters, list_page
from xiezhi.foundation.ui.tables import MomentColumn, StatusColumn, Table
from xiezhi.foundation.ui.words import moment


class MailTable(Table):
    arrived_at = MomentColumn(linkify=("complaints:mail", {"pk": django_tables2.A("pk")}))
    sender = django_tables2.Column(orderable=False)
    subject = django_tables2.Column(orderable=False)
    status = StatusColumn(Mail.Status)
    reason = django_tables2.Column(orderable=False)
    case = django_tables2.Column(linkify=("complaints:case", {"pk": django_tables2.A("case_id")}), orderable=False)
    phone = ("arrived_at", "subject", "status")

    class Meta(Table.Meta):
        model = Mail
        fields = ("arrived_at", "sender", "subject", "status", "reason", "case")
        order_by = "-arrived_at"

    def render_sender(self, value: str) -> str:
        return mask_personal(value)

    def value_sender(self, value: str) -> str:
        return mask_personal(value)

    def render_subject(self, value: str) -> str:
        return mask_personal(value)[:60]

    def value_subject(self, value: str) -> str:
        return mask_personal(value)[:60]


class MailFilters(Filters):
    status = django_filters.ChoiceFilter(choices=Mail.Status.choices, label=gettext_lazy("状态"))

    class Meta:
        model = Mail
        fields = ("status",)


class DoneForm(forms.Form):
    """How it was seen to."""

    note = forms.CharField(label=gettext_lazy("怎样处理的"), max_length=300, widget=forms.Textarea(attrs={"rows": 2}))


@require_GET
@needs(May.DISPATCH)
def mail_list(request: DeskRequest) -> HttpResponseBase:
    """Mails of the box, newest first; when it was asked last."""
    state = inbox.inbox_state()
    return list_page(
        request,
        title=_("来信"),
        unit=_("封来信"),
        intro=_intro(state),
        queryset=Mail.objects.visible_to(request.actor).select_related("case"),
        table=MailTable,
        filterset=MailFilters,
        empty=Empty(
            _("还没有来信"),
            _("管理员配置收信邮箱（XIEZHI_COMPLAINTS_IMAP）后，来信自动成为线索；没读懂的留在这里。"),
            icon="file-text",
        ),
    )


def _intro(state: dict[str, Any] | None) -> str:
    if state is None:
        return str(_("还没有收过信。"))
    text = _("上次收信：%(at)s。") % {"at": moment(state["at"])}
    return f"{text}{state['error']}" if state["error"] else str(text)


@require_http_methods(["GET", "POST"])
@needs(May.DISPATCH)
def mail_detail(request: DeskRequest, pk: int) -> HttpResponseBase:
    """One mail: try again, read it as it came, or say how it was seen to."""
    mail = get_object_or_404(Mail.objects.visible_to(request.actor).select_related("case"), pk=pk)
    act = request.POST.get("act", "")
    form = DoneForm(request.POST if act == "done" else None)
    if act == "open":
        raw = inbox.open_letter(mail=mail, **who(request))
        answer = HttpResponse(raw, content_type="message/rfc822")
        answer["Content-Disposition"] = f'attachment; filename="mail-{mail.pk}.eml"'
        answer["X-Content-Type-Options"] = "nosniff"
        return answer
    if act == "retry":
        mail = inbox.retry_letter(mail=mail, **who(request))
        messages.success(request, _("已重新处理。"))
        return redirect("complaints:mail", pk=pk)
    if saved(form, lambda given: inbox.settle_letter(mail=mail, note=given["note"], **who(request))):
        messages.success(request, _("已记下。"))
        return redirect("complaints:mails")
    shown = {"sender": mask_personal(mail.sender), "subject": mask_personal(mail.subject)}
    context = {
        "mail": mail,
        "form": form,
        "waits": mail.status == Mail.Status.ASIDE,
        "back": reverse("complaints:mails"),
    }
    return render(request, "complaints/mail.html", {**context, **shown}, status=422 if form.errors else 200)
