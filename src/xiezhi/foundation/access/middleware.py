from collections.abc import Callable
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from xiezhi.foundation.access.actors import NOBODY, Actor
from xiezhi.foundation.access.models import Membership
from xiezhi.foundation.access.services import actor_for

SESSION_KEY = "membership"


class DeskRequest(HttpRequest):
    """What our views receive: a request that knows who acts."""

    actor: Actor
    membership: Membership | None
    memberships: list[Membership]


class ActorMiddleware:
    """Sets `request.actor` from the membership chosen for this session, else the person's first valid one, else NOBODY.

    Validity is looked up at every request: an ended appointment opens no page from that day on.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        desk_request = cast(DeskRequest, request)
        desk_request.actor, desk_request.membership, desk_request.memberships = NOBODY, None, []
        if request.user.is_authenticated:
            desk_request.memberships = list(
                Membership.objects.valid_on(timezone.localdate())
                .filter(user=request.user)
                .select_related("organisation__parent", "user")
                .order_by("pk")
            )
            chosen = request.session.get(SESSION_KEY)
            membership = next(
                (each for each in desk_request.memberships if each.pk == chosen),
                next(iter(desk_request.memberships), None),
            )
            if membership:
                desk_request.membership, desk_request.actor = membership, actor_for(membership)
        return self.get_response(request)
