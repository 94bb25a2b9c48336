"""未诉先办: what rises is found once, told, and becomes a check, a signal, or a reason; what falls back goes."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from tests.builders.cast import NOW
from tests.builders.complaints import Desk
from tests.builders.inspections import given_item
from tests.builders.registry import a_subject
from xiezhi.domains.complaints.models import Case, Topic, TopicHandoff
from xiezhi.domains.complaints.services import topics
from xiezhi.domains.complaints.words import CaseStatus
from xiezhi.domains.inspections.models import Check
from xiezhi.foundation.access.actors import PermissionRefused
from xiezhi.foundation.events import services as events
from xiezhi.foundation.notices.models import Notice
from xiezhi.foundation.workflow.errors import AlreadyDone, Refused, Stale

DAY = timedelta(days=1)


@pytest.fixture
def rising_gym(desk: Desk) -> Topic:
    """Seven complaints of prepaid cards about one merchant within a week, one in the four weeks before; as many others as ever."""
    gym = a_subject(desk.cast, 71, "演示上升健身有限公司")
    for days in (20, 6, 5, 4, 3, 2, 2, 1):
        desk.case(at=NOW - days * DAY, category="prepaid", subject=gym, description="办卡不退余额")
    for days in range(1, 35, 3):
        desk.case(at=NOW - days * DAY, category="lift", street=desk.cast["110199002"], description="电梯异响")
    discarded = desk.case(CaseStatus.DISMISSED, at=NOW - 2 * DAY, category="quality", street=desk.cast["110199002"])
    assert discarded.category
    new = topics.find_topics(at=NOW)
    assert [(each.subject, each.category.code) for each in new] == [(gym, "prepaid")], "not its street besides"
    return new[0]


def test_a_topic_is_found_once_told_once_and_fades(desk: Desk, rising_gym: Topic) -> None:
    topic = Topic.objects.get(pk=rising_gym.pk)
    assert (topic.recent, sum(topic.counts), len(topic.counts)) == (7, 8, 35) and topic.expected < 1 < (
        topic.ratio or 0
    )
    told = Notice.objects.get(recipient=desk.cast.people["dispatcher"], key__startswith="complaints.rising")
    assert "登记检查" in told.body and told.link == reverse("complaints:topics")
    assert topics.find_topics(at=NOW + timedelta(hours=3)) == []
    assert (
        topics.find_topics(at=NOW + DAY) == []
        and Notice.objects.filter(key__startswith="complaints.rising").count() == 1
    )
    topics.dismiss_topic(topic=topic, reason="演示：同一人反复来电", actor=desk.dispatcher, at=NOW)
    assert topics.find_topics(at=NOW + 2 * DAY) == []  # decided is decided while it goes on
    topics.find_topics(at=NOW + 20 * DAY)
    assert set(Topic.objects.values_list("status", flat=True)) == {"faded"}


def test_it_becomes_checks_at_the_doors_behind_it(desk: Desk, rising_gym: Topic) -> None:
    doors = topics.doors_of(Topic.objects.get(pk=rising_gym.pk))
    assert [door.subject for door in doors] == [rising_gym.subject]
    given: dict[str, Any] = {
        "topic": rising_gym, "item": given_item(desk.cast, "scjg"), "earliest": NOW.date(), "latest": (NOW + 14 * DAY).date(),
        "note": "近七天预付卡投诉上升，请核实", "actor": desk.dispatcher, "at": NOW,
    }  # fmt: skip
    with pytest.raises(Refused, match="至少选一个"):
        topics.raise_checks(premises=[], **given)
    with pytest.raises(PermissionRefused):
        topics.raise_checks(premises=doors, **{**given, "actor": desk.officer})
    topic = topics.raise_checks(premises=doors, seen_status="rising", **given)
    check = Check.objects.get(case_kind="complaints.topic")
    assert topic.status == "checked" and topic.handoffs.get().note == check.number
    with pytest.raises(AlreadyDone):
        topics.raise_checks(premises=doors, seen_status="rising", **given)
    with pytest.raises(Stale):
        topics.signal_risk(topic=topic, seen_status="rising", actor=desk.dispatcher, at=NOW)
    assert Check.objects.count() == 1


def test_a_risk_signal_waits_for_the_system_that_takes_it(
    desk: Desk, rising_gym: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[Any] = []
    monkeypatch.setitem(events._subscribers, "complaints.topic", {"test": lambda payload, at: heard.append(payload)})
    topics.signal_risk(topic=rising_gym, actor=desk.dispatcher, at=NOW)
    assert topics.tell_topics_again(at=NOW + timedelta(hours=1)) == 0 and topics.tell_topics_again(at=NOW + DAY) == 1
    events.deliver_due(at=NOW + DAY)
    assert [each["subject_id"] for each in heard] == [rising_gym.subject_id] * 2
    topics.topic_taken({"handoff_id": heard[0]["handoff_id"], "note": "已计入风险"}, NOW + DAY)
    assert TopicHandoff.objects.get().note == "已计入风险" and topics.tell_topics_again(at=NOW + 3 * DAY) == 0


def test_the_pages_show_cases_behind_it_to_those_who_may(desk: Desk, rising_gym: Topic, client: Client) -> None:
    item = given_item(desk.cast, "scjg")
    with time_machine.travel(NOW, tick=False):
        client.force_login(desk.cast.people["dispatcher"])
        page = client.get(reverse("complaints:topics"))
        assert "演示上升健身" in page.text and "<svg" in page.text and 'style="' not in page.text
        here = reverse("complaints:topic", args=[rising_gym.pk])
        page = client.get(here)
        numbers = Case.objects.filter(subject=rising_gym.subject, received_at__gt=NOW - 8 * DAY).values_list(
            "number", flat=True
        )
        assert all(number in page.text for number in numbers) and "依据" in page.text
        move = reverse("complaints:topic_move", args=[rising_gym.pk, "dismiss"])
        assert "请写明理由" in client.post(move, {"seen_status": "rising"}, follow=True).text
        client.post(move, {"seen_status": "rising", "reason": "演示"})
        client.post(reverse("complaints:topic_move", args=[rising_gym.pk, "reopen"]), {"seen_status": "dismissed"})
        form = client.get(reverse("complaints:topic_check", args=[rising_gym.pk])).context["form"]
        sent = {
            "premises": form.initial["premises"],
            "item": item.pk,
            "earliest": NOW.date(),
            "latest": NOW.date(),
            "note": "演示",
        }
        page = client.post(reverse("complaints:topic_check", args=[rising_gym.pk]), sent, follow=True)
        assert Topic.objects.get(pk=rising_gym.pk).status == "checked" and Check.objects.get().number in page.text
        client.force_login(desk.cast.people["officer"])
        assert client.get(here).status_code == 403
