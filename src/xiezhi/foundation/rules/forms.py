from datetime import date, timedelta
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from xiezhi.foundation.rules.models import RuleVersion
from xiezhi.foundation.rules.queries import Reading
from xiezhi.foundation.rules.registry import Confidence, Rule, Source
from xiezhi.foundation.rules.values import (
    Choice,
    Flag,
    Number,
    Several,
    Table,
    ValueProblem,
    ValueType,
    Whole,
    Yearly,
)

YES_NO = (("true", pgettext_lazy("rule value", "是")), ("false", pgettext_lazy("rule value", "否")))


def value_fields(kind: ValueType[Any], label: str, unit: str, value: Any) -> dict[str, forms.Field]:
    """The form fields in which a value of this kind is typed, filled with `value`. A table has one per cell."""
    if isinstance(kind, Table):
        return {
            f"value_{row}_{name}": _cell_field(
                column.kind, f"{row_label} · {column.label}", str(column.unit), value[row][name]
            )
            for row, row_label in kind.rows.items()
            for name, column in kind.columns.items()
        }
    return {"value": _field(kind, label, unit, value)}


def typed_value(kind: ValueType[Any], data: dict[str, Any]) -> Any:
    """What was typed in `value_fields`. Raises ValueProblem."""
    if isinstance(kind, Table):
        cells = {row: {name: data.get(f"value_{row}_{name}") for name in kind.columns} for row in kind.rows}
        return kind.check(cells)
    return kind.check(data.get("value"))


def _field(kind: ValueType[Any], label: str, unit: str, value: Any) -> forms.Field:
    if isinstance(kind, Flag):
        return forms.ChoiceField(
            label=label, choices=YES_NO, widget=forms.RadioSelect, initial="true" if value else "false"
        )
    if isinstance(kind, Choice):
        return forms.ChoiceField(
            label=label, choices=list(kind.options.items()), widget=forms.RadioSelect, initial=value
        )
    if isinstance(kind, Several):
        return forms.MultipleChoiceField(
            label=label,
            choices=list(kind.options.items()),
            widget=forms.CheckboxSelectMultiple,
            required=False,
            initial=list(value),
        )
    if isinstance(kind, Yearly):
        return forms.CharField(label=label, initial=kind.to_json(value), help_text=gettext_lazy("月-日，例如 03-31。"))
    if isinstance(kind, Whole | Number):
        return _cell_field(kind, label, unit, value)
    raise TypeError(f"no form field for {type(kind).__name__}")


def _cell_field(kind: Whole | Number, label: str, unit: str, value: Any) -> forms.Field:
    bounds = _("%(least)s 到 %(most)s") % {"least": kind.least, "most": kind.most}
    help_text = f"{bounds} {unit}".strip()
    if isinstance(kind, Whole):
        return forms.IntegerField(
            label=label, min_value=kind.least, max_value=kind.most, initial=value, help_text=help_text
        )
    return forms.DecimalField(
        label=label,
        min_value=kind.least,
        max_value=kind.most,
        decimal_places=kind.places,
        initial=value,
        help_text=help_text,
    )


class ChangeForm(forms.Form):
    """A new version of a rule: value, day, source. It starts as the version shown, so that confirming is one choice away."""

    effective_from = forms.DateField(
        label=gettext_lazy("生效日期"), help_text=gettext_lazy("今天或以后；已经作出的决定按当时的规则办。")
    )
    confidence = forms.ChoiceField(
        label=gettext_lazy("核实情况"),
        choices=Confidence.choices,
        widget=forms.RadioSelect,
        help_text=gettext_lazy("对照原文核过条款和数值的，选“已核实”。"),
    )
    instrument = forms.CharField(
        label=gettext_lazy("依据文件"), max_length=200, required=False, help_text=gettext_lazy("标题和文号，不填网址。")
    )
    article = forms.CharField(label=gettext_lazy("条款"), max_length=80, required=False)
    body = forms.CharField(label=gettext_lazy("发布机关"), max_length=80, required=False)
    jurisdiction = forms.CharField(label=gettext_lazy("适用地域"), max_length=40, required=False)
    note = forms.CharField(
        label=gettext_lazy("说明"), max_length=600, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    seen_version_id = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(
        self,
        data: QueryDict | None,
        *,
        rule: Rule[Any],
        shown: Reading[Any],
        versions: list[RuleVersion],
        today: date,
    ) -> None:
        initial = {
            "effective_from": today,
            "confidence": shown.confidence,
            "seen_version_id": max(each.pk for each in versions),
            **{name: getattr(shown, name) for name in ("instrument", "article", "body", "jurisdiction", "note")},
        }
        if any(each.effective_from == today for each in versions):
            initial["effective_from"] = today + timedelta(days=1)
        super().__init__(data, initial=initial)
        self.rule = rule
        values = value_fields(rule.kind, shown.title, shown.unit, shown.value)
        self.fields = {**values, **self.fields}
        self.groups = (
            (_("改成什么"), tuple(values)),
            (_("从哪天起"), ("effective_from",)),
            (_("依据什么"), ("confidence", "instrument", "article", "body", "jurisdiction", "note")),
        )

    def clean(self) -> dict[str, Any]:
        """Turns the typed parts into one value and one source."""
        data: dict[str, Any] = super().clean() or {}
        if self.errors:
            return data
        try:
            value = typed_value(self.rule.kind, data)
        except ValueProblem as problem:
            self.add_error("value" if "value" in self.fields else None, str(problem))
            return data
        return {
            "value": value,
            "effective_from": data["effective_from"],
            "confidence": Confidence(data["confidence"]),
            "source": Source(data["instrument"], data["article"], data["body"], data["jurisdiction"]),
            "note": data["note"],
            "seen_version_id": data["seen_version_id"],
        }
