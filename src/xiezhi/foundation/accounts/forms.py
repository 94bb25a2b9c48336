from typing import Any

from allauth.account import forms
from django.utils.translation import gettext_lazy as _


class LoginForm(forms.LoginForm):  # type: ignore[misc]  # allauth has no types
    """Login in the product's words: the same ones that the administrator reads when opening an account."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = _("登录名")
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)
