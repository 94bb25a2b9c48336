from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class HorizonForm(forms.Form):
    """A round's horizon and limits. Dates are judged by the service; here only that they are dates."""

    starts_on = forms.DateField(label=_("统筹期起"), widget=forms.DateInput(), help_text=_("最早从明天开始。"))
    ends_on = forms.DateField(label=_("统筹期止"), widget=forms.DateInput())
    max_departments = forms.IntegerField(
        label=_("一次最多部门数"),
        min_value=1,
        max_value=12,
        help_text=_("建议 2–3 个；超过 3 个时对企业打扰较大，页面会提醒。"),
    )
    seed = forms.IntegerField(
        label=_("种子"),
        required=False,
        min_value=0,
        max_value=2_147_483_647,
        help_text=_("留空由系统按轮次编号给出。同样的输入和种子得到同样的建议。"),
    )

    def __init__(self, *args: Any, usual_departments: int = 3, **kwargs: Any) -> None:
        tomorrow = timezone.localdate() + timedelta(days=1)
        usual = {"starts_on": tomorrow, "ends_on": tomorrow + timedelta(weeks=6), "max_departments": usual_departments}
        kwargs["initial"] = {**usual, **(kwargs.get("initial") or {})}
        super().__init__(*args, **kwargs)
