"""Open311 GeoReport v2 over the test client: formats, errors, what is shown to everybody and what never is."""

import io
import json
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from PIL import Image

from tests.builders.cast import NOW
from tests.builders.complaints import Desk
from xiezhi.domains.complaints.models import Case, ClientKey, ComplaintParty
from xiezhi.domains.complaints.services import client_keys, intake
from xiezhi.domains.complaints.services.intake import Numbered

pytestmark = pytest.mark.django_db
V2 = "/open311/v2"


@pytest.fixture
def key(desk: Desk) -> str:
    _key, text = client_keys.issue_key(label="演示随手拍", actor=desk.cast.actor("administrator"), at=NOW)
    return text


def post(client: Client, key: str, form: str = "json", **given: Any) -> Any:
    facts = {
        "api_key": key,
        "service_code": "prepaid",
        "lat": "39.911111",
        "long": "116.411111",
        "description": "健身房关门，电话 13800138000 🙏 \x0b<b>不退</b>",
        "first_name": "某",
        "last_name": "演示王",
        "phone": "13900000001",
        **given,
    }
    return client.post(f"{V2}/requests.{form}", {name: value for name, value in facts.items() if value is not None})


def listed(client: Client, query: str = "", form: str = "json") -> Any:
    answer = client.get(f"{V2}/requests.{form}?{query}")
    assert answer.status_code == 200, answer.content.decode()
    return json.loads(answer.content) if form == "json" else ElementTree.fromstring(answer.content)


def test_what_is_posted_is_one_lead_and_is_shown_without_its_sender(desk: Desk, key: str, client: Client) -> None:
    out = io.BytesIO()
    Image.new("RGB", (30, 20)).save(out, "PNG")
    (made,) = json.loads(
        post(
            client, key, media=SimpleUploadedFile("门.png", out.getvalue()), media_url="https://pictures.example/1.jpg"
        ).content
    )
    case = Case.objects.get()
    assert made["service_request_id"] == case.number and "线索" in made["service_notice"]
    assert f"/appeals/open/{case.number}/" in made["service_notice"]
    assert (case.status, case.channel, case.kind) == ("lead", "open311", "complaint")
    assert ComplaintParty.objects.get().name == "演示王某" and case.attachments.count() == 1
    (again,) = json.loads(post(client, key).content)
    assert again["service_request_id"] == case.number and "/appeals/open/" not in again["service_notice"]
    assert Case.objects.count() == 1
    (told,) = json.loads(client.get(f"{V2}/tokens/{made['token']}.json").content)
    assert told == {"token": made["token"], "service_request_id": case.number}

    for form in ("json", "xml"):
        raw = client.get(f"{V2}/requests/{case.number}.{form}").content.decode()
        assert "138****8000" in raw and "演示王" not in raw and "13900000001" not in raw
        assert ("<b>" in raw) == (form == "json") and "\x0b" not in raw
    (shown,) = listed(client)
    assert shown["status"] == "open" and shown["lat"] == 39.911111 and shown["expected_datetime"] is None
    assert shown["media_url"] == "https://pictures.example/1.jpg" and shown["requested_datetime"].endswith("+08:00")
    with_number = intake.register_lead(
        case=case,
        number=Numbered("12345", "YS-1"),
        received_there_at=timezone.now(),
        actor=desk.dispatcher,
        at=timezone.now(),
    )
    (shown,) = listed(client)
    assert shown["expected_datetime"] == timezone.localtime(with_number.next_due_at).isoformat(timespec="seconds")  # type: ignore[arg-type]
    root = listed(client, "status=open", "xml")
    assert root.tag == "service_requests" and root[0].tag == "request"
    assert root[0].findtext("service_request_id") == case.number


def test_what_is_not_for_everybody_is_not_there(desk: Desk, key: str, client: Client) -> None:
    (report,) = json.loads(post(client, key, **{"attribute[kind]": "report"}).content)
    desk.case("handling", category="prepaid", description="打 12345 的诉求")
    assert listed(client) == []
    assert client.get(f"{V2}/requests/{report['service_request_id']}.json").status_code == 404


def test_filters_go_by_service_status_and_at_most_ninety_days(desk: Desk, key: str, client: Client) -> None:
    for number in range(3):
        post(client, key, description=f"第 {number} 件", service_code="catering" if number else "prepaid")
    numbers = [each["service_request_id"] for each in listed(client)]
    assert len(numbers) == 3
    assert len(listed(client, "service_code=catering")) == 2
    assert len(listed(client, "status=closed")) == 0
    assert len(listed(client, f"service_request_id={numbers[0]},{numbers[2]}&status=closed")) == 2
    assert len(listed(client, "page_size=2&page=2")) == 1
    day = timezone.localdate()
    assert len(listed(client, f"start_date={day}T00:00:00 08:00&end_date={day}")) == 3  # a plus sign not escaped
    assert listed(client, f"end_date={(day - timedelta(days=1)).isoformat()}") == []
    for query, words in (
        ("start_date=2026-01-01&end_date=2026-06-01", "最多 90 天"),
        ("start_date=gestern", "ISO 8601"),
        ("status=offen", "open 或者 closed"),
        ("page_size=1001", "page_size"),
        ("status=%00", "NUL"),
        ("service_code=%ff", "UTF-8"),
    ):
        answer = client.get(f"{V2}/requests.json?{query}")
        assert answer.status_code == 400 and words in json.loads(answer.content)[0]["description"], query


WRONG: list[tuple[dict[str, Any], int, str]] = [
    ({"api_key": "guess"}, 403, "api_key"),
    ({"api_key": None}, 403, "api_key"),
    ({"service_code": None}, 400, "service_code"),
    ({"service_code": "pothole"}, 404, "pothole"),
    ({"description": " \0 "}, 400, "description"),
    ({"description": "字" * 100_001}, 400, "最多 100000 个"),
    ({"lat": "north"}, 400, "lat"),
    ({"lat": "NaN"}, 400, "lat"),
    ({"long": None}, 400, "一起给"),
    ({"lat": None, "long": None}, 400, "缺少位置"),
    ({"phone": "12"}, 400, "phone"),
    ({"media_url": "file:///etc/passwd"}, 400, "media_url"),
    ({"attribute[kind]": "pothole"}, 400, "attribute[kind]"),
    ({"media": SimpleUploadedFile("a.exe", b"MZ" + b"\0" * 99)}, 400, "不认识"),
]


def test_what_is_wrong_is_said_in_the_format_asked_for(desk: Desk, key: str, client: Client) -> None:
    for given, status, words in WRONG:
        answer = post(client, key, "xml", **given)
        error = ElementTree.fromstring(answer.content)[0]
        assert (answer.status_code, error.findtext("code")) == (status, str(status)), given
        assert words in (error.findtext("description") or "")
    assert not Case.objects.exists()


def test_addresses_formats_methods_and_jurisdiction(desk: Desk, key: str, client: Client, settings: Any) -> None:
    assert client.get(f"{V2}/services")["Content-Type"].startswith("application/xml")
    assert ElementTree.fromstring(client.get(f"{V2}/services").content)[0].findtext("service_code")
    definition = json.loads(client.get(f"{V2}/services/prepaid.json").content)
    assert {"kind", "respondent"} <= {each["code"] for each in definition["attributes"]}
    assert (
        ElementTree.fromstring(client.get(f"{V2}/discovery.xml").content)
        .findtext("endpoints/endpoint/url", "")
        .endswith(V2)
    )
    assert client.get(f"{V2}/services.yaml").status_code == 404
    assert client.put(f"{V2}/requests.json").status_code == 405
    wrong = client.post(f"{V2}/requests.json", "{}", content_type="application/json")
    assert wrong.status_code == 400
    garbled = client.post(f"{V2}/requests.json", b"api_key=%ff", content_type="application/x-www-form-urlencoded")
    assert garbled.status_code == 400
    huge = client.post(
        f"{V2}/requests.json", b"a=" + b"x" * 6_000_000, content_type="application/x-www-form-urlencoded"
    )
    assert huge.status_code == 400 and json.loads(huge.content)[0]["code"] == 400
    settings.OPEN311_JURISDICTION = "district.example"
    assert client.get(f"{V2}/services.json").status_code == 400
    assert client.get(f"{V2}/services.json?jurisdiction_id=elsewhere").status_code == 401
    assert client.get(f"{V2}/services.json?jurisdiction_id=district.example").status_code == 200


def test_keys_are_counted_and_end_when_revoked(desk: Desk, key: str, client: Client, settings: Any) -> None:
    settings.PUBLIC_RATES = {**settings.PUBLIC_RATES, "complaints.open311": "2/m/key"}
    assert [post(client, key, description=text).status_code for text in "一二三"] == [200, 200, 429]
    row = ClientKey.objects.get()
    assert key not in (row.digest, row.start) and row.used_at
    client_keys.revoke_key(key=row, actor=desk.cast.actor("administrator"), at=NOW)
    assert post(client, key).status_code == 403
