"""Who must have a second factor (二次验证): roles that say so, everybody, or nobody, as `settings.SECOND_FACTOR` says."""

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from xiezhi.foundation.access.models import Membership
from xiezhi.foundation.access.roles import roles
from xiezhi.foundation.accounts.models import User

SESSION_KEY = "second_factor"
NOBODY, ADMINISTRATORS, EVERYBODY = "nobody", "administrators", "everybody"


def role_needs_factor(key: str) -> bool:
    """Whether acting in this role needs one."""
    if settings.SECOND_FACTOR == ADMINISTRATORS:
        needed: bool = roles()[key].second_factor
        return needed
    return bool(settings.SECOND_FACTOR == EVERYBODY)


def must_have_factor(user: User) -> bool:
    """Whether any post that the person holds today needs one."""
    posts = Membership.objects.valid_on(timezone.localdate()).filter(user=user)
    return any(role_needs_factor(role) for role in posts.values_list("role", flat=True))


def has_factor(user: User) -> bool:
    """Whether one is set up; recovery codes alone are none."""
    return bool(Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.RECOVERY_CODES).exists())


def still_missing(request: HttpRequest, role: str) -> bool:
    """Whether this session acts in a role that needs a second factor, and the person has none. Asked of the database once a session: whoever
    has one was asked for it when they signed in."""
    if not role_needs_factor(role) or request.session.get(SESSION_KEY):
        return False
    if has_factor(request.user):  # type: ignore[arg-type]  # signed in
        request.session[SESSION_KEY] = True
        return False
    return True
