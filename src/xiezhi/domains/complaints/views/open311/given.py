"""Reading what GeoReport v2 clients send: filters, places, attributes. Whatever cannot be read is a Problem that says which and why."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from xiezhi.domains.complaints.models import Case, Category
from xiezhi.domains.complaints.services.intake import Matter
from xiezhi.domains.complaints.services.people import Person, phone_key
from xiezhi.domains.complaints.texts import LONGEST, clean
from xiezhi.domains.complaints.views.open311.answers import Problem
from xiezhi.domains.complaints.words import OPEN, Channel, Demand, Kind

LONGEST_SPAN = timedelta(days=90)
MOST = 1_000
ATTRIBUTE = re.compile(r"attribute\[(\w{1,40})\](?:\[\])?")
GARBLED = "\ufffd"


def checked(request: HttpRequest) -> Any:
    """Everything that was sent, by name: the form's fields before the address's. Raises Problem for what is no UTF-8, or holds NUL, and for a
    jurisdiction that is missing or not ours."""
    if request.method == "POST" and request.content_type == "application/json":
        raise Problem(400, _("请用表单（application/x-www-form-urlencoded 或者 multipart/form-data）发送，不是 JSON。"))
    given = request.GET.copy()
    for name, values in request.POST.lists():
        given.setlist(name, values)
    for name, values in given.lists():
        if any(GARBLED in each for each in (name, *values)):
            raise Problem(400, _("%(name)s 不是 UTF-8 编码。") % {"name": clean(name)[:40].replace(GARBLED, "?")})
        if name not in {"description"} and any("\0" in each for each in (name, *values)):
            raise Problem(400, _("参数里有空字符（NUL），请去掉。"))
    ours = settings.OPEN311_JURISDICTION
    if ours and not given.get("jurisdiction_id"):
        raise Problem(400, _("缺少 jurisdiction_id，这里是 %(ours)s。") % {"ours": ours})
    if ours and given["jurisdiction_id"] != ours:
        raise Problem(401, _("jurisdiction_id 不对，这里是 %(ours)s。") % {"ours": ours})
    return given


def services() -> QuerySet[Category]:
    """What can be asked for: categories that are offered to the public."""
    return Category.objects.filter(public=True, is_active=True).order_by("pk")


def service_of(code: str) -> Category:
    """The service with this code. Raises Problem."""
    found = services().filter(code=code).first() if code else None
    if not code:
        raise Problem(400, _("缺少 service_code。可用的代码见 services。"))
    if found is None:
        raise Problem(404, _("没有 service_code %(code)s。可用的代码见 services。") % {"code": clean(code)[:40]})
    return found


def published() -> QuerySet[Case]:
    """Cases that are shown to everybody: sent by Open311, of a public category, never a report (art. 37)."""
    shown = Case.objects.filter(channel=Channel.OPEN311, category__public=True).exclude(kind=Kind.REPORT)
    return shown.select_related("category", "unit")


def filtered(cases: QuerySet[Case], given: Any) -> QuerySet[Case]:
    """Those that a client asks for, the newest first, at most a thousand: by ids alone, or by service, status and at most 90 days."""
    wanted = _several(given, "service_request_id")
    if wanted:
        return cases.filter(number__in=wanted).order_by("-arrived_at", "-pk")[:MOST]
    if codes := _several(given, "service_code"):
        cases = cases.filter(category__code__in=codes)
    states = set(_several(given, "status"))
    if states - {"open", "closed"}:
        raise Problem(400, _("status 只能是 open 或者 closed。"))
    if len(states) == 1:
        cases = cases.filter(status__in=OPEN) if "open" in states else cases.exclude(status__in=OPEN)
    start, end = _span(given)
    size, page = _number(given, "page_size", MOST, MOST), _number(given, "page", 1, 1_000_000)
    found = cases.filter(arrived_at__gte=start, arrived_at__lte=end).order_by("-arrived_at", "-pk")
    return found[(page - 1) * size : page * size]


def _several(given: Any, name: str) -> list[str]:
    parts = [part.strip() for value in given.getlist(name) for part in value.split(",")]
    return [part for part in parts if part][:MOST]


def _number(given: Any, name: str, otherwise: int, most: int) -> int:
    text = given.get(name, "").strip()
    if not text:
        return otherwise
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text[:9]) <= most:
        raise Problem(400, _("%(name)s 须是 1 到 %(most)s 的整数。") % {"name": name, "most": most})
    return int(text)


def _span(given: Any) -> tuple[datetime, datetime]:
    start, end = _moment(given, "start_date"), _moment(given, "end_date", ends=True)
    last = end or (min(timezone.now(), start + LONGEST_SPAN) if start else timezone.now())
    first = start or last - LONGEST_SPAN
    if first > last:
        raise Problem(400, _("start_date 晚于 end_date。"))
    if last - first > LONGEST_SPAN + timedelta(days=1):
        raise Problem(400, _("start_date 到 end_date 最多 90 天。"))
    return first, last


def _moment(given: Any, name: str, *, ends: bool = False) -> datetime | None:
    text = given.get(name, "").strip()
    if not text:
        return None
    text = re.sub(r"(\d) (\d\d:?\d\d)$", r"\1+\2", text)  # a plus sign that nobody escaped
    try:
        day = parse_date(text)
        if day:
            return timezone.make_aware(datetime.combine(day, time.max if ends else time.min))
        found = parse_datetime(text)
        if found:
            aware = found if timezone.is_aware(found) else timezone.make_aware(found)
            return aware.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise Problem(400, _("%(name)s 须是带时区的 ISO 8601 时间，例如 2026-11-23T08:00:00+08:00。") % {"name": name})


@dataclass(frozen=True)
class Posted:
    """A request as it was sent: what it is about, by whom, and what makes another the same (description and place)."""

    matter: Matter
    person: Person
    same: tuple[str, ...]
    media_url: str


def posted(given: Any) -> Posted:
    """Read a POST. Raises Problem for a missing service, description or place, and for anything out of range."""
    service = service_of(given.get("service_code", "").strip())
    description = clean(given.get("description", ""))
    if not description:
        raise Problem(400, _("缺少 description：请写明发生了什么。"))
    if len(description) > LONGEST:
        raise Problem(
            400, _("description 有 %(n)s 个字，最多 %(most)s 个。") % {"n": len(description), "most": LONGEST}
        )
    lat, long = _coordinate(given, "lat", 90), _coordinate(given, "long", 180)
    if (lat is None) != (long is None):
        raise Problem(400, _("lat 和 long 要一起给。"))
    place = clean(given.get("address_string", "") or given.get("address_id", "")).replace("\n", " ")
    if lat is None and not place:
        raise Problem(400, _("缺少位置：请给 lat 和 long，或者 address_string，或者 address_id。"))
    said = _attributes(given)
    matter = Matter(
        kind=_one_of(said, "kind", Kind.values, Kind.COMPLAINT),
        description=description,
        demand=_one_of(said, "demand", Demand.values, ""),
        demand_text=said.get("demand_text", "")[:500],
        category=service,
        happened_on=_day(said),
        respondent_name=said.get("respondent", "")[:120],
        place=place[:200],
        longitude=long,
        latitude=lat,
    )
    same = (service.code, "".join(description.split()), str(lat), str(long), place)
    return Posted(matter, _person(given), same, _media_url(given))


def _coordinate(given: Any, name: str, most: int) -> Decimal | None:
    text = given.get(name, "").strip()
    if not text:
        return None
    try:
        value = Decimal(text[:40])
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or abs(value) > most:
        raise Problem(
            400, _("%(name)s 须是 -%(most)s 到 %(most)s 之间的十进制度数（WGS-84）。") % {"name": name, "most": most}
        )
    return value.quantize(Decimal("0.000001"))


def _attributes(given: Any) -> dict[str, str]:
    """Answers to the service's questions; unknown ones are for services that we do not have and are left aside."""
    found = {}
    for name, values in given.lists():
        if match := ATTRIBUTE.fullmatch(name):
            found[match[1]] = clean("，".join(values))
    return found


def _one_of(said: dict[str, str], name: str, allowed: list[str], otherwise: str) -> str:
    value = said.get(name, "") or otherwise
    if value and value not in allowed:
        raise Problem(
            400, _("attribute[%(name)s] 只能是 %(allowed)s。") % {"name": name, "allowed": "、".join(allowed)}
        )
    return value


def _day(said: dict[str, str]) -> date | None:
    text = said.get("happened_on", "")
    try:
        day = parse_date(text[:10]) if text else None
    except ValueError:
        day = None
    if text and (day is None or day > timezone.localdate()):
        raise Problem(400, _("attribute[happened_on] 须是不晚于今天的日期，例如 2026-11-23。"))
    return day


def _person(given: Any) -> Person:
    first, last = clean(given.get("first_name", "")), clean(given.get("last_name", ""))
    chinese = any("\u3400" <= sign <= "\u9fff" for sign in first + last)
    name = last + first if chinese else f"{first} {last}".strip()
    phone, email = clean(given.get("phone", ""))[:40], clean(given.get("email", ""))[:120]
    if phone and not 7 <= len(phone_key(phone)) <= 15:
        raise Problem(400, _("phone 要有 7 到 15 位数字。"))
    if email and ("@" not in email or " " in email):
        raise Problem(400, _("email 不是邮箱地址。"))
    return Person(
        name=name[:60], phone=phone, email=email, anonymous=not (name or phone or email), may_call_back=bool(phone)
    )


def _media_url(given: Any) -> str:
    url = clean(given.get("media_url", ""))
    if url and (len(url) > 500 or not re.fullmatch(r"https?://[^\s<>\"]+", url)):
        raise Problem(400, _("media_url 须是 http 或者 https 地址，最长 500 个字符。"))
    return str(url)
