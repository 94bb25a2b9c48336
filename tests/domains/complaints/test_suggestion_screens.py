"""Suggestions on the desk's pages, with script and without: filled in, taken, joined; and what must not be given away."""

from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.builders.cast import NOW
from tests.builders.complaints import Desk
from xiezhi.domains.complaints.models import Case, Suggestion
from xiezhi.domains.complaints.services.people import Person
from xiezhi.domains.complaints.words import CaseStatus, Kind
from xiezhi.domains.registry.models import Subject

GYM = "去年在店里办了三千六百元健身年卡，门店贴出停业通知，店长一直不接电话，要求退还没有用完的余额。"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def at_work(desk: Desk, client: Client) -> Any:
    """`at_work("officer")`: that person's browser, at the fixed time."""

    def sign_in(name: str) -> Client:
        client.force_login(desk.cast.people[name])
        return client

    with time_machine.travel(NOW, tick=False):
        yield sign_in


def test_while_typing_the_panel_offers_and_a_click_fills_without_script(
    desk: Desk, at_work: Any, subject_in_mall: Subject
) -> None:
    known = desk.case(CaseStatus.CLOSED, description=GYM, person=Person("演示王某", "19900007777"))
    client = at_work("dispatcher")
    typed = {
        "channel": "12345",
        "description": f"{subject_in_mall.name}{GYM}<b>",
        "phone": "199 0000 7777",
        "may_call_back": "on",
    }
    page = client.post(reverse("complaints:look"), typed, headers=HTMX)
    assert (
        "预付卡退费" in page.text
        and "按关键词" in page.text
        and known.number in page.text
        and "同一诉求人" in page.text
    )
    assert page.text.count("<form") == 0 and "&lt;b" not in page.text  # the text itself is not sent back
    assert client.post(reverse("complaints:look"), {"description": ""}, headers=HTMX).status_code == 200
    offer = next(each for each in page.context["looked"].offers if each.offer.kind == "subject")
    page = client.post(reverse("complaints:new"), {**typed, "adopt": offer.sent})
    assert page.status_code == 200 and not page.context["form"].errors
    assert page.context["form"].initial["subject_code"] == subject_in_mall.code
    assert page.context["form"].initial["description"] == typed["description"] and "已填" in page.text
    page = client.post(reverse("complaints:new"), {**typed, "adopt": "is_staff=1&received_at=%00&&=", "look": "1"})
    assert page.status_code == 200 and known.number in page.text
    assert Case.objects.count() == 1


def test_a_lead_is_opened_with_category_mall_and_duplicate_and_settled_by_clicks(
    desk: Desk, at_work: Any, subject_in_mall: Subject
) -> None:
    first = desk.case(CaseStatus.CLOSED, description=GYM)
    lead = desk.case(CaseStatus.LEAD, description=f"{subject_in_mall.name}：{GYM}", respondent_name="")
    client, here = at_work("dispatcher"), reverse("complaints:case", args=[lead.pk])
    page = client.get(here)
    assert all(word in page.text for word in ("预付卡退费", str(desk.mall), subject_in_mall.name, "关键词"))
    part = client.get(reverse("complaints:similar", args=[lead.pk]), headers=HTMX)
    assert first.number in part.text and "<html" not in part.text and "并入" in part.text
    for kind in ("category", "subject", "mall"):
        row = Suggestion.objects.get(case=lead, kind=kind)
        seen = "" if kind != "mall" else str(desk.mall.pk)  # the merchant brought its mall
        page = client.post(reverse("complaints:adopt", args=[lead.pk, kind]), {"seen": seen}, follow=True)
        assert row.label in page.text
    lead.refresh_from_db()
    assert (lead.category.code, lead.subject, lead.mall) == ("prepaid", subject_in_mall, desk.mall)
    assert (
        not Suggestion.objects.filter(case=lead, kind__in=["category", "subject", "mall"])
        .exclude(outcome="accepted")
        .exists()
    )
    page = client.get(reverse("complaints:act", args=[lead.pk, "merge"]), {"into": first.number})
    assert page.context["form"].initial["into"] == first.number
    client.post(reverse("complaints:join", args=[lead.pk, first.pk]))
    lead.refresh_from_db()
    assert lead.parent == first
    assert client.get(reverse("complaints:similar", args=[lead.pk])).text.count("归为群体诉求") == 0


def test_nobody_sees_or_takes_what_is_not_theirs(desk: Desk, at_work: Any) -> None:
    report = desk.case(CaseStatus.HANDLING, description=GYM, kind=Kind.REPORT, person=Person("演示", "19900007777"))
    mine = desk.case(CaseStatus.LEAD, description=GYM, person=Person("演示", "19900007777"))
    client = at_work("helper")
    assert report.number not in client.post(reverse("complaints:look"), {"description": GYM}, headers=HTMX).text
    for route in ("similar", "adopt"):
        args = [report.pk] if route == "similar" else [report.pk, "category"]
        answer = (
            client.get(reverse(f"complaints:{route}", args=args))
            if route == "similar"
            else client.post(reverse(f"complaints:{route}", args=args))
        )
        assert answer.status_code == 404
    client = at_work("scjg.head")
    page = client.get(reverse("complaints:similar", args=[report.pk]))
    assert page.status_code == 200 and "同一诉求人" not in page.text
    assert client.post(reverse("complaints:join", args=[mine.pk, report.pk])).status_code in {403, 404}


def test_the_panel_costs_a_fixed_number_of_queries(desk: Desk, at_work: Any) -> None:
    client = at_work("dispatcher")

    def cost() -> int:
        with CaptureQueriesContext(connection) as seen:
            client.post(reverse("complaints:look"), {"description": GYM, "phone": "19900007777"}, headers=HTMX)
        return len(seen)

    cost()
    desk.case(CaseStatus.LEAD, description=GYM)
    first = cost()
    for _ in range(6):
        desk.case(CaseStatus.LEAD, description=GYM, person=Person("演示", "19900007777"))
    assert cost() == first
