"""What machines ask, and what people see when the database is away. None of it needs a session."""

import hmac
import ipaddress
import sys

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from xiezhi.foundation.keeping.health import reasons_not_ready
from xiezhi.foundation.keeping.logs import request_id

RETRY_SECONDS = 10
PROXIED = ("X-Forwarded-For", "X-Real-IP", "Forwarded")


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """This process answers. Touches nothing else."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when this installation can serve people, 503 with what is missing when it cannot."""
    reasons = reasons_not_ready(at=timezone.now())
    return JsonResponse({"ready": not reasons, "missing": reasons}, status=503 if reasons else 200)


@require_safe
@never_cache
def figures(request: HttpRequest) -> HttpResponse:
    """Prometheus' figures, for this machine itself or for who has the token; for others the page does not exist."""
    from xiezhi.foundation.keeping.metrics import exposition

    if not _may_read_figures(request):
        return HttpResponse("not found\n", status=404, content_type="text/plain")
    return HttpResponse(exposition(), content_type="text/plain; version=0.0.4; charset=utf-8")


def _may_read_figures(request: HttpRequest) -> bool:
    if token := settings.METRICS_TOKEN:
        return hmac.compare_digest(request.headers.get("Authorization", "").encode(), f"Bearer {token}".encode())
    if any(name in request.headers for name in PROXIED):  # a proxy on this machine speaks for somebody else
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def broken(request: HttpRequest) -> HttpResponse:
    """What people see when something broke: 503 with patience when it was the database that was away, else 500.

    Also for middlewares, whose errors no `process_exception` sees. Reads nothing from the database.
    """
    number = {"request_id": request_id.get()}
    if isinstance(sys.exc_info()[1], (OperationalError, InterfaceError)):
        response = render(None, "503.html", number, status=503)
        response["Retry-After"] = str(RETRY_SECONDS)
        return response
    return render(None, "500.html", number, status=500)
