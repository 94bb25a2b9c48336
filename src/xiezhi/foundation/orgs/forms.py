from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.orgs.models import Absence, Officer, Organisation, TeamPattern


def departments_for(actor: Actor) -> Any:
    """The departments that `actor` may act for: all for district-wide posts, else their own."""
    found = Organisation.objects.filter(kind=Organisation.Kind.DEPARTMENT).order_by("code")
    if actor.district_wide:
        return found
    return found.filter(pk=actor.department_id) if actor.department_id else found.none()


class _OwnDepartmentForm(forms.ModelForm):
    """A form about one department; who has only one department is not asked."""

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if department := self.fields.get("department"):
            department.queryset = departments_for(actor)  # type: ignore[attr-defined]
            department.empty_label = None  # type: ignore[attr-defined]
        if street := self.fields.get("street"):
            street.queryset = Organisation.objects.filter(kind=Organisation.Kind.STREET).order_by("code")  # type: ignore[attr-defined]
            street.empty_label = _("全区")  # type: ignore[attr-defined]

    def _post_clean(self) -> None:
        """The service judges and saves; the form only reads."""


class OrganisationForm(forms.ModelForm):
    """A new organisation."""

    class Meta:
        model = Organisation
        fields = ("kind", "code", "name", "short_name", "parent", "street", "qualified")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        parents = [Organisation.Kind.DISTRICT, Organisation.Kind.DEPARTMENT]
        self.fields["parent"].queryset = Organisation.objects.filter(kind__in=parents).order_by("kind", "code")  # type: ignore[attr-defined]
        self.fields["parent"].help_text = _("部门和街道的上级是区，所的上级是部门。")
        self.fields["street"].queryset = Organisation.objects.filter(kind=Organisation.Kind.STREET).order_by("code")  # type: ignore[attr-defined]
        self.fields["street"].help_text = _("只有所需要填写。")

    def _post_clean(self) -> None:
        """The service judges and saves; the form only reads."""


class RenameForm(forms.Form):
    """What may change about an organisation later: its code and place stay."""

    name = forms.CharField(label=_("名称"), max_length=80)
    short_name = forms.CharField(label=_("简称"), max_length=20)
    qualified = forms.BooleanField(label=_("具有行政检查主体资格"), required=False)


class OfficerForm(_OwnDepartmentForm):
    """An officer and the certificate."""

    class Meta:
        model = Officer
        fields = (
            "name",
            "department",
            "station",
            "certificate_number",
            "certificate_from",
            "certificate_to",
            "is_active",
        )

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, actor=actor, **kwargs)
        stations = Organisation.objects.filter(kind=Organisation.Kind.STATION, parent__in=departments_for(actor))
        self.fields["station"].queryset = stations.order_by("code")  # type: ignore[attr-defined]
        self.fields["station"].empty_label = _("机关")  # type: ignore[attr-defined]
        if self.instance.pk:
            del self.fields["department"]  # an officer who changes department gets a new certificate
        else:
            del self.fields["is_active"]


class TeamPatternForm(_OwnDepartmentForm):
    """So many teams on these weekdays."""

    class Meta:
        model = TeamPattern
        fields = ("department", "street", "weekdays", "teams", "minutes_per_team", "starts_on", "ends_on")

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, actor=actor, **kwargs)
        self.fields["starts_on"].initial = timezone.localdate


class AbsenceForm(_OwnDepartmentForm):
    """Teams that are away for some days."""

    class Meta:
        model = Absence
        fields = ("department", "street", "starts_on", "ends_on", "teams", "reason")


class EndForm(forms.Form):
    """The last day of a pattern."""

    ends_on = forms.DateField(label=_("最后一天"), widget=forms.DateInput(), initial=timezone.localdate)
