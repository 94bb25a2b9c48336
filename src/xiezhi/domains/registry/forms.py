from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from django import forms
from django.utils.translation import gettext_lazy as _

from xiezhi.domains.registry import facts
from xiezhi.domains.registry.facts import BadFact, PremisesFacts
from xiezhi.domains.registry.models import WEEKDAYS, Premises, Scene, Subject
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.ui.forms import saved

Result = TypeVar("Result")
UNKNOWN = [("", _("未知"))]


def kept(form: forms.Form, act: Callable[[dict[str, Any]], Result]) -> Result | None:
    """`saved`, with a fact that cannot be stored shown at its own field."""

    def acted(data: dict[str, Any]) -> Result | None:
        try:
            return act(data)
        except BadFact as bad:
            if bad.field not in form.fields:
                raise
            form.add_error(bad.field, str(bad))
            return None

    return saved(form, acted)


class Seen(forms.Form):
    """Remembers when the row on this page was last changed."""

    seen_at = forms.CharField(widget=forms.HiddenInput, required=False)

    def clean_seen_at(self) -> datetime | None:
        """The moment, or None for a page that did not say."""
        try:
            return datetime.fromisoformat(self.cleaned_data["seen_at"])
        except ValueError:
            return None


class SubjectForm(Seen):
    """Facts of a subject."""

    name = forms.CharField(label=_("名称"), max_length=120, help_text=_("与营业执照一致。"))
    kind = forms.ChoiceField(label=_("主体类型"), choices=Subject.Kind.choices)
    industry = forms.CharField(
        label=_("行业代码"), max_length=10, required=False, help_text=_("GB/T 4754—2017，如 H6210；只写数字也可以。")
    )
    credit_class = forms.ChoiceField(
        label=_("信用等级"), choices=[*UNKNOWN, *Subject.CreditClass.choices], required=False
    )
    risk_class = forms.ChoiceField(label=_("风险等级"), choices=[*UNKNOWN, *Subject.RiskClass.choices], required=False)
    scenes = forms.ModelMultipleChoiceField(
        label=_("场景"), queryset=Scene.objects.order_by("code"), widget=forms.CheckboxSelectMultiple, required=False
    )
    groups: tuple[tuple[Any, tuple[str, ...]], ...] = (
        (_("是哪一家"), ("name", "kind", "industry")),
        (_("分级分类"), ("credit_class", "risk_class", "scenes")),
    )

    @staticmethod
    def told_by(subject: Subject) -> dict[str, Any]:
        """What the form starts from."""
        fields = ("name", "kind", "industry", "credit_class", "risk_class")
        told = {field: getattr(subject, field) for field in fields}
        return {**told, "scenes": list(subject.scenes.all()), "seen_at": subject.updated_at.isoformat()}

    def facts(self) -> dict[str, Any]:
        """The changeable facts."""
        return {key: self.cleaned_data[key] for key in ("name", "kind", "industry", "credit_class", "risk_class")}


class PremisesForm(Seen):
    """Facts of a door."""

    premises_name = forms.CharField(
        label=_("场所名称"), max_length=120, required=False, help_text=_("门店名；留空用地址称呼。")
    )
    number = forms.CharField(
        label=_("场所编号"), max_length=20, initial="1", help_text=_("同一主体的几个场所用编号区分。")
    )
    street = forms.ModelChoiceField(
        label=_("街道"), queryset=Organisation.objects.filter(kind=Organisation.Kind.STREET).order_by("code")
    )
    address = forms.CharField(label=_("地址"), max_length=200)
    longitude = forms.CharField(
        label=_("经度"),
        max_length=20,
        required=False,
        help_text=_("十进制度数，如 116.366800；和纬度一起填，或都不填。"),
    )
    latitude = forms.CharField(label=_("纬度"), max_length=20, required=False)
    closed_weekdays = forms.MultipleChoiceField(
        label=_("每周休息日"), choices=list(WEEKDAYS.items()), widget=forms.CheckboxSelectMultiple, required=False
    )
    is_open = forms.BooleanField(label=_("在营"), required=False, initial=True)
    groups: tuple[tuple[Any, tuple[str, ...]], ...] = (
        (_("在哪里"), ("street", "address", "longitude", "latitude")),
        (_("怎样称呼和何时营业"), ("premises_name", "number", "closed_weekdays", "is_open")),
    )

    @staticmethod
    def told_by_door(door: Premises) -> dict[str, Any]:
        """What the form starts from."""
        fields = ("number", "street", "address", "longitude", "latitude", "is_open")
        told = {field: getattr(door, field) for field in fields}
        more = {"premises_name": door.name, "closed_weekdays": list(door.closed_weekdays)}
        return {**told, **more, "seen_at": door.subject.updated_at.isoformat()}

    def premises(self) -> PremisesFacts:
        """The facts. Raises BadFact for coordinates that cannot be read."""
        data = self.cleaned_data
        return PremisesFacts(
            address=data["address"],
            street=data["street"],
            number=data["number"],
            name=data["premises_name"],
            longitude=facts.clean_coordinate(data["longitude"], "longitude"),
            latitude=facts.clean_coordinate(data["latitude"], "latitude"),
            closed_weekdays="".join(data["closed_weekdays"]),
            is_open=data["is_open"],
        )


class NewSubjectForm(SubjectForm, PremisesForm):
    """A subject with its first door."""

    seen_at = None  # type: ignore[assignment]  # takes the field out: nobody has seen it before
    code = forms.CharField(
        label=_("统一社会信用代码"), max_length=40, help_text=_("18 位，见营业执照；空格和全角字符会自动整理。")
    )
    joint_opt_out = forms.BooleanField(label=_("不参加联合检查"), required=False)
    groups = (
        (_("是哪一家"), ("code", "name", "kind", "industry")),
        *PremisesForm.groups,
        (_("分级分类"), ("credit_class", "risk_class", "scenes", "joint_opt_out")),
    )


class SceneForm(forms.Form):
    """A scene."""

    name = forms.CharField(label=_("名称"), max_length=30)
    code = forms.CharField(label=_("代码"), max_length=30, help_text=_("小写字母开头，如 hotel；表格里也可以写代码。"))
    undisturbed = forms.BooleanField(
        label=_("无事不扰名单"), required=False, help_text=_("名单内主体不安排主动检查，法定例外除外（R11）。")
    )


class LabelForm(forms.Form):
    """Into or out of which scene."""

    scene = forms.ModelChoiceField(label=_("场景"), queryset=Scene.objects.order_by("code"))
    carried = forms.TypedChoiceField(
        label=_("怎么改"),
        choices=(("1", _("加入这个场景")), ("0", _("移出这个场景"))),
        coerce=lambda value: value == "1",
        widget=forms.RadioSelect,
        initial="1",
    )
