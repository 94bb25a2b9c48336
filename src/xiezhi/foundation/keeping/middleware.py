import logging
import re
import time
from collections.abc import Callable
from uuid import uuid4

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from xiezhi.foundation.keeping import metrics, views
from xiezhi.foundation.keeping.logs import request_id

log = logging.getLogger("xiezhi.request")
ACCEPTABLE = re.compile(r"[0-9A-Za-z-]{8,64}")
PROBES = {"/healthz": views.healthz, "/readyz": views.readyz, "/metrics": views.figures}


class KeepingMiddleware:
    """The outermost: gives each request a number, counts and times it, and answers probes before anything that needs a host or a database.

    A probe comes from the machine itself, by whatever name and without HTTPS; the checks of hosts and of HTTPS are for people.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.logs_requests: bool = settings.LOG_REQUESTS

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if probe := PROBES.get(request.path_info):
            return probe(request)
        given = request.headers.get("X-Request-ID", "")
        number = given if ACCEPTABLE.fullmatch(given) else uuid4().hex
        mark, began = request_id.set(number), time.perf_counter()
        try:
            response = self.get_response(request)
            seconds = time.perf_counter() - began
            route = request.resolver_match.view_name if request.resolver_match else "-"
            self._note(route or "-", request.method or "-", response.status_code, seconds)
        finally:
            request_id.reset(mark)
        response["X-Request-ID"] = number
        return response

    def _note(self, route: str, method: str, status: int, seconds: float) -> None:
        metrics.count_request(route=route, method=method, status=status, seconds=seconds)
        if self.logs_requests:
            details = {"route": route, "method": method, "status": status, "milliseconds": round(seconds * 1000, 1)}
            log.info("%s %s %s", method, route, status, extra=details)
