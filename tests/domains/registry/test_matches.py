from datetime import timedelta

import pytest

from tests.builders.cast import NOW
from tests.builders.registry import a_subject, door_of
from xiezhi.domains.registry import queries, services
from xiezhi.domains.registry.facts import PremisesFacts
from xiezhi.domains.registry.models import PendingMatch
from xiezhi.foundation.access.actors import PermissionRefused
from xiezhi.foundation.audit.models import Entry
from xiezhi.foundation.events import services as events
from xiezhi.foundation.events.models import Event
from xiezhi.foundation.workflow.errors import AlreadyDone, Refused, Stale

LATER = NOW + timedelta(hours=1)
ORIGIN = "inspections.plan_row"


@pytest.fixture
def heard(monkeypatch):
    names = ["name_matched", "name_dismissed", "name_reopened"]
    listening = {f"registry.{name}": {"test": lambda payload, at: None} for name in names}
    monkeypatch.setattr(events, "_subscribers", listening)
    return lambda: [(event.name.removeprefix("registry."), event.payload) for event in Event.objects.order_by("pk")]


@pytest.fixture
def waiting(cast):
    def queue(name="演示金榆酒店", **given):
        given = {"payload": {"row": 7}, "organisation": cast["scjg"], "origin": ORIGIN, "at": NOW, **given}
        return services.queue_name(name=name, **given)

    return queue


def test_a_row_sent_again_is_the_same_row(cast, waiting):
    first = waiting(street_text="金榆街道", address="金榆街 1 号")
    assert waiting(name="演示金榆酒店（有限公司）", street_text="金榆街道", address="金榆街 1 号") == first
    others = [
        waiting(street_text="银槐街道", address="金榆街 1 号"),
        waiting(payload={"row": 8}, street_text="金榆街道", address="金榆街 1 号"),
        waiting(organisation=cast["xfjy"], street_text="金榆街道", address="金榆街 1 号"),
        waiting(origin="complaints.case", street_text="金榆街道", address="金榆街 1 号"),
    ]
    assert len({first.pk, *(each.pk for each in others)}) == 5
    twice = services.queue_names(
        rows=[services.NamedRow("甲店"), services.NamedRow("甲店")], origin=ORIGIN, organisation=cast["scjg"], at=NOW
    )
    assert twice[0] == twice[1]


def test_confirming_tells_the_sender_once(cast, waiting, heard):
    subject, pending, actor = a_subject(cast, 1), waiting(), cast.actor("scjg.planner")
    matched = services.confirm_match(pending=pending, subject=subject, actor=actor, at=LATER, seen_status="waiting")
    assert (matched.status, matched.subject, matched.premises) == ("matched", subject, door_of(subject))
    told = {
        "pending_match_id": pending.pk,
        "origin": ORIGIN,
        "subject_id": subject.pk,
        "premises_id": door_of(subject).pk,
    }
    assert heard() == [("name_matched", told)]
    with pytest.raises(AlreadyDone):
        services.confirm_match(pending=pending, subject=subject, actor=actor, at=LATER, seen_status="waiting")
    with pytest.raises(Stale):
        services.dismiss_match(
            pending=pending, reason="迟了", actor=cast.actor("coordinator"), at=LATER, seen_status="waiting"
        )
    assert len(heard()) == 1 and waiting() == pending and waiting().subject == subject
    entry = Entry.objects.get(action="registry.match.confirm")
    assert "演示" not in str(entry.payload) and entry.payload["subject"] == subject.pk
    assert subject.timeline.order_by("pk").last().kind == "registry.name_matched"


def test_a_subject_with_several_doors_needs_one_chosen(cast, waiting):
    subject, other, pending, actor = a_subject(cast, 1), a_subject(cast, 2), waiting(), cast.actor("coordinator")
    second = services.register_premises(
        subject=subject,
        premises=PremisesFacts("银槐路2号", cast["110199002"], "2"),
        actor=cast.actor("registrar"),
        at=NOW,
    )
    with pytest.raises(Refused, match="多个场所"):
        services.confirm_match(pending=pending, subject=subject, actor=actor, at=LATER)
    with pytest.raises(Refused, match="不属于"):
        services.confirm_match(pending=pending, subject=subject, premises=door_of(other), actor=actor, at=LATER)
    assert (
        services.confirm_match(pending=pending, subject=subject, premises=second, actor=actor, at=LATER).premises
        == second
    )


def test_dismissing_needs_a_reason_and_can_be_taken_back(cast, waiting, heard):
    pending, actor = waiting(), cast.actor("scjg.planner")
    with pytest.raises(Refused, match="理由"):
        services.dismiss_match(pending=pending, reason="  ", actor=actor, at=LATER)
    dismissed = services.dismiss_match(pending=pending, reason="已拆除", actor=actor, at=LATER)
    assert (dismissed.status, dismissed.reason, dismissed.decided_at) == ("dismissed", "已拆除", LATER)
    again = services.reopen_match(pending=pending, actor=actor, at=LATER)
    assert (again.status, again.reason, again.decided_at) == ("waiting", "", None)
    assert [name for name, _payload in heard()] == ["name_dismissed", "name_reopened"]


def test_who_sees_and_decides(cast, waiting):
    pending = waiting()
    sees = {
        who: PendingMatch.objects.visible_to(cast.actor(who)).exists()
        for who in ("coordinator", "registrar", "scjg.planner", "xfjy.planner", "scjg.head", "supervisor")
    }
    assert sees == {
        "coordinator": True,
        "registrar": True,
        "scjg.planner": True,
        "xfjy.planner": False,
        "scjg.head": False,
        "supervisor": False,
    }
    with pytest.raises(PermissionRefused):
        services.confirm_match(pending=pending, subject=a_subject(cast, 1), actor=cast.actor("supervisor"), at=NOW)


def test_candidates_come_with_reasons_best_first(cast, waiting, django_assert_num_queries):
    actor = cast.actor("coordinator")
    same = a_subject(cast, 1, "演示金榆酒店有限公司", address="金榆街1号")
    branch = a_subject(cast, 2, "演示金榆酒店有限公司银槐分公司", street="110199002")
    alike = a_subject(cast, 3, "演示金槐酒店有限公司")
    closed = a_subject(cast, 4, "演示金榆酒店（集团）有限公司", status="deregistered")
    address = a_subject(cast, 5, "完全无关印刷厂", address="金榆街一号院底商")
    a_subject(cast, 6, "毫不相干科技有限公司", address="别处9号")
    pending = waiting("演示金榆酒店", street_text="金榆街道", address="金榆街 1 号")
    with django_assert_num_queries(6):
        found = queries.match_candidates(pending, actor=actor)
    assert found[0].subject == same and found[0].score == 100 and found[0].premises == door_of(same)
    assert set(found[0].reasons) == {"名称只有写法不同", "地址相同", "街道相同"}
    by_subject = {each.subject.pk: each for each in found}
    assert by_subject[branch.pk].reasons[0] == "一个名称包含另一个"
    assert any("相同" in reason and "%" in reason for reason in by_subject[alike.pk].reasons)
    assert any("注销" in reason for reason in by_subject[closed.pk].reasons)
    assert by_subject[closed.pk].score < by_subject[branch.pk].score + 20
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)
    assert address.pk not in by_subject, "another writing of a number is another address"
    near = waiting("毫无头绪", address="金榆街一号院")
    assert [each.subject for each in queries.match_candidates(near, actor=actor)] == [address]
    assert queries.match_candidates(near, actor=cast.actor("administrator")) == []


def test_an_earlier_decision_is_remembered_as_a_reason(cast, waiting):
    actor = cast.actor("coordinator")
    odd = a_subject(cast, 1, "演示玉兰饮食服务有限公司")
    services.confirm_match(pending=waiting("老字号小院"), subject=odd, actor=actor, at=NOW)
    again = waiting("老字号小院", payload={"row": 99})
    (found,) = queries.match_candidates(again, actor=actor)
    assert found.subject == odd and "曾确认" in found.reasons[0] and found.score > 0
