"""The shell: who gets in, what the policy allows, and that nothing on a page needs script to work."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

import xiezhi
from tests.builders.cast import NOW, PASSWORD, Cast
from xiezhi.foundation.ui import attention, figures
from xiezhi.foundation.ui.attention import Attention
from xiezhi.foundation.ui.figures import Figure

SOURCE = Path(xiezhi.__file__).parent
TEMPLATES = sorted(path for path in SOURCE.rglob("templates/**/*.html"))
Login = Callable[[str], Client]


def test_strangers_are_asked_to_log_in(db: None, client: Client) -> None:
    response = client.get(reverse("desk:home"))
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/")


def test_logging_in_and_out(cast: Cast, client: Client) -> None:
    page = client.get("/accounts/login/").content.decode()
    assert '<label class="form-label" for="id_login">' in page
    wrong = client.post("/accounts/login/", {"login": "administrator", "password": "wrong"})
    assert "error-summary" in wrong.content.decode()
    right = client.post("/accounts/login/", {"login": "administrator", "password": PASSWORD})
    assert right["Location"] == reverse("desk:home")
    assert client.get("/accounts/logout/").status_code == 200
    client.post("/accounts/logout/")
    assert client.get(reverse("desk:home")).status_code == 302


def test_changing_the_password(cast: Cast, client_of: Login) -> None:
    client = client_of("scjg.head")
    assert client.get("/accounts/password/change/").status_code == 200
    client.post(
        "/accounts/password/change/",
        {"oldpassword": PASSWORD, "password1": "Longer-2026-words", "password2": "Longer-2026-words"},
    )
    assert Client().login(username="scjg.head", password="Longer-2026-words")


@pytest.mark.parametrize("name", ["desk:home", "desk:ui", "jobs:list", "notices:inbox", "access:people"])
def test_the_policy_allows_no_inline_code(client_of: Login, name: str) -> None:
    response = client_of("administrator").get(reverse(name))
    assert response.status_code == 200
    policy = response["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    text = response.content.decode()
    for tag in re.findall(r"<script\b[^>]*>", text):
        assert " src=" in tag or 'type="application/json"' in tag
    assert not re.findall(r"<style\b|\sstyle=|\son[a-z]+=", text)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_templates_hold_no_inline_code(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.findall(r"<style\b|\sstyle=[\"']|\son[a-z]+=[\"']|href=[\"']javascript:", text)
    assert not [tag for tag in re.findall(r"<script\b[^>]*>", text) if " src=" not in tag]


def test_home_shows_what_waits_and_the_figures(client_of: Login, monkeypatch: Any) -> None:
    waiting = Attention("三件建议等您答复", "/desk/x/", "urgent", 3, "件", NOW)
    monkeypatch.setattr(attention, "_providers", {"toy": lambda actor, at: [waiting]})
    monkeypatch.setattr(figures, "_providers", {"toy": lambda actor, at: [Figure("合并率", "37.5%")]})
    text = client_of("scjg.head").get(reverse("desk:home")).content.decode()
    assert "三件建议等您答复" in text
    assert "37.5%" in text
    assert text.index("三件建议等您答复") < text.index("37.5%")


def test_home_with_nothing_to_do_says_so(client_of: Login, monkeypatch: Any) -> None:
    monkeypatch.setattr(attention, "_providers", {})
    assert "没有等您处理的事" in client_of("scjg.head").get(reverse("desk:home")).content.decode()


def test_navigation_follows_the_role(client_of: Login) -> None:
    people = f'href="{reverse("access:people")}"'
    assert people in client_of("administrator").get(reverse("desk:home")).content.decode()
    assert people not in client_of("scjg.head").get(reverse("desk:home")).content.decode()


def test_every_page_can_be_reached_by_keyboard_and_on_paper(client_of: Login) -> None:
    text = client_of("scjg.head").get(reverse("desk:home")).content.decode()
    assert text.index('href="#content"') < text.index("<nav")
    assert 'id="content"' in text
    assert 'href="#navigation"' in text
    assert 'id="navigation"' in text
    assert "print-foot" in text
    assert "http://testserver/desk/" in text


def test_the_living_page_shows_every_component_and_checks_its_form(client_of: Login) -> None:
    client = client_of("scjg.head")
    text = client.get(reverse("desk:ui")).content.decode()
    for part in ("figure-value", "story-title", "wizard-dot", "data-chart", "table-cards", "moves", "job-progress"):
        assert part in text
    assert "ui/dist/echarts.js" in text
    assert client.post(reverse("desk:ui"), {}).status_code == 422
    assert client.post(reverse("desk:ui_move", args=[1, "agree"])).status_code == 302


def test_charts_are_loaded_only_where_there_is_one(client_of: Login) -> None:
    assert "echarts" not in client_of("scjg.head").get(reverse("desk:home")).content.decode()


def test_a_page_with_many_deadlines_reads_the_calendar_once(client_of: Login, django_assert_num_queries: Any) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = client_of("scjg.head")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        client.get(reverse("desk:ui"))
    read = [query["sql"] for query in queries if "calendar_" in query["sql"]]
    assert len(read) == 2  # known years, and the days in them that differ


def test_switching_the_language_and_back(client_of: Login) -> None:
    client = client_of("scjg.head")
    assert '<html lang="zh-hans">' in client.get(reverse("desk:home")).content.decode()
    client.post(reverse("set_language"), {"language": "en", "next": "/desk/"})
    text = client.get(reverse("desk:home")).content.decode()
    assert '<html lang="en">' in text
    assert "简体中文" in text


def test_pages_of_a_person_are_not_kept_by_shared_caches(client_of: Login) -> None:
    assert "Cookie" in client_of("scjg.head").get(reverse("desk:home"))["Vary"]
