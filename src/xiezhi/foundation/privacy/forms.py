from django import forms
from django.utils.translation import gettext_lazy as _

from xiezhi.foundation.privacy.models import Request


class RequestForm(forms.Form):
    """Who asks, and what they are found by."""

    found_by = forms.ChoiceField(label=_("按什么查找"), choices=Request.By.choices, widget=forms.RadioSelect)
    sought = forms.CharField(
        label=_("查找内容"),
        max_length=120,
        help_text=_("手机号怎么写都可以；姓名和邮箱要与登记的完全一致。"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    identity = forms.CharField(
        label=_("怎样核实的身份"), max_length=200, help_text=_("例如：当面核对身份证原件。不要写证件号码。")
    )
