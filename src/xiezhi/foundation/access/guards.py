"""How a view says who may enter. The matrix test reads `view.permission`."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.cache import never_cache

from xiezhi.foundation.access.actors import PermissionRefused

View = Callable[..., HttpResponseBase]
SIGNED_IN = "signed_in"
"""Marks a page that any signed-in person with a valid membership may open."""


def needs(permission: str) -> Callable[[View], View]:
    """Let in signed-in people whose current role holds `permission` (or anyone signed in, for SIGNED_IN); others get 403."""

    def decorate(view: View) -> View:
        @login_required
        @wraps(view)
        def guarded(request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if permission == SIGNED_IN:
                if request.membership is None:
                    raise PermissionRefused("")
            else:
                request.actor.require(permission)
            return view(request, *args, **kwargs)

        guarded.permission = permission  # type: ignore[attr-defined]
        return guarded

    return decorate


def public(view: View) -> View:
    """Marks a page that needs no login; what it shows depends on what this browser has opened or proven before."""

    @never_cache
    @wraps(view)
    def open_to_all(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return view(request, *args, **kwargs)

    open_to_all.permission = "public"  # type: ignore[attr-defined]
    return open_to_all
