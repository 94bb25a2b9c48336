"""What the account pages know beside what allauth tells them: `{% load accounts %}`."""

from typing import Any

from allauth.usersessions.models import UserSession
from django import template
from django.conf import settings

from xiezhi.foundation.access.factors import has_factor, must_have_factor

register = template.Library()


@register.simple_tag
def security_of(request: Any) -> dict[str, Any]:
    """Of the signed-in person: whether a second factor is still missing, whether there is a password, how many sessions."""
    user = request.user
    return {
        "missing": must_have_factor(user) and not has_factor(user),
        "password": user.has_usable_password(),
        "sessions": UserSession.objects.filter(user=user).count(),
    }


@register.simple_tag
def other_ways_in() -> dict[str, Any]:
    """The directory's name where one is configured."""
    apps = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"]
    return {"directory": apps[0]["name"] if apps else ""}
