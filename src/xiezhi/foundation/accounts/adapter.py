"""Where allauth asks the product: who may come in, by what, in which words."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialLogin
from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xiezhi.foundation.access.actors import SYSTEM
from xiezhi.foundation.accounts import lockout, phones, secrets, services, texts
from xiezhi.foundation.accounts.models import User
from xiezhi.foundation.workflow.errors import Refused

MESSAGES = {
    "account/messages/login_code_sent.txt": gettext_lazy("如果这个手机号可以登录，验证码已经发出，5 分钟内有效。"),
    "account/messages/password_changed.txt": gettext_lazy("密码已修改。"),
    "mfa/messages/recovery_codes_generated.txt": gettext_lazy("备用码已生成，请马上抄下或下载。"),
    "mfa/messages/totp_activated.txt": gettext_lazy("验证器应用已启用。"),
    "mfa/messages/totp_deactivated.txt": gettext_lazy("验证器应用已停用。"),
    "mfa/messages/webauthn_added.txt": gettext_lazy("通行密钥已添加。"),
    "mfa/messages/webauthn_removed.txt": gettext_lazy("通行密钥已删除。"),
}
SILENT = {"account/messages/logged_in.txt", "account/messages/logged_out.txt"}


class PhoneField(forms.CharField):
    """A mobile number as people type it; cleans to eleven digits."""

    widget = forms.TextInput(attrs={"autocomplete": "tel", "type": "tel", "inputmode": "tel"})

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"label": gettext_lazy("手机号"), "max_length": 30, **kwargs})

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        try:
            return phones.normal(text) if text else text
        except Refused as refusal:
            raise ValidationError(str(refusal), code="invalid_phone") from None


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Accounts are given by an administrator; nobody signs up on a page."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": gettext_lazy("登录名或密码不对，请再试一次。"),
        "phone_password_mismatch": gettext_lazy("手机号或密码不对，请再试一次。"),
        "incorrect_password": gettext_lazy("密码不对，请再试一次。"),
        "incorrect_code": gettext_lazy("验证码不对，请看清最新一条短信再填。"),
        "rate_limited": gettext_lazy("发得太频繁了，请过一分钟再试。"),
        "temporary_password_expired": gettext_lazy("临时密码已过期，请联系系统管理员重新发一个。"),
        "too_many_login_attempts": gettext_lazy("试得太多了，请过一会儿再试。"),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """The desk; for people without any post (消费者) the public page that is theirs."""
        if settings.PUBLIC_HOME and request.user.is_authenticated and not request.user.memberships.exists():
            return reverse(settings.PUBLIC_HOME)
        return str(super().get_login_redirect_url(request))

    def add_message(self, request: HttpRequest, level: int, message_template: str | None = None, *args: Any, **kwargs: Any) -> None:  # fmt: skip
        """allauth's messages in the product's words; arriving and leaving need none."""
        if message_template in SILENT:
            return
        if message_template in MESSAGES:
            messages.add_message(request, level, str(MESSAGES[message_template]))
            return
        super().add_message(request, level, message_template, *args, **kwargs)

    # Lock-out: see `lockout`.

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        person = _person(credentials)
        return lockout.name_key(person.username if person else credentials.get("username") or "")

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        self._key = self._get_login_attempts_cache_key(request, **credentials)
        super().pre_authenticate(request, **credentials)

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        user = super().authenticate(request, **credentials)
        if user and user.password_expires_at and user.password_expires_at <= timezone.now():
            raise self.validation_error("temporary_password_expired")
        return user

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        person, until = _person(credentials), lockout.locked_until(self._key)
        if person and until:
            services.note_lock(user=person, until=until, at=timezone.now())

    def validation_error(self, code: str, *args: Any) -> ValidationError:
        """As allauth's, but a lock says until when."""
        if code != "too_many_login_attempts":
            told: ValidationError = super().validation_error(code, *args)
            return told
        stage = getattr(context.request, "_login_stage", None)
        person = stage.login.user if stage else context.request.user
        keys = lockout.keys_of(person) if person and person.is_authenticated else (getattr(self, "_key", ""),)
        return ValidationError(lockout.message(lockout.locked_until(*keys)), code=code)

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Who has just signed in need not do it again to set up a second factor."""
        since = timezone.now().timestamp() - settings.ACCOUNT_REAUTHENTICATION_TIMEOUT
        records = get_authentication_records(context.request, context.request.user)
        return not any(each["at"] > since for each in records)

    # Telephone numbers: see `phones`, `texts`.

    def phone_form_field(self, **kwargs: Any) -> PhoneField:
        return PhoneField(**kwargs)

    def get_user_by_phone(self, phone: str) -> User | None:
        return User.objects.filter(phone_digest=phones.digest(phone), is_active=True).first()

    def get_phone(self, user: User) -> tuple[str, bool] | None:
        return None  # the number is not kept

    def set_phone(self, user: User, phone: str, verified: bool) -> None:
        raise NotImplementedError("numbers are set by accounts.services.set_phone")

    def set_phone_verified(self, user: User, phone: str) -> None:
        services.phone_verified(user=user, at=timezone.now())

    def send_verification_code_sms(self, user: User, phone: str, code: str, **kwargs: Any) -> None:
        texts.send(phone, _("协治登录验证码 %(code)s，5 分钟内有效。不要告诉任何人。") % {"code": code})

    def send_unknown_account_sms(self, phone: str, **kwargs: Any) -> None:
        texts.send(phone, _("有人用这个手机号登录协治，但它没有登记。如需开通，请联系本单位的系统管理员。"))


def _person(credentials: dict[str, Any]) -> User | None:
    """Whose account these credentials name, whether right or wrong."""
    phone, name = credentials.get("phone"), credentials.get("username") or ""
    by_phone = User.objects.filter(phone_digest=phones.digest(phone)).first() if phone else None
    return by_phone or User.objects.filter(username__iexact=name).first()


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    """Second factors: encrypted in the database, never removable where a post needs one."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": gettext_lazy(
            "验证码不对。请填应用里正在显示的那一个；同一个码只能用一次。如果一直不对，请核对手机时间是否自动校准。"
        ),
        "cannot_delete_authenticator": gettext_lazy("您的岗位必须有二次验证：请先添加另一种，再停用这一种。"),
        "cannot_generate_recovery_codes": gettext_lazy("请先启用验证器应用或通行密钥，再生成备用码。"),
    }

    def get_totp_issuer(self) -> str:
        return str(settings.PRODUCT_NAME)

    def encrypt(self, text: str) -> str:
        return secrets.seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        return secrets.unseal(encrypted_text)

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        from xiezhi.foundation.access.factors import must_have_factor

        rest = Authenticator.objects.filter(user_id=authenticator.user_id).exclude(pk=authenticator.pk)
        return rest.exclude(type=Authenticator.Type.RECOVERY_CODES).exists() or not must_have_factor(authenticator.user)

    def generate_authenticator_name(self, user: User, type: str) -> str:  # noqa: A002  # allauth's own word
        return _("通行密钥 %(number)s") % {"number": Authenticator.objects.filter(user=user, type=type).count() + 1}


class DirectoryAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """The district's own directory (OIDC): it says who somebody is; whether they have an account is said here."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Someone known by their subject (`sub`) comes in; at the first time they are matched by login name and bound to it. Anyone else is
        turned back, unless the installation opens accounts (`settings.OIDC_OPENS_ACCOUNTS`)."""
        if sociallogin.is_existing:
            return
        said = sociallogin.account.extra_data
        facts = {**said.get("id_token", {}), **said.get("userinfo", {})} if isinstance(said, dict) else {}
        name = str(facts.get(settings.OIDC_ACCOUNT_CLAIM) or "").strip()
        user = User.objects.filter(username=name).first() if name else None
        if user is None and name and settings.OIDC_OPENS_ACCOUNTS:
            shown = str(facts.get("name") or name)
            user = services.open_from_directory(username=name, display_name=shown, actor=SYSTEM, at=timezone.now())
        if user is None or SocialAccount.objects.filter(user=user).exists():
            raise ImmediateHttpResponse(_turned_back(request, name))
        sociallogin.connect(request, user)


def _turned_back(request: HttpRequest, name: str) -> HttpResponse:
    text = (
        _("统一身份认证说您是“%(name)s”，这里没有对应的账号。请联系本单位的系统管理员开立账号。") % {"name": name}
        if name
        else _("统一身份认证没有告诉我们您的登录名，请联系系统管理员核对配置。")
    )
    messages.error(request, text)
    return HttpResponseRedirect(reverse("account_login"))
