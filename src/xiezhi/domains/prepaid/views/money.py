"""Money in and out of custody beyond deposits and releases: refunds paid, bank fees, guarantees called; and the book behind it."""

from django.db.models import Q
from django.http import Http404, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from xiezhi.domains.prepaid import forms
from xiezhi.domains.prepaid.ledger.drafts import Purse
from xiezhi.domains.prepaid.models import Account, BankAccount, Entry, Merchant
from xiezhi.domains.prepaid.permissions import PrepaidPermission as May
from xiezhi.domains.prepaid.queries import custody as queries
from xiezhi.domains.prepaid.services import custody
from xiezhi.domains.prepaid.tables import EntryFilters, EntryTable
from xiezhi.domains.prepaid.views.common import act_page, merchant_of, own_merchant
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.access.guards import needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.ui.lists import Action, Empty, list_page
from xiezhi.foundation.ui.words import money

IN_BOOK = [Purse.CUSTODY, Purse.REFUNDS, Purse.GUARANTEE]
"""The accounts of a merchant's book that the desk shows: no card's."""


def accounts_kept(merchant: Merchant, actor: Actor) -> list[BankAccount]:
    """The merchant's custody accounts as far as this person works with them: a bank's people see their own bank's."""
    found = merchant.bank_accounts.select_related("bank").order_by("pk")
    if actor.can(May.SUPERVISE) or (actor.can(May.OPERATE) and merchant.organisation_id == actor.organisation_id):
        return list(found)
    return list(found.filter(bank_id=actor.organisation_id)) if actor.can(May.REPORT) else []


@require_http_methods(["GET", "POST"])
@needs(May.OPERATE)
def refund_pay(request: DeskRequest) -> HttpResponseBase:
    """Note that owed refunds were paid out, from the merchant's own money or from custody."""
    merchant = own_merchant(request.actor)
    owed = queries.balances(merchant.pk)["refunds"]
    form = forms.RefundPaidForm(request.POST or None, merchant=merchant, owed_fen=owed)
    return act_page(
        request, form,
        lambda data: custody.pay_refund(merchant=merchant, **data, actor=request.actor, at=timezone.now()),
        title=_("登记退款付出"), submit=_("登记付出"), done=_("已登记，应付退款相应减少。"),
        back=reverse("prepaid:merchant", args=[merchant.pk]),
        intro=_("应付退款 %(owed)s。钱付给消费者以后，按付款凭证登记；付款先抵最早的一笔。") % {"owed": money(owed)},
        template="prepaid/refund_pay.html", owed=queries.refunds_owed(merchant),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@needs(May.VIEW)
def fee_new(request: DeskRequest, pk: int) -> HttpResponseBase:
    """Note a fee that the bank took from custody; for the bank that keeps the account, and the regulator."""
    merchant = merchant_of(request, pk)
    if not (request.actor.can(May.REPORT) or request.actor.can(May.SUPERVISE)):
        raise Http404
    form = forms.DepositForm(
        request.POST or None,
        merchant=merchant,
        accounts=accounts_kept(merchant, request.actor),
        initial={"reference": request.GET.get("reference", "")[:50]},
    )
    return act_page(
        request, form,
        lambda data: custody.note_bank_fee(**data, actor=request.actor, at=timezone.now()),
        title=_("登记银行费用"), submit=_("登记"), done=_("已入账，存管余额相应减少。"), back=reverse("prepaid:merchant", args=[pk]),
        intro=_("银行从存管账户扣收的手续费等，按流水登记后即可对上账。"),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@needs(May.SUPERVISE)
def guarantee_call(request: DeskRequest, pk: int) -> HttpResponseBase:
    """Note that the guarantor paid into custody."""
    merchant = merchant_of(request, pk)
    left = queries.balances(merchant.pk)["guarantee"]
    form = forms.DepositForm(request.POST or None, merchant=merchant)
    return act_page(
        request, form,
        lambda data: custody.call_guarantee(**data, actor=request.actor, at=timezone.now()),
        title=_("登记担保代偿"), submit=_("登记代偿"), style="caution", done=_("代偿已入账，担保额度相应减少。"),
        back=reverse("prepaid:merchant", args=[pk]),
        intro=_("担保可用额度 %(left)s。担保人把钱付进存管账户后，按银行回单登记。") % {"left": money(left)},
    )  # fmt: skip


@require_GET
@needs(May.VIEW)
def journal(request: DeskRequest, pk: int) -> HttpResponseBase:
    """Every entry on a merchant's custody, refunds and guarantee: what was booked, when, under which number."""
    merchant, actor = merchant_of(request, pk), request.actor
    kept = accounts_kept(merchant, actor)
    whole = actor.can(May.SUPERVISE) or actor.can(May.OPERATE)
    if not (kept or whole):
        raise Http404
    seen = Q(purse__in=IN_BOOK, card=None) if whole else Q(bank_account__in=kept)
    accounts = list(Account.objects.filter(seen, book_id=merchant.pk).values_list("pk", flat=True))
    touched = Entry.objects.filter(Q(debit__in=accounts) | Q(credit__in=accounts), book_id=merchant.pk)
    return list_page(
        request,
        title=_("%(merchant)s的存管账簿") % {"merchant": merchant},
        unit=_("条分录"),
        table=EntryTable,
        filterset=EntryFilters,
        queryset=touched.select_related(
            "debit__bank_account__bank", "credit__bank_account__bank", "debit__card", "credit__card"
        ),
        table_kwargs={"merchant": merchant},
        actions=[Action(_("回到经营者"), reverse("prepaid:merchant", args=[pk]), icon="chevron-left")],
        empty=Empty(_("账簿还是空的"), _("存入、支取、退款付出、银行费用和担保入账后，逐笔列在这里。"), icon="book-2"),
    )
