"""Screens of catalogue, plans and checks: they open, act through the services, and ask the database little."""

from datetime import date, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from tests.builders.cast import TODAY, make_cast
from tests.builders.inspections import (
    given_case,
    given_check,
    given_item,
    given_plan,
    given_premises,
    given_version,
    named_row,
    sampling_row,
)
from xiezhi.domains.inspections.models import CatalogueItem, Check, Draw, IncompatiblePair, ItemVersion, Plan
from xiezhi.domains.inspections.services.catalogue import Line
from xiezhi.foundation.jobs.models import Job

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def enter(cast):
    def signed_in(who: str = "scjg.planner") -> Client:
        client = Client()
        client.force_login(cast.people[who], backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    return signed_in


def address(name: str, *args) -> str:
    return reverse(f"inspections:{name}", args=args)


def test_every_list_opens_empty_and_says_how_to_begin(enter):
    for name, words in (
        ("items", "还没有公布检查事项"),
        ("plans", "还没有检查计划"),
        ("checks", "还没有检查任务"),
        ("items_apart", "还没有不宜同场"),
    ):
        page = enter().get(address(name))
        assert page.status_code == 200
        assert words in page.content.decode()


def test_lists_ask_the_database_as_much_for_thirty_rows_as_for_one(cast, enter, django_assert_max_num_queries):
    item = given_item(cast, "scjg")
    given_plan(cast, "scjg", [named_row(item, given_premises(cast)) for _ in range(30)])
    for _ in range(5):
        given_item(cast, "scjg")
        given_plan(cast, "scjg", filed=False)
    client = enter()
    client.get(address("checks"))
    for name, most in (("items", 14), ("plans", 14), ("checks", 16)):
        with django_assert_max_num_queries(most):
            assert client.get(address(name)).status_code == 200
    plan = Plan.objects.filter(status="filed").get()
    with django_assert_max_num_queries(16):
        client.get(address("plan_rows", plan.pk))
    with django_assert_max_num_queries(24):
        client.get(address("plan", plan.pk))
    with django_assert_max_num_queries(28):
        client.get(address("check", Check.objects.first().pk))


def test_an_item_shows_its_version_of_today_and_the_others(cast, enter):
    first = given_version(cast, "scjg", code="SCJG-01", lines=(Line("许可证", "在有效期内"),))
    given_version(cast, "scjg", code="SCJG-01", name="新名称", since=TODAY + timedelta(days=30))
    page = enter("wsjk.inspector").get(address("item", first.item_id)).content.decode()
    assert "许可证" in page
    assert "发布新版本" not in page
    later = enter().get(address("item", first.item_id) + "?version=2").content.decode()
    assert "尚未生效" in later
    assert "发布新版本" in later
    assert "□" in enter().get(address("item_form", first.item_id)).content.decode()


def test_an_item_is_published_changed_and_ended_on_screen(cast, enter):
    client = enter()
    form = {
        "code": "scjg-77", "name": "演示事项", "category": "general", "legal_basis": "演示依据", "method": "on_site", "minutes": 30,
        "effective_from": TODAY, "lines": "许可证 | 有效\n台账",
    }  # fmt: skip
    assert client.post(address("item_new"), {**form, "minutes": ""}).status_code == 422
    assert client.post(address("item_new"), form).status_code == 302
    item = CatalogueItem.objects.get(code="SCJG-77")
    assert client.post(address("item_version", item.pk), {**form, "minutes": 60}).status_code == 422
    tomorrow = TODAY + timedelta(days=1)
    assert (
        client.post(address("item_version", item.pk), {**form, "minutes": 60, "effective_from": tomorrow}).status_code
        == 302
    )
    assert list(ItemVersion.objects.order_by("version").values_list("minutes", flat=True)) == [30, 60]
    assert enter("wsjk.planner").get(address("item_version", item.pk)).status_code == 403
    assert client.get(address("item_end", item.pk)).status_code == 200
    assert client.post(address("item_end", item.pk), {"last_day": tomorrow}).status_code == 302
    assert ItemVersion.objects.get(version=2).effective_to == tomorrow


def test_items_are_kept_apart_and_allowed_again_on_screen(cast, enter):
    mine, other = given_item(cast, "scjg"), given_item(cast, "wsjk")
    client = enter()
    assert client.post(address("items_apart"), {"first": mine.pk, "second": other.pk}).status_code == 422
    given = {"first": mine.pk, "second": other.pk, "reason": "一项停机一项开机"}
    assert client.post(address("items_apart"), given).status_code == 302
    pair = IncompatiblePair.objects.get()
    assert "一项停机" in client.get(address("items_apart")).content.decode()
    assert enter("supervisor").post(address("items_apart"), given).status_code == 403
    assert client.post(address("items_together", pair.pk)).status_code == 302
    assert not IncompatiblePair.objects.exists()


def test_a_plan_is_made_by_hand_reviewed_and_filed(cast, enter):
    item, door, client = given_item(cast, "scjg"), given_premises(cast), enter()
    head = {"title": "四季度计划", "starts_on": "2026-10-01", "ends_on": "2027-02-28", "kind": "annual"}
    assert client.post(address("plan_new"), {**head, "ends_on": "2026-01-01"}).status_code == 422
    assert client.post(address("plan_new"), head).status_code == 302
    plan = Plan.objects.get()
    named = {
        "item": item.pk,
        "source": "routine",
        "earliest": "2026-12-01",
        "latest": "2026-12-31",
        "subject_code": door.subject.code,
    }
    assert client.post(address("row_new", plan.pk), {**named, "subject_code": "9111"}).status_code == 422
    assert client.post(address("row_new", plan.pk), {**named, "quantity": 3}).status_code == 422
    assert client.post(address("row_new", plan.pk), {**named, "latest": "2026-11-30"}).status_code == 422
    assert client.post(address("row_new", plan.pk), named).status_code == 302
    row = plan.rows.get()
    assert client.post(address("row_edit", plan.pk, row.pk), {**named, "section": "食品科"}).status_code == 302
    assert plan.rows.get().section == "食品科"
    assert client.get(address("plan_edit", plan.pk)).status_code == 200
    assert "报送计划" in client.get(address("plan", plan.pk)).content.decode()
    assert client.post(address("plan_move", plan.pk, "file"), {"seen_status": "draft"}).status_code == 302
    again = client.post(address("plan_move", plan.pk, "file"), {"seen_status": "draft"}, follow=True)
    assert "已经办好" in again.content.decode()
    assert Check.objects.get().premises == door


def test_rows_are_removed_in_bulk(cast, enter):
    item = given_item(cast, "scjg")
    plan = given_plan(cast, "scjg", [named_row(item, given_premises(cast)) for _ in range(3)], filed=False)
    chosen = list(plan.rows.order_by("number").values_list("pk", flat=True))[:2]
    assert enter("wsjk.planner").post(address("rows_remove", plan.pk), {"selected": chosen}).status_code == 404
    assert enter().post(address("rows_remove", plan.pk), {"selected": chosen}).status_code == 302
    assert plan.rows.count() == 1


def test_a_plan_that_draws_shows_its_progress_and_then_its_record(cast, enter):
    from xiezhi.foundation.jobs.services import run

    for _ in range(4):
        given_premises(cast)
    plan, client = given_plan(cast, "scjg", [sampling_row(given_item(cast, "scjg"))], filed=False), enter()
    assert client.post(address("plan_move", plan.pk, "file"), {"seen_status": "draft"}).status_code == 302
    assert "正在报送" in client.get(address("plan", plan.pk)).content.decode()
    run(Job.objects.get().pk)
    page = client.get(address("plan", plan.pk)).content.decode()
    assert "已形成 3 项检查任务" in page
    draw = Draw.objects.get()
    record = client.get(address("draw", plan.pk, draw.pk)).content.decode()
    assert "重算一致" in record
    assert draw.selected[0] in record
    Draw.objects.update(selected=draw.selected[:-1])
    assert "重算不一致" in client.get(address("draw", plan.pk, draw.pk)).content.decode()


def test_withdrawing_shows_what_it_will_do(cast, enter):
    plan = given_plan(cast, "scjg", [named_row(given_item(cast, "scjg"), given_premises(cast))])
    client = enter()
    assert "1 项任务不再检查" in client.get(address("plan_withdraw", plan.pk)).content.decode()
    assert client.post(address("plan_withdraw", plan.pk), {"reason": ""}).status_code == 422
    assert client.post(address("plan_withdraw", plan.pk), {"reason": "重编", "seen_status": "filed"}).status_code == 302
    assert Check.objects.get().status == "cancelled"
    assert "重编" in client.get(address("plan", plan.pk)).content.decode()


def test_departments_see_their_own_and_nobody_elses(cast, enter):
    plan = given_plan(
        cast, "scjg", [sampling_row(given_item(cast, "scjg"), quantity=1)] if given_premises(cast) else []
    )
    check = Check.objects.get()
    for who, status in (
        ("scjg.head", 200),
        ("scjg-1.inspector", 200),
        ("coordinator", 200),
        ("supervisor", 200),
        ("wsjk.head", 404),
    ):
        client = enter(who)
        assert client.get(address("plan", plan.pk)).status_code == status
        assert client.get(address("plan_rows", plan.pk)).status_code == status
        assert client.get(address("check", check.pk)).status_code == status
        assert client.get(address("draw", plan.pk, Draw.objects.get().pk)).status_code == status
    assert enter("administrator").get(address("checks")).status_code == 403
    assert enter("wsjk.planner").post(address("check_move", check.pk, "cancel"), {"reason": "…"}).status_code == 404


def test_checks_are_narrowed_and_exported(cast, enter):
    item = given_item(cast, "scjg", name="食品安全检查", safety=True)
    door = given_premises(cast, street="110199002", name="演示银槐饭店有限公司")
    mine = given_check(cast, door, "scjg", item=item)
    urgent = given_case(cast, given_premises(cast), given_item(cast, "scjg"), urgent=True)
    client = enter("coordinator")

    def numbers(**asked) -> set[str]:
        page = client.get(address("checks"), asked).content.decode()
        return {check.number for check in (mine, urgent) if check.number in page}

    assert numbers() == {mine.number, urgent.number}
    assert numbers(q="银槐饭店") == {mine.number}
    assert numbers(street=cast["110199002"].pk) == {mine.number}
    assert numbers(urgent="true") == numbers(source="case") == {urgent.number}
    assert numbers(safety="true") == {mine.number}
    assert numbers(plan=mine.plan_row.plan_id) == {mine.number}
    assert numbers(status="scheduled") == numbers(held="true") == set()
    assert numbers(due_from=(mine.latest + timedelta(days=1)).isoformat()) == set()
    sheet = client.get(address("checks"), {"export": "csv", "q": "银槐饭店"})
    body = b"".join(sheet.streaming_content).decode()
    assert mine.number in body
    assert urgent.number not in body


def test_off_site_first_is_settled_or_sent_on_site_from_the_list(cast, enter):
    item = given_item(cast, "scjg", off_site_possible=True)
    plan = given_plan(cast, "scjg", [named_row(item, given_premises(cast)) for _ in range(3)])
    one, two, three = Check.objects.filter(plan_row__plan=plan).order_by("number")
    page = enter().get(address("check", one.pk)).content.decode()
    assert "请先非现场办结" in page
    assert "指名列入" in page
    inspector, planner = enter("scjg.inspector"), enter()
    # The bar has one reason box a button; only the one that was opened is filled.
    assert (
        inspector.post(
            address("checks_move", "finish_off_site"),
            {"selected": [one.pk], "reason": ["核对年报", ""], "back": address("checks")},
        ).status_code
        == 302
    )
    assert (
        planner.post(
            address("checks_move", "go_on_site"), {"selected": [two.pk, three.pk], "reason": ["", "须看实物"]}
        ).status_code
        == 302
    )
    assert list(Check.objects.order_by("number").values_list("status", flat=True)) == [
        "done_off_site",
        "waiting",
        "waiting",
    ]
    assert (
        planner.post(address("checks_move", "cancel"), {"selected": [two.pk], "reason": ""}, follow=True).status_code
        == 200
    )
    assert planner.post(address("check_move", two.pk, "cancel"), {"reason": "重复"}).status_code == 302
    assert Check.objects.get(pk=two.pk).closing_reason == "重复"
    assert planner.post(address("checks_move", "go_on_site"), {}, follow=True).status_code == 200
    assert planner.post(address("checks_move", "burn"), {"selected": [two.pk]}).status_code == 404


def test_a_case_is_raised_after_reading_what_speaks_against_it(cast, enter):
    item, door = given_item(cast, "scjg"), given_premises(cast)
    given_check(cast, door, "scjg", item=item)
    form = {
        "subject_code": door.subject.code, "item": item.pk, "case_kind": "complaint", "case_id": "12345-9", "note": "异味",
        "earliest": TODAY, "latest": TODAY + timedelta(days=5), "urgent": "on",
    }  # fmt: skip
    client = enter("scjg.head")
    assert door.subject.code in client.get(address("case_new"), {"premises": door.pk}).content.decode()
    warned = client.post(address("case_new"), form)
    assert warned.status_code == 200
    assert "仍然登记" in warned.content.decode()
    assert Check.objects.count() == 1
    assert client.post(address("case_new"), {**form, "latest": date(2026, 1, 1)}).status_code == 422
    assert client.post(address("case_new"), {**form, "seen": "1"}).status_code == 302
    assert client.post(address("case_new"), {**form, "seen": "1"}).status_code == 302
    assert Check.objects.filter(source="case", urgent=True).count() == 1
    assert enter("scjg.inspector").get(address("case_new")).status_code == 403


def test_the_desk_says_what_waits(cast, enter):
    given_plan(cast, "scjg", filed=False)
    given_check(cast, given_premises(cast), "scjg", item=given_item(cast, "scjg", off_site_possible=True))
    page = enter().get(reverse("desk:home")).content.decode()
    assert "草稿等待核对" in page
    assert "可以非现场办理" in page
    assert "草稿等待核对" not in enter("wsjk.planner").get(reverse("desk:home")).content.decode()
