from datetime import timedelta

import pytest

from tests.builders.cast import NOW
from tests.builders.registry import a_scene, a_subject, door_of, fictional_code
from xiezhi.domains.registry import queries, services
from xiezhi.domains.registry.facts import PremisesFacts
from xiezhi.foundation.access.actors import NOBODY


@pytest.fixture
def three(cast):
    return [
        a_subject(cast, 1, "演示金榆酒店（集团）有限公司", address="长安街 1 号"),
        a_subject(cast, 2, "演示银槐ABC超市有限公司", street="110199002", industry="F5212"),
        a_subject(cast, 30, "演示丹枫餐饮有限公司", street="110199002", industry="H6210"),
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", [0, 1, 2]),
        ("金榆酒店", [0]),
        ("酒店(集团)", [0]),
        ("酒店 集团", [0]),
        ("ａｂｃ", [1]),
        (fictional_code(30)[9:17], [2]),
        (fictional_code(1).lower(), [0]),
        ("银槐街道", [1, 2]),
        ("银槐街道 餐饮", [2]),
        ("银槐", [1, 2]),
        ("长安街", [0]),
        ("演示 酒店 餐饮", []),
        ("100% 没有", []),
        ("%", []),
    ],
)
def test_searching_by_part_of_name_code_and_street(cast, three, text, found):
    hits = queries.search_subjects(text, actor=cast.actor("scjg.inspector"))
    assert set(hits) == {three[n] for n in found}


def test_nobody_finds_anything(cast, three):
    assert not queries.search_subjects("演示", actor=NOBODY)
    assert not queries.find_premises(actor=cast.actor("administrator"))


def test_premises_as_a_frame(cast, three, django_assert_num_queries):
    actor, registrar = cast.actor("coordinator"), cast.actor("registrar")
    scene = a_scene(cast, "catering", "餐饮")
    services.label_subjects(scene=scene, subjects=three[1:], carried=True, actor=registrar, at=NOW)
    shut = PremisesFacts("旧址1号", cast["110199002"], "2", is_open=False)
    services.register_premises(subject=three[1], premises=shut, actor=registrar, at=NOW)
    closed = a_subject(cast, 9, status="revoked", street="110199002")
    find = queries.find_premises
    assert list(find(actor=actor)) == [door_of(three[0]), three[1].premises.get(number="1"), door_of(three[2])]
    assert set(find(actor=actor, open_only=False)) > {door_of(closed), three[1].premises.get(number="2")}
    assert list(find(actor=actor, streets=[cast["110199001"]])) == [door_of(three[0])]
    assert list(find(actor=actor, industry_prefix="h62")) == [door_of(three[2])]
    assert find(actor=actor, scene=scene).count() == 2
    assert list(find(actor=actor, scene=scene, text="超市")) == [three[1].premises.get(number="1")]
    assert list(find(actor=actor, streets=[])) == []
    with django_assert_num_queries(1):
        [(door.subject.name, door.street.short_name) for door in find(actor=actor)]
    with django_assert_num_queries(1):
        known = queries.premises_by_code([three[1].code, "x"], actor=actor)
    assert [door.number for door in known[three[1].code]] == ["1", "2"] and "x" not in known


def test_the_timeline_comes_in_pages_newest_first(cast, three, django_assert_num_queries):
    subject = three[0]
    for n in range(25):
        services.add_to_timeline(
            subject=subject, kind="inspections.visit", title=f"第 {n} 次", at=NOW + timedelta(days=n)
        )
    with django_assert_num_queries(2):
        page = queries.timeline(subject)
        titles = [line.title for line in page]
    assert titles[0] == "第 24 次" and len(titles) == 20 and page.paginator.num_pages == 2
    assert len(queries.timeline(subject, page="99")) == 6
    assert {line.kind for line in queries.timeline(subject, kinds=["registry."])} == {"registry.registered"}


def test_who_is_not_to_be_disturbed(cast, three):
    calm = a_scene(cast, "undisturbed", "无事不扰", undisturbed=True)
    services.label_subjects(scene=calm, subjects=three[:1], carried=True, actor=cast.actor("registrar"), at=NOW)
    assert list(queries.undisturbed_subject_ids(actor=cast.actor("coordinator"))) == [three[0].pk]
