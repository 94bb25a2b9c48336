"""Forms about plans: the head of one, one row, and what an import asks about the plan it fills."""

from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xiezhi.domains.inspections.forms.doors import find_door
from xiezhi.domains.inspections.forms.items import ItemChoice
from xiezhi.domains.inspections.models import CatalogueItem, Plan, PlanRow
from xiezhi.domains.inspections.services.plan_rows import RowDraft
from xiezhi.domains.registry.facts import BadFact, clean_industry
from xiezhi.domains.registry.models import Premises, Scene
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.orgs.models import Organisation


def _this_year() -> tuple[date, date]:
    year = timezone.localdate().year
    return date(year, 1, 1), date(year, 12, 31)


class PlanHeadForm(forms.Form):
    """What a plan is: name, period, kind, and for special ones the approval (R13)."""

    title = forms.CharField(label=gettext_lazy("计划名称"), max_length=120)
    starts_on = forms.DateField(label=gettext_lazy("计划期起"), widget=forms.DateInput)
    ends_on = forms.DateField(
        label=gettext_lazy("计划期止"), widget=forms.DateInput, help_text=gettext_lazy("一份计划最长一年。")
    )
    kind = forms.ChoiceField(label=gettext_lazy("计划类别"), choices=Plan.Kind.choices, initial=Plan.Kind.ANNUAL)
    superior_ordered = forms.BooleanField(
        label=gettext_lazy("上级部署"),
        required=False,
        help_text=gettext_lazy("只用于专项检查；上级部署的专项检查不计入频次上限（R04）。"),
    )
    approval_number = forms.CharField(
        label=gettext_lazy("批准文号"),
        max_length=60,
        required=False,
        help_text=gettext_lazy("有专项检查的计划须先经批准（R13）。"),
    )
    approved_on = forms.DateField(label=gettext_lazy("批准日期"), required=False, widget=forms.DateInput)
    published_on = forms.DateField(label=gettext_lazy("公布日期"), required=False, widget=forms.DateInput)
    groups = (
        (gettext_lazy("计划"), ("title", "starts_on", "ends_on", "kind", "superior_ordered")),
        (gettext_lazy("批准与公布"), ("approval_number", "approved_on", "published_on")),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        first, last = _this_year()
        self.fields["starts_on"].initial, self.fields["ends_on"].initial = first, last

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        starts_on, ends_on = given.get("starts_on"), given.get("ends_on")
        if starts_on and ends_on and ends_on < starts_on:
            self.add_error("ends_on", _("止日早于起日，请检查两个日期是否填反。"))
        elif starts_on and ends_on and (ends_on - starts_on).days > 365:
            self.add_error("ends_on", _("一份计划最长一年，请分年编制。"))
        if given.get("superior_ordered") and given.get("kind") != Plan.Kind.SPECIAL:
            self.add_error("superior_ordered", _("只有专项检查计划可以标为“上级部署”。"))
        if bool(given.get("approval_number")) != bool(given.get("approved_on")):
            missing = "approved_on" if given.get("approval_number") else "approval_number"
            self.add_error(missing, _("批准文号和批准日期请一起填写。"))
        return given


class PlanImportForm(PlanHeadForm):
    """The head of the plan that a sheet fills; a column 计划名称 in the sheet goes before the name given here."""

    title = forms.CharField(
        label=gettext_lazy("计划名称"),
        max_length=120,
        required=False,
        help_text=gettext_lazy("表格里有“计划名称”一列的，以表格为准；同名、同期的草稿会接着补充。"),
    )


class RowForm(forms.Form):
    """One row of a plan: either a firm by its code, or a frame to draw from."""

    item = ItemChoice(label=gettext_lazy("检查事项"), queryset=CatalogueItem.objects.none())
    source = forms.ChoiceField(
        label=gettext_lazy("检查类型"),
        choices=[choice for choice in PlanRow.Source.choices if choice[0] != PlanRow.Source.CASE],
    )
    earliest = forms.DateField(label=gettext_lazy("最早日期"), widget=forms.DateInput)
    latest = forms.DateField(label=gettext_lazy("最晚日期"), widget=forms.DateInput)
    subject_code = forms.CharField(
        label=gettext_lazy("统一社会信用代码"),
        max_length=40,
        required=False,
        help_text=gettext_lazy("指名的填这里；抽查的留空，填下面的范围。"),
    )
    premises_number = forms.CharField(
        label=gettext_lazy("场所编号"), max_length=20, required=False, help_text=gettext_lazy("有几处场所的主体须填。")
    )
    scene = forms.ModelChoiceField(
        label=gettext_lazy("抽查场景"), queryset=Scene.objects.order_by("name"), required=False
    )
    industry = forms.CharField(
        label=gettext_lazy("抽查行业"),
        max_length=6,
        required=False,
        help_text=gettext_lazy("GB/T 4754 代码，可只写开头，如 H62。"),
    )
    street = forms.ModelChoiceField(
        label=gettext_lazy("抽查街道"),
        queryset=Organisation.objects.filter(kind=Organisation.Kind.STREET).order_by("code"),
        required=False,
    )
    percent = forms.DecimalField(
        label=gettext_lazy("抽查比例（%）"),
        min_value=Decimal("0.1"),
        max_value=100,
        decimal_places=1,
        required=False,
        help_text=gettext_lazy("比例和数量填一个；都不填按信用风险分类的比例抽取（R12）。"),
    )
    quantity = forms.IntegerField(label=gettext_lazy("抽查数量（户）"), min_value=1, max_value=100_000, required=False)
    frequency = forms.ChoiceField(
        label=gettext_lazy("频次"),
        choices=[
            ("", gettext_lazy("不限定")),
            ("=1", gettext_lazy("=1：本年度只查一次")),
            (">=1", gettext_lazy(">=1：至少一次")),
        ],
        required=False,
    )
    on_site_reason = forms.CharField(
        label=gettext_lazy("到现场的理由"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("可以非现场办理的事项，要到现场的须写（R03）。"),
    )
    section = forms.CharField(label=gettext_lazy("股室"), max_length=60, required=False)
    groups = (
        (gettext_lazy("查什么"), ("item", "source", "on_site_reason", "section")),
        (gettext_lazy("什么时候"), ("earliest", "latest")),
        (gettext_lazy("指名：查谁"), ("subject_code", "premises_number")),
        (gettext_lazy("抽查：从哪里抽"), ("scene", "industry", "street", "percent", "quantity", "frequency")),
    )

    def __init__(self, *args: Any, plan: Plan, items: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor = actor
        self.fields["item"].queryset = items.filter(department=plan.department_id)  # type: ignore[attr-defined]
        self.fields["earliest"].initial, self.fields["latest"].initial = plan.starts_on, plan.ends_on

    def clean_industry(self) -> str:
        try:
            return clean_industry(self.cleaned_data["industry"])
        except BadFact as fact:
            raise forms.ValidationError(f"{fact.reason}{fact.mend}") from fact

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        frame = any(given.get(name) for name in ("scene", "industry", "street", "percent", "quantity"))
        if given.get("subject_code") and frame:
            raise forms.ValidationError(_("同一行不能既指名又抽查，请分成两行。"))
        if not given.get("subject_code") and not any(given.get(name) for name in ("scene", "industry", "street")):
            raise forms.ValidationError(_("请填要查的主体，或填抽查的场景、行业、街道中的一项。"))
        if given.get("percent") is not None and given.get("quantity") is not None:
            self.add_error("quantity", _("比例和数量只能填一个。"))
        if given.get("subject_code"):
            given["premises"] = self._premises(given)
        return given

    def _premises(self, given: dict[str, Any]) -> Premises | None:
        try:
            return find_door(given["subject_code"], given.get("premises_number") or "", self.actor)
        except BadFact as fact:
            self.add_error("premises_number" if fact.field == "number" else "subject_code", str(fact))
            return None

    def draft(self) -> RowDraft:
        """What the valid form says."""
        given = self.cleaned_data
        premises = given.get("premises")
        return RowDraft(
            kind=PlanRow.Kind.NAMED.value if premises else PlanRow.Kind.SAMPLING.value,
            source=given["source"],
            item_id=given["item"].pk,
            earliest=given["earliest"],
            latest=given["latest"],
            premises_id=premises.pk if premises else None,
            scene_id=given["scene"].pk if given["scene"] else None,
            industry=given["industry"],
            street_id=given["street"].pk if given["street"] else None,
            ratio_per_mille=int(given["percent"] * 10) if given["percent"] is not None else None,
            quantity=given["quantity"],
            frequency=given["frequency"],
            on_site_reason=given["on_site_reason"],
            section=given["section"],
        )


def row_initial(row: PlanRow) -> dict[str, Any]:
    """A saved row as the form shows it."""
    door = row.premises
    return {
        "item": row.item_id,
        "source": row.source,
        "earliest": row.earliest,
        "latest": row.latest,
        "subject_code": door.subject.code if door else "",
        "premises_number": door.number if door else "",
        "scene": row.scene_id,
        "industry": row.industry,
        "street": row.street_id,
        "percent": Decimal(row.ratio_per_mille) / 10 if row.ratio_per_mille is not None else None,
        "quantity": row.quantity,
        "frequency": row.frequency,
        "on_site_reason": row.on_site_reason,
        "section": row.section,
    }
