"""What people read when something cannot be done: sentences, a way out, and never a code alone."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import include, path, reverse

from tests.builders.cast import FOUNDER, NOW, PASSWORD, Cast
from xiezhi.foundation.access.guards import SIGNED_IN, needs
from xiezhi.foundation.access.services import end_membership, open_account
from xiezhi.foundation.workflow.errors import AlreadyDone, Refused

Login = Callable[[str], Client]


@needs(SIGNED_IN)
def refuses(request: Any) -> HttpResponse:
    raise Refused("今天的名额已满，请换一天。")


@needs(SIGNED_IN)
def already(request: Any) -> HttpResponse:
    raise AlreadyDone("已经办好：已同意。")


@needs("toy.never")
def forbidden(request: Any) -> HttpResponse:
    raise AssertionError("let in")


def breaks(request: Any) -> HttpResponse:
    raise ZeroDivisionError("secret detail")


urlpatterns = [
    path("refuses/", refuses),
    path("already/", already),
    path("forbidden/", forbidden),
    path("breaks/", breaks),
    path("", include("xiezhi.config.urls")),
]
pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


def test_a_refused_page_says_why_with_a_way_out(client_of: Login) -> None:
    response = client_of("scjg.head").get("/refuses/")
    assert response.status_code == 409
    text = response.content.decode()
    assert "今天的名额已满，请换一天。" in text
    assert 'href="/"' in text


def test_a_refused_act_returns_to_its_page_with_the_reason_that_stays(client_of: Login) -> None:
    client = client_of("scjg.head")
    response = client.post("/refuses/", headers={"Referer": "http://testserver/desk/tasks/"})
    assert (response.status_code, response["Location"]) == (303, "http://testserver/desk/tasks/")
    text = client.get("/desk/tasks/").content.decode()
    assert '<div class="note tone-urgent" role="alert">' in text
    assert "今天的名额已满" in text
    assert "data-toast" not in text


def test_a_refused_act_never_leads_to_another_site(client_of: Login) -> None:
    response = client_of("scjg.head").post("/refuses/", headers={"Referer": "https://example.org/x"})
    assert response["Location"] == reverse("desk:home")


def test_under_htmx_the_whole_page_goes_back(client_of: Login) -> None:
    response = client_of("scjg.head").post("/refuses/", headers={"HX-Request": "true"})
    assert response["HX-Redirect"] == reverse("desk:home")


def test_a_double_click_reads_as_success(client_of: Login) -> None:
    client = client_of("scjg.head")
    client.post("/already/", headers={"Referer": "http://testserver/desk/"})
    assert "data-toast" in client.get("/desk/").content.decode()


def test_without_permission(client_of: Login) -> None:
    response = client_of("scjg.head").get("/forbidden/")
    assert response.status_code == 403
    assert "您的岗位没有这项权限" in response.content.decode()


def test_without_any_post(cast: Cast) -> None:
    open_account(username="new", display_name="新人", password=PASSWORD, actor=FOUNDER, at=NOW)
    client = Client()
    client.login(username="new", password=PASSWORD)
    response = client.get(reverse("desk:home"))
    assert response.status_code == 403
    assert "您还没有任职" in response.content.decode()


def test_a_post_that_ended_opens_no_page(cast: Cast, client_of: Login) -> None:
    client = client_of("scjg.head")
    membership = cast.people["scjg.head"].memberships.get()
    end_membership(membership=membership, ends_on=date(2026, 1, 2), actor=FOUNDER, at=NOW)
    assert client.get(reverse("desk:home")).status_code == 403


def test_not_found(client_of: Login) -> None:
    response = client_of("scjg.head").get("/desk/no-such-page/")
    assert response.status_code == 404
    assert "没有找到这一页" in response.content.decode()


def test_a_form_without_its_token(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.people["scjg.head"])
    response = client.post(reverse("jobs:cancel", args=[1]))
    assert response.status_code == 403
    assert "页面放得太久了" in response.content.decode()


@override_settings(ALLOWED_HOSTS=["elsewhere"])
def test_a_request_that_makes_no_sense(client: Client) -> None:
    response = client.get("/accounts/login/")
    assert response.status_code == 400
    assert "这个请求看不懂" in response.content.decode()


def test_a_crash_tells_what_to_do_and_no_detail(client: Client) -> None:
    client.raise_request_exception = False
    response = client.get("/breaks/")
    text = response.content.decode()
    assert response.status_code == 500
    assert "没有保存任何内容" in text
    assert "secret detail" not in text
    assert "ZeroDivision" not in text
