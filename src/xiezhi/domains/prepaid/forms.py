"""What people type about prepaid funds. Every form that moves money carries its own key, so that a double click moves it once."""

import secrets
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from xiezhi.domains.prepaid.models import ApiKey, BankAccount, Merchant, Product
from xiezhi.domains.prepaid.statements import yuan_to_fen
from xiezhi.domains.registry.models import Subject
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.workflow.errors import Refused


class YuanField(forms.CharField):
    """Typed in yuan, kept in fen."""

    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text:
            return None
        try:
            return yuan_to_fen(text, str(self.label))
        except Refused as refusal:
            raise forms.ValidationError(str(refusal)) from None


def new_key() -> str:
    return f"form:{secrets.token_hex(12)}"


class KeyedForm(forms.Form):
    """`key` names this very form as it was opened."""

    key = forms.CharField(widget=forms.HiddenInput, initial=new_key, max_length=64)


class MerchantForm(forms.Form):
    code = forms.CharField(label=_("统一社会信用代码"), max_length=18, help_text=_("须已在主体库中。"))
    industry = forms.ChoiceField(label=_("行业规则"), choices=Merchant.Industry, help_text=_("决定存管比例与限额。"))
    founded_on = forms.DateField(label=_("成立日期"), required=False, help_text=_("新设立的经营者存管比例可能不同。"))
    organisation = forms.ModelChoiceField(
        Organisation.objects.filter(kind=Organisation.Kind.ENTERPRISE).order_by("name"),
        label=_("经营机构"),
        required=False,
        help_text=_("它的人员登录后办理售卡与核销。"),
    )

    def clean_code(self) -> Subject:
        subject = Subject.objects.filter(code=self.cleaned_data["code"].strip().upper()).first()
        if subject is None:
            raise forms.ValidationError(_("主体库里没有这个代码，请先登记主体。"))
        return subject


class IssuingForm(forms.Form):
    reason = forms.CharField(label=_("理由"), max_length=200, widget=forms.Textarea(attrs={"rows": 3}))


class BankAccountForm(forms.Form):
    bank = forms.ModelChoiceField(
        Organisation.objects.filter(kind=Organisation.Kind.ENTERPRISE).order_by("name"), label=_("存管银行")
    )
    number = forms.CharField(label=_("账号"), max_length=40)


class GuaranteeForm(forms.Form):
    amount_fen = YuanField(label=_("保函或保险金额（元）"))
    reference = forms.CharField(label=_("保函编号"), max_length=50)


class DepositForm(forms.Form):
    account = forms.ModelChoiceField(BankAccount.objects.none(), label=_("存管账户"))
    amount_fen = YuanField(label=_("金额（元）"))
    reference = forms.CharField(
        label=_("银行流水参考号"), max_length=50, help_text=_("与银行回单一致，用于对账；同一参考号只入账一次。")
    )

    def __init__(
        self, *args: Any, merchant: Merchant, accounts: list[BankAccount] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        known = BankAccount.objects.filter(merchant=merchant).select_related("bank")
        accounts_shown = known if accounts is None else known.filter(pk__in=[each.pk for each in accounts])
        self.fields["account"].queryset = accounts_shown  # type: ignore[attr-defined]
        self.fields["account"].initial = accounts_shown.first()


class ReleaseForm(KeyedForm, DepositForm):
    reference = None  # type: ignore[assignment]
    purpose = forms.CharField(label=_("用途"), max_length=200)


class RefundPaidForm(DepositForm):
    """From the merchant's own money unless an account is chosen."""

    def __init__(self, *args: Any, owed_fen: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        account = self.fields["account"]
        account.label, account.required, account.initial = _("从哪里付"), False, None
        account.empty_label = _("本单位自有资金")  # type: ignore[attr-defined]
        self.fields["reference"].label = _("付款凭证号")
        self.fields["reference"].help_text = _("同一凭证只登记一次。")
        if owed_fen > 0:
            self.fields["amount_fen"].initial = f"{owed_fen // 100}.{owed_fen % 100:02d}"


class ReversalForm(forms.Form):
    operation = forms.IntegerField(label=_("业务号"), min_value=1, help_text=_("写在卡页和存管账簿每一笔的前面。"))
    reason = forms.CharField(label=_("理由"), max_length=200, widget=forms.Textarea(attrs={"rows": 3}))


class TenancyEndForm(forms.Form):
    ends_on = forms.DateField(label=_("租期止"), help_text=_("租约的最后一天。"))


class ConfirmForm(forms.Form):
    """Nothing to fill in: what will happen stands above the button. The field tells a sent form from an opened one."""

    sure = forms.BooleanField(widget=forms.HiddenInput, initial=True)


class TenancyForm(forms.Form):
    mall = forms.ModelChoiceField(
        Organisation.objects.filter(kind=Organisation.Kind.ENTERPRISE).order_by("name"), label=_("商场")
    )
    unit = forms.CharField(label=_("铺位"), max_length=40)
    starts_on = forms.DateField(label=_("租期起"))
    ends_on = forms.DateField(label=_("租期止"), required=False)


class ProductForm(forms.Form):
    code = forms.CharField(label=_("产品代码"), max_length=30)
    name = forms.CharField(label=_("名称"), max_length=60)
    kind = forms.ChoiceField(label=_("类别"), choices=Product.Kind)
    price_fen = YuanField(label=_("售价（元）"), required=False, help_text=_("储值卡留空表示金额不限。"))
    bonus_fen = YuanField(label=_("赠送金额（元）"), required=False)
    uses = forms.IntegerField(label=_("次数（课时）"), min_value=0, required=False)
    term_days = forms.IntegerField(label=_("有效天数"), min_value=1, required=False)
    named = forms.BooleanField(label=_("记名"), required=False, initial=True)
    confirm_each = forms.BooleanField(label=_("每次核销由持卡人确认"), required=False)

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        return {**data, "bonus_fen": data.get("bonus_fen") or 0, "uses": data.get("uses") or 0}


class RefundForm(KeyedForm):
    amount_fen = YuanField(label=_("退还金额（元）"), required=False, help_text=_("留空表示全部退还，卡随之停用。"))


class TransferForm(KeyedForm):
    name = forms.CharField(label=_("受让人姓名"), max_length=60, required=False)
    phone = forms.CharField(label=_("受让人手机号"), max_length=20)


class StatementForm(forms.Form):
    file = forms.FileField(
        label=_("流水文件"), help_text=_("CSV（账号、流水号、日期、收入、支出、参考号、摘要）或 camt.053 XML。")
    )


class BatchForm(forms.Form):
    file = forms.FileField(
        label=_("核销文件"),
        help_text=_(
            "CSV 或 Parquet，列为 key、card、amount_fen（分）或 uses、at（可不填）。有一行不能入账，整个文件都不入账。"
        ),
    )


class ExplainForm(forms.Form):
    note = forms.CharField(label=_("原因和处理结果"), max_length=200, widget=forms.Textarea(attrs={"rows": 3}))


class AnswerForm(forms.Form):
    answer = forms.CharField(label=_("答复"), max_length=300, widget=forms.Textarea(attrs={"rows": 3}))


class WebhookForm(forms.Form):
    url = forms.URLField(
        label=_("通知地址"),
        max_length=300,
        assume_scheme="https",
        help_text=_("持卡人确认、取消或异议时，平台向这里发送带签名的通知。"),
    )


class KeyForm(forms.Form):
    label = forms.CharField(label=_("用在哪里"), max_length=60)
    scopes = forms.MultipleChoiceField(
        label=_("权限范围"), choices=ApiKey.Scope, widget=forms.CheckboxSelectMultiple, initial=["read", "redeem"]
    )


class TillSellForm(KeyedForm):
    product = forms.ModelChoiceField(Product.objects.none(), label=_("产品"))
    paid_fen = YuanField(label=_("实付（元）"))
    name = forms.CharField(label=_("持卡人姓名"), max_length=60, required=False)
    phone = forms.CharField(
        label=_("手机号"),
        max_length=20,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, merchant: Merchant, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sold = Product.objects.filter(merchant=merchant, is_sold=True).select_related("merchant").order_by("code")
        self.fields["product"].queryset = sold  # type: ignore[attr-defined]


class TillRedeemForm(KeyedForm):
    number = forms.CharField(
        label=_("卡号"), max_length=24, widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})
    )
    amount_fen = YuanField(label=_("金额（元）"), required=False)
    uses = forms.IntegerField(label=_("或次数"), min_value=1, required=False)

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if not self.errors and bool(data.get("amount_fen")) == bool(data.get("uses")):
            raise forms.ValidationError(_("请填金额，或者填次数。"))
        return data


class DisputeForm(forms.Form):
    words = forms.CharField(label=_("哪里不对"), max_length=300, widget=forms.Textarea(attrs={"rows": 3}))


class NumberForm(forms.Form):
    number = forms.CharField(
        label=_("购卡时留的手机号"),
        max_length=20,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "tel"}),
    )


class CodeForm(forms.Form):
    code = forms.CharField(
        label=_("短信验证码"),
        max_length=10,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
    )
