"""Lists of prepaid funds."""

from typing import Any

import django_filters
import django_tables2
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from xiezhi.domains.prepaid.ledger.drafts import Kind, Phase
from xiezhi.domains.prepaid.models import (
    Account,
    ApiKey,
    Card,
    Difference,
    Dispute,
    Entry,
    Merchant,
    Product,
    Release,
    ReleaseStatus,
    Reversal,
    ReversalStatus,
    Shortfall,
    Statement,
    WebhookDelivery,
)
from xiezhi.domains.prepaid.workflow import REVERSIBLE
from xiezhi.foundation.ui.lists import Filters, SearchFilter
from xiezhi.foundation.ui.tables import DayColumn, MomentColumn, MoneyColumn, NumberColumn, StatusColumn, Table
from xiezhi.foundation.ui.words import moment, money


class MerchantTable(Table):
    subject = django_tables2.Column(
        verbose_name=_("发卡经营者"),
        linkify=("prepaid:merchant", {"pk": django_tables2.A("pk")}),
        order_by="subject__name",
    )
    industry = django_tables2.Column()
    owed = MoneyColumn(verbose_name=_("未消费余额"), orderable=False, empty_values=())
    required = MoneyColumn(verbose_name=_("应存"), orderable=False, empty_values=())
    kept = MoneyColumn(verbose_name=_("已存"), orderable=False, empty_values=())
    covered = MoneyColumn(verbose_name=_("担保"), orderable=False, empty_values=())
    gap = MoneyColumn(verbose_name=_("缺口"))
    status = StatusColumn(Merchant.Status)
    phone = ("subject", "required", "kept", "gap")

    def __init__(self, *args: Any, positions: dict[int, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.positions = positions

    def value_owed(self, record: Merchant) -> int:
        return int(self.positions[record.pk].owed)

    def render_owed(self, record: Merchant) -> str:
        return money(self.positions[record.pk].owed)

    def value_required(self, record: Merchant) -> int:
        return int(self.positions[record.pk].required)

    def render_required(self, record: Merchant) -> str:
        return money(self.positions[record.pk].required)

    def value_kept(self, record: Merchant) -> int:
        return int(self.positions[record.pk].kept)

    def render_kept(self, record: Merchant) -> str:
        return money(self.positions[record.pk].kept)

    def value_covered(self, record: Merchant) -> int:
        return int(self.positions[record.pk].covered)

    def render_covered(self, record: Merchant) -> str:
        return money(self.positions[record.pk].covered)

    class Meta(Table.Meta):
        model = Merchant
        fields = ("subject", "industry", "owed", "required", "kept", "covered", "gap", "status")
        order_by = "-gap"


class MerchantFilters(Filters):
    q = SearchFilter("subject__name", "subject__code")
    industry = django_filters.ChoiceFilter(choices=Merchant.Industry.choices, label=_("行业"))
    short = django_filters.BooleanFilter(method="filter_short", label=_("有缺口"))

    def filter_short(self, queryset: QuerySet[Merchant], _name: str, value: bool) -> QuerySet[Merchant]:
        short = Shortfall.objects.filter(closed_on=None).values("merchant")
        return queryset.filter(pk__in=short) if value else queryset.exclude(pk__in=short)

    class Meta:
        model = Merchant
        fields = ("q", "industry", "short")


class CardTable(Table):
    number = django_tables2.Column(linkify=("prepaid:card", {"pk": django_tables2.A("pk")}))
    product = django_tables2.Column()
    merchant = django_tables2.Column(order_by="merchant__subject__name")
    principal = MoneyColumn(verbose_name=_("本金余额"))
    status = StatusColumn(Card.Status)
    opened_at = MomentColumn(verbose_name=_("开卡时间"))
    phone = ("number", "product", "principal", "status")

    class Meta(Table.Meta):
        model = Card
        fields = ("number", "product", "merchant", "principal", "status", "opened_at")
        order_by = "-opened_at"


class CardFilters(Filters):
    q = SearchFilter("number", "product__name")
    status = django_filters.ChoiceFilter(choices=Card.Status.choices, label=_("状态"))

    class Meta:
        model = Card
        fields = ("q", "status")


class ProductTable(Table):
    code = django_tables2.Column()
    name = django_tables2.Column()
    merchant = django_tables2.Column(order_by="merchant__subject__name")
    kind = django_tables2.Column()
    price_fen = MoneyColumn(verbose_name=_("售价"))
    bonus_fen = MoneyColumn(verbose_name=_("赠送"))
    uses = NumberColumn(verbose_name=_("次数"))
    is_sold = django_tables2.BooleanColumn(yesno=(_("在售"), _("停售")), verbose_name=_("是否在售"))
    phone = ("name", "price_fen", "is_sold")

    class Meta(Table.Meta):
        model = Product
        fields = ("code", "name", "merchant", "kind", "price_fen", "bonus_fen", "uses", "is_sold")
        order_by = "code"


class ProductFilters(Filters):
    q = SearchFilter("code", "name")
    kind = django_filters.ChoiceFilter(choices=Product.Kind.choices, label=_("类别"))

    class Meta:
        model = Product
        fields = ("q", "kind")


class ReleaseTable(Table):
    merchant = django_tables2.Column(
        linkify=("prepaid:release", {"pk": django_tables2.A("pk")}), order_by="merchant__subject__name"
    )
    amount_fen = MoneyColumn(verbose_name=_("金额"))
    purpose = django_tables2.Column()
    status = StatusColumn(ReleaseStatus)
    requested_at = MomentColumn(verbose_name=_("申请时间"))
    phone = ("merchant", "amount_fen", "status")

    class Meta(Table.Meta):
        model = Release
        fields = ("merchant", "amount_fen", "purpose", "status", "requested_at")
        order_by = "-requested_at"


class ReleaseFilters(Filters):
    q = SearchFilter("merchant__subject__name", "purpose")
    status = django_filters.ChoiceFilter(choices=ReleaseStatus.choices, label=_("状态"))

    class Meta:
        model = Release
        fields = ("q", "status")


class DifferenceTable(Table):
    merchant = django_tables2.Column(
        accessor="bank_account__merchant",
        verbose_name=_("发卡经营者"),
        linkify=("prepaid:difference", {"pk": django_tables2.A("pk")}),
        order_by="bank_account__merchant__subject__name",
    )
    outcome = StatusColumn(Difference.Outcome, verbose_name=_("差异"))
    on = DayColumn(verbose_name=_("日期"))
    bank_fen = MoneyColumn(verbose_name=_("银行金额"))
    book_fen = MoneyColumn(verbose_name=_("账簿金额"))
    status = StatusColumn(Difference.Status)
    found_at = MomentColumn(verbose_name=_("发现时间"))
    phone = ("merchant", "outcome", "bank_fen", "book_fen", "status")

    class Meta(Table.Meta):
        model = Difference
        fields = ("merchant", "outcome", "on", "bank_fen", "book_fen", "status", "found_at")
        order_by = "found_at"


class DifferenceFilters(Filters):
    q = SearchFilter("bank_account__merchant__subject__name")
    status = django_filters.ChoiceFilter(choices=Difference.Status.choices, label=_("状态"))
    outcome = django_filters.ChoiceFilter(choices=Difference.Outcome.choices, label=_("差异"))

    class Meta:
        model = Difference
        fields = ("q", "status", "outcome")


class StatementTable(Table):
    name = django_tables2.Column()
    merchant = django_tables2.Column(
        accessor="bank_account__merchant",
        verbose_name=_("发卡经营者"),
        order_by="bank_account__merchant__subject__name",
    )
    bank_account = django_tables2.Column()
    first_on = DayColumn()
    last_on = DayColumn()
    line_count = NumberColumn(verbose_name=_("笔数"))
    imported_at = MomentColumn(verbose_name=_("导入时间"))
    phone = ("name", "merchant", "last_on")

    class Meta(Table.Meta):
        model = Statement
        fields = ("name", "merchant", "bank_account", "first_on", "last_on", "line_count", "imported_at")
        order_by = "-imported_at"


class StatementFilters(Filters):
    q = SearchFilter("name", "bank_account__merchant__subject__name")

    class Meta:
        model = Statement
        fields = ("q",)


class ReversalTable(Table):
    merchant = django_tables2.Column(
        linkify=("prepaid:reversal", {"pk": django_tables2.A("pk")}), order_by="merchant__subject__name"
    )
    operation = django_tables2.Column()
    kind = django_tables2.Column()
    amount_fen = MoneyColumn(verbose_name=_("金额"))
    status = StatusColumn(ReversalStatus)
    requested_at = MomentColumn(verbose_name=_("提出时间"))
    phone = ("merchant", "kind", "amount_fen", "status")

    class Meta(Table.Meta):
        model = Reversal
        fields = ("merchant", "operation", "kind", "amount_fen", "reason", "status", "requested_at")
        order_by = "-requested_at"


class ReversalFilters(Filters):
    q = SearchFilter("merchant__subject__name", "reason")
    status = django_filters.ChoiceFilter(choices=ReversalStatus.choices, label=_("状态"))

    class Meta:
        model = Reversal
        fields = ("q", "status")


class EntryTable(Table):
    operation = django_tables2.Column(verbose_name=_("业务号"), order_by="sequence")
    kind = django_tables2.Column()
    phase = django_tables2.Column()
    debit = django_tables2.Column(verbose_name=_("转入"), orderable=False)
    credit = django_tables2.Column(verbose_name=_("转出"), orderable=False)
    amount = MoneyColumn(verbose_name=_("金额"))
    key = django_tables2.Column(verbose_name=_("参考号"), orderable=False)
    at = MomentColumn(verbose_name=_("发生时间"))
    actions = django_tables2.Column(verbose_name="", empty_values=(), orderable=False)
    phone = ("kind", "amount", "at")

    def __init__(self, *args: Any, merchant: Merchant, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.merchant = merchant

    def _account(self, account: Account) -> str:
        return f"{account} {account.bank_account or account.card or ''}".strip()

    def render_debit(self, record: Entry) -> str:
        return self._account(record.debit)

    def render_credit(self, record: Entry) -> str:
        return self._account(record.credit)

    def render_actions(self, record: Entry) -> str:
        """The way to a correction, where one is possible."""
        if record.leg or record.phase not in {Phase.POSTED, Phase.CONFIRMED} or record.kind not in REVERSIBLE:
            return ""
        url = f"{reverse('prepaid:reversal_new', args=[self.merchant.pk])}?operation={record.operation}"
        return format_html('<a href="{}">{}</a>', url, _("冲正"))

    class Meta(Table.Meta):
        model = Entry
        fields = ("operation", "kind", "phase", "debit", "credit", "amount", "key", "at", "actions")
        order_by = "-operation"


class EntryFilters(Filters):
    q = SearchFilter("key")
    kind = django_filters.ChoiceFilter(choices=Kind.choices, label=_("业务"))

    class Meta:
        model = Entry
        fields = ("q", "kind")


class DeliveryTable(Table):
    event = django_tables2.Column(verbose_name=_("事件"))
    created_at = MomentColumn(verbose_name=_("产生时间"))
    attempts = NumberColumn(verbose_name=_("已试次数"))
    state = django_tables2.Column(verbose_name=_("状态"), empty_values=(), orderable=False)
    last_error = django_tables2.Column(verbose_name=_("上次未成的原因"))
    phone = ("event", "created_at", "state")

    def value_state(self, record: WebhookDelivery) -> str:
        return self.render_state(record)

    def render_state(self, record: WebhookDelivery) -> str:
        """Taken, or when it is tried next, or given up."""
        if record.delivered_at:
            return gettext("%(at)s 送达") % {"at": moment(record.delivered_at)}
        if record.next_attempt_at:
            return gettext("%(at)s 再试") % {"at": moment(record.next_attempt_at)}
        return gettext("不再自动重发")

    class Meta(Table.Meta):
        model = WebhookDelivery
        fields = ("event", "created_at", "attempts", "state", "last_error")
        order_by = "-created_at"


class DeliveryFilters(Filters):
    q = SearchFilter("event", "last_error")
    waiting = django_filters.BooleanFilter(field_name="delivered_at", lookup_expr="isnull", label=_("未送达"))

    class Meta:
        model = WebhookDelivery
        fields = ("q", "waiting")


class DisputeTable(Table):
    card = django_tables2.Column(linkify=("prepaid:dispute", {"pk": django_tables2.A("pk")}), order_by="card__number")
    merchant = django_tables2.Column(order_by="merchant__subject__name")
    status = StatusColumn(Dispute.Status)
    raised_at = MomentColumn(verbose_name=_("提出时间"))
    phone = ("card", "status", "raised_at")

    class Meta(Table.Meta):
        model = Dispute
        fields = ("card", "merchant", "status", "raised_at")
        order_by = "-raised_at"


class DisputeFilters(Filters):
    q = SearchFilter("card__number")
    status = django_filters.ChoiceFilter(choices=Dispute.Status.choices, label=_("状态"))

    class Meta:
        model = Dispute
        fields = ("q", "status")


class KeyTable(Table):
    label = django_tables2.Column(linkify=("prepaid:key", {"pk": django_tables2.A("pk")}))
    name = django_tables2.Column()
    created_at = MomentColumn(verbose_name=_("生成时间"))
    expires_at = MomentColumn(verbose_name=_("有效期止"))
    revoked_at = MomentColumn(verbose_name=_("停用时间"))
    phone = ("label", "name", "expires_at")

    class Meta(Table.Meta):
        model = ApiKey
        fields = ("label", "name", "created_at", "expires_at", "revoked_at")
        order_by = "-created_at"


class KeyFilters(Filters):
    q = SearchFilter("label", "name")

    class Meta:
        model = ApiKey
        fields = ("q",)
