"""The history of one object, for those who may read the audit and see the object."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from django.test import Client
from django.urls import reverse

from tests.builders.cast import FOUNDER, NOW, Cast
from xiezhi.foundation.access.services import appoint
from xiezhi.foundation.audit import labels
from xiezhi.foundation.audit.permissions import AuditPermission
from xiezhi.foundation.audit.queries import object_history, visible_object
from xiezhi.foundation.audit.services import seal_entries

Login = Callable[[str], Client]


@pytest.fixture
def address(cast: Cast) -> str:
    membership = cast.people["scjg.head"].memberships.get()
    return reverse("audit:history", args=["access.membership", membership.pk])


def test_acts_in_words_with_who_and_the_seal(cast: Cast, address: str, client_of: Login) -> None:
    page = client_of("supervisor").get(address).content.decode()
    assert "任命" in page
    assert "系统" in page
    assert "待封存" in page
    seal_entries()
    assert "待封存" not in client_of("supervisor").get(address).content.decode()


def test_who_acted_in_which_post(cast: Cast) -> None:
    membership = appoint(
        user=cast.people["scjg.head"],
        organisation=cast["xfjy"],
        role="head",
        starts_on=NOW.date(),
        actor=cast.actor("administrator"),
        at=NOW,
    )
    acts = object_history("access.membership", str(membership.pk))
    assert acts[0].who == "演示 administrator（演示区 · 系统管理员）"


@pytest.mark.parametrize("person", ["scjg.head", "coordinator"])
def test_only_for_those_who_may(address: str, client_of: Login, person: str) -> None:
    assert client_of(person).get(address).status_code == 403


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("access.membership", "999999"),
        ("access.nothing", "1"),
        ("nonsense", "1"),
        ("access.membership", "x"),
        ("orgs.officer", "9" * 40),
    ],
)
def test_what_does_not_exist_is_not_found(cast: Cast, client_of: Login, kind: str, key: str) -> None:
    assert client_of("supervisor").get(reverse("audit:history", args=[kind, key])).status_code == 404


def test_a_reader_in_a_department_sees_only_what_the_department_may_see(cast: Cast) -> None:
    reader = replace(cast.actor("scjg.head"), permissions=frozenset({AuditPermission.READ.value}))
    own, other = cast.officers["scjg"][0], cast.officers["xfjy"][0]
    assert visible_object("orgs.officer", str(own.pk), reader) == own
    assert visible_object("orgs.officer", str(other.pk), reader) is None
    # A model without a scope of its own is for district-wide posts.
    membership = cast.people["xfjy.head"].memberships.get()
    assert visible_object("access.membership", str(membership.pk), reader) is None
    assert visible_object("access.membership", str(membership.pk), cast.actor("supervisor")) == membership


def test_an_action_without_a_word_keeps_its_code() -> None:
    assert labels.label("toy.unheard_of") == "toy.unheard_of"


def test_founding_acts_are_the_systems(cast: Cast) -> None:
    assert FOUNDER.user_id is None
    acts = object_history("accounts.user", str(cast.people["administrator"].pk))
    assert [act.who for act in acts] == ["系统"]
