from datetime import timedelta
from typing import Any

import pytest

from tests.builders.cast import NOW
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.ui import attention, figures, navigation
from xiezhi.foundation.ui.attention import Attention
from xiezhi.foundation.ui.figures import Figure
from xiezhi.foundation.ui.navigation import Item

CLERK = Actor(role="clerk", permissions=frozenset({"toy.view"}))
GUEST = Actor(role="guest", permissions=frozenset())


@pytest.fixture(autouse=True)
def own_registries(monkeypatch: Any) -> None:
    monkeypatch.setattr(navigation, "_items", {})
    monkeypatch.setattr(navigation, "_sections", dict(navigation._sections))
    monkeypatch.setattr(attention, "_providers", {})
    monkeypatch.setattr(figures, "_providers", {})


def labels(actor: Actor, path: str = "/desk/") -> list[tuple[str, list[str]]]:
    found = navigation.sections_for(actor, path)
    return [(str(section.label), [str(link.label) for link in section.links]) for section in found]


def test_people_see_what_they_may_use_in_order() -> None:
    navigation.register_section("toys", "玩具", 5)
    navigation.register(
        Item("消息", "notices:inbox", "bell", section="settings"),
        Item("任务", "jobs:list", "hourglass", permission=("toy.view", "toy.edit"), section="toys", order=2),
        Item("样例", "desk:ui", "puzzle", permission="toy.edit", section="toys", order=1),
        Item("工作台", "desk:home", "home", section="start"),
    )
    assert labels(CLERK) == [("", ["工作台"]), ("玩具", ["任务"]), ("管理", ["消息"])]
    assert labels(GUEST) == [("", ["工作台"]), ("管理", ["消息"])]


@pytest.mark.parametrize(
    ("path", "active"), [("/desk/", "工作台"), ("/desk/tasks/7/", "任务"), ("/desk/elsewhere/", None)]
)
def test_the_active_item_is_the_nearest(path: str, active: str | None) -> None:
    navigation.register(
        Item("工作台", "desk:home", "home", section="start"), Item("任务", "jobs:list", "hourglass", section="work")
    )
    found = [
        str(link.label) for section in navigation.sections_for(GUEST, path) for link in section.links if link.active
    ]
    assert found == ([active] if active else [])


def test_an_unknown_section_is_a_mistake_of_the_programmer() -> None:
    with pytest.raises(ValueError, match="no section 'cellar'"):
        navigation.register(Item("地窖", "desk:home", "home", section="cellar"))


def test_attention_puts_the_gravest_first_then_the_soonest() -> None:
    attention.register("a", lambda actor, at: [Attention("晚", "/", "caution", due_at=at + timedelta(days=2))])
    attention.register(
        "b",
        lambda actor, at: [
            Attention("无期", "/", "caution"),
            Attention("早", "/", "caution", due_at=at),
            Attention("超期", "/", "urgent"),
        ],
    )
    assert [line.text for line in attention.attention_for(GUEST, NOW)] == ["超期", "早", "晚", "无期"]


def test_seven_figures_at_most() -> None:
    figures.register("a", lambda actor, at: [Figure(str(number), number, order=-number) for number in range(9)])
    assert [figure.value for figure in figures.figures_for(GUEST, NOW)] == [8, 7, 6, 5, 4, 3, 2]
