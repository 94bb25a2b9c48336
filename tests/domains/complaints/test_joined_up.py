"""What a case sets going in other rooms, and what waits until they are there."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.builders.cast import NOW, TODAY
from tests.builders.complaints import Desk
from tests.builders.inspections import given_item, given_premises
from xiezhi.domains.complaints.models import Handoff
from xiezhi.domains.complaints.queries.hints import claim_hints, missing_material, suggested_unit
from xiezhi.domains.complaints.services import handoffs
from xiezhi.domains.complaints.services.people import Person
from xiezhi.domains.complaints.words import CaseStatus, Kind
from xiezhi.domains.registry.models import TimelineEntry
from xiezhi.foundation.events import services as events
from xiezhi.foundation.workflow.errors import Refused


@pytest.fixture
def listening() -> Iterator[list[Mapping[str, Any]]]:
    """What a room that came later hears."""
    heard: list[Mapping[str, Any]] = []
    events.subscribe("complaints.handoff", "tests", lambda payload, at: heard.append(payload))
    yield heard
    events._subscribers["complaints.handoff"].pop("tests")


def test_a_matter_of_safety_becomes_a_check_at_the_door(desk: Desk) -> None:
    door = given_premises(desk.cast)
    case = desk.case(CaseStatus.HANDLING, category="lift", subject=door.subject)
    assert case.tier == "2h" and case.safety and case.premises == door
    assert TimelineEntry.objects.filter(subject=door.subject, object_kind="complaints.case").count() == 1
    about = {"item": given_item(desk.cast, "scjg"), "earliest": TODAY, "latest": TODAY + timedelta(days=9)}
    check = handoffs.raise_inspection(case=case, **about, urgent=False, note="电梯异响", actor=desk.officer, at=NOW)
    again = handoffs.raise_inspection(case=case, **about, urgent=False, note="电梯异响", actor=desk.officer, at=NOW)
    assert check == again and check.case_id == case.number and check.source == "case"
    assert Handoff.objects.get(case=case, kind="inspection").object_id == str(check.pk)
    elsewhere = desk.case(CaseStatus.HANDLING)
    with pytest.raises(Refused, match="场所"):
        handoffs.raise_inspection(case=elsewhere, **about, urgent=False, note="", actor=desk.officer, at=NOW)


def test_what_nobody_takes_up_waits_and_is_told_again(desk: Desk, listening: list[Mapping[str, Any]]) -> None:
    case = desk.case(category="prepaid")
    waiting = Handoff.objects.get(case=case)
    assert (waiting.kind, waiting.taken_at) == ("refund", None)
    events.deliver_due(at=NOW)
    handoffs.tell_waiting_again(at=NOW + timedelta(hours=3))
    handoffs.tell_waiting_again(at=NOW + timedelta(days=1, hours=1))
    events.deliver_due(at=NOW + timedelta(days=1, hours=1))
    assert [each["handoff_id"] for each in listening] == [waiting.pk] * 2
    taken = {"handoff_id": waiting.pk, "object_kind": "prepaid.refund", "object_id": 7, "note": "应退 1,500 元"}
    for _twice in range(2):
        handoffs.handoff_taken(taken, NOW)
    waiting.refresh_from_db()
    assert waiting.taken_at and waiting.note == "应退 1,500 元" and case.events.filter(kind="handoff").count() == 1


def test_a_merchant_with_many_complaints_is_a_risk_signal(desk: Desk) -> None:
    subject = given_premises(desk.cast).subject
    made = [desk.case(subject=subject, at=NOW + timedelta(hours=hour)) for hour in range(5)]
    assert [each.handoffs.filter(kind="risk").exists() for each in made] == [False] * 4 + [True]


def test_hints_count_and_decide_nothing(desk: Desk) -> None:
    def bring(moment: datetime, name: str) -> Any:
        person = Person(name, "199 0000 9999", "演示路 1 号")
        return desk.case(CaseStatus.HANDLING, person=person, at=moment, street=desk.cast["110199001"])

    for hour, name in enumerate(("演示甲某", "演示乙某", "演示丙某", "演示甲某")):
        bring(NOW + timedelta(hours=hour), name)
    last = bring(NOW + timedelta(hours=9), "演示甲某")
    texts = [hint.text for hint in claim_hints(last, desk.officer)]
    assert [text for text in texts if "5 件" in text] and [text for text in texts if "3 个姓名" in text]
    assert last.status == CaseStatus.HANDLING and suggested_unit(last) == desk.unit
    assert missing_material(last) == ["被投诉人地址", "具体的投诉请求"]
    assert claim_hints(desk.case(kind=Kind.HELP), desk.officer) == []
