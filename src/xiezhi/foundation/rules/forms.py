from datetime import date, timedelta
from pathlib import Path
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from xiezhi.foundation.files.uploads import Oversized
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.rules.exchange import Proposal, Trouble, read_json, read_workbook
from xiezhi.foundation.rules.models import RuleVersion, Verification
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
from xiezhi.foundation.workflow.errors import Refused

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
    reopen = forms.BooleanField(widget=forms.HiddenInput, required=False)

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
            "reopen": data["reopen"],
        }


class ConfirmForm(forms.Form):
    """What confirms a working default as it stands: the text, the article, who issued it."""

    instrument = forms.CharField(
        label=gettext_lazy("依据文件"), max_length=200, help_text=gettext_lazy("标题和文号，不填网址。")
    )
    article = forms.CharField(
        label=gettext_lazy("条款"), max_length=80, help_text=gettext_lazy("对照原文核到哪一条，例如：第十六条第二款。")
    )
    body = forms.CharField(label=gettext_lazy("发布机关"), max_length=80)
    jurisdiction = forms.CharField(label=gettext_lazy("适用地域"), max_length=40, required=False)
    effective_from = forms.DateField(label=gettext_lazy("自何日起按已核实使用"))
    note = forms.CharField(
        label=gettext_lazy("说明"), max_length=600, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )

    def source(self) -> Source:
        """The typed source."""
        names = ("instrument", "article", "body", "jurisdiction")
        return Source(**{name: self.cleaned_data[name] for name in names})


class VerificationForm(forms.ModelForm[Verification]):
    """Who is to find the source, and by when."""

    class Meta:
        model = Verification
        fields = ("organisation", "due_on", "note")
        help_texts = {"note": gettext_lazy("原文在哪里、该问谁，例如：向市局法规处要文件原件。")}
        widgets = {"due_on": forms.DateInput}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = (Organisation.Kind.DISTRICT, Organisation.Kind.DEPARTMENT)
        self.fields["organisation"].queryset = Organisation.objects.filter(kind__in=kinds).order_by("kind", "code")  # type: ignore[attr-defined]

    def _post_clean(self) -> None:
        """The service checks and saves; a second assignment of the same rule replaces the first."""


class BookForm(forms.Form):
    """A rule book to take in. After validation `proposals` and `troubles`; `content` carries the file from the preview to the end."""

    book = forms.FileField(
        label=gettext_lazy("规则文件"),
        required=False,
        help_text=gettext_lazy("从本系统导出的 xlsx、csv 或 json，改过的也行。已有的版本不会改变，只添加新的版本。"),
        widget=forms.FileInput(attrs={"accept": ".xlsx,.csv,.json"}),
        error_messages={"required": gettext_lazy("请选择一个文件。")},
    )
    content = forms.CharField(widget=forms.HiddenInput, required=False)
    reopen = forms.BooleanField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, oversized: Oversized | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.oversized = oversized
        self.fields["book"].required = not self.data.get("content") and not oversized
        self.proposals: list[Proposal] = []
        self.troubles: list[Trouble] = []

    def clean(self) -> dict[str, Any]:
        """Reads the file, told apart by what it begins with."""
        data: dict[str, Any] = super().clean() or {}
        upload = data.get("book")
        try:
            if self.oversized:
                self.add_error("book", self.oversized.message)
            elif upload:
                self.proposals, self.troubles = self._read(upload)
            elif data.get("content"):
                self.proposals, self.troubles = read_json(data["content"])
        except Refused as refusal:
            self.add_error("book", str(refusal))
        return data

    def _read(self, upload: Any) -> tuple[list[Proposal], list[Trouble]]:
        path = Path(upload.temporary_file_path())
        with path.open("rb") as file:
            begin = file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")
        if not begin.startswith((b"{", b"[")):
            return read_workbook(path)
        try:
            return read_json(path.read_text("utf-8-sig"))
        except UnicodeDecodeError:
            raise Refused(_("JSON 文件应为 UTF-8 编码。")) from None
