"""How a view says who may enter. The matrix test reads `view.permission`."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponseBase

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
