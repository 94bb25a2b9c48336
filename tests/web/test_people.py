"""Posts: switching between one's own, and the administrator's screens."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.builders.cast import FOUNDER, NOW, TODAY, Cast
from xiezhi.foundation.access.models import Membership
from xiezhi.foundation.access.services import appoint
from xiezhi.foundation.accounts.models import User

Login = Callable[[str], Client]
GOOD_PASSWORD = "Yinhuai-7-bridges"


@pytest.fixture
def second_post(cast: Cast) -> Membership:
    return appoint(
        user=cast.people["scjg.head"],
        organisation=cast["xfjy"],
        role="planner",
        starts_on=TODAY,
        actor=FOUNDER,
        at=NOW,
    )


class TestSwitching:
    def test_acting_in_another_of_ones_own_posts(self, second_post: Membership, client_of: Login) -> None:
        client = client_of("scjg.head")
        before = client.get(reverse("desk:home")).content.decode()
        assert f'name="membership" value="{second_post.pk}"' in before
        page = client.post(reverse("access:switch"), {"membership": second_post.pk}, follow=True).content.decode()
        assert f"现在以“{second_post}”办事。" in page
        assert client.get(reverse("desk:home")).wsgi_request.actor.role == "planner"

    @pytest.mark.parametrize("wrong", ["", "x", "0"])
    def test_only_ones_own(self, cast: Cast, client_of: Login, wrong: str) -> None:
        others = cast.people["xfjy.head"].memberships.get().pk
        client = client_of("scjg.head")
        for key in (wrong, others):
            assert client.post(reverse("access:switch"), {"membership": key}).status_code == 404
        assert client.get(reverse("desk:home")).wsgi_request.actor.role == "head"

    def test_who_has_one_post_sees_no_switch(self, client_of: Login) -> None:
        assert reverse("access:switch") not in client_of("scjg.head").get(reverse("desk:home")).content.decode()


class TestAdministration:
    @pytest.mark.parametrize(
        "name", ["access:people", "access:open_account", "access:person", "access:appoint", "access:end"]
    )
    def test_administrators_only(self, cast: Cast, client_of: Login, name: str) -> None:
        keys = {"access:people": [], "access:open_account": []}.get(name)
        if keys is None:
            person = cast.people["xfjy.head"]
            keys = [person.memberships.get().pk if name == "access:end" else person.pk]
        assert client_of("scjg.head").get(reverse(name, args=keys)).status_code == 403
        assert client_of("administrator").get(reverse(name, args=keys)).status_code == 200

    def test_the_list_shows_present_posts_at_a_fixed_cost(
        self, client_of: Login, no_counts: None, django_assert_num_queries: Any
    ) -> None:
        client = client_of("administrator")
        # session, person, memberships; views, count, page, posts; two badges
        with django_assert_num_queries(9):
            text = client.get(reverse("access:people")).content.decode()
        assert "演示区 · 区级统筹员" in text
        found = client.get(reverse("access:people") + "?role=coordinator").content.decode()
        assert "共 <strong>1</strong> 人" in found

    def test_opening_an_account_and_appointing(self, cast: Cast, client_of: Login) -> None:
        client = client_of("administrator")
        data = {"display_name": "新来的", "username": "new.comer", "password": GOOD_PASSWORD}
        response = client.post(reverse("access:open_account"), data)
        person = User.objects.get(username="new.comer")
        assert response["Location"] == reverse("access:person", args=[person.pk])
        assert person.check_password(GOOD_PASSWORD)
        post = {"organisation": cast["scjg"].pk, "role": "planner", "starts_on": timezone.localdate().isoformat()}
        page = client.post(reverse("access:appoint", args=[person.pk]), post, follow=True).content.decode()
        assert "任职已生效。" in page
        assert "在任" in page

    @pytest.mark.parametrize("password", ["short", "password12345", "new.comer.new"])
    def test_weak_first_passwords_are_refused_and_not_shown_again(self, client_of: Login, password: str) -> None:
        data = {"display_name": "新来的", "username": "new.comer", "password": password}
        response = client_of("administrator").post(reverse("access:open_account"), data)
        assert response.status_code == 422
        assert f'value="{password}"' not in response.content.decode()
        assert not User.objects.filter(username="new.comer").exists()

    def test_a_login_name_that_is_taken(self, client_of: Login) -> None:
        data = {"display_name": "另一个", "username": "scjg.head", "password": GOOD_PASSWORD}
        response = client_of("administrator").post(reverse("access:open_account"), data)
        assert response.status_code == 422
        assert 'href="#id_username"' in response.content.decode()

    def test_a_post_that_the_organisation_cannot_have(self, cast: Cast, client_of: Login) -> None:
        person = cast.people["scjg.head"]
        post = {"organisation": cast["scjg"].pk, "role": "coordinator", "starts_on": "2026-11-23"}
        response = client_of("administrator").post(reverse("access:appoint", args=[person.pk]), post)
        assert response.status_code == 422
        assert "只能设在区" in response.content.decode()

    def test_reversed_dates_are_shown_on_the_form(self, cast: Cast, client_of: Login) -> None:
        person = cast.people["scjg.head"]
        post = {"organisation": cast["scjg"].pk, "role": "head", "starts_on": "2026-12-02", "ends_on": "2026-12-01"}
        response = client_of("administrator").post(reverse("access:appoint", args=[person.pk]), post)
        assert response.status_code == 422
        assert "结束日期早于开始日期" in response.content.decode()
        assert 'value="2026-12-02"' in response.content.decode()

    def test_ending_a_post(self, cast: Cast, client_of: Login) -> None:
        client = client_of("administrator")
        membership = cast.people["scjg.head"].memberships.get()
        page = client.post(reverse("access:end", args=[membership.pk]), {"ends_on": "2026-06-30"}, follow=True)
        text = page.content.decode()
        assert "任职已结束。" in text
        assert "2026-06-30（周二）" in text
        assert "已结束" in text

    def test_nobody_ends_their_own_post(self, cast: Cast, client_of: Login) -> None:
        own = cast.people["administrator"].memberships.get()
        response = client_of("administrator").post(reverse("access:end", args=[own.pk]), {"ends_on": "2026-11-30"})
        assert response.status_code == 422
        assert "请由另一位管理员办理" in response.content.decode()
