"""Keys of the till interface, and the notices that go to a merchant's own system."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xiezhi.domains.prepaid import forms
from xiezhi.domains.prepaid.models import ApiKey, Webhook, WebhookDelivery
from xiezhi.domains.prepaid.permissions import PrepaidPermission as May
from xiezhi.domains.prepaid.services import keys, webhooks
from xiezhi.domains.prepaid.tables import DeliveryFilters, DeliveryTable, KeyFilters, KeyTable
from xiezhi.domains.prepaid.views.common import act_page, own_merchant
from xiezhi.foundation.access.guards import needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.ui.lists import Action, Bulk, Empty, list_page, selected


@require_GET
@needs(May.OPERATE)
def key_list(request: DeskRequest) -> HttpResponseBase:
    """Keys of the till interface."""
    new = Action(_("生成密钥"), reverse("prepaid:key_new"), icon="plus")
    return list_page(
        request,
        title=_("收银接口密钥"),
        unit=_("个密钥"),
        table=KeyTable,
        filterset=KeyFilters,
        queryset=ApiKey.objects.visible_to(request.actor),
        actions=[
            new,
            Action(_("通知地址"), reverse("prepaid:webhook"), icon="bell"),
            Action(_("通知记录"), reverse("prepaid:deliveries"), icon="list"),
        ],
        empty=Empty(_("还没有密钥"), _("收银系统用密钥给请求签名，直接售卡与核销。"), new),
    )


@require_http_methods(["GET", "POST"])
@needs(May.OPERATE)
def webhook(request: DeskRequest) -> HttpResponseBase:
    """Where notices go, and what they are signed with."""
    merchant = own_merchant(request.actor)
    hook = Webhook.objects.filter(merchant=merchant).first()
    form = forms.WebhookForm(request.POST or None, initial={"url": hook.url if hook else ""})
    return act_page(
        request, form,
        lambda data: webhooks.set_webhook(merchant=merchant, url=data["url"], actor=request.actor, at=timezone.now()),
        title=_("通知地址"), submit=_("保存"), done=_("已保存，签名密钥显示在本页。"), back=reverse("prepaid:keys"),
        then=lambda _hook: reverse("prepaid:webhook"),
        intro=_("签名密钥：%(secret)s") % {"secret": webhooks.secret_of(hook)} if hook else "",
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@needs(May.OPERATE)
def key_new(request: DeskRequest) -> HttpResponseBase:
    """Make a key."""
    merchant, form = own_merchant(request.actor), forms.KeyForm(request.POST or None)
    return act_page(
        request, form,
        lambda data: keys.issue_key(merchant=merchant, **data, actor=request.actor, at=timezone.now()),
        title=_("生成收银接口密钥"), submit=_("生成"), done=_("密钥已生成，请抄入收银系统。"), back=reverse("prepaid:keys"),
        then=lambda key: reverse("prepaid:key", args=[key.pk]),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@needs(May.OPERATE)
def key_detail(request: DeskRequest, pk: int) -> HttpResponseBase:
    """A key; its secret stands here for whoever works for the merchant."""
    key = get_object_or_404(ApiKey.objects.visible_to(request.actor).select_related("merchant__subject"), pk=pk)
    now = timezone.now()
    if request.method == "POST":
        if "rotate" in request.POST:
            new = keys.rotate_key(key=key, actor=request.actor, at=now)
            messages.success(request, _("已生成新密钥，旧密钥 7 天后失效。"))
            return redirect("prepaid:key", pk=new.pk)
        keys.revoke_key(key=key, actor=request.actor, at=now)
        messages.success(request, _("密钥已停用。"))
        return redirect("prepaid:key", pk=pk)
    alive = keys.why_dead(key, now) is None
    scopes = [ApiKey.Scope(each).label for each in key.scopes]
    secret = keys.secret_of(key) if alive else ""
    return render(request, "prepaid/key.html", {"key": key, "alive": alive, "scopes": scopes, "secret": secret})


@require_GET
@needs(May.OPERATE)
def delivery_list(request: DeskRequest) -> HttpResponseBase:
    """Notices to the merchant's system: taken, waiting for another attempt, given up."""
    return list_page(
        request,
        title=_("通知记录"),
        unit=_("条通知"),
        table=DeliveryTable,
        filterset=DeliveryFilters,
        queryset=WebhookDelivery.objects.visible_to(request.actor),
        bulk=[Bulk(_("重发所选"), reverse("prepaid:deliveries_retry"), "refresh", "primary")],
        actions=[Action(_("通知地址"), reverse("prepaid:webhook"), icon="bell")],
        empty=Empty(_("还没有通知"), _("设好通知地址后，持卡人确认、取消或异议时发出的通知会列在这里。"), icon="bell"),
    )


@require_POST
@needs(May.OPERATE)
def deliveries_retry(request: DeskRequest) -> HttpResponseBase:
    """Send the selected notices again now, all or none."""
    with transaction.atomic():
        for delivery in selected(request, WebhookDelivery.objects.visible_to(request.actor)):
            webhooks.retry_delivery(delivery=delivery, actor=request.actor, at=timezone.now())
    messages.success(request, _("已排队重发。"))
    return redirect("prepaid:deliveries")
