"""The person's own pages beside allauth's: codes that explain themselves, sessions, and the way in through the district's directory."""

from typing import Any

from allauth.account import views as account
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.openid_connect import views as directory
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.accounts import services, texts
from xiezhi.foundation.accounts.devices import device, masked_address

# Else PUT would be taken for POST.
read_or_send = require_http_methods(["GET", "HEAD", "POST"])


@read_or_send
def request_code(request: HttpRequest) -> HttpResponseBase:
    """Ask for a code to one's telephone: a plain form, so that it works in any browser, WeChat's among them."""
    response: HttpResponseBase = account.request_login_code(request)
    if hasattr(response, "context_data"):
        response.context_data["can_send"] = texts.can_send()
    return response


@read_or_send
@never_cache
def confirm_code(request: HttpRequest) -> HttpResponseBase:
    """Answer with the code. One that has lapsed or was used leads back with the reason."""
    response: HttpResponseBase = account.confirm_login_code(request)
    back = reverse("account_request_login_code")
    turned_back = response.status_code == 302 and response.headers["Location"] == back
    if turned_back and not getattr(messages.get_messages(request), "_queued_messages", []):
        messages.error(request, _("验证码已过期，或者已经用过。请重新获取一个。"))
    return response


@require_GET
@login_required
@never_cache
def sessions(request: DeskRequest) -> HttpResponse:
    """Where the person is signed in now: device, place by masked address, when last seen."""
    here = request.session.session_key
    rows = [
        {
            "pk": each.pk,
            "device": device(each.user_agent),
            "place": masked_address(each.ip),
            "began_at": each.created_at,
            "seen_at": each.last_seen_at,
            "here": each.session_key == here,
        }
        for each in UserSession.objects.filter(user=request.user).order_by("-last_seen_at")
        if each.exists()
    ]
    rows.sort(key=lambda row: not row["here"])
    return render(request, "usersessions/usersession_list.html", {"sessions": rows, "others": sum(not row["here"] for row in rows)})  # fmt: skip


@require_POST
@login_required
def end_sessions(request: DeskRequest, pk: int | None = None) -> HttpResponse:
    """End one of the person's own other sessions, or all of them."""
    ended = services.end_own_sessions(
        user=request.user,  # type: ignore[arg-type]  # signed in
        keep=request.session.session_key or "",
        only=pk,
        actor=request.actor,
        at=timezone.now(),
    )
    if pk is not None and not ended:
        raise Http404
    messages.success(request, _("已在 %(count)s 处退出登录。") % {"count": ended})
    return redirect("usersessions_list")


def directory_configured() -> bool:
    """Whether people may come in through the district's directory (OIDC)."""
    return bool(settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"])


@read_or_send
def directory_login(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """To the directory and back. 404 where none is configured."""
    return _through(directory.login, request, provider_id)


@require_GET
def directory_callback(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """What the directory answers."""
    return _through(directory.callback, request, provider_id)


def _through(view: Any, request: HttpRequest, provider_id: str) -> HttpResponseBase:
    try:
        response: HttpResponseBase = view(request, provider_id)
    except SocialApp.DoesNotExist:
        raise Http404 from None
    return response


@require_GET
def directory_refused(request: HttpRequest) -> HttpResponse:
    """The person, or the directory, broke it off."""
    messages.error(request, _("没有通过统一身份认证登录。可以再试一次，或用登录名和密码登录。"))
    return redirect("account_login")
