from typing import Any

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from xiezhi.foundation.access.actors import NOBODY, Actor
from xiezhi.foundation.ui.navigation import sections_for


def shell(request: HttpRequest) -> dict[str, Any]:
    """What every shell template needs. Counts and navigation are worked out only where a template asks for them."""
    actor: Actor = getattr(request, "actor", NOBODY)
    return {
        "actor": actor,
        "membership": getattr(request, "membership", None),
        "memberships": getattr(request, "memberships", []),
        "now": timezone.now(),
        "navigation": SimpleLazyObject(lambda: sections_for(actor, request.path)),
        "address": lambda: _address(request),
        "unread_notices": lambda: _unread(actor),
        "open_jobs": lambda: _open_jobs(actor),
    }


def _address(request: HttpRequest) -> str:
    """For the foot of a printed page; empty when the host itself is what is wrong with the request."""
    try:
        return request.build_absolute_uri()
    except DisallowedHost:
        return ""


def _unread(actor: Actor) -> int:
    from xiezhi.foundation.notices.models import Notice

    return Notice.objects.visible_to(actor).filter(read_at=None).count()


def _open_jobs(actor: Actor) -> int:
    from xiezhi.foundation.jobs.models import Job

    open_states = [Job.Status.QUEUED, Job.Status.RUNNING]
    return Job.objects.filter(owner_id=actor.user_id, status__in=open_states).count() if actor.user_id else 0
