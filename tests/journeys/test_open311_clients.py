"""Open311 clients that other people wrote talk to a running Xiezhi: civicbot sends and reads as JSON, georeport reads as XML."""

from __future__ import annotations

import pytest
from civicbot import Endpoint, HttpError, HttpTransport, Open311Client
from civicbot.http import RateLimiter
from georeport import GeoReport

from tests.support.site import Site

pytestmark = pytest.mark.journey
ISSUE = """
from django.utils import timezone
from xiezhi.domains.complaints.services.client_keys import issue_key
from xiezhi.foundation.access.actors import Actor
print(issue_key(label="演示应用", actor=Actor("administrator", frozenset({"complaints.keep_channels"})), at=timezone.now())[1])
"""


def test_clients_find_services_send_a_request_and_follow_it(site: Site) -> None:
    key = site.manage("shell", "--no-imports", "-c", ISSUE).strip()
    address = f"{site.url}/open311/v2"
    endpoint = Endpoint("district", "演示区", address, write=True)
    client = Open311Client(endpoint, HttpTransport(rate_limiter=RateLimiter(min_interval=0)))

    assert "prepaid" in {each["service_code"] for each in client.list_services()}
    request = {
        "lat": 39.905,
        "lng": 116.405,
        "description": "健身房关门，余额不退 🙏 电话 13800138000 <b>&</b>",
        "attributes": {"kind": "complaint", "demand": "refund"},
        "first_name": "演示",
        "last_name": "王",
    }
    # It looks up services and definition first, and checks what it is about to send against them.
    sent = client.create_request("prepaid", dry_run=False, confirm="SEND", api_key=key, validate_remote=True, **request)
    (made,) = sent.response
    number = made["service_request_id"]
    again = client.create_request("prepaid", dry_run=False, confirm="SEND", api_key=key, **request)
    assert again.response[0]["service_request_id"] == number
    assert client.get_token(made["token"])[0]["service_request_id"] == number
    assert [each["service_request_id"] for each in client.list_requests(status="open", page_size=10)] == [number]
    with pytest.raises(HttpError) as refused:
        client.create_request("prepaid", dry_run=False, confirm="SEND", api_key="guess", **request)
    assert refused.value.status == 403 and "api_key" in refused.value.body

    reader = GeoReport(address, output_format="xml")
    assert "prepaid" in {each["service_code"] for each in reader.get_service_list()}
    asked = reader.get_service_definition("prepaid")["attributes"]["attribute"]
    assert {"key": "refund", "name": "退赔费用"} in next(each for each in asked if each["code"] == "demand")["values"][
        "value"
    ]
    shown = reader.get_service_request(number)
    assert shown["description"] == "健身房关门，余额不退 🙏 电话 138****8000 <b>&</b>"
    assert shown == reader.get_service_requests(service_request_id=number)
    assert (shown["status"], shown["lat"], shown["media_url"]) == ("open", "39.905", None)
    assert GeoReport(address).get_service_request(number)["description"] == shown["description"]
