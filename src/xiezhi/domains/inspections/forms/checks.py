"""The form by which a person raises a 个案 check."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xiezhi.domains.inspections.forms.doors import find_door
from xiezhi.domains.inspections.forms.items import ItemChoice
from xiezhi.domains.inspections.models import CatalogueItem
from xiezhi.domains.registry.facts import BadFact
from xiezhi.foundation.access.actors import Actor

KINDS = (
    ("complaint", gettext_lazy("投诉举报、12345 工单")),
    ("transfer", gettext_lazy("交办转办")),
    ("data", gettext_lazy("数据监测发现线索")),
    ("recheck", gettext_lazy("整改复查")),
    ("enterprise_request", gettext_lazy("企业申请")),
    ("media", gettext_lazy("媒体曝光")),
    ("emergency", gettext_lazy("其他法定紧急情形")),
)
"""What may start a case check: inspection practice's own words (投诉、转办、数据监测、企业申请) and the exempt cases of R04."""


class CaseForm(forms.Form):
    """Who, what, why, by when."""

    subject_code = forms.CharField(label=gettext_lazy("统一社会信用代码"), max_length=40)
    premises_number = forms.CharField(
        label=gettext_lazy("场所编号"), max_length=20, required=False, help_text=gettext_lazy("有几处场所的主体须填。")
    )
    item = ItemChoice(label=gettext_lazy("检查事项"), queryset=CatalogueItem.objects.none())
    case_kind = forms.ChoiceField(label=gettext_lazy("来源"), choices=KINDS)
    case_id = forms.CharField(
        label=gettext_lazy("来源编号"),
        max_length=60,
        help_text=gettext_lazy("工单号、线索编号等；同一编号、同一事项、同一场所只登记一次。"),
    )
    note = forms.CharField(
        label=gettext_lazy("说明"),
        max_length=200,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("写清要查什么；不要写投诉人的姓名和电话。"),
    )
    urgent = forms.BooleanField(
        label=gettext_lazy("紧急"),
        required=False,
        help_text=gettext_lazy("紧急的先定日期，不等其他部门（R20）。"),
    )
    earliest = forms.DateField(label=gettext_lazy("最早日期"), widget=forms.DateInput)
    latest = forms.DateField(label=gettext_lazy("最晚日期"), widget=forms.DateInput)
    on_site_reason = forms.CharField(
        label=gettext_lazy("到现场的理由"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("可以非现场办理的事项，要到现场的须写（R03）。"),
    )
    groups = (
        (gettext_lazy("查谁"), ("subject_code", "premises_number")),
        (gettext_lazy("为什么查"), ("case_kind", "case_id", "note", "urgent")),
        (gettext_lazy("查什么、什么时候"), ("item", "earliest", "latest", "on_site_reason")),
    )

    def __init__(self, *args: Any, items: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor = actor
        mine = items if actor.district_wide else items.filter(department=actor.department_id)
        self.fields["item"].queryset = mine  # type: ignore[attr-defined]
        today = timezone.localdate()
        self.fields["earliest"].initial, self.fields["latest"].initial = today, today + timedelta(days=14)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("earliest") and given.get("latest") and given["latest"] < given["earliest"]:
            self.add_error("latest", _("最晚日期早于最早日期，请检查是否填反。"))
        if given.get("subject_code"):
            try:
                given["premises"] = find_door(given["subject_code"], given.get("premises_number") or "", self.actor)
            except BadFact as fact:
                self.add_error("premises_number" if fact.field == "number" else "subject_code", str(fact))
        return given
