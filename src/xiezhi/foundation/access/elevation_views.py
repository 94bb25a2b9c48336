"""临时授权: asking for one's own, and answering those of others."""

from typing import Any

import django_tables2
from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xiezhi.foundation.access.guards import SIGNED_IN, needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.access.models import Elevation
from xiezhi.foundation.access.permissions import AccessPermission
from xiezhi.foundation.access.services import elevations
from xiezhi.foundation.access.workflow import ELEVATION
from xiezhi.foundation.ui.forms import form_page, saved
from xiezhi.foundation.ui.lists import Empty, Filters, SearchFilter, list_page
from xiezhi.foundation.ui.tables import MomentColumn, StatusColumn, Table

APPROVE = AccessPermission.APPROVE_ELEVATION.value
LENGTHS = (30, 60, 120, 240)


class ElevationForm(forms.Form):
    """What is needed, for how long, and why."""

    role = forms.ChoiceField(label=gettext_lazy("要临时行使哪个岗位的权限"), widget=forms.RadioSelect)
    minutes = forms.TypedChoiceField(
        label=gettext_lazy("多久"), coerce=int, choices=[(each, each) for each in LENGTHS], initial=LENGTHS[1]
    )
    reason = forms.CharField(label=gettext_lazy("理由"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, request: DeskRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        post = request.membership
        choices = elevations.takeable_roles(post).items() if post else ()
        alone = post.role_class.may_take if post else frozenset()
        how = {True: _("凭理由立即生效"), False: _("要他人批准")}
        role: Any = self.fields["role"]
        role.choices = [
            (key, f"{each.label}（{how[key in alone]}）{_('：')}{each.description}") for key, each in choices
        ]
        minutes: Any = self.fields["minutes"]
        minutes.choices = [(each, _("%(count)s 分钟") % {"count": each}) for each in LENGTHS]


@require_http_methods(["GET", "POST"])
@needs(SIGNED_IN)
def elevation(request: DeskRequest) -> HttpResponse:
    """Ask for another role's permissions for a while; what was asked for before stands below."""
    at = timezone.now()
    mine = Elevation.objects.filter(membership=request.membership).select_related("membership__user", "decided_by")
    form = ElevationForm(request.POST or None, request=request)
    if asked := saved(form, lambda given: elevations.request_elevation(**given, actor=request.actor, at=at)):
        begun = asked.status == Elevation.Status.GRANTED
        messages.success(request, _("已生效，到时自动结束。") if begun else _("已申请，批准后会收到消息。"))
        return redirect("access:elevation")
    history = list(mine.order_by("-pk")[:20])
    return form_page(
        request,
        form,
        title=_("临时授权"),
        submit=_("申请"),
        cancel_url=reverse("desk:home"),
        intro=_("少数情况下要用到别的岗位的权限时，写明理由，限时使用。用过的都有记录。"),
        template="access/elevation.html",
        history=history,
        workflow=ELEVATION,
        lent=elevations.lent(request.actor),
        open=next((each for each in history if each.status in {"requested", "granted"}), None),
        nothing=not form.fields["role"].choices,  # type: ignore[attr-defined]
    )


@require_POST
@needs(SIGNED_IN)
def elevation_move(request: DeskRequest, pk: int, move: str) -> HttpResponse:
    """One of the table's moves, by the person or by whoever answers."""
    row = get_object_or_404(Elevation.objects.visible_to(request.actor), pk=pk)
    if move not in {each.name for each in ELEVATION.transitions if each.permission}:
        return redirect("access:elevation")
    moved = elevations.move_elevation(
        elevation=row, move=move, actor=request.actor, at=timezone.now(), reason=request.POST.get("reason", ""),
        seen_status=request.POST.get("seen_status"),
    )  # fmt: skip
    messages.success(request, f"{_('临时授权')}{_('：')}{moved.get_status_display()}")
    own = row.membership.user_id == request.user.pk
    return redirect("access:elevation" if own else "access:elevations")


class ElevationTable(Table):
    person = django_tables2.Column(
        verbose_name=gettext_lazy("人员"), accessor="membership__user", linkify=("access:elevation_detail", {"pk": django_tables2.A("pk")})
    )  # fmt: skip
    role = django_tables2.Column(accessor="role_class__label", orderable=False, verbose_name=gettext_lazy("临时岗位"))
    status = StatusColumn(Elevation.Status)
    asked_at = MomentColumn()
    until = MomentColumn()
    phone = ("person", "role", "status")

    class Meta(Table.Meta):
        model = Elevation
        fields = ("person", "role", "minutes", "reason", "status", "asked_at", "until", "decided_by")
        order_by = "-asked_at"


class ElevationFilters(Filters):
    q = SearchFilter("membership__user__display_name", "reason")

    class Meta:
        model = Elevation
        fields = ("q", "status")


@require_GET
@needs(APPROVE)
def elevations_list(request: DeskRequest) -> HttpResponseBase:
    """Every elevation asked for, newest first."""
    rows = Elevation.objects.visible_to(request.actor)
    return list_page(
        request,
        title=_("临时授权"),
        queryset=rows.select_related("membership__user", "membership__organisation", "decided_by"),
        table=ElevationTable,
        filterset=ElevationFilters,
        unit=_("项"),
        empty=Empty(_("还没有人申请过临时授权"), _("各岗位的人可在右上角菜单里申请。"), icon="key"),
    )


@require_GET
@needs(APPROVE)
def elevation_detail(request: DeskRequest, pk: int) -> HttpResponse:
    """One elevation with what may be done about it."""
    rows = Elevation.objects.visible_to(request.actor)
    row = get_object_or_404(rows.select_related("membership__user", "membership__organisation", "decided_by"), pk=pk)
    return render(request, "access/elevation_detail.html", {"elevation": row, "workflow": ELEVATION})
