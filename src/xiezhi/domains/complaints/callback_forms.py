"""What is asked about a callback (回访)."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from xiezhi.domains.complaints.words import CallbackOutcome, Satisfaction


class KeyedRadio(forms.RadioSelect):
    """Choices that the keys 1, 2, 3… tick: a call is written down without the mouse. `first`: the key of the first one."""

    def __init__(self, *args: Any, first: int = 1, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.first = first

    def create_option(
        self, name: str, value: Any, label: Any, selected: Any, index: int, *args: Any, **kwargs: Any
    ) -> Any:
        option = super().create_option(name, value, label, selected, index, *args, **kwargs)
        key = str((self.first + index) % 10)
        option["attrs"]["data-key"] = key
        option["label"] = f"{key} · {label}"
        return option


class CallForm(forms.Form):
    """What the person said."""

    outcome = forms.ChoiceField(label=gettext_lazy("回访结果"), choices=CallbackOutcome.choices, widget=KeyedRadio())
    satisfaction = forms.ChoiceField(
        label=gettext_lazy("满意情况"), choices=Satisfaction.choices, required=False, widget=KeyedRadio(first=6),
        help_text=gettext_lazy("没有表态的不选；没有接通、拒访的不填。"),
    )  # fmt: skip
    note = forms.CharField(
        label=gettext_lazy("诉求人意见"), max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    called_at = forms.DateTimeField(label=gettext_lazy("回访时间"), widget=forms.DateTimeInput())


class FollowForm(forms.Form):
    """What comes after 未解决."""

    way = forms.ChoiceField(
        label=gettext_lazy("怎样处理"),
        choices=[
            ("reopen", gettext_lazy("重新办理：另立一件，重新计时，由派单员派单")),
            ("supervise", gettext_lazy("督办：重新办理，派回原承办单位并书面督办")),
            ("close", gettext_lazy("维持答复，直接办结")),
        ],
        widget=KeyedRadio(),
    )
    reason = forms.CharField(label=gettext_lazy("理由"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}))


class OfficialCallbackForm(forms.Form):
    """What the hotline's own callback found."""

    outcome = forms.ChoiceField(
        label=gettext_lazy("回访结果"), choices=CallbackOutcome.choices, widget=forms.RadioSelect
    )
    satisfaction = forms.ChoiceField(
        label=gettext_lazy("满意情况"), choices=Satisfaction.choices, required=False, widget=forms.RadioSelect
    )
    called_at = forms.DateTimeField(label=gettext_lazy("回访时间"), widget=forms.DateTimeInput())
    reference = forms.CharField(
        label=gettext_lazy("出处"), max_length=120, help_text=gettext_lazy("例如通报文号、文件名和行号。")
    )
    note = forms.CharField(
        label=gettext_lazy("诉求人意见"), max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
