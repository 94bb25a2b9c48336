"""What citizens fill in on the public pages. Hardly anything is required: what is missing is asked for later, by people."""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xiezhi.domains.complaints.forms import OPTIONAL, lines
from xiezhi.domains.complaints.models import Category
from xiezhi.domains.complaints.services.attachments import KINDS
from xiezhi.domains.complaints.services.people import phone_key
from xiezhi.domains.complaints.services.public import MOST_PHOTOS
from xiezhi.domains.complaints.texts import LONGEST, clean
from xiezhi.domains.complaints.words import CallbackOutcome, Demand, Kind, Satisfaction
from xiezhi.domains.registry.models import Subject
from xiezhi.domains.registry.queries import mentioning
from xiezhi.foundation.files.forms import FilesField
from xiezhi.foundation.orgs.models import Organisation

KINDS_TOLD = [
    (Kind.COMPLAINT, gettext_lazy("投诉：我买的东西或者服务有纠纷，请帮我调解")),
    (Kind.REPORT, gettext_lazy("举报：我发现违法经营，请查处（可以匿名）")),
    (Kind.CONSULTATION, gettext_lazy("咨询：我想问政策、手续或者权利")),
    (Kind.HELP, gettext_lazy("求助：我需要帮忙协调")),
    (Kind.SUGGESTION, gettext_lazy("建议：我对监管和服务有建议")),
]
_PICTURES = gettext_lazy(
    "最多 %(most)s 个，照片（JPEG、PNG、WebP）、PDF、Word 或者 Excel。照片里的拍摄地点和机型会去掉。"
)


def malls() -> Any:
    """Malls of the district: enterprises that have tenants."""
    return (
        Organisation.objects.filter(kind=Organisation.Kind.ENTERPRISE, tenancies__isnull=False)
        .distinct()
        .order_by("name")
    )


class AppealForm(forms.Form):
    """One matter, grouped by question. `candidates`: registered merchants to choose from, found by the name that was typed."""

    kind = forms.ChoiceField(label=gettext_lazy("您要办什么"), choices=KINDS_TOLD, widget=forms.RadioSelect)
    description = forms.CharField(
        label=gettext_lazy("发生了什么"), widget=lines(8),
        help_text=gettext_lazy("写清经过：买了什么、什么时候、多少钱、商家怎样答复。不用写身份证号和银行卡号。"),
    )  # fmt: skip
    category = forms.ChoiceField(label=gettext_lazy("属于哪一类"), required=False)
    respondent_name = forms.CharField(
        label=gettext_lazy("商家名称"), max_length=120, required=False,
        help_text=gettext_lazy("招牌或者小票上的名称。可以按“查找登记的商家”，从结果里选。"),
    )  # fmt: skip
    subject = forms.ChoiceField(label=gettext_lazy("登记的商家"), required=False, widget=forms.RadioSelect)
    mall = forms.ChoiceField(label=gettext_lazy("在哪个商场"), required=False)
    place = forms.CharField(
        label=gettext_lazy("地点"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("路名门牌、楼层铺位，或者网店名称。"),
    )
    happened_on = forms.DateField(
        label=gettext_lazy("发生日期"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    demand = forms.ChoiceField(label=gettext_lazy("希望怎样解决"), required=False, choices=[*OPTIONAL, *Demand.choices])
    demand_text = forms.CharField(
        label=gettext_lazy("具体请求"), max_length=500, required=False, widget=lines(2),
        help_text=gettext_lazy("例如：退还剩余 1,200 元。"),
    )  # fmt: skip
    photos = FilesField(label=gettext_lazy("照片和材料"), kinds=KINDS, most=MOST_PHOTOS, required=False)
    anonymous = forms.BooleanField(
        label=gettext_lazy("匿名"), required=False,
        help_text=gettext_lazy("举报、咨询、求助和建议可以匿名：不填姓名电话，凭查询码看进度。投诉要调解，不能匿名。"),
    )  # fmt: skip
    name = forms.CharField(
        label=gettext_lazy("姓名"), max_length=60, required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )  # fmt: skip
    phone = forms.CharField(
        label=gettext_lazy("电话"), max_length=40, required=False,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel"}),
    )  # fmt: skip
    address = forms.CharField(
        label=gettext_lazy("通讯地址"), max_length=200, required=False,
        widget=forms.TextInput(attrs={"autocomplete": "street-address"}),
    )  # fmt: skip
    email = forms.EmailField(
        label=gettext_lazy("电子邮箱"), max_length=120, required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )  # fmt: skip
    may_call_back = forms.BooleanField(label=gettext_lazy("办完后可以打电话回访我"), required=False, initial=True)

    groups = (
        (gettext_lazy("一、什么事"), ("kind", "description", "category")),
        (
            gettext_lazy("二、哪个商家，在哪里，什么时候"),
            ("respondent_name", "subject", "mall", "place", "happened_on"),
        ),
        (gettext_lazy("三、您的请求"), ("demand", "demand_text", "photos")),
        (gettext_lazy("四、怎样联系您"), ("anonymous", "name", "phone", "address", "email", "may_call_back")),
    )

    def __init__(self, *args: Any, candidates: list[tuple[str, str]] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields
        public = Category.objects.filter(public=True, is_active=True).order_by("pk")
        groups: dict[str, list[tuple[str, str]]] = {}
        for each in public:
            groups.setdefault(each.group, []).append((each.code, each.name))
        fields["category"].choices = [*OPTIONAL, *groups.items()]
        fields["mall"].choices = [("", _("不在商场里，或者不清楚")), *malls().values_list("code", "name")]
        fields["photos"].help_text = _PICTURES % {"most": MOST_PHOTOS}
        if candidates:
            fields["subject"].choices = [*candidates, ("", _("都不是"))]
        else:
            fields["subject"].widget = forms.HiddenInput()
            fields["subject"].choices = [("", "")]

    def clean_description(self) -> str:
        """Not endless; said in numbers, because nobody counts a hundred thousand characters."""
        text = clean(self.cleaned_data["description"])
        if len(text) > LONGEST:
            raise forms.ValidationError(
                _("写了 %(n)s 个字，最多 %(most)s 个。请精简，或者把材料作为附件上传。")
                % {"n": f"{len(text):,}", "most": f"{LONGEST:,}"}
            )
        if not text:
            raise forms.ValidationError(_("请写明发生了什么。"))
        return text

    def clean_phone(self) -> str:
        """A number that can be dialled."""
        phone: str = self.cleaned_data["phone"]
        if phone and not 7 <= len(phone_key(phone)) <= 15:
            raise forms.ValidationError(_("电话号码要有 7 到 15 位数字，例如 13800000000 或者 010-12345678。"))
        return phone

    def clean_happened_on(self) -> Any:
        """Not in the future."""
        day = self.cleaned_data["happened_on"]
        if day and day > timezone.localdate():
            raise forms.ValidationError(_("发生日期不能晚于今天。"))
        return day

    def clean(self) -> dict[str, Any]:
        """A complaint is mediated between two sides who know each other (art. 10); everything else may be anonymous."""
        given = super().clean() or {}
        named = [each for each in ("name", "phone", "address", "email") if given.get(each)]
        if given.get("kind") == Kind.COMPLAINT and "kind" not in self.errors:
            if given.get("anonymous"):
                self.add_error("anonymous", _("投诉要调解，不能匿名。不想留姓名，可以改选“举报”。"))
            elif not given.get("phone") and not given.get("email") and "phone" not in self.errors:
                self.add_error("phone", _("投诉要能联系到您：请填电话，或者电子邮箱。"))
        elif given.get("anonymous") and named:
            self.add_error("anonymous", _("选了匿名，请把姓名和联系方式清空；想让我们联系您，请取消匿名。"))
        return given


def candidates_for(name: str, chosen: str = "") -> list[tuple[str, str]]:
    """Registered merchants whose name or door says `name`, with where they are; the chosen one first."""
    found = list(Subject.objects.filter(code=chosen)) if chosen else []
    if name.strip():
        rows = mentioning(Subject.objects.all(), clean(name)[:60]).order_by("name")[:8]
        found += [each for each in rows.prefetch_related("premises") if each.code != chosen]
    return [(each.code, _place_of(each)) for each in found]


def _place_of(subject: Subject) -> str:
    doors = [door.address for door in subject.premises.all() if door.is_open][:1]
    return f"{subject.name}（{doors[0]}）" if doors else subject.name


class LookUpForm(forms.Form):
    """Number and code of a receipt."""

    number = forms.CharField(
        label=gettext_lazy("编号"), max_length=20, widget=forms.TextInput(attrs={"placeholder": "S2026-000001"})
    )
    code = forms.CharField(
        label=gettext_lazy("查询码"), max_length=30, widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("回执上的 16 位字母和数字，大小写和横线都可以不管。"),
    )  # fmt: skip


class AddForm(forms.Form):
    """More words or photos."""

    text = forms.CharField(label=gettext_lazy("补充的情况"), required=False, widget=lines(4))
    photos = FilesField(label=gettext_lazy("照片和材料"), kinds=KINDS, most=MOST_PHOTOS, required=False)


class WithdrawForm(forms.Form):
    """Why it is not wanted any more."""

    reason = forms.CharField(label=gettext_lazy("为什么撤回"), max_length=500, widget=lines(2))


class RateForm(forms.Form):
    """How it came out, by who brought it."""

    outcome = forms.ChoiceField(
        label=gettext_lazy("解决了吗"), widget=forms.RadioSelect,
        choices=[each for each in CallbackOutcome.choices if each[0] in {"resolved", "partly", "unresolved"}],
    )  # fmt: skip
    satisfaction = forms.ChoiceField(
        label=gettext_lazy("满意吗"), choices=Satisfaction.choices, widget=forms.RadioSelect
    )
    note = forms.CharField(label=gettext_lazy("您的意见"), max_length=1000, required=False, widget=lines(3))
