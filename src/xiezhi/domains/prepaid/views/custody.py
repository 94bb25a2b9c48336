"""Releases, statements, differences, disputes."""

from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xiezhi.domains.prepaid import forms
from xiezhi.domains.prepaid.models import Difference, Dispute, Entry, Release, Statement
from xiezhi.domains.prepaid.permissions import PrepaidPermission as May
from xiezhi.domains.prepaid.queries import custody as queries
from xiezhi.domains.prepaid.services import bank, custody, disputes
from xiezhi.domains.prepaid.tables import (
    DifferenceFilters,
    DifferenceTable,
    DisputeFilters,
    DisputeTable,
    ReleaseFilters,
    ReleaseTable,
    StatementFilters,
    StatementTable,
)
from xiezhi.domains.prepaid.views.common import act_page, own_merchant
from xiezhi.domains.prepaid.workflow import RELEASE
from xiezhi.foundation.access.guards import needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.ui.lists import Action, Empty, list_page


@require_GET
@needs(May.VIEW)
def release_list(request: DeskRequest) -> HttpResponseBase:
    """Requests to take money out of custody."""
    return list_page(
        request,
        title=_("支取申请"),
        unit=_("份申请"),
        table=ReleaseTable,
        filterset=ReleaseFilters,
        queryset=Release.objects.visible_to(request.actor).select_related("merchant__subject"),
        actions=[Action(_("申请支取"), reverse("prepaid:release_new"), icon="plus", permission=May.OPERATE)],
        empty=Empty(_("没有支取申请"), _("经营者申请支取存管资金后，在这里批准。")),
    )


@require_GET
@needs(May.VIEW)
def release_detail(request: DeskRequest, pk: int) -> HttpResponse:
    """One request, with where the merchant would stand after it."""
    seen = Release.objects.visible_to(request.actor).select_related("merchant__subject", "bank_account__bank")
    release = get_object_or_404(seen, pk=pk)
    day = queries.position(release.merchant, on=timezone.localdate())
    return render(
        request,
        "prepaid/release.html",
        {"release": release, "workflow": RELEASE, "day": day, "after": -(day.gap + release.amount_fen)},
    )


@require_POST
@needs(May.VIEW)
def release_move(request: DeskRequest, pk: int, move: str) -> HttpResponseBase:
    """One move of the table."""
    release = get_object_or_404(Release.objects.visible_to(request.actor).select_related("merchant__subject"), pk=pk)
    if move not in {"approve", "refuse", "withdraw"}:
        raise Http404
    custody.decide_release(
        release=release,
        move=move,
        reason=request.POST.get("reason", ""),
        seen_status=request.POST.get("seen_status"),
        actor=request.actor,
        at=timezone.now(),
    )
    messages.success(request, _("已办理。"))
    return redirect("prepaid:release", pk=pk)


@require_http_methods(["GET", "POST"])
@needs(May.OPERATE)
def release_new(request: DeskRequest) -> HttpResponseBase:
    """Ask for a release."""
    merchant = own_merchant(request.actor)
    form = forms.ReleaseForm(request.POST or None, merchant=merchant)
    return act_page(
        request, form,
        lambda data: custody.request_release(**data, actor=request.actor, at=timezone.now()),
        title=_("申请支取存管资金"), submit=_("提交申请"), done=_("申请已提交，金额已冻结，等待批准。"),
        back=reverse("prepaid:releases"), then=lambda release: reverse("prepaid:release", args=[release.pk]),
        intro=_("支取后存管资金不能低于应存金额。"),
    )  # fmt: skip


@require_GET
@needs(May.VIEW)
def statement_list(request: DeskRequest) -> HttpResponseBase:
    """What banks have sent."""
    to_new = reverse("prepaid:statement_new")
    return list_page(
        request,
        title=_("存管流水"),
        unit=_("份流水"),
        table=StatementTable,
        filterset=StatementFilters,
        queryset=Statement.objects.visible_to(request.actor)
        .select_related("bank_account__merchant__subject", "bank_account__bank")
        .annotate(line_count=Count("lines")),
        actions=[
            Action(
                _("导入流水"),
                to_new,
                icon="upload",
                permission=(May.REPORT if request.actor.can(May.REPORT) else May.SUPERVISE).value,
            )
        ],
        empty=Empty(_("还没有流水"), _("银行经办导入 CSV 或 camt.053 后，自动与账簿核对。")),
    )


@require_http_methods(["GET", "POST"])
@needs(May.VIEW)
def statement_new(request: DeskRequest) -> HttpResponseBase:
    """Take in a bank's file; for banks and the regulator."""
    if not (request.actor.can(May.REPORT) or request.actor.can(May.SUPERVISE)):
        raise Http404
    form = forms.StatementForm(request.POST or None, request.FILES or None)

    def act(data: dict[str, Any]) -> list[Statement]:
        file = data["file"]
        return bank.import_statements(content=file.read(), name=file.name, actor=request.actor, at=timezone.now())

    return act_page(
        request, form, act,
        title=_("导入存管流水"), submit=_("导入并对账"), done=_("流水已导入并对账。"), back=reverse("prepaid:statements"),
        then=lambda _statements: reverse("prepaid:differences"),
    )  # fmt: skip


@require_GET
@needs(May.VIEW)
def difference_list(request: DeskRequest) -> HttpResponseBase:
    """What the bank and the book do not agree on, oldest first."""
    return list_page(
        request,
        title=_("对账差异"),
        unit=_("条差异"),
        table=DifferenceTable,
        filterset=DifferenceFilters,
        queryset=Difference.objects.visible_to(request.actor).select_related("bank_account__merchant__subject"),
        empty=Empty(_("没有差异"), _("银行流水与账簿逐笔相符。"), icon="circle-check"),
    )


@require_http_methods(["GET", "POST"])
@needs(May.VIEW)
def difference_detail(request: DeskRequest, pk: int) -> HttpResponseBase:
    """One difference, both sides; the regulator settles it with an explanation."""
    seen = Difference.objects.visible_to(request.actor)
    difference = get_object_or_404(
        seen.select_related("bank_account__merchant__subject", "bank_account__bank", "line"), pk=pk
    )
    form = forms.ExplainForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        bank.explain_difference(
            difference=difference, note=form.cleaned_data["note"], actor=request.actor, at=timezone.now()
        )
        messages.success(request, _("差异已说明。"))
        return redirect("prepaid:difference", pk=pk)
    book_id = difference.bank_account.merchant_id
    entry = Entry.objects.filter(book_id=book_id, sequence=difference.sequence).first() if difference.sequence else None
    context = {
        "difference": difference,
        "entry": entry,
        "form": form,
        "may_explain": request.actor.can(May.SUPERVISE) and difference.status == Difference.Status.OPEN,
    }
    return render(request, "prepaid/difference.html", context, status=422 if form.errors else 200)


@require_GET
@needs(May.VIEW)
def dispute_list(request: DeskRequest) -> HttpResponseBase:
    """Holders' objections."""
    return list_page(
        request,
        title=_("持卡人异议"),
        unit=_("条异议"),
        table=DisputeTable,
        filterset=DisputeFilters,
        queryset=Dispute.objects.visible_to(request.actor).select_related("card", "merchant__subject"),
        empty=Empty(_("没有异议"), _("持卡人对某笔业务有异议时，会列在这里等待答复。"), icon="circle-check"),
    )


@require_http_methods(["GET", "POST"])
@needs(May.VIEW)
def dispute_detail(request: DeskRequest, pk: int) -> HttpResponseBase:
    """One objection; the merchant answers it."""
    dispute = get_object_or_404(
        Dispute.objects.visible_to(request.actor).select_related("card", "merchant__subject"), pk=pk
    )
    form = forms.AnswerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        disputes.answer_dispute(
            dispute=dispute, answer=form.cleaned_data["answer"], actor=request.actor, at=timezone.now()
        )
        messages.success(request, _("已答复。"))
        return redirect("prepaid:dispute", pk=pk)
    may_answer = request.actor.can(May.OPERATE) and dispute.status == Dispute.Status.OPEN
    context = {"dispute": dispute, "form": form, "may_answer": may_answer}
    return render(request, "prepaid/dispute.html", context, status=422 if form.errors else 200)
