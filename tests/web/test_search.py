"""`/`: everything one may see and nothing else, by kind, in a fixed number of queries."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.builders.cast import Cast
from tests.builders.complaints import Desk
from tests.builders.inspections import given_check, given_plan, given_premises
from tests.builders.prepaid import World
from tests.builders.visits import given_visit
from xiezhi.domains.complaints.services.people import Person
from xiezhi.foundation.ui import search
from xiezhi.web.desk.views import QUICK_HITS

Login = Callable[[str], Client]


def found(client: Client, text: str, *, quick: bool = False) -> dict[str, str]:
    """Address of every hit → its name."""
    headers = {"HX-Request": "true", "HX-Target": "quick"} if quick else {}
    page = client.get(reverse("desk:search"), {"q": text}, headers=headers).content.decode()
    return dict(re.findall(r'<li><a href="([^"]+)"><span class="hit-title">([^<]+)</span>', page))


@pytest.fixture
def shop(cast: Cast) -> World:
    return World(cast)


def test_each_post_finds_what_it_may_see(cast: Cast, client_of: Login, shop: World) -> None:
    door = given_premises(cast, name="银杏茶铺")
    visit = given_visit(cast, "xfjy", "wsjk", premises=door)
    ours, theirs = given_check(cast, door, "scjg"), given_check(cast, door, "xfjy")
    plan = given_plan(cast, "wsjk", title="银杏专项抽查", filed=False)
    pages = {
        "subject": reverse("registry:subject", args=[door.subject_id]),
        "visit": reverse("inspections:visit", args=[visit.pk]),
        "ours": reverse("inspections:check", args=[ours.pk]),
        "theirs": reverse("inspections:check", args=[theirs.pk]),
        "plan": reverse("inspections:plan", args=[plan.pk]),
    }
    word = door.subject.name
    scjg, coordinator = found(client_of("scjg.head"), word), found(client_of("coordinator"), word)
    assert {pages["subject"], pages["ours"]} <= scjg.keys()
    assert not {pages["visit"], pages["theirs"]} & scjg.keys()
    assert {pages["subject"], pages["visit"], pages["ours"], pages["theirs"]} <= coordinator.keys()
    assert pages["plan"] in found(client_of("wsjk.head"), "银杏专项")
    assert pages["plan"] not in found(client_of("scjg.head"), "银杏专项")
    assert found(client_of("administrator"), "scjg.head")
    assert not found(client_of("scjg.head"), "scjg.head")  # people are for whoever keeps accounts
    assert found(client_of("scjg.head"), "R04")  # rules are everybody's
    for page in scjg:
        assert client_of("scjg.head").get(page).status_code == 200


def test_cards_and_cases_are_found_by_number_and_nobody_by_phone(cast: Cast, client_of: Login, shop: World) -> None:
    other, desk = World(cast), Desk(cast)
    mine, foreign = shop.sale(paid=100_00).card, other.sale(paid=100_00).card
    case = desk.case("handling", title="退卡遇阻", person=Person(name="演示诉求人", phone="19900001234"))
    owner, actor = (
        search.search(shop.owner, [mine.number], limit=5),
        search.search(shop.owner, [foreign.number], limit=5),
    )
    assert [hit.title for group in owner for hit in group.found.hits] == [mine.number]
    assert actor == []
    assert [group.kind.key for group in search.search(desk.dispatcher, [case.number], limit=5)] == ["complaints.case"]
    assert search.search(desk.helper, [case.number], limit=5) == []
    for words in (["19900001234"], ["0001234"], ["演示诉求人"], ["演示持卡人"]):
        assert search.search(desk.dispatcher, words, limit=5) == []
        assert search.search(shop.owner, words, limit=5) == []


@pytest.mark.parametrize("text", ["199 0000 1234", "+86-19900001234", "110101199003070000", "11010119900307888x"])
def test_a_persons_number_is_not_looked_for(text: str) -> None:
    asked = search.ask(text)
    assert asked.words == ()
    assert "证件号" in asked.note


def test_what_is_typed_is_read_with_care() -> None:
    assert search.ask("  ") == search.Asked()
    assert "两个字" in search.ask("酒").note
    assert search.ask("酒\x00店 " + "长" * 200).words[0] == "酒店"
    assert len(search.ask("一 二 三 四 五 六 七 八").words) == search.MOST_WORDS
    assert search.ask("91110199MA00000000").words  # a credit code is no identity number


def test_quick_results_are_few_and_the_page_leads_to_the_list(
    cast: Cast, client_of: Login, no_counts: None, django_assert_num_queries: Any
) -> None:
    for number in range(10):
        given_premises(cast, name=f"银杏 {number} 店")
    client = client_of("coordinator")
    assert len(found(client, "银杏", quick=True)) == QUICK_HITS
    text = client.get(reverse("desk:search"), {"q": "银杏"}).content.decode()
    assert "<html" in text
    assert f"{reverse('registry:subjects')}?q=" in text
    # session and person, post and rights, the shell's badges; then one query a kind, and one to count those of which there are more
    with django_assert_num_queries(15):
        client.get(reverse("desk:search"), {"q": "银杏"})
    empty = client.get(reverse("desk:search"), {"q": "没有这样的东西"}).content.decode()
    assert "没有找到" in empty
    assert client.get(reverse("desk:search")).status_code == 200
