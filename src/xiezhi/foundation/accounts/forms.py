"""allauth's forms in the product's words: the same ones that the administrator reads when opening an account."""

from collections.abc import Mapping
from typing import Any

from allauth.account import forms as account
from allauth.mfa.base import forms as factors
from allauth.mfa.totp.forms import ActivateTOTPForm as AllauthActivate
from allauth.mfa.webauthn.forms import AddWebAuthnForm, EditWebAuthnForm
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xiezhi.foundation.access.actors import SYSTEM
from xiezhi.foundation.accounts import services, texts
from xiezhi.foundation.accounts.models import User

Words = Mapping[str, Any]  # lazy text


class _InOurWords:
    """Sets labels and help, takes the placeholders away."""

    labels: Words = {}
    helps: Words = {}
    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs.pop("placeholder", None)
            if name in self.labels:
                field.label = self.labels[name]
            if name in self.helps:
                field.help_text = self.helps[name]
        if "code" in self.fields:
            self.fields["code"].widget.attrs["inputmode"] = "numeric"


class LoginForm(_InOurWords, account.LoginForm):  # type: ignore[misc]  # allauth has no types
    labels = {"login": gettext_lazy("登录名"), "password": gettext_lazy("密码"), "remember": gettext_lazy("在这台设备上保持登录")}  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].widget.attrs["autocomplete"] = "username"


class ReauthenticateForm(_InOurWords, account.ReauthenticateForm):  # type: ignore[misc]
    labels = {"password": gettext_lazy("密码")}


class RequestCodeForm(_InOurWords, account.RequestLoginCodeForm):  # type: ignore[misc]
    """Where a code is to be sent. Says so where no text can leave this installation."""

    labels = {"phone": gettext_lazy("手机号")}

    def clean_phone(self) -> str:
        if not texts.can_send():
            raise ValidationError(_("这里还没有配置短信，不能用手机号登录。请用登录名和密码，或联系系统管理员。"))
        self._user: User | None = None
        phone: str = super().clean_phone()
        if self._user is None and phone and settings.PHONE_SIGNUP:
            self._user = services.open_by_phone(number=phone, actor=SYSTEM, at=timezone.now())
        return phone


class ConfirmCodeForm(_InOurWords, account.ConfirmLoginCodeForm):  # type: ignore[misc]
    labels = {"code": gettext_lazy("短信验证码")}
    helps = {"code": gettext_lazy("6 位数字，5 分钟内有效，只能用一次。")}


CODE = {"code": gettext_lazy("验证码")}
CODE_HELP = {"code": gettext_lazy("验证器应用里正在显示的 6 位数字；手机不在身边时，填一个没用过的备用码。")}


class AuthenticateForm(_InOurWords, factors.AuthenticateForm):  # type: ignore[misc]
    labels, helps = CODE, CODE_HELP


class ReauthenticateByCodeForm(_InOurWords, factors.ReauthenticateForm):  # type: ignore[misc]
    labels, helps = CODE, CODE_HELP


class ActivateTOTPForm(_InOurWords, AllauthActivate):  # type: ignore[misc]
    labels = CODE
    helps = {"code": gettext_lazy("扫描后，应用里显示的 6 位数字。")}


class AddKeyForm(_InOurWords, AddWebAuthnForm):  # type: ignore[misc]
    labels = {
        "name": gettext_lazy("名称"),
        "credential": gettext_lazy("通行密钥"),
        "passwordless": gettext_lazy("以后只用它登录，不再输密码"),
    }
    helps = {
        "name": gettext_lazy("方便认出是哪一台设备，例如“办公电脑”。"),
        "passwordless": gettext_lazy("设备会要求指纹、面容或 PIN。"),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["passwordless"].initial = True


class EditKeyForm(_InOurWords, EditWebAuthnForm):  # type: ignore[misc]
    labels = {"name": gettext_lazy("名称")}
