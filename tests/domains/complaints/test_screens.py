"""The desk's pages, as its people use them: a work order pasted, dispatched, mediated, answered; and what they refuse."""

from datetime import timedelta
from io import BytesIO
from typing import Any

import docx
import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.builders.cast import NOW
from tests.builders.complaints import Desk
from xiezhi.domains.complaints.models import Case, PartyOpening
from xiezhi.domains.complaints.words import CaseStatus, Kind

ORDER = """工单编号：YS20261123000001
诉求人：演示王某  联系电话：19900001234
诉求类型：投诉
来电时间：2026-11-23 08:30
被反映单位：北京示例青禾里健身有限公司
问题地址：金榆街 8 号 B1 层
所属街道：金榆街道
诉求内容：办了 2000 元年卡，店铺 11 月闭店，打 19900001234 联系我。😀<script>alert(1)</script>
诉求目的：退款
办理时限：7 天"""


@pytest.fixture
def at_work(desk: Desk, client: Client) -> Any:
    """`at_work("officer")`: that person's browser, at the fixed time."""

    def sign_in(name: str) -> Client:
        client.force_login(desk.cast.people[name])
        return client

    with time_machine.travel(NOW, tick=False):
        yield sign_in


def act(client: Client, case: Case, name: str, *of: int, **sent: Any) -> Any:
    """Post one act and follow it to the page that the person then sees."""
    case.refresh_from_db()
    route = "complaints:act_of" if of else "complaints:act"
    address = reverse(route, args=[case.pk, name, *of])
    return client.post(address, {"seen_status": case.status, **sent}, follow=True)


def test_a_pasted_order_goes_all_the_way_by_form(desk: Desk, at_work: Any) -> None:
    client = at_work("dispatcher")
    page = client.post(reverse("complaints:new"), {"order": ORDER})
    filled = {name: field for name, field in page.context["form"].initial.items() if field}
    assert filled["number"] == "YS20261123000001" and filled["tier"] == "7d" and filled["kind"] == "complaint"
    sent = {"channel": "12345", "register": "12345", "urgency": "normal", "demand": "refund", "may_call_back": "on"}
    sent |= {
        name: filled[name]
        for name in ("kind", "number", "name", "phone", "description", "respondent_name", "place", "tier")
    }
    sent |= {"received_at": "2026-11-23T08:30", "street": filled["street"].pk}
    page = client.post(reverse("complaints:new"), sent, follow=True)
    case = Case.objects.get()
    assert "&lt;script&gt;" in page.text and "<script>alert" not in page.text and "😀" in page.text
    assert "通讯地址" in page.text and "演**" in page.text and "演示王某" not in page.text

    assert client.get(reverse("complaints:next"), follow=True).context["case"] == case
    page = act(client, case, "dispatch", unit=desk.unit.pk, note="请尽快联系")
    assert "没有等您办理的诉求了" in page.text
    client = at_work("officer")
    act(client, case, "sign")
    assert "第十五条" in act(client, case, "accept").text
    act(client, case, "mediation", form="on_site", held_at="2026-11-23T09:00", place="金榆所", mediators="演示调解员")
    sitting = case.mediations.get()
    page = act(client, case, "record", sitting.pk, result="agreed")
    assert page.status_code == 422 and "协议内容" in page.text
    act(client, case, "record", sitting.pk, result="agreed", terms="商家三日内退款 1500 元。")
    page = client.get(reverse("complaints:act", args=[case.pk, "reply"]))
    assert "商家三日内退款 1500 元。" in page.context["form"].initial["text"]
    act(client, case, "reply", text=page.context["form"].initial["text"], way="电话")
    case.refresh_from_db()
    assert (case.status, case.outcome) == (CaseStatus.REPLIED, "settled")
    word = client.get(reverse("complaints:agreement", args=[case.pk, sitting.agreement.pk]))
    document = docx.Document(BytesIO(word.content))
    text = "\n".join(each.text for each in document.paragraphs)
    assert "商家三日内退款 1500 元。" in text and document.tables[0].cell(0, 1).text == case.number
    assert "演示王某" not in text


def test_refusals_are_said_on_the_form_and_nothing_is_half_saved(desk: Desk, at_work: Any) -> None:
    client = at_work("dispatcher")
    sent = {
        "channel": "12345",
        "kind": "help",
        "register": "12345",
        "urgency": "normal",
        "description": "演示",
        "received_at": "2026-11-23T08:30",
    }
    page = client.post(reverse("complaints:new"), sent)
    assert page.status_code == 422 and "法定登记" in page.text
    page = client.post(reverse("complaints:new"), {**sent, "number": "A1", "description": "长" * 100_001})
    assert page.status_code == 422 and "100,000" in page.text
    page = client.post(reverse("complaints:new"), {**sent, "number": "A1", "received_at": "2026-11-24T08:30"})
    assert page.status_code == 422 and "晚于现在" in page.text
    assert not Case.objects.exists()
    page = client.post(reverse("complaints:new"), {**sent, "number": "A1", "description": "长" * 100_000})
    assert page.status_code == 302 and len(Case.objects.get().description) == 100_000
    page = client.post(reverse("complaints:new"), {**sent, "number": "A1"})
    assert page.status_code == 422 and Case.objects.get().number in page.text


def test_who_complained_is_shown_after_a_purpose_and_never_of_a_report_to_others(desk: Desk, at_work: Any) -> None:
    case, report = desk.case(CaseStatus.HANDLING), desk.case(CaseStatus.HANDLING, kind=Kind.REPORT)
    client = at_work("officer")
    address = reverse("complaints:person", args=[case.pk])
    assert "演示王某" not in client.get(address).text
    page = client.post(address, {"purpose": "联系核实"})
    assert "演示王某" in page.text and "no-store" in page["Cache-Control"]
    assert PartyOpening.objects.get().purpose == "联系核实"
    client = at_work("scjg.head")
    assert client.get(reverse("complaints:person", args=[report.pk])).status_code == 403
    page = client.get(reverse("complaints:cases"))
    assert "演示王某" not in page.text and "1990000" not in page.text


def test_a_mall_reads_what_it_is_told_and_nothing_else(desk: Desk, at_work: Any) -> None:
    asked = desk.asked_mall()
    client = at_work("mall")
    page = client.get(reverse("complaints:mall_request", args=[asked.pk]))
    assert "演示诉求" in page.text and "演示王某" not in page.text
    assert client.get(reverse("complaints:case", args=[asked.case_id])).status_code == 403
    client.post(reverse("complaints:mall_request", args=[asked.pk]), {"answer": "已联系商户，今天退款。"})
    asked.refresh_from_db()
    assert asked.answered_at == NOW and asked.case.clocks.get(kind="mall").met_at == NOW


def test_pages_ask_the_database_as_often_for_many_as_for_one(desk: Desk, at_work: Any) -> None:
    client, counts = at_work("officer"), []
    case = desk.case(CaseStatus.MEDIATING)
    for _round in range(2):
        client.get(reverse("complaints:cases"))
        with CaptureQueriesContext(connection) as seen:
            client.get(reverse("complaints:cases"))
        counts.append(len(seen))
        for _more in range(3):
            desk.case(CaseStatus.HANDLING)
    assert counts[0] == counts[1] <= 13
    with CaptureQueriesContext(connection) as seen:
        client.get(reverse("complaints:case", args=[case.pk]))
    assert len(seen) <= 30, len(seen)


def test_the_list_finds_by_number_and_by_word_and_keeps_its_filters(desk: Desk, at_work: Any) -> None:
    one = desk.case(title="电梯困人", number="YS777", at=NOW - timedelta(days=2))
    desk.case(title="买到过期面包", at=NOW - timedelta(days=2))
    client = at_work("dispatcher")
    for asked in ("YS777", "电梯", one.number, "困人 电梯"):
        page = client.get(reverse("complaints:cases"), {"q": asked, "stage": "open"})
        assert one.number in page.text and "过期面包" not in page.text
    sheet = client.get(reverse("complaints:cases"), {"q": "电梯", "export": "csv"})
    text = b"".join(sheet.streaming_content).decode()
    assert one.number in text and "演示王某" not in text
