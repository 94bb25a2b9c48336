"""Forms of the catalogue: an item's wording, its end, items that may not share a visit."""

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xiezhi.domains.inspections.forms.items import ItemChoice
from xiezhi.domains.inspections.imports.cells import MOST_LINES, form_lines
from xiezhi.domains.inspections.models import CatalogueItem, ItemVersion
from xiezhi.domains.inspections.services.catalogue import Line, Wording
from xiezhi.foundation.access.actors import NOBODY
from xiezhi.foundation.imports.columns import CellRefused
from xiezhi.foundation.imports.specs import ImportContext
from xiezhi.foundation.orgs.models import Organisation


class VersionForm(forms.ModelForm[ItemVersion]):
    """Everything one version of an item says. Saving is the service's."""

    lines = forms.CharField(
        label=gettext_lazy("检查表单"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text=gettext_lazy("一行一条，写“检查项 | 检查标准”。"),
    )
    groups = (
        (gettext_lazy("是什么事项"), ("code", "name", "category", "field", "subject_kind", "legal_basis", "content")),
        (gettext_lazy("谁来查"), ("assisting", "level", "contact")),
        (gettext_lazy("怎么查"), ("method", "off_site_possible", "safety", "minutes", "annual_cap", "lines")),
        (gettext_lazy("何时生效"), ("effective_from",)),
    )

    class Meta:
        model = ItemVersion
        fields = (
            "name",
            "category",
            "field",
            "subject_kind",
            "legal_basis",
            "content",
            "assisting",
            "level",
            "contact",
            "method",
            "off_site_possible",
            "safety",
            "minutes",
            "annual_cap",
            "effective_from",
        )
        widgets = {
            "legal_basis": forms.Textarea(attrs={"rows": 2}),
            "content": forms.Textarea(attrs={"rows": 3}),
            "effective_from": forms.DateInput,
        }

    def clean_lines(self) -> tuple[Line, ...]:
        nowhere = ImportContext(NOBODY, None, None, {}, None)  # type: ignore[arg-type]  # the parser looks at the text only
        try:
            return tuple(form_lines(self.cleaned_data["lines"], nowhere))
        except CellRefused as refused:
            raise forms.ValidationError(f"{refused.reason}{refused.mend}") from refused

    def wording(self) -> Wording:
        """What the valid form says."""
        given = {name: self.cleaned_data[name] for name in Wording.__dataclass_fields__}
        return Wording(**given)


class NewItemForm(VersionForm):
    """The first version of an item, with its code."""

    code = forms.RegexField(
        r"^[0-9A-Za-z][0-9A-Za-z._\-]{1,29}$",
        label=gettext_lazy("事项代码"),
        help_text=gettext_lazy("2 至 30 位字母、数字或 -._，公布后不能更改。"),
    )

    def clean_code(self) -> str:
        code = str(self.cleaned_data["code"]).upper()
        if CatalogueItem.objects.filter(code=code).exists():
            raise forms.ValidationError(_("代码 %(code)s 已有事项使用，请换一个。") % {"code": code})
        return code


def written_lines(lines: tuple[Line, ...]) -> str:
    """Form lines as they are typed."""
    return "\n".join(
        f"{line.content} | {line.standard}" if line.standard else line.content for line in lines[:MOST_LINES]
    )


class EndItemForm(forms.Form):
    """The last day on which an item may be checked."""

    last_day = forms.DateField(label=gettext_lazy("最后一天"), widget=forms.DateInput)

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        self.fields["last_day"].initial = today

    def clean_last_day(self) -> date:
        given: date = self.cleaned_data["last_day"]
        if given < self.today:
            raise forms.ValidationError(_("不能早于今天。"))
        return given


class ApartForm(forms.Form):
    """Two items that may not share a visit, and why."""

    first = ItemChoice(label=gettext_lazy("本部门事项"), queryset=CatalogueItem.objects.none())
    second = ItemChoice(label=gettext_lazy("与它不宜同场的事项"), queryset=CatalogueItem.objects.none())
    reason = forms.CharField(label=gettext_lazy("原因"), max_length=200)

    def __init__(self, *args: Any, items: Any, department: Organisation | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = items.filter(department=department) if department else items
        self.fields["first"].queryset = own  # type: ignore[attr-defined]
        self.fields["second"].queryset = items  # type: ignore[attr-defined]
