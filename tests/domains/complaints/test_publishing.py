"""诉求统计公示: protected, frozen, open to everybody; and what merchants' rates tell the risk system."""

import csv
from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from tests.builders.cast import NOW
from tests.builders.complaints import Desk
from tests.builders.inspections import given_premises
from xiezhi.domains.complaints.models import Case, Category, Handoff, Publication
from xiezhi.domains.complaints.services import callbacks, handoffs, publishing, rates, tallies
from xiezhi.domains.complaints.words import CaseStatus, Kind
from xiezhi.foundation.audit.models import Entry

DECEMBER = NOW + timedelta(days=20)


@pytest.fixture
def november(desk: Desk) -> Desk:
    """Fourteen matters in two streets, three of them of a kind of their own, one of a category that is not public, and two reports."""
    streets = [desk.cast["110199001"], desk.cast["110199002"]]
    Category.objects.filter(code="competition").update(public=False)
    for number in range(14):
        category = "food_safety" if number < 7 else "price" if number < 12 else "competition"
        desk.case(category=category, street=streets[0 if number in (0, 1, 2, 3, 4, 7, 8, 9, 10, 12) else 1])
    for _each in range(2):
        desk.case(kind=Kind.REPORT, category="drug", street=streets[0])
    tallies.recount_marked(at=NOW)
    return desk


def test_a_month_is_published_once_when_its_day_has_come(november: Desk, client: Client) -> None:
    page = reverse("statistics")
    assert "还没有公布的月份" in client.get(page).text
    assert publishing.publish_due(at=NOW) == 0, "the month is not over"
    assert publishing.publish_due(at=NOW + timedelta(days=9)) == 0, "its day has not come"
    assert publishing.publish_due(at=DECEMBER) == 1 and publishing.publish_due(at=DECEMBER) == 0
    made = Publication.objects.get()
    counts = made.tables["counts"]
    assert counts["rows"] == ["食品安全", "价格与收费", "其他和不单列的类别"] and "药品" not in str(made.tables)
    small = [n for line in counts["shown"] for n in line if n is not None and 0 < n < 5]
    assert small == [] and counts["shown"][-1][-1] == 14
    assert made.tables["reports"]["shown"][0][0] is None, "two reports are a small number too"
    with time_machine.travel(DECEMBER, tick=False):
        shown = client.get(page)
        assert (
            shown.status_code == 200
            and "＊" in shown.text
            and "第三十九条" in shown.text
            and "工作默认值" in shown.text
        )
        assert client.get(page, {"month": "2026-10"}).status_code == 404
        sheet = client.get(page, {"month": "2026-11", "export": "csv"})
        lines = list(csv.reader(StringIO(b"".join(sheet.streaming_content).decode("utf-8-sig"))))  # type: ignore[attr-defined]
        assert (
            lines[0] == ["月份", "类别", "金榆街道", "银槐街道", "合计"]
            and lines[4][1:] == ["合计", *map(str, counts["shown"][-1])]
        ) or "＊" in lines[4]
    assert Entry.objects.filter(action="complaints.statistics.published").count() == 1


def test_what_happens_later_changes_nothing_published(november: Desk) -> None:
    publishing.publish_due(at=DECEMBER)
    before = Publication.objects.get().tables
    november.case(category="food_safety", at=NOW)
    Case.objects.filter(category__code="price").update(category=Category.objects.get(code="food_safety"))
    tallies.recount_all(at=DECEMBER)
    publishing.publish_due(at=DECEMBER + timedelta(days=1))
    assert Publication.objects.get().tables == before


def test_a_merchants_rate_waits_for_the_risk_system(desk: Desk) -> None:
    subject = given_premises(desk.cast).subject
    cases = [desk.case(CaseStatus.REPLIED, subject=subject) for _each in range(5)]
    desk.case(CaseStatus.LEAD, subject=subject)
    later = NOW + timedelta(days=9)
    callbacks.record_callback(case=cases[0], outcome="unresolved", called_at=later, actor=desk.dispatcher, at=later)
    tallies.recount_marked(at=later)
    assert rates.tell_subject_rates(at=later) == rates.tell_subject_rates(at=later) == 1
    waiting = Handoff.objects.get(kind="risk")
    assert waiting.facts == {
        "days": 30,
        "until": "2026-12-02",
        "cases": 5,
        "cases_before": 0,
        "answered": 1,
        "unresolved": 1,
    }
    handoffs.handoff_taken({"handoff_id": waiting.pk, "object_kind": "risk.signal", "object_id": 1}, later)
    assert rates.tell_subject_rates(at=later + timedelta(days=40)) == 0, "nothing new in thirty days"
    assert rates.subject_rates(later, least=6) == []
