"""What allauth announces and the product has to remember."""

from typing import Any

from allauth.account.signals import password_changed, password_set
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authentication_failed, authenticator_added, authenticator_removed
from django.contrib.auth.signals import user_logged_in
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.accounts import lockout, services
from xiezhi.foundation.accounts.models import User
from xiezhi.foundation.audit.services import record

SEEN_KEY = "seen_at"


def listen() -> None:
    """Connect everything; once."""
    for signal in (password_changed, password_set):
        signal.connect(_own_password, dispatch_uid="xiezhi.own_password")
    authentication_failed.connect(_wrong_code, dispatch_uid="xiezhi.wrong_code")
    authenticator_added.connect(_factor_added, dispatch_uid="xiezhi.factor_added")
    authenticator_removed.connect(_factor_removed, dispatch_uid="xiezhi.factor_removed")
    user_logged_in.connect(_came_in, dispatch_uid="xiezhi.came_in")


def _came_in(sender: Any, request: HttpRequest, user: User, **_rest: Any) -> None:
    request.session[SEEN_KEY] = timezone.now().timestamp()


def _own_password(sender: Any, request: HttpRequest, user: User, **_rest: Any) -> None:
    services.own_password_set(user=user, at=timezone.now())
    user.password_expires_at = None


def _wrong_code(sender: Any, request: HttpRequest, user: User, **_rest: Any) -> None:
    if until := lockout.locked_until(lockout.keys_of(user)[1]):
        services.note_lock(user=user, until=until, at=timezone.now())


def _factor_added(sender: Any, user: User, authenticator: Authenticator, **_rest: Any) -> None:
    _factor("accounts.factor_added", user, authenticator)


def _factor_removed(sender: Any, user: User, authenticator: Authenticator, **_rest: Any) -> None:
    _factor("accounts.factor_removed", user, authenticator)


def _factor(action: str, user: User, authenticator: Authenticator) -> None:
    with transaction.atomic():
        record(
            action, user, actor=Actor(role="", permissions=frozenset(), user_id=user.pk), at=timezone.now(),
            kind=authenticator.type,
        )  # fmt: skip
