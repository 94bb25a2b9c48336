"""How GeoReport v2 answers: the same content as XML or JSON, and errors in the format that was asked for."""

import json
import re
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.csrf import csrf_exempt

from xiezhi.domains.complaints.services.client_keys import KeyRefused
from xiezhi.foundation.workflow.errors import Refused

XML, JSON = "xml", "json"
TYPES = {XML: "application/xml; charset=utf-8", JSON: "application/json; charset=utf-8"}
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even escaped."""
SINGULAR = {
    "services": "service", "service_requests": "request", "errors": "error", "attributes": "attribute", "values": "value",
    "endpoints": "endpoint", "formats": "format",
}  # fmt: skip


class Problem(Exception):
    """Stops a request: a status and a sentence for whoever reads the client's log."""

    def __init__(self, status: int, description: str) -> None:
        super().__init__(description)
        self.status = status


class FormatConverter:
    """The end of a path: `.xml`, `.json`, or nothing for XML."""

    regex = r"(?:\.[A-Za-z0-9]{1,8})?"

    def to_python(self, value: str) -> str:
        return value[1:].lower() or XML

    def to_url(self, value: str) -> str:
        return f".{value}" if value else ""


def respond(root: str, content: Any, form: str, *, status: int = 200) -> HttpResponse:
    """`content` (a list of mappings, or a mapping) under the element `root`; in JSON the root has no name, as the specification has it."""
    if form == JSON:
        body = json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")
    else:
        top = Element(root)
        _fill(top, content)
        body = tostring(top, encoding="utf-8", xml_declaration=True)
    answer = HttpResponse(body, status=status, content_type=TYPES[form])
    answer["Cache-Control"] = "no-store"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def _fill(parent: Element, content: Any) -> None:
    if isinstance(content, Mapping):
        for name, value in content.items():
            _fill(SubElement(parent, name), value)
    elif isinstance(content, list | tuple):
        for each in content:
            _fill(SubElement(parent, SINGULAR[parent.tag]), each)
    elif content is not None:
        parent.text = str(content).lower() if isinstance(content, bool) else NOT_XML.sub("", str(content))


def failed(status: int, description: str, form: str) -> HttpResponse:
    """An error as the specification words it: code and description."""
    return respond("errors", [{"code": status, "description": description}], form, status=status)


def georeport(*methods: str) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponseBase]]:
    """A page of the interface: whatever goes wrong is answered in the client's format, in Chinese, and nothing is half-saved."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponseBase]:
        @csrf_exempt  # clients name themselves by a key and carry no cookies
        @wraps(view)
        def answered(request: HttpRequest, *args: Any, fmt: str, **kwargs: Any) -> HttpResponseBase:
            form = fmt if fmt in TYPES else XML
            with override("zh-hans"):
                try:
                    if fmt not in TYPES:
                        raise Problem(404, _("没有这种格式：请用 .xml 或者 .json。"))
                    if request.method not in methods:
                        raise Problem(405, _("这个地址只接受 %(methods)s。") % {"methods": "、".join(methods)})
                    return view(request, *args, form=form, **kwargs)
                except Problem as problem:
                    return _allowing(failed(problem.status, str(problem), form), problem.status, methods)
                except KeyRefused as refusal:
                    return failed(refusal.status, str(refusal), form)
                except Http404:
                    return failed(404, _("没有这个服务或者诉求。"), form)
                except Refused as refusal:
                    return failed(400, str(refusal), form)
                except (RequestDataTooBig, TooManyFieldsSent, UnreadablePostError, MultiPartParserError, UnicodeError):
                    return failed(400, _("请求正文太大，或者没有读懂。请用 UTF-8 编码的表单发送。"), form)

        answered.permission = "public"  # type: ignore[attr-defined]
        return answered

    return decorate


def _allowing(answer: HttpResponse, status: int, methods: tuple[str, ...]) -> HttpResponse:
    if status == 405:
        answer["Allow"] = ", ".join(methods)
    return answer
