"""The audit as a list: who finds what, and what can be taken away."""

import csv
import io
import json

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse

from tests.builders.cast import NOW
from xiezhi.foundation.access.services import appoint
from xiezhi.foundation.audit import links
from xiezhi.foundation.audit.models import Seal
from xiezhi.foundation.audit.services import seal_entries, sign_head


@pytest.fixture
def supervisor(chain, client: Client) -> Client:
    client.force_login(chain.people["supervisor"])
    return client


def page(client: Client, name: str = "audit:list", **query: str) -> str:
    response = client.get(reverse(name), query)
    assert response.status_code == 200
    content = b"".join(response) if response.streaming else response.content
    return content.decode("utf-8-sig")


def test_acts_are_found_by_word_person_object_and_day(supervisor, chain):
    appoint(
        user=chain.people["scjg.head"], organisation=chain["xfjy"], role="head",
        starts_on=NOW.date(), actor=chain.actor("administrator"), at=NOW,
    )  # fmt: skip
    everything = page(supervisor)
    assert "任命" in everything and "待封存" in everything and "任职" in everything
    found = page(supervisor, q="任命 演示 administrator")
    assert "共 <strong>1</strong>" in found and "演示区 · 系统管理员" in found
    assert "共 <strong>1</strong>" in page(supervisor, unsealed="true")
    assert "没有符合条件的记录" in page(supervisor, last="2020-01-01")
    assert "共 <strong>1</strong>" in page(supervisor, by="people", action="access.appointed")


def test_a_sheet_holds_every_field_that_the_digest_is_made_of(supervisor):
    rows = list(csv.DictReader(io.StringIO(page(supervisor, export="csv"))))
    by_number = {int(row["封存号"]): row for row in rows}
    for seal in Seal.objects.select_related("entry"):
        row = by_number[seal.sequence]
        assert (row["digest"], row["algorithm"]) == (seal.digest, "sha256")
        assert json.loads(row["entry"])["id"] == seal.entry_id


def test_outsiders_get_chain_heads_and_key(supervisor):
    assert supervisor.get(reverse("audit:public_key")).status_code == 409  # none yet: said in words
    sign_head(at=NOW)
    assert "2026-11-23" in page(supervisor, "audit:heads")
    lines = [json.loads(line) for line in page(supervisor, "audit:chain", first="2026-01-01").splitlines()]
    assert [line["sequence"] for line in lines] == list(range(1, Seal.objects.count() + 1))
    assert [line["previous"] for line in lines[1:]] == [line["digest"] for line in lines[:-1]]
    assert page(supervisor, "audit:chain", last="2020-01-01") == ""
    assert json.loads(page(supervisor, "audit:heads_file"))["sequence"] == len(lines)
    assert "BEGIN PUBLIC KEY" in page(supervisor, "audit:public_key")
    assert supervisor.get(reverse("audit:chain"), {"first": "yesterday"}).status_code == 409


def test_a_detail_page_shows_its_newest_acts_to_those_who_may_read_them(supervisor, chain, client):
    seal_entries()
    address = reverse("audit:history", args=["access.membership", chain.people["scjg.head"].memberships.get().pk])
    shown = supervisor.get(address).content.decode()
    assert "任命" in shown and reverse("audit:list") in shown


def test_every_page_that_a_history_leads_to_exists():
    for kind in links._pages:
        apps.get_model(kind)
        page = links._pages[kind]
        assert callable(page) or links.page_of(kind, "1"), kind
    assert links.page_of("orgs.nothing", "1") is None
    assert links.page_of("inspections.visit", "no number") is None
