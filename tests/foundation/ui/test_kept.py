"""Saved views and column choices: one's own, in the address, without script; the default opens a list; bad input is refused."""

import csv
import io
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.builders.cast import NOW, Cast, make_cast
from xiezhi.foundation.audit.models import Entry
from xiezhi.foundation.ui import services
from xiezhi.foundation.ui.models import SavedView
from xiezhi.foundation.workflow.errors import Refused

PEOPLE = "/desk/people/"


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast(with_password=())


def keep(cast: Cast, who: str = "administrator", **facts: Any) -> SavedView:
    given = {"path": PEOPLE, "title": "人员与任职", "name": "我的", "query": "q=scjg", "is_default": False, **facts}
    return services.save_view(**given, actor=cast.actor(who), at=NOW)


@pytest.fixture
def client(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.people["administrator"])
    return client


def heads(text: str) -> list[str]:
    head = text[text.index("<thead>") : text.index("</thead>")]
    return [word.strip() for word in re.findall(r">([^<>]+)<", head) if word.strip()]


def test_columns_are_chosen_by_address_for_the_page_and_the_sheet(cast: Cast, client: Client) -> None:
    every = heads(client.get(PEOPLE).content.decode())
    text = client.get(PEOPLE, {"columns": ["username", "nonsense"], "q": "scjg"}).content.decode()
    assert heads(text) == [every[0], "登录名"] or heads(text) == every[:2]
    assert len(heads(text)) == 2 < len(every)
    assert 'type="hidden" name="columns" value="username"' in text  # filters carry it along
    assert 'value="nonsense"' not in text
    assert f'href="{PEOPLE}?q=scjg"' in text  # back to the usual columns, filters stay
    assert heads(client.get(PEOPLE, {"columns": "nonsense"}).content.decode()) == every
    sheet: Any = client.get(PEOPLE, {"columns": "username", "q": "scjg", "export": "csv"})
    rows = list(csv.reader(io.StringIO(b"".join(sheet.streaming_content).decode("utf-8-sig"))))
    assert len(rows[0]) == 2


def test_a_view_is_kept_opened_renamed_and_removed(cast: Cast, client: Client) -> None:
    facts = {
        "path": PEOPLE,
        "title": "人员与任职",
        "name": " 市监  人员 ",
        "query": "q=scjg&page=3&export=csv&sort=&columns=username",
    }
    answer = client.post(reverse("ui:save_view"), {**facts, "is_default": "on"})
    assert answer["Location"] == f"{PEOPLE}?q=scjg&columns=username"
    view = SavedView.objects.get()
    assert (view.name, view.is_default, view.user) == ("市监 人员", True, cast.people["administrator"])
    assert client.get(PEOPLE)["Location"] == view.url  # the default opens
    text = client.get(view.url).content.decode()
    assert "市监 人员" in text
    assert 'name="all" value="1"' in text  # a cleared filter must not come back by itself
    assert client.get(PEOPLE, {"all": "1"}).status_code == 200
    assert client.get(PEOPLE, headers={"HX-Request": "true", "HX-Target": "results"}).status_code == 200
    assert "市监 人员" in client.get(reverse("ui:views")).content.decode()
    client.post(reverse("ui:change_view", args=[view.pk]), {"name": "改名"})
    view.refresh_from_db()
    assert (view.name, view.is_default) == ("改名", False)
    assert client.get(PEOPLE).status_code == 200
    client.post(reverse("ui:remove_view", args=[view.pk]))
    assert not SavedView.objects.exists()
    assert Entry.objects.filter(action__startswith="ui.view.").count() == 3


def test_one_default_a_list_and_the_same_name_replaces(cast: Cast) -> None:
    keep(cast, is_default=True)
    second = keep(cast, name="另一个", is_default=True)
    again = keep(cast, query="q=wsjk")
    assert [each.name for each in SavedView.objects.filter(is_default=True)] == ["另一个"]
    assert SavedView.objects.count() == 2
    assert again.query == "q=wsjk"
    with pytest.raises(Refused, match="换一个名称"):
        services.change_view(view=second, name="我的", is_default=False, actor=cast.actor("administrator"), at=NOW)


def test_views_are_ones_own(cast: Cast, client: Client) -> None:
    theirs = keep(cast, "coordinator", is_default=True)
    assert client.get(PEOPLE).status_code == 200
    assert client.post(reverse("ui:remove_view", args=[theirs.pk])).status_code == 404
    with pytest.raises(SavedView.DoesNotExist):
        services.remove_view(view=theirs, actor=cast.actor("administrator"), at=NOW)


@pytest.mark.parametrize(
    "facts",
    [
        {"name": "  "},
        {"name": "长" * 31},
        {"path": "https://elsewhere.example/"},
        {"path": "//elsewhere.example/"},
        {"path": "/no/such/page/"},
        {"query": "q=" + "长" * 400},
    ],
)
def test_what_cannot_be_kept_is_refused(cast: Cast, facts: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        keep(cast, **facts)
    assert not SavedView.objects.exists()


def test_a_default_without_a_query_does_not_lead_in_circles(cast: Cast, client: Client) -> None:
    view = keep(cast, query="", is_default=True)
    assert client.get(PEOPLE).status_code == 200
    assert client.get(view.url).status_code == 200
