"""What people fill in. Rules are the services'; forms ask and parse."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xiezhi.domains.complaints.models import Application, Case, Category, Mediation, ReplyTemplate
from xiezhi.domains.complaints.services.dispatching import UNITS
from xiezhi.domains.complaints.services.intake import Matter
from xiezhi.domains.complaints.services.templates import STATES, Draft, faults
from xiezhi.domains.complaints.words import (
    Channel,
    Demand,
    EndGround,
    Kind,
    Outcome,
    RefusalGround,
    Register,
    ReturnReason,
    Tier,
    Urgency,
    article_of,
)
from xiezhi.domains.registry.models import Premises, Subject
from xiezhi.foundation.accounts.models import User
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.ui.forms import ReasonForm

WAYS = [
    (word, word) for word in (gettext_lazy("电话"), gettext_lazy("短信"), gettext_lazy("书面"), gettext_lazy("网络"))
]
OPTIONAL: list[tuple[str, Any]] = [("", gettext_lazy("不确定"))]


def lines(rows: int = 3) -> forms.Textarea:
    """A box for several lines."""
    return forms.Textarea(attrs={"rows": rows})


def units() -> Any:
    """Bodies that handle cases, departments before their stations."""
    return Organisation.objects.filter(kind__in=UNITS).order_by("code")


class UnitField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A department or station."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(queryset=Organisation.objects.none(), **kwargs)
        self.queryset = units()

    def label_from_instance(self, obj: Any) -> str:
        return str(obj.name)


class MatterForm(forms.Form):
    """What a case is about."""

    title = forms.CharField(
        label=gettext_lazy("标题"), max_length=120, required=False, help_text=gettext_lazy("留空时取内容的第一句。")
    )
    category = forms.ModelChoiceField(
        label=gettext_lazy("问题类别"),
        queryset=Category.objects.filter(is_active=True).order_by("group", "code"),
        required=False,
    )
    urgency = forms.ChoiceField(label=gettext_lazy("紧急程度"), choices=Urgency.choices, initial=Urgency.NORMAL)
    demand = forms.ChoiceField(label=gettext_lazy("诉求目的"), choices=[*OPTIONAL, *Demand.choices], required=False)
    demand_text = forms.CharField(label=gettext_lazy("具体请求"), max_length=500, required=False)
    subject_code = forms.CharField(
        label=gettext_lazy("被诉方统一社会信用代码"), max_length=40, required=False,
        help_text=gettext_lazy("知道时填写，用来关联经营主体、场所和商场。"),
    )  # fmt: skip
    respondent_name = forms.CharField(label=gettext_lazy("被诉方名称"), max_length=120, required=False)
    respondent_address = forms.CharField(label=gettext_lazy("被诉方地址"), max_length=200, required=False)
    mall = forms.ModelChoiceField(
        label=gettext_lazy("商场"), required=False,
        queryset=Organisation.objects.filter(tenancies__isnull=False).distinct().order_by("name"),
    )  # fmt: skip
    street = forms.ModelChoiceField(
        label=gettext_lazy("街道"), required=False,
        queryset=Organisation.objects.filter(kind=Organisation.Kind.STREET).order_by("code"),
    )  # fmt: skip
    place = forms.CharField(label=gettext_lazy("发生地点"), max_length=200, required=False)
    happened_on = forms.DateField(label=gettext_lazy("发生日期"), required=False, widget=forms.DateInput)
    safety = forms.BooleanField(label=gettext_lazy("涉及人身安全"), required=False)
    hostile = forms.BooleanField(label=gettext_lazy("诉求人情绪激烈"), required=False)

    def clean_subject_code(self) -> Subject | None:
        """The subject of a code; empty for none. Raises ValidationError for a code that the register does not know."""
        code = self.cleaned_data["subject_code"].strip().upper()
        if not code:
            return None
        subject = Subject.objects.filter(code=code).first()
        if subject is None:
            raise ValidationError(_("主体库里没有这个代码，请核对；不知道时留空，只填名称和地址。"))
        return subject

    def clean_happened_on(self) -> Any:
        """A day that is not still to come."""
        day = self.cleaned_data["happened_on"]
        if day and day > timezone.localdate():
            raise ValidationError(_("发生日期晚于今天，请改正。"))
        return day

    def matter(self, kind: str, description: str, tier: str = "") -> Matter:
        """The facts of a valid form."""
        given = dict(self.cleaned_data)
        subject = given.pop("subject_code")
        names = {field for field in MatterForm.base_fields if field != "subject_code"}
        facts = {name: value for name, value in given.items() if name in names}
        return Matter(kind=kind, description=description, tier=tier, subject=subject, **facts)

    @staticmethod
    def of(case: Case) -> dict[str, Any]:
        """What the form begins with for a case."""
        names = [name for name in MatterForm.base_fields if name != "subject_code"]
        return {
            **{name: getattr(case, name) for name in names},
            "subject_code": case.subject.code if case.subject else "",
        }


class IntakeForm(MatterForm):
    """Everything an officer enters while somebody is on the telephone, in the order in which it is said."""

    groups = (
        (gettext_lazy("从哪里来"), ("channel", "kind", "register", "number", "received_at")),
        (gettext_lazy("谁"), ("name", "phone", "person_address", "anonymous", "may_call_back")),
        (gettext_lazy("什么事"), ("description", "title", "category", "demand", "demand_text", "urgency", "tier", "happened_on", "safety", "hostile")),
        (gettext_lazy("关于谁、在哪里"), ("respondent_name", "subject_code", "respondent_address", "mall", "street", "place")),
    )  # fmt: skip
    channel = forms.ChoiceField(label=gettext_lazy("渠道"), choices=Channel.choices, initial=Channel.HOTLINE_12345)
    kind = forms.ChoiceField(label=gettext_lazy("类型"), choices=Kind.choices, initial=Kind.COMPLAINT)
    register = forms.ChoiceField(label=gettext_lazy("登记系统"), choices=Register.choices, initial=Register.HOTLINE)
    number = forms.CharField(
        label=gettext_lazy("工单或者平台编号"), max_length=40, required=False,
        help_text=gettext_lazy("12345 热线和 12315 平台转来的必须填写：它们是法定登记，本系统是工作台。"),
    )  # fmt: skip
    received_at = forms.DateTimeField(label=gettext_lazy("收到时间"), widget=forms.DateTimeInput)
    name = forms.CharField(label=gettext_lazy("姓名"), max_length=60, required=False)
    phone = forms.CharField(label=gettext_lazy("电话"), max_length=40, required=False)
    person_address = forms.CharField(label=gettext_lazy("通讯地址"), max_length=200, required=False)
    anonymous = forms.BooleanField(label=gettext_lazy("匿名"), required=False)
    may_call_back = forms.BooleanField(label=gettext_lazy("愿意接受回访"), required=False, initial=True)
    description = forms.CharField(label=gettext_lazy("诉求内容"), widget=lines(6))
    tier = forms.ChoiceField(
        label=gettext_lazy("办理时限"), choices=[("", gettext_lazy("按类别和紧急程度")), *Tier.choices], required=False
    )


class PasteForm(forms.Form):
    """A work order as text."""

    order = forms.CharField(
        label=gettext_lazy("粘贴工单"), widget=lines(5), max_length=100_000,
        help_text=gettext_lazy("从 12345 或者 12315 系统复制整张工单，粘贴后自动拆成各项，核对后再登记。"),
    )  # fmt: skip


class RegisterForm(forms.Form):
    register = forms.ChoiceField(label=gettext_lazy("登记系统"), choices=Register.choices, initial=Register.PLATFORM)
    number = forms.CharField(label=gettext_lazy("编号"), max_length=40)
    received_there_at = forms.DateTimeField(
        label=gettext_lazy("该渠道收到时间"),
        widget=forms.DateTimeInput,
        help_text=gettext_lazy("法定期限从这个时间起算。"),
    )


class NumberForm(forms.Form):
    register = forms.ChoiceField(label=gettext_lazy("登记系统"), choices=Register.choices, initial=Register.PLATFORM)
    number = forms.CharField(label=gettext_lazy("编号"), max_length=40)


class DispatchForm(forms.Form):
    unit = UnitField(label=gettext_lazy("承办单位"))
    co_handlers = forms.ModelMultipleChoiceField(
        label=gettext_lazy("协办单位"), queryset=Organisation.objects.none(), required=False,
        help_text=gettext_lazy("可以不选；首接单位负责到底，协办不改变承办单位。"),
    )  # fmt: skip
    note = forms.CharField(label=gettext_lazy("派单说明"), max_length=500, required=False, widget=lines(2))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["co_handlers"].queryset = units()  # type: ignore[attr-defined]


class RedirectForm(ReasonForm):
    unit = UnitField(label=gettext_lazy("改派给"))
    field_order = ("unit", "reason")


class AskReturnForm(forms.Form):
    reason_code = forms.ChoiceField(
        label=gettext_lazy("退单理由"), choices=ReturnReason.choices, widget=forms.RadioSelect
    )
    basis = forms.CharField(label=gettext_lazy("依据"), max_length=500, widget=lines(3))
    target = UnitField(label=gettext_lazy("建议承办单位"), required=False)


class DecideReturnForm(forms.Form):
    allowed = forms.TypedChoiceField(
        label=gettext_lazy("审定"), choices=[("1", gettext_lazy("同意退单")), ("0", gettext_lazy("不同意，由原单位继续办理"))],
        coerce=lambda value: value == "1", widget=forms.RadioSelect,
    )  # fmt: skip
    unit = UnitField(label=gettext_lazy("同意时派给"), required=False, help_text=gettext_lazy("留空时回到待派单。"))
    note = forms.CharField(label=gettext_lazy("审定意见"), max_length=500, required=False, widget=lines(2))


def _with_articles(grounds: Any) -> list[tuple[str, str]]:
    return [(value, f"{article_of(value)} {label}") for value, label in grounds.choices]


class GroundForm(forms.Form):
    """A ground of a closed list, and the facts that fill it."""

    ground = forms.ChoiceField(label=gettext_lazy("情形"), widget=forms.RadioSelect)
    reason = forms.CharField(
        label=gettext_lazy("事实和说明"), max_length=1000, widget=lines(4),
        help_text=gettext_lazy("写明符合这种情形的事实，会写入告知书。"),
    )  # fmt: skip


class RefuseForm(GroundForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["ground"].choices = _with_articles(RefusalGround)  # type: ignore[attr-defined]


class TerminateForm(GroundForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["ground"].choices = _with_articles(EndGround)  # type: ignore[attr-defined]


class AppraisalForm(forms.Form):
    item = forms.CharField(label=gettext_lazy("鉴定检测事项"), max_length=200)
    institution = forms.CharField(label=gettext_lazy("机构"), max_length=120, required=False)
    designated = forms.BooleanField(label=gettext_lazy("双方不能商定机构，由本局指定（第二十二条）"), required=False)


class ResultForm(forms.Form):
    result = forms.CharField(label=gettext_lazy("结论"), max_length=1000, widget=lines(4))


class TextForm(forms.Form):
    text = forms.CharField(label=gettext_lazy("内容"), max_length=2000, widget=lines(4))


class ReplyForm(forms.Form):
    outcome = forms.ChoiceField(label=gettext_lazy("办理结果"), choices=Outcome.choices)
    text = forms.CharField(label=gettext_lazy("答复内容"), max_length=10_000, widget=lines(10))
    way = forms.ChoiceField(
        label=gettext_lazy("答复方式"),
        choices=WAYS,
    )

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if case.outcome:
            del self.fields["outcome"]


class CaseField(forms.CharField):
    """Another case by its number."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=40, **kwargs)

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        found = Case.objects.filter(number__iexact=text.strip()).first() if text else None
        if text and found is None:
            raise ValidationError(_("没有编号为“%(number)s”的诉求，请核对，例如 S2026-000001。") % {"number": text})
        return found


class MergeForm(forms.Form):
    into = CaseField(label=gettext_lazy("并入哪件诉求"), help_text=gettext_lazy("填编号，例如 S2026-000001。"))
    supplements = forms.BooleanField(label=gettext_lazy("举报有新的事实，期限重新计算（第三十五条）"), required=False)


class TierForm(ReasonForm):
    tier = forms.ChoiceField(label=gettext_lazy("改为"), choices=Tier.choices)
    field_order = ("tier", "reason")


class CoHandlerForm(forms.Form):
    unit = UnitField(label=gettext_lazy("协办单位"))
    note = forms.CharField(label=gettext_lazy("请协办的事项"), max_length=500, widget=lines(3))


class MallForm(forms.Form):
    told = forms.CharField(
        label=gettext_lazy("转告商场的内容"), max_length=4000, widget=lines(8),
        help_text=gettext_lazy("商场只看到这里写的内容；姓名、电话会自动隐去，请再核对一遍。"),
    )  # fmt: skip


class ClueForm(forms.Form):
    text = forms.CharField(label=gettext_lazy("线索内容"), max_length=1000, widget=lines(4))
    found_at = forms.DateTimeField(label=gettext_lazy("发现时间"), widget=forms.DateTimeInput)


class MediationForm(forms.Form):
    form = forms.ChoiceField(label=gettext_lazy("方式"), choices=Mediation.Form.choices)
    held_at = forms.DateTimeField(label=gettext_lazy("时间"), widget=forms.DateTimeInput)
    place = forms.CharField(label=gettext_lazy("地点"), max_length=200, required=False)
    mediators = forms.CharField(label=gettext_lazy("调解人员"), max_length=200)
    entrusted_to = forms.CharField(label=gettext_lazy("受委托组织"), max_length=120, required=False)


class RecordForm(forms.Form):
    result = forms.ChoiceField(label=gettext_lazy("结果"), choices=Mediation.Result.choices, widget=forms.RadioSelect)
    note = forms.CharField(label=gettext_lazy("调解情况"), max_length=2000, required=False, widget=lines(3))
    facts = forms.CharField(label=gettext_lazy("争议事项"), max_length=4000, required=False, widget=lines(2))
    terms = forms.CharField(
        label=gettext_lazy("协议内容"), max_length=4000, required=False, widget=lines(4),
        help_text=gettext_lazy("达成一致时填写：谁在什么时候做什么。"),
    )  # fmt: skip
    performed_at_once = forms.BooleanField(label=gettext_lazy("已当场履行"), required=False)
    waived = forms.BooleanField(label=gettext_lazy("双方同意不制作调解书"), required=False)


class ApplyForm(forms.Form):
    purpose = forms.ChoiceField(label=gettext_lazy("申请"), choices=Application.Purpose.choices)
    reason = forms.CharField(label=gettext_lazy("理由"), max_length=1000, widget=lines(4))
    review_on = forms.DateField(
        label=gettext_lazy("复核日期"), required=False, widget=forms.DateInput, help_text=gettext_lazy("挂账必须填写。")
    )


class DecideForm(forms.Form):
    granted = forms.TypedChoiceField(
        label=gettext_lazy("审批"), choices=[("1", gettext_lazy("批准")), ("0", gettext_lazy("不批准"))],
        coerce=lambda value: value == "1", widget=forms.RadioSelect,
    )  # fmt: skip
    note = forms.CharField(label=gettext_lazy("审批意见"), max_length=500, required=False, widget=lines(3))


class KindForm(ReasonForm):
    kind = forms.ChoiceField(label=gettext_lazy("类型"), choices=Kind.choices)
    field_order = ("kind", "reason")


class SplitForm(forms.Form):
    description = forms.CharField(
        label=gettext_lazy("举报部分的内容"), widget=lines(6), max_length=100_000,
        help_text=gettext_lazy("只留涉嫌违法的事实；消费争议留在原投诉里。"),
    )  # fmt: skip


class PurposeForm(forms.Form):
    purpose = forms.CharField(label=gettext_lazy("用途"), max_length=200, initial=gettext_lazy("联系核实"))


class AttachForm(forms.Form):
    file = forms.FileField(label=gettext_lazy("文件"), help_text=gettext_lazy("照片、PDF、Word 或者 Excel。"))
    title = forms.CharField(label=gettext_lazy("说明"), max_length=120, required=False)


class HandOverForm(forms.Form):
    officer = forms.ModelChoiceField(label=gettext_lazy("承办人"), queryset=User.objects.none())

    def __init__(self, *args: Any, people: list[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["officer"].queryset = User.objects.filter(pk__in=people).order_by("pk")  # type: ignore[attr-defined]


class InspectionForm(forms.Form):
    item = forms.ModelChoiceField(label=gettext_lazy("检查事项"), queryset=Premises.objects.none())
    earliest = forms.DateField(label=gettext_lazy("最早日期"), widget=forms.DateInput)
    latest = forms.DateField(label=gettext_lazy("最晚日期"), widget=forms.DateInput)
    urgent = forms.BooleanField(label=gettext_lazy("紧急"), required=False)
    note = forms.CharField(
        label=gettext_lazy("说明"), max_length=200, widget=lines(3),
        help_text=gettext_lazy("检查部门会看到：写清要查什么，不要写诉求人的任何信息。"),
    )  # fmt: skip

    def __init__(self, *args: Any, items: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["item"].queryset = items  # type: ignore[attr-defined]


class BatchDispatchForm(forms.Form):
    unit = UnitField(label=gettext_lazy("承办单位"))
    note = forms.CharField(label=gettext_lazy("派单说明"), max_length=500, required=False, widget=lines(2))


class BatchReplyForm(forms.Form):
    """One text for many cases; its places are filled from each."""

    template = forms.ModelChoiceField(
        label=gettext_lazy("答复模板"), queryset=ReplyTemplate.objects.none(), required=False
    )
    outcome = forms.ChoiceField(
        label=gettext_lazy("办理结果"), choices=[("", gettext_lazy("按各件已定的结果")), *Outcome.choices], required=False,
        help_text=gettext_lazy("已经有结果的诉求保持不变。"),
    )  # fmt: skip
    text = forms.CharField(
        label=gettext_lazy("答复内容"), max_length=10_000, widget=lines(8),
        help_text=gettext_lazy("可以用 {number} 编号、{title} 标题、{respondent} 被诉方、{unit} 承办单位、{article} 条款、{reason} 说明、{terms} 协议内容，发出时按每一件填写。"),
    )  # fmt: skip
    way = forms.ChoiceField(label=gettext_lazy("答复方式"), choices=WAYS)

    def __init__(self, *args: Any, templates: list[ReplyTemplate], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        keys = [each.pk for each in templates]
        self.fields["template"].queryset = ReplyTemplate.objects.filter(pk__in=keys).order_by("code")  # type: ignore[attr-defined]
        self.fields["template"].empty_label = _("不用模板")  # type: ignore[attr-defined]


class TemplateForm(forms.Form):
    """A reply template and what it is bound to."""

    title = forms.CharField(label=gettext_lazy("名称"), max_length=60)
    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("适用类型"), choices=Kind.choices, required=False, widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("都不选就是不限。"),
    )  # fmt: skip
    statuses = forms.MultipleChoiceField(
        label=gettext_lazy("适用状态"), choices=[(each.value, each.label) for each in STATES], required=False,
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    outcomes = forms.MultipleChoiceField(
        label=gettext_lazy("适用结果"), choices=Outcome.choices, required=False, widget=forms.CheckboxSelectMultiple
    )
    article = forms.CharField(
        label=gettext_lazy("依据条款"),
        max_length=60,
        required=False,
        help_text=gettext_lazy("例如：第十五条、第十六条。"),
    )
    text = forms.CharField(
        label=gettext_lazy("正文"), max_length=4000, widget=lines(8),
        help_text=gettext_lazy("占位：{number} 编号、{title} 标题、{respondent} 被诉方、{unit} 承办单位、{article} 条款、{reason} 说明、{terms} 协议内容。"),
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """Every fault is told at once, before the service would."""
        given = super().clean() or {}
        if not self.errors:
            for fault in faults(Draft(**given)):
                self.add_error("text", fault)
        return given

    @staticmethod
    def of(template: ReplyTemplate) -> dict[str, Any]:
        """What the form begins with."""
        return {
            "title": template.title, "article": template.article, "text": template.text,
            **{name: getattr(template, name).split() for name in ("kinds", "statuses", "outcomes")},
        }  # fmt: skip


class ExportForm(forms.Form):
    """Which register's columns, and what goes along."""

    register = forms.ChoiceField(label=gettext_lazy("列"), widget=forms.RadioSelect)
    file = forms.ChoiceField(
        label=gettext_lazy("文件"), widget=forms.RadioSelect, initial="xlsx",
        choices=[
            ("xlsx", gettext_lazy("Excel 表格（xlsx）")), ("csv", gettext_lazy("文本表格（csv，UTF-8）")),
            ("gb18030", gettext_lazy("文本表格（csv，GB18030，供旧系统读取）")),
        ],
    )  # fmt: skip
    persons = forms.BooleanField(
        label=gettext_lazy("带诉求人的姓名、电话和地址"), required=False,
        help_text=gettext_lazy("逐人记录谁、什么时候、为什么导出；您不能看的举报人不在里面。不勾选时，内容里的号码也会隐去。"),
    )  # fmt: skip
    purpose = forms.CharField(
        label=gettext_lazy("用途"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("带诉求人信息时必填，例如：回填 12345 系统。"),
    )

    def __init__(self, *args: Any, persons: bool, counts: dict[str, int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["register"].choices = [  # type: ignore[attr-defined]
            (register, _("%(register)s（%(n)s 件有编号）") % {"register": Register(register).label, "n": f"{n:,}"})
            for register, n in counts.items()
        ]
        self.fields["register"].initial = max(counts, key=lambda register: counts[register])
        if not persons:
            del self.fields["persons"], self.fields["purpose"]

    def clean(self) -> dict[str, Any]:
        """A purpose is needed where persons go along."""
        given = super().clean() or {}
        if given.get("persons") and not given.get("purpose", "").strip():
            self.add_error("purpose", _("请写明用途，例如：回填 12345 系统。"))
        return given
