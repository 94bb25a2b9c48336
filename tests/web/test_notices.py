"""The inbox: one's own notices only, opened and marked read."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.builders.cast import NOW, Cast
from xiezhi.foundation.notices.models import Notice
from xiezhi.foundation.notices.services import notify

Login = Callable[[str], Client]


@pytest.fixture
def notices(cast: Cast) -> list[Notice]:
    person = cast.people["scjg.head"].pk
    for number, link in enumerate(["/desk/tasks/", "https://example.org/", ""]):
        notify([person], key=f"toy-{number}", title=f"第 {number} 条消息", body="请答复。", at=NOW, link=link)
    return list(Notice.objects.order_by("pk"))


def unread() -> int:
    return Notice.objects.filter(read_at=None).count()


def test_the_inbox_is_ones_own(notices: list[Notice], client_of: Login) -> None:
    mine = client_of("scjg.head").get(reverse("notices:inbox")).content.decode()
    assert mine.count("notice-unread") == 3
    assert "3 条未读" in mine
    assert '<span class="count tone-urgent">3</span>' in mine
    for other in ("xfjy.head", "coordinator"):
        page = client_of(other).get(reverse("notices:inbox")).content.decode()
        assert "第 0 条消息" not in page
        assert "还没有消息" in page


def test_opening_marks_read_and_goes_where_the_notice_points(notices: list[Notice], client_of: Login) -> None:
    client = client_of("scjg.head")
    assert client.get(reverse("notices:open", args=[notices[0].pk]))["Location"] == "/desk/tasks/"
    assert unread() == 2


@pytest.mark.parametrize("number", [1, 2])
def test_a_notice_leads_nowhere_outside(notices: list[Notice], client_of: Login, number: int) -> None:
    response = client_of("scjg.head").get(reverse("notices:open", args=[notices[number].pk]))
    assert response["Location"] == reverse("notices:inbox")


def test_other_peoples_notices_are_not_found_and_stay_unread(notices: list[Notice], client_of: Login) -> None:
    client = client_of("xfjy.head")
    assert client.get(reverse("notices:open", args=[notices[0].pk])).status_code == 404
    client.post(reverse("notices:read"), {"selected": [each.pk for each in notices]})
    client.post(reverse("notices:read"), {"all": "1"})
    assert unread() == 3


def test_marking_some_all_and_none(notices: list[Notice], client_of: Login) -> None:
    client = client_of("scjg.head")
    page = client.post(reverse("notices:read"), {"selected": ["x", "9" * 40]}, follow=True).content.decode()
    assert "请先勾选" in page
    page = client.post(reverse("notices:read"), {"selected": [notices[0].pk]}, follow=True).content.decode()
    assert "1 条消息已标为已读。" in page
    client.post(reverse("notices:read"), {"all": "1"})
    assert unread() == 0


def test_filtering_the_unread(notices: list[Notice], client_of: Login) -> None:
    client = client_of("scjg.head")
    client.get(reverse("notices:open", args=[notices[0].pk]))
    page = client.get(reverse("notices:inbox") + "?unread=true").content.decode()
    assert page.count("notice-unread") == 2
    assert "notice-read" not in page


def test_the_inbox_costs_the_same_for_three_and_for_fifty(
    notices: list[Notice], cast: Cast, client_of: Login, no_counts: None, django_assert_num_queries: Any
) -> None:
    client = client_of("scjg.head")
    # session, person, memberships; views, count, page; unread on the page and in the shell, open tasks
    with django_assert_num_queries(9):
        client.get(reverse("notices:inbox"))
    for number in range(47):
        notify([cast.people["scjg.head"].pk], key=f"more-{number}", title="又一条", at=NOW)
    with django_assert_num_queries(9):
        client.get(reverse("notices:inbox"))
