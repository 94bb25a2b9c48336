from collections.abc import Callable
from datetime import datetime
from typing import cast

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from xiezhi.foundation.access.actors import NOBODY, Actor
from xiezhi.foundation.access.factors import still_missing
from xiezhi.foundation.access.models import Membership
from xiezhi.foundation.access.services import actor_for
from xiezhi.foundation.accounts.listeners import SEEN_KEY
from xiezhi.foundation.accounts.services import touch_session

SESSION_KEY = "membership"
SEEN_EVERY_SECONDS = 300


class DeskRequest(HttpRequest):
    """What our views receive: a request that knows who acts."""

    actor: Actor
    membership: Membership | None
    memberships: list[Membership]


class ActorMiddleware:
    """Sets `request.actor` from the membership chosen for this session, else the person's first valid one, else NOBODY.

    Validity is looked up at every request: an ended appointment opens no page from that day on, and what was granted for a while ends on the
    minute. Whoever must first change a told password or set up a second factor is led there and nowhere else.

    No cache keeps what was shown within a session, so that the next person at the same machine finds nothing by going back.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        outside = request.session.is_empty()
        response = self._answer(request)
        if not (outside and request.session.is_empty()):
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    def _answer(self, request: HttpRequest) -> HttpResponse:
        desk_request = cast(DeskRequest, request)
        desk_request.actor, desk_request.membership, desk_request.memberships = NOBODY, None, []
        if request.user.is_authenticated:
            now = timezone.now()
            self._find(desk_request, now)
            self._seen(desk_request, now)
            if first := self._first_this(desk_request):
                desk_request.actor, desk_request.membership, desk_request.memberships = NOBODY, None, []
                if not _is_way_in(request.path):
                    return HttpResponseRedirect(reverse(first))
        return self.get_response(request)

    @staticmethod
    def _find(request: DeskRequest, now: datetime) -> None:
        valid = (
            Membership.objects.valid_on(timezone.localdate(now))
            .filter(user_id=request.user.pk or 0)
            .with_elevation(now)
        )
        request.memberships = list(valid.select_related("organisation__parent", "user").order_by("pk"))
        chosen = request.session.get(SESSION_KEY)
        membership = next(
            (each for each in request.memberships if each.pk == chosen), next(iter(request.memberships), None)
        )
        if membership:
            request.membership, request.actor = membership, actor_for(membership)

    @staticmethod
    def _seen(request: DeskRequest, now: datetime) -> None:
        """Remember at most every five minutes that the session is in use; that also moves its end."""
        seen = request.session.get(SEEN_KEY)
        if seen is None or not 0 <= now.timestamp() - seen < SEEN_EVERY_SECONDS:
            request.session[SEEN_KEY] = now.timestamp()
            if seen is not None:
                touch_session(key=request.session.session_key or "", ip=request.META.get("REMOTE_ADDR", ""), at=now)

    @staticmethod
    def _first_this(request: DeskRequest) -> str | None:
        """The page that must come first, if any."""
        if request.user.password_expires_at is not None:  # type: ignore[union-attr]  # signed in
            return "account_change_password"
        post = request.membership
        acting_in = [] if post is None else [post.role, getattr(post, "elevated_role", None) or post.role]
        return "mfa_index" if any(still_missing(request, role) for role in acting_in) else None


def _is_way_in(path: str) -> bool:
    return path == reverse("set_language") or path.startswith(reverse("account_login").removesuffix("login/"))
