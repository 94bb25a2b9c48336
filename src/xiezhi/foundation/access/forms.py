from typing import Any

from django import forms
from django.contrib.auth.password_validation import password_validators_help_text_html, validate_password
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.html import strip_tags
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xiezhi.foundation.access.roles import roles
from xiezhi.foundation.accounts.models import User
from xiezhi.foundation.orgs.models import Organisation


def _password_help() -> str:
    text = strip_tags(password_validators_help_text_html().replace("</li>", " "))
    return text.replace("。 ", "。").strip()


class AccountForm(forms.ModelForm):
    """A new person: name, login name and a first password, told to them by the administrator."""

    password = forms.CharField(
        label=gettext_lazy("初始密码"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=lazy(_password_help, str)(),
    )

    class Meta:
        model = User
        fields = ("display_name", "username")
        help_texts = {"username": gettext_lazy("登录时输入，只用字母、数字和 @ . + - _。")}

    def clean(self) -> dict[str, Any]:
        """The password rules look at the name and login name too."""
        data: dict[str, Any] = super().clean() or {}
        if password := data.get("password"):
            person = User(username=data.get("username", ""), display_name=data.get("display_name", ""))
            try:
                validate_password(password, person)
            except ValidationError as error:
                self.add_error("password", error)
        return data


def _role_choices() -> list[tuple[str, str]]:
    return [(key, f"{role.label}{_('：')}{role.description}") for key, role in roles().items()]


class AppointmentForm(forms.Form):
    """任职: where, as what, from when to when."""

    organisation = forms.ModelChoiceField(
        queryset=Organisation.objects.exclude(kind=Organisation.Kind.STREET).order_by("kind", "code"),
        label=gettext_lazy("机构"),
    )
    role = forms.ChoiceField(label=gettext_lazy("岗位"), choices=_role_choices, widget=forms.RadioSelect)
    starts_on = forms.DateField(label=gettext_lazy("开始日期"), initial=timezone.localdate)
    ends_on = forms.DateField(
        label=gettext_lazy("结束日期"), required=False, help_text=gettext_lazy("最后一个有效的日子；留空表示不定期。")
    )

    def clean(self) -> dict[str, Any]:
        """The organisation must be of a kind that the role can be held in."""
        data: dict[str, Any] = super().clean() or {}
        organisation, role = data.get("organisation"), roles().get(data.get("role", ""))
        if organisation and role and organisation.kind not in role.organisation_kinds:
            kinds = _("、").join(str(Organisation.Kind(kind).label) for kind in sorted(role.organisation_kinds))
            self.add_error(
                "role",
                _("“%(role)s”只能设在%(kinds)s，请换一个岗位或机构。") % {"role": role.label, "kinds": kinds},
            )
        return data


class EndForm(forms.Form):
    """The last valid day of an appointment."""

    ends_on = forms.DateField(
        label=gettext_lazy("最后有效日"),
        initial=timezone.localdate,
        help_text=gettext_lazy("从次日起，此人不再能以这个岗位办事。"),
    )
