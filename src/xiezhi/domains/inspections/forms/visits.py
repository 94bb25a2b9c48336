from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xiezhi.domains.inspections.models import Check, DeclineReason, FormLine, ResultCode
from xiezhi.domains.inspections.services.confirmation import DateOption
from xiezhi.domains.inspections.services.results import Found
from xiezhi.foundation.orgs.models import Officer
from xiezhi.foundation.ui import words


class DeclineForm(forms.Form):
    """不参加: a reason of the closed list, and words beside it."""

    prefix = "decline"
    decline_reason = forms.ChoiceField(
        label=gettext_lazy("原因"), choices=DeclineReason.choices, widget=forms.RadioSelect
    )
    reason = forms.CharField(
        label=gettext_lazy("说明"),
        required=False,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("其他部门和统筹员会看到。选“其他”时必填。"),
    )


class ProposeForm(forms.Form):
    """提议改期: one of the days on which everybody can come."""

    prefix = "propose"
    on = forms.TypedChoiceField(label=gettext_lazy("改到"), coerce=date.fromisoformat)
    reason = forms.CharField(label=gettext_lazy("改期的理由"), max_length=300, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, options: Sequence[DateOption] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        possible = [option for option in options if not option.refusal]
        text = _("%(day)s，最忙的部门用到 %(load)d%%")
        self.fields["on"].choices = [  # type: ignore[attr-defined]
            ("", _("请选一天")),
            *(
                (option.on.isoformat(), text % {"day": words.day(option.on), "load": option.load_percent})
                for option in possible
            ),
        ]


class ExtendForm(forms.Form):
    """延长答复期限."""

    answer_by = forms.DateTimeField(label=gettext_lazy("新的答复期限"), widget=forms.DateTimeInput())
    reason = forms.CharField(label=gettext_lazy("理由"), max_length=300, widget=forms.Textarea(attrs={"rows": 2}))


class ArrivalForm(forms.Form):
    """登记到场: the department's officers, and when they came if it is written up afterwards."""

    officers = forms.ModelMultipleChoiceField(
        queryset=Officer.objects.none(),
        label=gettext_lazy("到场的执法人员"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("请勾选到场的执法人员。")},
    )
    arrived_at = forms.TimeField(label=gettext_lazy("到场时间"), required=False, widget=forms.TimeInput())

    def __init__(self, *args: Any, officers: Sequence[Officer], on: date, afterwards: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.on = on
        field = self.fields["officers"]
        field.queryset = Officer.objects.filter(pk__in=[each.pk for each in officers]).order_by("certificate_number")  # type: ignore[attr-defined]
        field.label_from_instance = lambda officer: f"{officer.name}{_('（')}{officer.certificate_number}{_('）')}"  # type: ignore[attr-defined]
        if afterwards:
            self.fields["arrived_at"].required = True
            self.fields["arrived_at"].help_text = _("事后补记：检查日 %(day)s 的到场时间。") % {"day": on.isoformat()}
        else:
            del self.fields["arrived_at"]

    def clean_arrived_at(self) -> datetime | None:
        return _moment(self.on, self.cleaned_data.get("arrived_at"))


class FinishForm(forms.Form):
    """结束检查; the time only for a visit that is written up afterwards."""

    left_at = forms.TimeField(label=gettext_lazy("离场时间"), required=False, widget=forms.TimeInput())

    def __init__(self, *args: Any, on: date, afterwards: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.on = on
        if afterwards:
            self.fields["left_at"].required = True
        else:
            del self.fields["left_at"]

    def clean_left_at(self) -> datetime | None:
        return _moment(self.on, self.cleaned_data.get("left_at"))


def _moment(on: date, value: Any) -> datetime | None:
    return datetime.combine(on, value, tzinfo=timezone.get_current_timezone()) if value else None


class RecusalForm(forms.Form):
    """登记回避: one of the department's own officers may not inspect this subject."""

    officer = forms.ModelChoiceField(queryset=Officer.objects.none(), label=gettext_lazy("执法人员"))
    reason = forms.CharField(label=gettext_lazy("回避事由"), max_length=100)

    def __init__(self, *args: Any, officers: Sequence[Officer], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["officer"].queryset = Officer.objects.filter(pk__in=[each.pk for each in officers]).order_by("pk")  # type: ignore[attr-defined]


LINE_ANSWERS: tuple[tuple[str, str | Promise], ...] = (
    ("ok", gettext_lazy("符合")),
    ("problem", gettext_lazy("有问题")),
    ("not_applicable", gettext_lazy("不适用")),
)


class ResultForm(forms.Form):
    """One check's result: every line of its form, the result codes, and what was found."""

    def __init__(self, *args: Any, check: Check, lines: Sequence[FormLine], codes: Sequence[ResultCode], **kwargs: Any):
        super().__init__(*args, **kwargs)
        for line in lines:
            self.fields[f"line_{line.position}"] = forms.ChoiceField(
                label=f"{line.position}. {line.content}",
                help_text=line.standard,
                choices=LINE_ANSWERS,
                widget=forms.RadioSelect,
                error_messages={"required": _("请选一项。")},
            )
        self.fields["codes"] = forms.MultipleChoiceField(
            label=_("检查结果"),
            choices=[(code.code, f"{code.text}{_('（')}{code.code}{_('）')}") for code in codes],
            widget=forms.CheckboxSelectMultiple,
            error_messages={"required": _("请至少选一项检查结果。")},
        )
        self.fields["finding"] = forms.CharField(
            label=_("发现的问题"), required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 4})
        )
        self.fields["order"] = forms.CharField(
            label=_("处理意见"), required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 3})
        )
        self.fields["rectify_by"] = forms.DateField(
            label=_("整改期限"), required=False, widget=forms.DateInput(), help_text=_("发现问题时填写。")
        )
        self.fields["seen"] = forms.CharField(required=False, widget=forms.HiddenInput)
        self.lines = [f"line_{line.position}" for line in lines]
        self.groups = (
            (_("检查表"), self.lines),
            (_("结果"), ["codes", "finding", "order", "rectify_by"]),
        )

    def found(self) -> Found:
        """What the filled-in form says."""
        data = self.cleaned_data
        return Found(
            codes=data["codes"],
            answers={name.removeprefix("line_"): data[name] for name in self.lines if data[name]},
            finding=data["finding"],
            order=data["order"],
            rectify_by=data["rectify_by"],
        )


def typed_so_far(form: ResultForm) -> dict[str, Any]:
    """What was sent, valid or not, as plain text and lists: the content of a draft."""
    return {
        name: form.data.getlist(name) if name == "codes" else form.data.get(name, "")  # type: ignore[attr-defined]
        for name in form.fields
        if name != "seen"
    }
