import django_filters
import django_tables2
from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST

from xiezhi.foundation.access.guards import SIGNED_IN, needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.notices.models import Notice
from xiezhi.foundation.notices.services import mark_read
from xiezhi.foundation.ui.lists import Action, Bulk, Empty, Filters, SearchFilter, list_page
from xiezhi.foundation.ui.tables import MomentColumn, StatusColumn, Table


class NoticeTable(Table):
    title = django_tables2.Column(orderable=False)
    level = StatusColumn(Notice.Level, verbose_name=gettext_lazy("级别"))
    sent_at = MomentColumn()
    phone = ("title", "level", "sent_at")

    class Meta(Table.Meta):
        model = Notice
        fields = ("title", "level", "sent_at")
        order_by = "-sent_at"

    def render_title(self, record: Notice) -> SafeString:
        """The title opens the notice; unread ones are marked in words as well as weight."""
        return format_html(
            '<a href="{}" class="{}">{}</a>{}{}',
            reverse("notices:open", args=[record.pk]),
            "notice-read" if record.read_at else "notice-unread",
            record.title,
            "" if record.read_at else format_html(' <span class="state tone-active">{}</span>', _("未读")),
            format_html('<div class="text-secondary">{}</div>', record.body) if record.body else "",
        )


class NoticeFilters(Filters):
    q = SearchFilter("title", "body")
    level = django_filters.ChoiceFilter(choices=Notice.Level.choices, label=gettext_lazy("级别"))
    unread = django_filters.BooleanFilter(field_name="read_at", lookup_expr="isnull", label=gettext_lazy("是否未读"))

    class Meta:
        model = Notice
        fields = ("q", "level", "unread")


@require_GET
@needs(SIGNED_IN)
def inbox(request: DeskRequest) -> HttpResponseBase:
    """The inbox (消息) of the signed-in person."""
    return list_page(
        request,
        title=_("消息"),
        queryset=Notice.objects.visible_to(request.actor),
        table=NoticeTable,
        filterset=NoticeFilters,
        unit=_("条消息"),
        empty=Empty(_("还没有消息"), _("提醒、催办和办理结果会送到这里。"), icon="bell"),
        actions=[Action(_("接收设置"), reverse("notices:settings"), "settings")],
        bulk=[Bulk(_("标为已读"), reverse("notices:read"), icon="check")],
        export=False,
        template="notices/inbox.html",
    )


@require_GET
@needs(SIGNED_IN)
def open_notice(request: DeskRequest, pk: int) -> HttpResponse:
    """Go where the notice points, and mark it read on the way."""
    notice = get_object_or_404(Notice.objects.visible_to(request.actor), pk=pk)
    mark_read(notice_ids=[notice.pk], actor=request.actor, at=timezone.now())
    ours = url_has_allowed_host_and_scheme(notice.link, {request.get_host()}, require_https=request.is_secure())
    return redirect(notice.link if notice.link and ours else reverse("notices:inbox"))


@require_POST
@needs(SIGNED_IN)
def read(request: DeskRequest) -> HttpResponse:
    """Mark the selected notices read, or all of them (`all=1`)."""
    everything = request.POST.get("all") == "1"
    chosen = [int(each) for each in request.POST.getlist("selected") if each.isdecimal() and len(each) < 19]
    if not everything and not chosen:
        messages.warning(request, _("请先勾选要标为已读的消息。"))
        return redirect("notices:inbox")
    count = mark_read(notice_ids=None if everything else chosen, actor=request.actor, at=timezone.now())
    messages.success(request, ngettext("%(n)s 条消息已标为已读。", "%(n)s 条消息已标为已读。", count) % {"n": count})
    return redirect("notices:inbox")
