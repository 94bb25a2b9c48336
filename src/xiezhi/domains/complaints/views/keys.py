"""Open311 接口密钥: who may send requests by the interface. The administrator makes and revokes them; a key is shown once."""

import django_tables2
from django import forms
from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from xiezhi.domains.complaints.models import ClientKey
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.services import client_keys
from xiezhi.foundation.access.guards import needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.ui.forms import form_page, saved
from xiezhi.foundation.ui.lists import Action, Empty, Filters, SearchFilter, list_page
from xiezhi.foundation.ui.tables import MomentColumn, Table


class KeyTable(Table):
    label = django_tables2.Column(linkify=("complaints:key", {"pk": django_tables2.A("pk")}))
    start = django_tables2.Column()
    created_at = MomentColumn()
    used_at = MomentColumn()
    revoked_at = MomentColumn()
    phone = ("label", "used_at", "revoked_at")

    class Meta(Table.Meta):
        model = ClientKey
        fields = ("label", "start", "created_at", "used_at", "revoked_at")
        order_by = "-created_at"


class KeyFilters(Filters):
    q = SearchFilter("label", "start")

    class Meta:
        model = ClientKey
        fields = ("q",)


class KeyForm(forms.Form):
    """Whose key it is."""

    label = forms.CharField(
        label=gettext_lazy("用在哪里"),
        max_length=60,
        help_text=gettext_lazy("例如“城市随手拍小程序”，写到能找到人为止。"),
    )


@require_GET
@needs(May.KEEP_CHANNELS)
def key_list(request: DeskRequest) -> HttpResponseBase:
    """Keys, newest first."""
    new = Action(_("生成密钥"), reverse("complaints:key_new"), icon="plus")
    return list_page(
        request,
        title=_("Open311 接口密钥"),
        unit=_("个密钥"),
        queryset=ClientKey.objects.visible_to(request.actor),
        table=KeyTable,
        filterset=KeyFilters,
        actions=[new],
        empty=Empty(
            _("还没有密钥"),
            _("城市随手拍一类的应用用密钥通过 Open311 提交诉求；查询公开的诉求不要密钥。"),
            new,
            icon="key",
        ),
    )


@require_http_methods(["GET", "POST"])
@needs(May.KEEP_CHANNELS)
def key_new(request: DeskRequest) -> HttpResponseBase:
    """Make a key; the answer to the form is the only page that shows it."""
    form = KeyForm(request.POST or None)
    made = saved(
        form, lambda given: client_keys.issue_key(label=given["label"], actor=request.actor, at=timezone.now())
    )
    if made:
        key, text = made
        url = request.build_absolute_uri(reverse("open311:discovery", args=[""])).removesuffix("/discovery")
        return render(request, "complaints/key_made.html", {"key": key, "text": text, "url": url})
    return form_page(
        request, form, title=_("生成 Open311 接口密钥"), submit=_("生成"), cancel_url=reverse("complaints:keys"),
        intro=_("密钥只显示一次，请当场抄给对方。"),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@needs(May.KEEP_CHANNELS)
def key_detail(request: DeskRequest, pk: int) -> HttpResponseBase:
    """One key, and the button that ends it."""
    key = get_object_or_404(ClientKey.objects.visible_to(request.actor).select_related("created_by"), pk=pk)
    if request.method == "POST":
        client_keys.revoke_key(key=key, actor=request.actor, at=timezone.now())
        messages.success(request, _("密钥已停用。"))
        return redirect("complaints:key", pk=pk)
    return render(request, "complaints/key.html", {"key": key})
