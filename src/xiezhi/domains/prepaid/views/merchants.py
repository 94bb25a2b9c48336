"""Merchants: custody against requirement in one list, and each one over time."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import OuterRef, Subquery
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xiezhi.domains.prepaid import forms
from xiezhi.domains.prepaid.models import Difference, Merchant, Product, ReleaseStatus, Shortfall
from xiezhi.domains.prepaid.permissions import PrepaidPermission as May
from xiezhi.domains.prepaid.queries import custody as queries
from xiezhi.domains.prepaid.services import custody, merchants
from xiezhi.domains.prepaid.tables import MerchantFilters, MerchantTable, ProductFilters, ProductTable
from xiezhi.domains.prepaid.views.common import act_page, merchant_of, own_merchant
from xiezhi.domains.prepaid.views.money import accounts_kept
from xiezhi.domains.registry.services import end_tenancy, register_tenancy
from xiezhi.foundation.access.guards import needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.ui.lists import Action, Bulk, Empty, list_page, selected

DAYS_SHOWN = 180


@require_GET
@needs(May.VIEW)
def merchant_list(request: DeskRequest) -> HttpResponseBase:
    """Every merchant that the person sees, the largest shortfall first; a merchant's own people come straight to its page."""
    if request.actor.can(May.SELL):
        return redirect("prepaid:merchant", pk=own_merchant(request.actor).pk)
    short = Shortfall.objects.filter(merchant=OuterRef("pk"), closed_on=None).values("gap_fen")[:1]
    seen = Merchant.objects.visible_to(request.actor).select_related("subject").annotate(gap=Subquery(short))
    today = timezone.localdate()
    positions = {pk: days[0] for pk, days in queries.positions(list(seen), first=today, last=today).items()}
    register = Action(_("登记经营者"), reverse("prepaid:register"), icon="plus", permission=May.SUPERVISE)
    return list_page(
        request,
        title=_("预付费资金存管"),
        unit=_("家经营者"),
        table=MerchantTable,
        filterset=MerchantFilters,
        queryset=seen,
        table_kwargs={"positions": positions},
        actions=[
            register,
            Action(_("导入流水"), reverse("prepaid:statement_new"), icon="upload", permission=May.SUPERVISE),
        ],
        empty=Empty(
            _("还没有发卡经营者"),
            _("登记后，这里按家列出未消费余额、应存与已存。"),
            register if request.actor.can(May.SUPERVISE) else None,
            icon="building-store",
        ),
    )


@require_GET
@needs(May.VIEW)
def merchant_detail(request: DeskRequest, pk: int) -> HttpResponse:
    """One merchant: what is needed now, where it stands today and over half a year, accounts, releases, differences."""
    merchant, today = merchant_of(request, pk), timezone.localdate()
    days = queries.positions([merchant], first=today - timedelta(days=DAYS_SHOWN), last=today)[merchant.pk]
    accounts = list(merchant.bank_accounts.select_related("bank", "account"))
    _rule, readings = queries.rule_for(merchant, on=today)
    context: dict[str, Any] = {
        "merchant": merchant,
        "day": days[-1],
        "surplus": -days[-1].gap,
        "readings": readings,
        "chart": _chart(days),
        "accounts": accounts,
        "balances": queries.balances(merchant.pk),
        "shortfalls": merchant.shortfalls.order_by("-opened_on")[:10],
        "tenancies": merchant.subject.tenancies.select_related("mall").order_by("-starts_on"),
        "releases": merchant.releases.order_by("-requested_at")[:10],
        "waiting": merchant.releases.filter(status=ReleaseStatus.REQUESTED).count(),
        "differences": Difference.objects.filter(bank_account__in=accounts, status=Difference.Status.OPEN).count(),
        "is_own": merchant.organisation_id == request.actor.organisation_id
        and request.actor.organisation_id is not None,
        "supervises": request.actor.can(May.SUPERVISE),
        "keeps_book": bool(accounts_kept(merchant, request.actor)),
    }
    return render(request, "prepaid/merchant.html", context)


def _chart(days: list[Any]) -> dict[str, Any]:
    rows = [[day.on.isoformat(), day.owed / 100, day.required / 100, (day.kept + day.covered) / 100] for day in days]
    header = [_("日期"), _("未消费余额（元）"), _("应存（元）"), _("已存与担保（元）")]
    line = {"type": "line", "step": "end", "showSymbol": False}
    return {
        "dataset": {"source": [header, *rows]},
        "xAxis": {"type": "category"},
        "yAxis": {"type": "value"},
        # Told apart without colour too: what is owed dotted, what must be kept dashed, what is kept a full line.
        "series": [line | {"lineStyle": {"type": drawn}} for drawn in ("dotted", "dashed", "solid")],
    }


@require_http_methods(["GET", "POST"])
@needs(May.SUPERVISE)
def register(request: DeskRequest) -> HttpResponseBase:
    """Take a subject of the register into supervision."""
    form = forms.MerchantForm(request.POST or None)

    def act(data: dict[str, Any]) -> Merchant:
        subject = data.pop("code")
        return merchants.register_merchant(subject=subject, **data, actor=request.actor, at=timezone.now())

    return act_page(
        request, form, act,
        title=_("登记发卡经营者"), submit=_("登记"), done=_("已登记。"), back=reverse("prepaid:merchants"),
        then=lambda merchant: reverse("prepaid:merchant", args=[merchant.pk]),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@needs(May.SUPERVISE)
def issuing(request: DeskRequest, pk: int) -> HttpResponseBase:
    """Stop a merchant from selling cards, or allow it again."""
    merchant = merchant_of(request, pk)
    allow = merchant.status != Merchant.Status.ACTIVE
    form, title = forms.IssuingForm(request.POST or None), _("恢复发卡") if allow else _("停止发卡")
    return act_page(
        request, form,
        lambda data: merchants.set_issuing(
            merchant=merchant, allowed=allow, reason=data["reason"], actor=request.actor, at=timezone.now()
        ),
        title=title, submit=title, style="primary" if allow else "danger", done=_("已办理。"),
        back=reverse("prepaid:merchant", args=[pk]),
        intro=_("原有卡可以继续使用和退款。"),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@needs(May.SUPERVISE)
def account_new(request: DeskRequest, pk: int) -> HttpResponseBase:
    """Note a custody account."""
    merchant, form = merchant_of(request, pk), forms.BankAccountForm(request.POST or None)
    return act_page(
        request, form,
        lambda data: merchants.open_bank_account(merchant=merchant, **data, actor=request.actor, at=timezone.now()),
        title=_("登记存管账户"), submit=_("登记"), done=_("已登记存管账户。"), back=reverse("prepaid:merchant", args=[pk]),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@needs(May.SUPERVISE)
def guarantee_new(request: DeskRequest, pk: int) -> HttpResponseBase:
    """Note a guarantee that stands in for custody."""
    merchant, form = merchant_of(request, pk), forms.GuaranteeForm(request.POST or None)
    return act_page(
        request, form,
        lambda data: custody.grant_guarantee(merchant=merchant, **data, actor=request.actor, at=timezone.now()),
        title=_("登记保函或保证保险"), submit=_("登记"), done=_("已登记担保额度。"), back=reverse("prepaid:merchant", args=[pk]),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@needs(May.SUPERVISE)
def tenancy_new(request: DeskRequest, pk: int) -> HttpResponseBase:
    """Note the mall that the merchant rents in; its operator then sees the merchant's custody."""
    merchant, form = merchant_of(request, pk), forms.TenancyForm(request.POST or None)
    return act_page(
        request, form,
        lambda data: register_tenancy(
            subject=merchant.subject, takes_prepayment=True, **data, actor=request.actor, at=timezone.now()
        ),
        title=_("登记商场租约"), submit=_("登记"), done=_("已登记租约。"), back=reverse("prepaid:merchant", args=[pk]),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@needs(May.SUPERVISE)
def tenancy_end(request: DeskRequest, pk: int, tenancy_pk: int) -> HttpResponseBase:
    """Note the last day of a lease."""
    merchant = merchant_of(request, pk)
    tenancy = get_object_or_404(merchant.subject.tenancies.select_related("mall"), pk=tenancy_pk)
    form = forms.TenancyEndForm(request.POST or None, initial={"ends_on": timezone.localdate()})
    return act_page(
        request, form,
        lambda data: end_tenancy(tenancy=tenancy, **data, actor=request.actor, at=timezone.now()),
        title=_("登记租约结束：%(lease)s") % {"lease": tenancy}, submit=_("登记"), style="caution", done=_("已登记租约结束。"),
        back=reverse("prepaid:merchant", args=[pk]),
        intro=_("原有的卡仍要履行或退款；商场仍能看到它的存管情况。"),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@needs(May.OPERATE)
def deposit(request: DeskRequest) -> HttpResponseBase:
    """Note money paid into custody."""
    merchant = own_merchant(request.actor)
    form = forms.DepositForm(request.POST or None, merchant=merchant)
    return act_page(
        request, form,
        lambda data: custody.deposit(**data, actor=request.actor, at=timezone.now()),
        title=_("登记存入存管"), submit=_("登记"), done=_("已入账，等待银行流水核对。"),
        back=reverse("prepaid:merchant", args=[merchant.pk]),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@needs(May.OPERATE)
def product_new(request: DeskRequest) -> HttpResponseBase:
    """Offer a product."""
    merchant, form = own_merchant(request.actor), forms.ProductForm(request.POST or None)
    return act_page(
        request, form,
        lambda data: merchants.add_product(merchant=merchant, **data, actor=request.actor, at=timezone.now()),
        title=_("新增预付卡产品"), submit=_("上架"), done=_("产品已上架。"), back=reverse("prepaid:products"),
    )  # fmt: skip


@require_POST
@needs(May.OPERATE)
def products_withdraw(request: DeskRequest) -> HttpResponseBase:
    """Sell the selected products no longer, all or none; cards sold before stay as they are."""
    with transaction.atomic():
        for product in selected(request, Product.objects.visible_to(request.actor)):
            merchants.withdraw_product(product=product, actor=request.actor, at=timezone.now())
    messages.success(request, _("已停售，卖出的卡照常使用和退款。"))
    return redirect("prepaid:products")


@require_GET
@needs(May.VIEW)
def product_list(request: DeskRequest) -> HttpResponseBase:
    """What is sold."""
    new = Action(_("新增产品"), reverse("prepaid:product_new"), icon="plus", permission=May.OPERATE)
    return list_page(
        request,
        title=_("预付卡产品"),
        unit=_("种产品"),
        table=ProductTable,
        filterset=ProductFilters,
        queryset=Product.objects.visible_to(request.actor).select_related("merchant__subject"),
        actions=[new],
        bulk=[Bulk(_("停售所选"), reverse("prepaid:products_withdraw"), "ban", "danger", May.OPERATE)],
        empty=Empty(
            _("还没有产品"), _("上架后，收银页和收银接口才能售卡。"), new if request.actor.can(May.OPERATE) else None
        ),
    )
