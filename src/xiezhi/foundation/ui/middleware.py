from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect

from xiezhi.foundation.access.actors import PermissionRefused
from xiezhi.foundation.workflow.errors import AlreadyDone, Refused


class RefusalMiddleware:
    """Turns what services refuse into what a person can read: back to the page with the reason on top, or a 403 page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, PermissionRefused):
            return render(request, "ui/403.html", {"reason": str(exception)}, status=403)
        if not isinstance(exception, Refused):
            return None
        if request.method != "POST":
            return render(request, "ui/refused.html", {"reason": str(exception)}, status=409)
        level = messages.SUCCESS if isinstance(exception, AlreadyDone) else messages.ERROR
        messages.add_message(request, level, str(exception))
        back = request.headers.get("Referer", "")
        if not url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
            back = reverse("desk:home")
        if getattr(request, "htmx", False):  # a redirect would put the whole page into a part of it
            return HttpResponseClientRedirect(back)
        response = HttpResponseRedirect(back)
        response.status_code = 303
        return response
