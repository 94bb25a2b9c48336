from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xiezhi.domains.registry.models import Scene
from xiezhi.foundation.orgs.models import Organisation

LONGEST_YEARS = 3


class ScopeForm(forms.Form):
    """What the figures are about: days, street, scene. There is no department to choose, on purpose (R17)."""

    from_day = forms.DateField(label=gettext_lazy("自"), required=False, widget=forms.DateInput())
    to_day = forms.DateField(label=gettext_lazy("至"), required=False, widget=forms.DateInput())
    street = forms.ModelChoiceField(
        queryset=Organisation.objects.filter(kind=Organisation.Kind.STREET).order_by("code"),
        label=gettext_lazy("街道"),
        required=False,
        empty_label=gettext_lazy("全部"),
    )
    scene = forms.ModelChoiceField(
        queryset=Scene.objects.order_by("code"),
        label=gettext_lazy("场景"),
        required=False,
        empty_label=gettext_lazy("全部"),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        first, last = data.get("from_day"), data.get("to_day")
        if first and last and last < first:
            self.add_error("to_day", _("止日早于起日，请改正。"))
        elif first and last and last.year - first.year >= LONGEST_YEARS:
            self.add_error("to_day", _("一次最多看三年。"))
        return data
