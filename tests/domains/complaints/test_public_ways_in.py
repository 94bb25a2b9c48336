"""Citizens' pages: what is sent becomes one case, is followed by a code, and shows nobody else anything."""

import io
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from PIL import Image

from tests.builders.cast import NOW, Cast
from tests.builders.complaints import Desk
from tests.builders.inspections import given_premises
from xiezhi.domains.complaints.models import Arrival, Attachment, Case, ComplaintParty, Draft
from xiezhi.domains.complaints.services import public
from xiezhi.domains.complaints.services.intake import Intake, Matter
from xiezhi.domains.complaints.words import Channel
from xiezhi.domains.registry.models import Tenancy

pytestmark = pytest.mark.django_db
NEW = "/appeals/new/"


def photo(name: str = "小票.jpg") -> SimpleUploadedFile:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(out, "JPEG")
    return SimpleUploadedFile(name, out.getvalue(), "image/jpeg")


def filled(**given: Any) -> dict[str, Any]:
    return {
        "kind": "complaint",
        "description": "在演示商场办的健身卡，门店关了，余额 1200 元不退。电话 13800138000 🙏<script>alert(1)</script>",
        "respondent_name": "示例健身",
        "place": "演示路 1 号三层",
        "happened_on": "2026-03-01",
        "demand": "refund",
        "name": "演示王某",
        "phone": "139 0000 0001",
        "may_call_back": "on",
        "act": "review",
        **given,
    }


def token_in(page: Any) -> str:
    found = re.search(r'name="token" value="([^"]+)"', page.content.decode())
    assert found
    return found[1]


def send(client: Client, **given: Any) -> Any:
    """All steps as a person takes them; the answer to the last."""
    token = token_in(client.get(NEW))
    step = client.post(NEW, {"token": token, **filled(**given)})
    assert step.status_code == 302, step.content.decode()
    return client.post(step["Location"])


def test_a_citizen_sends_with_a_photo_once_and_follows_it(desk: Desk, client: Client) -> None:
    subject = given_premises(desk.cast).subject
    Tenancy.objects.create(mall=desk.mall, subject=subject, unit="L3", starts_on="2026-01-01")
    assert subject.name in client.get(f"{NEW}?at={subject.code}").content.decode()
    start = client.get(f"{NEW}?kind=complaint&at={desk.mall.code}")
    assert f'value="{desk.mall.code}" selected' in start.content.decode()
    token = token_in(start)
    wrong = client.post(NEW, {"token": token, **filled(phone="12", photos=photo())})
    assert wrong.status_code == 422
    text = wrong.content.decode()
    assert "健身卡" in text and "小票.jpg" in text and "7 到 15 位数字" in text  # kept, photo too
    found = client.post(NEW, {"token": token, **filled(act="find", respondent_name=subject.name[2:6])})
    assert found.status_code == 200 and f'value="{subject.code}"' in found.content.decode()
    step = client.post(NEW, {"token": token, **filled(mall=desk.mall.code, subject=subject.code)})
    review = client.get(step["Location"]).content.decode()
    assert "小票.jpg" in review and "写明用途才能打开" in review and "<script>alert" not in review
    sent = client.post(step["Location"])
    case = Case.objects.get()
    assert sent["Location"] == f"/appeals/{case.number}/receipt/"
    assert client.post(step["Location"])["Location"] == sent["Location"]  # a double click
    assert Case.objects.count() == 1
    assert (case.status, case.channel, case.next_due_at) == ("lead", "web", None)
    assert (case.subject, case.mall) == (subject, desk.mall)
    assert Attachment.objects.get(case=case).from_person
    assert Draft.objects.get().answers == ""
    receipt = client.get(sent["Location"]).content.decode()
    assert public.code_of(case) in receipt and "12345" in receipt
    told = client.get(f"/appeals/{case.number}/").content.decode()
    assert "线索，还没有法定登记" in told

    other = Client()
    assert other.get(f"/appeals/{case.number}/").status_code == 404
    guess = other.post("/appeals/look-up/", {"number": case.number, "code": "AAAA-AAAA-AAAA-AAAA"})
    assert guess.status_code == 422
    spelt = public.code_of(case).replace("-", " ").lower()
    assert other.post("/appeals/look-up/", {"number": case.number, "code": spelt}).status_code == 302
    added = other.post(f"/appeals/{case.number}/add/", {"text": "商家又打来电话", "photos": photo("二.jpg")})
    assert added.status_code == 302 and case.attachments.count() == 2
    assert other.post(f"/appeals/{case.number}/add/", {"text": ""}).status_code == 422
    assert other.post(f"/appeals/{case.number}/withdraw/", {"reason": "商家已经退款"}).status_code == 302
    case.refresh_from_db()
    assert case.status == "dismissed"
    assert "诉求人撤回" in other.get(f"/appeals/{case.number}/").content.decode()
    linked = Client().get(public.path_to(case))
    assert linked["Location"] == f"/appeals/{case.number}/"


def test_the_same_sent_many_times_is_one_case_and_says_its_number(desk: Desk, client: Client) -> None:
    first = send(client)
    case = Case.objects.get()
    assert first.status_code == 302
    for number in range(5):
        again = send(Client(REMOTE_ADDR=f"127.0.2.{number}"), description=filled()["description"] + " \r\n")
        assert again.status_code == 200
        text = again.content.decode()
        assert case.number in text and public.code_of(case) not in text
    assert Case.objects.count() == 1
    assert Arrival.objects.get(case=case).times == 6
    send(client, phone="139 0000 0002")
    assert Case.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_the_same_at_the_same_moment_is_one_case(cast: Cast) -> None:
    intake = Intake(Matter("help", "演示：同时提交"), Channel.WEB, NOW)

    def send_once(_number: int) -> str:
        try:
            return public.receive_once(key="web:same", intake=intake, at=NOW).case.number
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as threads:
        numbers = set(threads.map(send_once, range(12)))
    assert numbers == {Case.objects.get().number}
    assert Arrival.objects.get().times == 12


def test_too_many_of_one_person_are_held_back_with_what_was_typed(desk: Desk, client: Client, settings: Any) -> None:
    settings.PUBLIC_RATES = {**settings.PUBLIC_RATES, "complaints.send": "100/h/ip,2/d/key"}
    for number in range(2):
        assert send(client, description=f"第 {number} 件事").status_code == 302
    held = send(client, description="第三件事")
    assert held.status_code == 422 and "太频繁" in held.content.decode() and "第三件事" in held.content.decode()
    assert Case.objects.count() == 2
    assert send(client, description="第 1 件事").status_code in {200, 302}  # told its number all the same


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"description": "字" * 100_001}, "写了 100,001 个字，最多 100,000 个"),
    ({"description": "\0 \x07"}, "发生了什么"),
    ({"anonymous": "on"}, "投诉要调解，不能匿名"),
    ({"phone": ""}, "投诉要能联系到您"),
    ({"happened_on": "2999-01-01"}, "不能晚于今天"),
    ({"kind": "report", "anonymous": "on"}, "请把姓名和联系方式清空"),
    ({"photos": SimpleUploadedFile("a.heic", b"\0\0\0\x18ftypheic" + b"\0" * 90)}, "HEIC"),
    ({"photos": SimpleUploadedFile("b.jpg", b"\xff\xd8\xff\xe0 broken")}, "b.jpg"),
]


def test_what_is_wrong_is_said_where_it_is(desk: Desk, client: Client) -> None:
    for given, words in WRONG:
        answer = client.post(NEW, {"token": token_in(client.get(NEW)), **filled(**given)})
        assert answer.status_code == 422, words
        assert words in answer.content.decode()
    assert not Case.objects.exists()


def test_a_report_may_be_anonymous_and_a_question_needs_no_number(desk: Desk, client: Client) -> None:
    nobody = {"name": "", "phone": "", "may_call_back": ""}
    send(client, kind="report", anonymous="on", **nobody)
    send(client, kind="consultation", description="个体户年报在哪里办？", **nobody)
    assert [party.anonymous for party in ComplaintParty.objects.all()] == [True, True]


def test_who_signed_in_finds_their_own_on_any_device(desk: Desk, client: Client) -> None:
    client.force_login(desk.cast.people["mall"])
    send(client)
    case = Case.objects.get()
    elsewhere = Client()
    elsewhere.force_login(desk.cast.people["mall"])
    assert case.number in elsewhere.get("/appeals/mine/").content.decode()
    assert elsewhere.get(f"/appeals/{case.number}/").status_code == 200
    elsewhere.force_login(desk.cast.people["helper"])
    assert elsewhere.get(f"/appeals/{case.number}/").status_code == 404
