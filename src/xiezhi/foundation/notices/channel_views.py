"""For who keeps the channels: their addresses, tests, and how messages went."""

from typing import Any

import django_filters
import django_tables2
from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xiezhi.foundation.access.guards import SIGNED_IN, needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.notices import services
from xiezhi.foundation.notices.channels import ways
from xiezhi.foundation.notices.forms import ChannelForm, TryForm, left_out
from xiezhi.foundation.notices.models import Channel, ChannelKind, Delivery
from xiezhi.foundation.notices.permissions import NoticesPermission
from xiezhi.foundation.notices.setting_views import kind_or_404
from xiezhi.foundation.notices.topics import topics
from xiezhi.foundation.ui.forms import form_page, saved
from xiezhi.foundation.ui.lists import Action, Bulk, Empty, Filters, SearchFilter, list_page
from xiezhi.foundation.ui.tables import MomentColumn, NumberColumn, StatusColumn, Table


@require_GET
@needs(NoticesPermission.MANAGE)
def channels(request: DeskRequest) -> HttpResponse:
    """消息通道: which are configured, whom they reach, whether they work."""
    known, rows = ways(), []
    changed = {row.kind: row for row in Channel.objects.select_related("changed_by")}
    for kind in ChannelKind:
        last = Delivery.objects.filter(channel=kind, status__in=["sent", "failed"]).order_by("-ended_at").first()
        rows.append(
            {"kind": kind, "way": known.get(kind), "row": changed.get(kind.value), "last": last, "form": TryForm()}
        )
    return render(request, "notices/channels.html", {"rows": rows})


@require_http_methods(["GET", "POST"])
@needs(NoticesPermission.MANAGE)
def channel(request: DeskRequest, kind: str) -> HttpResponse:
    """Set one channel's address."""
    known = kind_or_404(kind)
    way = ways().get(known)
    wanted = [topic for topic in topics() if not (way and topic in way.left_out)]
    form = ChannelForm(
        request.POST or None, kind=known, way=way,
        initial={"least_level": way.least_level if way else "urgent", "wanted": wanted},
    )  # fmt: skip

    def act(chosen: dict[str, Any]) -> Channel:
        return services.set_channel(
            kind=known,
            address=(chosen["address"] or "").strip(),
            least_level=chosen["least_level"],
            left_out=left_out(chosen["wanted"]),
            actor=request.actor,
            at=timezone.now(),
        )

    if saved(form, act):
        messages.success(request, _("%(channel)s通道已保存，请试发一条。") % {"channel": known.label})
        return redirect("notices:channels")
    return form_page(
        request, form, title=_("设置%(channel)s通道") % {"channel": known.label}, submit=_("保存通道"),
        cancel_url=reverse("notices:channels"),
        intro=_("地址按 apprise 的写法，里面的密钥加密保存，谁也看不到第二次，也不进日志。"),
    )  # fmt: skip


@require_POST
@needs(NoticesPermission.MANAGE)
def channel_test(request: DeskRequest, kind: str) -> HttpResponse:
    """Send a test message to a given place, or to the group."""
    known, form = kind_or_404(kind), TryForm(request.POST)
    form.is_valid()
    to = str(form.cleaned_data.get("to", "")).strip()
    way = ways().get(known)
    if way and way.personal and not to:
        messages.warning(request, _("请填写试发给谁。"))
        return redirect("notices:channels")
    services.send_test(kind=known, to=to if way and way.personal else "", actor=request.actor, at=timezone.now())
    messages.success(request, _("试发消息已送出，请到%(channel)s查看。") % {"channel": known.label})
    return redirect("notices:channels")


@require_POST
@needs(NoticesPermission.MANAGE)
def channel_remove(request: DeskRequest, kind: str) -> HttpResponse:
    """Forget a channel."""
    known = kind_or_404(kind)
    services.remove_channel(kind=known, actor=request.actor, at=timezone.now())
    messages.success(request, _("%(channel)s通道已停用，地址已经删去。") % {"channel": known.label})
    return redirect("notices:channels")


class DeliveryTable(Table):
    channel = django_tables2.Column()
    recipient = django_tables2.Column(order_by="recipient__display_name", default=gettext_lazy("群"))
    count = NumberColumn()
    status = StatusColumn(Delivery.Status, verbose_name=gettext_lazy("状态"))
    error = django_tables2.Column(orderable=False)
    created_at = MomentColumn()
    ended_at = MomentColumn()
    phone = ("channel", "status", "created_at")

    class Meta(Table.Meta):
        model = Delivery
        fields = ("channel", "purpose", "recipient", "count", "status", "attempts", "error", "created_at", "ended_at")  # fmt: skip
        order_by = "-created_at"


class DeliveryFilters(Filters):
    q = SearchFilter("recipient__display_name", "error")
    status = django_filters.ChoiceFilter(choices=Delivery.Status.choices, label=gettext_lazy("状态"))
    channel = django_filters.ChoiceFilter(choices=ChannelKind.choices, label=gettext_lazy("通道"))
    purpose = django_filters.ChoiceFilter(choices=Delivery.Purpose.choices, label=gettext_lazy("用途"))

    class Meta:
        model = Delivery
        fields = ("q", "status", "channel", "purpose")


@require_GET
@needs(SIGNED_IN)
def log(request: DeskRequest) -> HttpResponseBase:
    """发送记录: how messages went; one's own, or all of them for who keeps the channels."""
    keeps = request.actor.can(NoticesPermission.MANAGE)
    return list_page(
        request,
        title=_("发送记录"),
        queryset=Delivery.objects.visible_to(request.actor).select_related("recipient"),
        table=DeliveryTable,
        filterset=DeliveryFilters,
        unit=_("条记录"),
        intro=_("往手机、邮箱和工作群送了什么、送到没有。这里不存消息内容，90 天后删去。"),
        actions=[Action(_("消息通道"), reverse("notices:channels"), "settings")]
        if keeps
        else [Action(_("接收设置"), reverse("notices:settings"), "settings")],
        empty=Empty(_("还没有往外送过消息"), _("开通短信、邮件等通道后，每次发送的结果会记在这里。"), icon="bell"),
        bulk=[Bulk(_("重新发送"), reverse("notices:resend"), icon="refresh", permission=NoticesPermission.MANAGE)],
    )


@require_POST
@needs(NoticesPermission.MANAGE)
def resend(request: DeskRequest) -> HttpResponse:
    """Queue the selected messages that did not arrive."""
    chosen = [int(each) for each in request.POST.getlist("selected") if each.isdecimal() and len(each) < 19]
    count = services.resend(delivery_ids=chosen, actor=request.actor, at=timezone.now())
    messages.success(request, ngettext("%(n)s 条消息已重新排队。", "%(n)s 条消息已重新排队。", count) % {"n": count})
    return redirect("notices:log")
