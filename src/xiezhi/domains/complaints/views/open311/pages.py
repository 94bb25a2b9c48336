"""The addresses of GeoReport v2."""

from typing import Any

from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.domains.complaints.disclosure import Audience, shown
from xiezhi.domains.complaints.models import Arrival, Case, CaseEvent, Category
from xiezhi.domains.complaints.services import client_keys, public
from xiezhi.domains.complaints.services.intake import Intake
from xiezhi.domains.complaints.views.open311 import given as reading
from xiezhi.domains.complaints.views.open311.answers import TYPES, Problem, georeport, respond
from xiezhi.domains.complaints.words import Channel, Demand, Kind
from xiezhi.foundation.files.uploads import oversized_in

SPECIFICATION = "http://wiki.open311.org/GeoReport_v2"
MEDIA_EVENT = "media_url"


@georeport("GET")
def discovery(request: HttpRequest, form: str) -> HttpResponse:
    """Where the interface is, and whom to ask for a key."""
    here = request.build_absolute_uri(reverse("open311:services", args=[""])).removesuffix("services")
    endpoint = {
        "specification": SPECIFICATION,
        "url": here.rstrip("/"),
        "changeset": "2026-11-23T00:00:00+08:00",
        "type": "production",
        "formats": [kind.partition(";")[0] for kind in TYPES.values()],
    }
    content = {
        "changeset": endpoint["changeset"],
        "contact": _("区市场监督管理局投诉举报受理机构，电话 12315、12345。"),
        "key_service": _("接口密钥由本系统的管理员生成，请向区市场监督管理局申请。"),
        "endpoints": [endpoint],
    }
    return respond("discovery", content, form)


@georeport("GET")
def services(request: HttpRequest, form: str) -> HttpResponse:
    """What can be asked for."""
    reading.checked(request)
    found = [
        {
            "service_code": each.code,
            "service_name": each.name,
            "description": each.description,
            "metadata": True,
            "type": "realtime",
            "keywords": ",".join(each.keywords.split()),
            "group": each.group,
        }
        for each in reading.services()
    ]
    return respond("services", found, form)


@georeport("GET")
def service(request: HttpRequest, code: str, form: str) -> HttpResponse:
    """What may be asked besides for one service."""
    reading.checked(request)
    found = reading.service_of(code)
    questions = [
        ("kind", "singlevaluelist", _("要办什么；不填按投诉"), _choices(Kind)),
        ("respondent", "string", _("商家名称"), []),
        ("happened_on", "datetime", _("发生日期"), []),
        ("demand", "singlevaluelist", _("希望怎样解决"), _choices(Demand)),
        ("demand_text", "text", _("具体请求"), []),
    ]
    attributes = [
        {
            "variable": True,
            "code": name,
            "datatype": kind,
            "required": False,
            "datatype_description": "",
            "order": order,
            "description": text,
            "values": values,
        }
        for order, (name, kind, text, values) in enumerate(questions, 1)
    ]
    return respond("service_definition", {"service_code": found.code, "attributes": attributes}, form)


def _choices(words: Any) -> list[dict[str, str]]:
    return [{"key": value, "name": str(label)} for value, label in words.choices]


@georeport("GET", "POST")
def requests(request: HttpRequest, form: str) -> HttpResponse:
    """Requests that are shown to everybody; or a new one."""
    given = reading.checked(request)
    if request.method == "POST":
        return respond("service_requests", [_receive(request, given)], form)
    return respond("service_requests", _told(reading.filtered(reading.published(), given)), form)


@georeport("GET")
def request_of(request: HttpRequest, number: str, form: str) -> HttpResponse:
    """One request that is shown to everybody."""
    reading.checked(request)
    found = _told(reading.published().filter(number=number))
    if not found:
        raise Problem(404, _("没有 service_request_id %(number)s，或者它不公开。") % {"number": number[:40]})
    return respond("service_requests", found, form)


@georeport("GET")
def token(request: HttpRequest, token: str, form: str) -> HttpResponse:
    """The number that a token of a POST stands for."""
    reading.checked(request)
    found = Arrival.objects.filter(key=f"token:{token}").select_related("case").first()
    if found is None or found.case is None:
        raise Problem(404, _("没有这个 token。"))
    return respond("service_requests", [{"token": token, "service_request_id": found.case.number}], form)


def _receive(request: HttpRequest, given: Any) -> dict[str, Any]:
    """Take in a POST; the same description at the same place is the same request."""
    now = timezone.now()
    client_keys.authenticate(request, text=given.get("api_key", ""), at=now)
    posted = reading.posted(given)
    if large := oversized_in(request):
        raise Problem(400, large.message)
    sent = public.receive_sent(
        key=public.sameness("open311", *posted.same),
        intake=Intake(posted.matter, Channel.OPEN311, now, [posted.person]),
        media=request.FILES.getlist("media")[: public.MOST_PHOTOS],
        media_url=posted.media_url,
        at=now,
    )
    notice = _("这是线索：登记到 12315 或者 12345 后法定期限才开始。")
    if sent.is_new:
        notice += _("查进度、补充：%(link)s（请只交给提交人）") % {
            "link": request.build_absolute_uri(public.path_to(sent.case))
        }
    else:
        notice += _("同样的内容已经收到过，按原来的编号办理。")
    return {
        "service_request_id": sent.case.number,
        "token": public.token_of(case=sent.case, at=now),
        "service_notice": notice,
        "account_id": None,
    }


def _told(cases: Any) -> list[dict[str, Any]]:
    """Requests as everybody may read them: what `disclosure` lets everybody see, nobody's name."""
    found = list(cases)
    keys = [each.pk for each in found]
    changed = dict(
        CaseEvent.objects.filter(case__in=keys).values("case").annotate(last=Max("at")).values_list("case", "last")
    )
    media = dict(CaseEvent.objects.filter(case__in=keys, kind=MEDIA_EVENT).order_by("pk").values_list("case", "text"))
    return [_as_request(each, changed.get(each.pk), media.get(each.pk)) for each in found]


def _as_request(case: Case, changed: Any, media: str | None) -> dict[str, Any]:
    def to_all(text: str, field: str) -> str:
        return shown(text, field, Audience.EVERYBODY, kind=case.kind, channel=case.channel)

    category: Category = case.category  # type: ignore[assignment]  # published cases have one
    at_place = case.latitude is not None and bool(to_all("-", "place"))
    return {
        "service_request_id": case.number,
        "status": "open" if case.is_open else "closed",
        "status_notes": to_all(str(case.get_outcome_display() or case.get_status_display()), "progress"),
        "service_name": category.name,
        "service_code": category.code,
        "description": to_all(case.description, "description"),
        "agency_responsible": case.unit.name if case.unit else None,
        "service_notice": _("线索，尚未登记到 12315 或者 12345") if case.status == "lead" else None,
        "requested_datetime": _iso(case.arrived_at),
        "updated_datetime": _iso(changed or case.arrived_at),
        "expected_datetime": _iso(case.next_due_at),
        "address": to_all(case.place, "place") or None,
        "address_id": None,
        "zipcode": None,
        "lat": float(case.latitude) if at_place and case.latitude is not None else None,
        "long": float(case.longitude) if at_place and case.longitude is not None else None,
        "media_url": media,
    }


def _iso(moment: Any) -> str | None:
    return timezone.localtime(moment).isoformat(timespec="seconds") if moment else None
