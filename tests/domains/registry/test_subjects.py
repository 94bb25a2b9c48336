from datetime import timedelta
from decimal import Decimal

import pytest

from tests.builders.cast import NOW
from tests.builders.registry import a_scene, a_subject, door_of, fictional_code
from xiezhi.domains.registry import services
from xiezhi.domains.registry.facts import BadFact, PremisesFacts
from xiezhi.domains.registry.models import Premises, Scene, Subject, TimelineEntry
from xiezhi.foundation.access.actors import PermissionRefused
from xiezhi.foundation.audit.models import Entry
from xiezhi.foundation.events import services as events
from xiezhi.foundation.events.models import Event
from xiezhi.foundation.workflow.errors import AlreadyDone, Refused, Stale

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def heard(monkeypatch):
    """Somebody listens to everything the register says."""
    names = ["subject_closed", "premises_closed", "joint_choice_changed"]
    listening = {f"registry.{name}": {"test": lambda payload, at: None} for name in names}
    monkeypatch.setattr(events, "_subscribers", listening)
    return lambda: [(event.name, event.payload) for event in Event.objects.order_by("pk")]


def test_registering_stores_clean_facts_tells_and_audits(cast):
    hotel = a_scene(cast, "hotel", "酒店")
    subject = a_subject(
        cast,
        7,
        " 演示金榆酒店（集团）有限公司 ",
        industry="6110",
        credit_class="A",
        risk_class="higher",
        scenes=[hotel],
        door={"longitude": Decimal("116.36"), "latitude": Decimal("39.91"), "closed_weekdays": "周日", "name": "总店"},
    )
    subject.refresh_from_db()
    assert (subject.code, subject.name) == (fictional_code(7), "演示金榆酒店（集团）有限公司")
    assert (subject.normal_name, subject.industry) == ("演示金榆酒店集团", "H6110")
    assert list(subject.scenes.all()) == [hotel]
    door = door_of(subject)
    assert (door.closed_weekdays, door.longitude, door.name, door.street) == (
        "7",
        Decimal("116.360000"),
        "总店",
        cast["110199001"],
    )
    assert subject.timeline.get().kind == "registry.registered"
    entry = Entry.objects.get(action="registry.subject_registered", object_id=str(subject.pk))
    assert entry.payload == {"code": subject.code}


def test_a_code_is_registered_once(cast):
    a_subject(cast, 1)
    with pytest.raises(Refused, match="已经在库里"):
        a_subject(cast, 2, code=fictional_code(1).lower())
    assert Subject.objects.count() == Premises.objects.count() == 1


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"code": "123"}, "code"),
        ({"name": "   x " * 70}, "name"),
        ({"industry": "Z1"}, "industry"),
        ({"kind": "firm"}, "kind"),
        ({"credit_class": "E"}, "credit_class"),
        ({"status": ""}, "status"),
        ({"door": {"closed_weekdays": "八"}}, "closed_weekdays"),
        ({"door": {"longitude": Decimal(116)}}, "latitude"),
        ({"door": {"number": "1" * 21}}, "number"),
        ({"address": "址" * 201}, "address"),
        ({"street": "scjg"}, "street"),
    ],
)
def test_bad_facts_are_refused_by_name_and_nothing_is_stored(cast, given, field):
    with pytest.raises(BadFact) as refusal:
        a_subject(cast, 1, **given)
    assert refusal.value.field == field and refusal.value.reason and refusal.value.mend
    assert not Subject.objects.exists() and not Premises.objects.exists() and not TimelineEntry.objects.exists()


@pytest.mark.parametrize("who", ["coordinator", "supervisor", "scjg.planner", "scjg.inspector", "administrator"])
def test_only_the_registrar_maintains(cast, who):
    subject = a_subject(cast, 1)
    actor = cast.actor(who)
    acts = [
        lambda: services.update_subject(subject=subject, changes={"name": "新名"}, actor=actor, at=NOW),
        lambda: services.set_joint_choice(subject=subject, opted_out=True, actor=actor, at=NOW),
        lambda: services.change_status(subject=subject, move="suspend", actor=actor, at=NOW),
        lambda: services.add_scene(code="x", name="x", actor=actor, at=NOW),
        lambda: services.register_premises(
            subject=subject, premises=PremisesFacts("甲街1号", cast["110199001"], "2"), actor=actor, at=NOW
        ),
    ]
    for act in acts:
        with pytest.raises(PermissionRefused):
            act()


def test_updating_tells_what_changed_and_nothing_else(cast):
    subject, catering = a_subject(cast, 1, credit_class="B"), a_scene(cast, "catering", "餐饮")
    changes = {"name": "演示新名餐饮有限公司", "credit_class": "C", "kind": "company"}
    actor = cast.actor("registrar")
    after = services.update_subject(subject=subject, changes=changes, scenes=[catering], actor=actor, at=LATER)
    assert (after.normal_name, after.updated_at) == ("演示新名餐饮", LATER)
    told = subject.timeline.get(kind="registry.updated").title
    assert "→ 演示新名餐饮有限公司" in told and "B（一般） → C（较高）" in told and "场景改为：餐饮" in told
    assert "主体类型" not in told
    entry = Entry.objects.get(action="registry.subject_updated")
    assert entry.payload == {"fields": ["credit_class", "name", "scenes"]}
    services.update_subject(subject=subject, changes=changes, scenes=[catering], actor=actor, at=LATER)
    assert Entry.objects.filter(action="registry.subject_updated").count() == 1


def test_a_stale_page_changes_nothing(cast):
    subject, actor = a_subject(cast, 1), cast.actor("registrar")
    services.update_subject(subject=subject, changes={"risk_class": "high"}, actor=actor, at=LATER)
    with pytest.raises(Stale):
        services.update_subject(subject=subject, changes={"risk_class": "low"}, actor=actor, at=LATER, seen_at=NOW)
    to = PremisesFacts("别处1号", cast["110199002"])
    with pytest.raises(Stale):
        services.update_premises(premises=door_of(subject), to=to, actor=actor, at=LATER, seen_at=NOW)
    assert Subject.objects.get().risk_class == "high"


def test_closing_is_told_once_and_only_when_it_was_open(cast, heard):
    subject, actor = a_subject(cast, 1), cast.actor("registrar")
    with pytest.raises(Refused, match="理由"):
        services.close_subject(subject=subject, status="revoked", reason=" ", actor=actor, at=LATER)
    revoked = services.close_subject(subject=subject, status="revoked", reason="演示", actor=actor, at=LATER)
    assert not revoked.is_open and revoked.updated_at == LATER
    assert heard() == [
        ("registry.subject_closed", {"subject_id": subject.pk, "code": subject.code, "status": "revoked"})
    ]
    gone = services.close_subject(subject=revoked, status="deregistered", reason="吊销后注销", actor=actor, at=LATER)
    assert len(heard()) == 1
    with pytest.raises(AlreadyDone):
        services.close_subject(subject=gone, status="deregistered", reason="又", actor=actor, at=LATER)
    with pytest.raises(Refused):
        services.close_subject(subject=gone, status="active", reason="x", actor=actor, at=LATER)
    assert [entry.kind for entry in subject.timeline.order_by("pk")][1:] == [
        "registry.revoked",
        "registry.deregistered",
    ]


def test_a_double_click_and_a_stale_status(cast):
    subject, actor = a_subject(cast, 1), cast.actor("registrar")
    services.change_status(subject=subject, move="suspend", actor=actor, at=LATER)
    with pytest.raises(AlreadyDone):
        services.change_status(subject=subject, move="suspend", actor=actor, at=LATER, seen_status="active")
    with pytest.raises(Stale):
        services.change_status(
            subject=subject, move="revoke", reason="演示", actor=actor, at=LATER, seen_status="active"
        )


def test_the_joint_choice_is_heard_by_others(cast, heard):
    subject, actor = a_subject(cast, 1), cast.actor("registrar")
    services.set_joint_choice(subject=subject, opted_out=True, reason="来函说明", actor=actor, at=LATER)
    with pytest.raises(AlreadyDone):
        services.set_joint_choice(subject=subject, opted_out=True, actor=actor, at=LATER)
    assert heard() == [("registry.joint_choice_changed", {"subject_id": subject.pk, "opted_out": True})]
    assert "来函说明" in subject.timeline.get(kind="registry.joint_choice").title
    assert "来函" not in str(Entry.objects.get(action="registry.joint_choice_changed").payload)


def test_premises_are_added_changed_and_closed(cast, heard):
    subject, actor = a_subject(cast, 1), cast.actor("registrar")
    second = PremisesFacts("银槐路2号", cast["110199002"], "2", "二店")
    door = services.register_premises(subject=subject, premises=second, actor=actor, at=LATER)
    with pytest.raises(Refused, match="编号 2"):
        services.register_premises(subject=subject, premises=second, actor=actor, at=LATER)
    clash = PremisesFacts("银槐路2号", cast["110199002"], "1")
    with pytest.raises(Refused, match="编号 1"):
        services.update_premises(premises=door, to=clash, actor=actor, at=LATER)
    shut = PremisesFacts("银槐路2号", cast["110199002"], "2", "二店", is_open=False)
    services.update_premises(premises=door, to=shut, actor=actor, at=LATER)
    services.update_premises(premises=door, to=shut, actor=actor, at=LATER)
    assert heard() == [("registry.premises_closed", {"premises_id": door.pk, "subject_id": subject.pk})]
    assert "停止营业" in subject.timeline.order_by("pk").last().title


def test_scenes(cast):
    actor, hotel = cast.actor("registrar"), a_scene(cast, "hotel", "酒店")
    for code, name, field in (("hotel", "别的", "code"), ("Hôtel", "别的", "code"), ("x", " 酒店 ", "name")):
        with pytest.raises(BadFact) as refusal:
            services.add_scene(code=code, name=name, actor=actor, at=NOW)
        assert refusal.value.field == field
    changed = services.change_scene(scene=hotel, code="hotel", name="宾馆酒店", undisturbed=True, actor=actor, at=NOW)
    assert changed.undisturbed and str(changed) == "宾馆酒店"
    subjects = [a_subject(cast, n) for n in (1, 2, 3)]
    assert services.label_subjects(scene=hotel, subjects=subjects[:2], carried=True, actor=actor, at=LATER) == 2
    assert services.label_subjects(scene=hotel, subjects=subjects, carried=True, actor=actor, at=LATER) == 1
    assert Entry.objects.filter(action="registry.scene_labelled").count() == 3
    with pytest.raises(Refused, match="还有 3 家"):
        services.remove_scene(scene=hotel, actor=actor, at=LATER)
    assert services.label_subjects(scene=hotel, subjects=subjects, carried=False, actor=actor, at=LATER) == 3
    services.remove_scene(scene=hotel, actor=actor, at=LATER)
    assert not Scene.objects.exists()
