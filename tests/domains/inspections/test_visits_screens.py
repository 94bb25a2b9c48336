"""The pages of visits, answers, the visit day, figures: who may open them, what they show, how a person gets through."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.builders.cast import NOW, PASSWORD, TODAY, Cast
from tests.builders.inspections import given_check, given_item, given_premises
from tests.builders.visits import VISIT_DAY, confirm, find, given_teams, given_visit, moment, part_of
from xiezhi.domains.inspections.models import Check, Result, ResultDraft, Visit
from xiezhi.domains.inspections.services.catalogue import Line
from xiezhi.foundation.ui.attention import attention_for

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _today(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


def _as(username: str) -> Client:
    client = Client()
    assert client.login(username=username, password=PASSWORD)
    return client


def _url(name: str, *args: object) -> str:
    return reverse(f"inspections:{name}", args=args)


def _said(response: Any) -> str:
    return "\n".join(str(each) for each in get_messages(response.wsgi_request))


# Lists and calendar


def test_lists_take_the_same_queries_however_long(cast: Cast) -> None:
    item = given_item(cast, "scjg")

    def queries(client: Client, url: str) -> int:
        with CaptureQueriesContext(connection) as taken:
            assert client.get(url).status_code == 200
        return len(taken)

    head, coordinator = _as("scjg.head"), _as("coordinator")
    pages = [
        (head, _url("answers")),
        (coordinator, _url("visits")),
        (coordinator, _url("calendar")),
        (coordinator, _url("silent")),
    ]
    for _ in range(2):
        given_visit(cast, checks=[given_check(cast, given_premises(cast), "scjg", item)])
    few = [queries(*page) for page in pages]
    for _ in range(6):
        given_visit(cast, checks=[given_check(cast, given_premises(cast), "scjg", item)])
    assert [queries(*page) for page in pages] == few
    assert max(few) <= 16


def test_visits_are_found_by_name_day_status_street_and_department(cast: Cast) -> None:
    first = given_visit(cast, "scjg", "xfjy", premises=given_premises(cast, name="演示星光酒店有限公司"))
    second = given_visit(cast, "wsjk", premises=given_premises(cast, "110199002"), on=VISIT_DAY + timedelta(days=1))
    client = _as("coordinator")
    for query, found in (
        ({"q": "星光"}, {first}),
        ({"from_day": str(VISIT_DAY + timedelta(days=1))}, {second}),
        ({"status": "confirmed"}, set()),
        ({"street": cast["110199002"].pk}, {second}),
        ({"department": cast["xfjy"].pk}, {first}),
    ):
        body = client.get(_url("visits"), query).content.decode()
        assert {each for each in (first, second) if each.number in body} == found, query
    sheet = b"".join(client.get(_url("visits"), {"export": "csv"}).streaming_content).decode()
    assert "消防救援、市场监管" in sheet or "市场监管、消防救援" in sheet


def test_the_calendar_shows_month_and_week_and_says_how_many_more(cast: Cast) -> None:
    item = given_item(cast, "scjg")
    for _ in range(6):
        given_visit(cast, checks=[given_check(cast, given_premises(cast), "scjg", item)])
    client = _as("scjg.head")
    month = client.get(_url("calendar"), {"on": "2026-12-01"}).content.decode()
    assert "2026-12" in month and "还有 2 次" in month and "共 6 次检查" in month
    week = client.get(_url("calendar"), {"on": str(VISIT_DAY), "view": "week"}).content.decode()
    assert "还有" not in week and week.count("待各部门确认") >= 6
    assert client.get(_url("calendar"), {"on": "nonsense"}).status_code == 200


# Answers


def test_a_head_confirms_with_one_click_from_the_list(cast: Cast) -> None:
    visit = given_visit(cast, "scjg", "xfjy")
    client = _as("scjg.head")
    page = client.get(_url("answers")).content.decode()
    assert visit.premises.subject.name in page and "剩 3 个工作日" in page
    done = client.post(_url("answer_confirm", visit.pk), {"back": _url("answers")})
    assert done.status_code == 302 and done.url == _url("answers") and "等待其他部门" in _said(done)
    assert part_of(visit, "scjg").answer == "confirmed"
    again = client.post(_url("answer_confirm", visit.pk), {}, HTTP_REFERER=f"http://testserver{_url('answers')}")
    assert again.status_code == 303 and "已经办好" in _said(again)


def test_many_are_confirmed_together_and_what_cannot_be_is_named(cast: Cast) -> None:
    visits = [given_visit(cast, "scjg", "xfjy") for _ in range(3)]
    client = _as("scjg.head")
    keys = [part_of(visit, "scjg").pk for visit in visits]
    foreign = part_of(visits[0], "xfjy").pk
    done = client.post(_url("answers_confirm"), {"selected": [*keys, foreign, "x"]})
    assert "已确认 3 次" in _said(done)
    assert part_of(visits[0], "xfjy").answer == "pending"
    assert "没有选中" in _said(client.post(_url("answers_confirm"), {"selected": keys}))


def test_the_answer_page_offers_days_and_moves_the_visit(cast: Cast) -> None:
    given_teams(cast)
    visit = given_visit(cast, "scjg", "xfjy")
    client = _as("scjg.head")
    page = client.get(_url("answer", visit.pk)).content.decode()
    assert "2026-12-08" in page and "就是现在的日期" in page
    sent = {
        "propose-on": "2026-12-08",
        "propose-reason": "培训",
        "seen_answer": "pending",
        "seen_revision": 1,
    }
    bad = client.post(
        _url("answer_move", visit.pk, "propose"), {**sent, "propose-on": "2026-12-12", "propose-reason": "写了半天"}
    )
    assert bad.status_code == 422 and "写了半天" in bad.content.decode()
    assert client.post(_url("answer_move", visit.pk, "propose"), sent).status_code == 302
    visit.refresh_from_db()
    assert str(visit.on) == "2026-12-08"
    stale = _as("xfjy.head").post(
        _url("answer_confirm", visit.pk),
        {"seen_answer": "pending", "seen_revision": 1},
        HTTP_REFERER=f"http://testserver{_url('answers')}",
    )
    assert stale.status_code == 303 and "刚刚改为 2026-12-08" in _said(stale)
    detail = client.get(_url("visit", visit.pk)).content.decode()
    assert "改期" in detail and "2026-12-07" in detail


def test_declining_shows_what_moved_on_the_page_and_to_the_others(cast: Cast) -> None:
    given_teams(cast)
    visit = given_visit(cast, "scjg", "xfjy")
    client = _as("xfjy.head")
    bad = client.post(_url("answer_move", visit.pk, "decline"), {"decline-reason": "没选原因"})
    assert bad.status_code == 422 and "没选原因" in bad.content.decode()
    other = client.post(_url("answer_move", visit.pk, "decline"), {"decline-decline_reason": "other"})
    assert other.status_code == 422 and "请写明原因" in other.content.decode()
    done = client.post(_url("answer_move", visit.pk, "decline"), {"decline-decline_reason": "busy", "seen_revision": 1})
    assert done.status_code == 302
    new = Visit.objects.exclude(pk=visit.pk).get()
    mine = client.get(_url("visit", visit.pk)).content.decode()
    assert f'href="{_url("visit", new.pk)}"' in mine and "人员另有任务" in mine
    theirs = _as("scjg.head").get(_url("visit", visit.pk)).content.decode()
    assert new.number in theirs and f'href="{_url("visit", new.pk)}"' not in theirs  # not theirs to open
    assert "由重新统筹而来" in client.get(_url("visit", new.pk)).content.decode()


@pytest.mark.parametrize("name", ["visit", "visit_notice", "visit_record"])
def test_another_departments_visit_is_not_there(cast: Cast, name: str) -> None:
    visit = given_visit(cast, "scjg")
    assert _as("scjg.head").get(_url(name, visit.pk)).status_code == 200
    assert _as("supervisor").get(_url(name, visit.pk)).status_code == 200
    assert _as("wsjk.head").get(_url(name, visit.pk)).status_code == 404
    assert _as("administrator").get(_url(name, visit.pk)).status_code == 403


def test_pages_are_for_those_whose_business_they_are(cast: Cast) -> None:
    visit = given_visit(cast, "scjg", status="confirmed")
    part = part_of(visit, "scjg")
    for who, name, args, status in (
        ("scjg.inspector", "answer", (visit.pk,), 403),
        ("coordinator", "answer", (visit.pk,), 403),
        ("wsjk.head", "answer", (visit.pk,), 404),
        ("scjg.head", "day", (visit.pk,), 403),
        ("wsjk.inspector", "day", (visit.pk,), 404),
        ("scjg.inspector", "day", (visit.pk,), 200),
        ("scjg-1.inspector", "day", (visit.pk,), 200),
        ("scjg.head", "visit_cancel", (visit.pk,), 403),
        ("scjg.head", "visit_remove", (visit.pk, part.pk), 403),
        ("coordinator", "visit_extend", (visit.pk,), 200),
        ("coordinator", "silent", (), 200),
        ("scjg.head", "silent", (), 403),
        ("scjg.planner", "answers", (), 403),
        ("administrator", "figures", (), 403),
        ("scjg.planner", "figures", (), 200),
        ("supervisor", "warnings", (), 200),
    ):
        assert _as(who).get(_url(name, *args)).status_code == status, (who, name)


# The coordinator


def test_a_coordinator_extends_removes_and_cancels(cast: Cast, time_machine: Any) -> None:
    given_teams(cast)
    visit = given_visit(cast, "scjg", "xfjy")
    confirm(cast, part_of(visit, "scjg"))
    client = _as("coordinator")
    detail = client.get(_url("visit", visit.pk)).content.decode()
    assert "延长答复期限" in detail and "不等消防救援了" not in detail
    sent = {"answer_by": "2026-11-30T12:00", "reason": "等排班"}
    assert client.post(_url("visit_extend", visit.pk), {**sent, "answer_by": "2026-12-20T12:00"}).status_code == 422
    assert client.post(_url("visit_extend", visit.pk), sent).status_code == 302
    silent = part_of(visit, "xfjy")
    early = client.post(_url("visit_remove", visit.pk, silent.pk), {"reason": "等不及"})
    assert early.status_code == 422 and "期限还没有到" in early.content.decode()
    time_machine.move_to(moment(TODAY + timedelta(days=7), 13), tick=False)
    client = _as("coordinator")  # nobody stays signed in for a week
    assert "不等消防救援了" in client.get(_url("visit", visit.pk)).content.decode()
    assert visit.premises.subject.name in client.get(_url("silent")).content.decode()
    assert client.post(_url("visit_remove", visit.pk, silent.pk), {"reason": "电话未接"}).status_code == 302
    visit.refresh_from_db()
    assert visit.status == "confirmed"
    assert client.post(_url("visit_cancel", visit.pk), {"reason": ""}).status_code == 422
    assert client.post(_url("visit_cancel", visit.pk), {"reason": "停业"}).status_code == 302
    assert "停业" in client.get(_url("visit", visit.pk)).content.decode()


# The visit day


def test_an_officer_gets_through_the_visit_on_a_phone(cast: Cast, time_machine: Any) -> None:
    item = given_item(cast, "scjg", lines=(Line("亮照经营", "醒目位置"), Line("价格公示")))
    door = given_premises(cast)
    visit = given_visit(cast, checks=[given_check(cast, door, "scjg", item)], status="confirmed")
    check, client = visit.checks.get(), _as("scjg.inspector")
    day, result = _url("day", visit.pk), _url("result", visit.pk, check.pk)
    assert "还没有到" in client.get(day).content.decode()
    time_machine.move_to(moment(VISIT_DAY, 9, 30), tick=False)
    client = _as("scjg.inspector")  # a session lasts two weeks
    assert "DEMO-scjg-1" in client.get(day).content.decode()
    keys = [officer.pk for officer in cast.officers["scjg"]]
    few = client.post(day, {"officers": keys[:1]})
    assert few.status_code == 422 and "至少 2 名" in few.content.decode()
    assert client.post(day, {"officers": keys[:2]}).status_code == 302
    assert client.post(result, {"act": "draft", "line_1": "ok", "finding": "写到一半"}).status_code == 302
    assert ResultDraft.objects.exists() and "有草稿" in client.get(day).content.decode()
    form = client.get(result).content.decode()
    assert "写到一半" in form and "醒目位置" in form
    bad = client.post(result, {"line_1": "ok", "line_2": "problem", "codes": ["1"], "seen": ""})
    assert bad.status_code == 422 and "价格公示" in bad.content.decode()
    good = {
        "line_1": "ok",
        "line_2": "problem",
        "codes": ["A"],
        "finding": "三种商品无价签",
        "rectify_by": "2026-12-20",
        "seen": "",
    }
    assert client.post(result, good).status_code == 302
    known = client.get(result).content.decode()
    assert "更正结果" in known
    time_machine.move_to(moment(VISIT_DAY, 10, 15), tick=False)
    end = client.post(_url("finish", visit.pk), {"seen_status": "under_way"})
    assert end.status_code == 302 and end.url == _url("visit_record", visit.pk)
    record = client.get(end.url).content.decode()
    for words in (
        "三种商品无价签",
        "DEMO-scjg-1",
        "演示依据",
        "日常检查",
        "2026-12-07 10:15",
        "发现问题待后续处理",
        door.subject.code,
    ):
        assert words in record
    assert Result.objects.get().rectify_by.isoformat() == "2026-12-20"


def test_a_visit_is_written_up_afterwards_and_the_desk_asks_for_it(cast: Cast, time_machine: Any) -> None:
    visit = given_visit(cast, "scjg", status="confirmed")
    time_machine.move_to(moment(VISIT_DAY + timedelta(days=1), 9), tick=False)
    client = _as("scjg.inspector")
    lines = [
        line.text for line in attention_for(cast.actor("scjg.inspector"), moment(VISIT_DAY + timedelta(days=1), 9))
    ]
    assert "检查日已过，还没有检查记录" in lines
    keys = [officer.pk for officer in cast.officers["scjg"][:2]]
    assert client.post(_url("day", visit.pk), {"officers": keys}).status_code == 422
    assert client.post(_url("day", visit.pk), {"officers": keys, "arrived_at": "09:30"}).status_code == 302
    find(cast, visit.checks.get(), at=moment(VISIT_DAY + timedelta(days=1), 9))
    late = client.post(_url("finish", visit.pk), {"left_at": "08:00"})
    assert late.status_code == 422 and "离场时间" in late.content.decode()
    assert client.post(_url("finish", visit.pk), {"left_at": "10:30"}).status_code == 302
    visit.refresh_from_db()
    assert visit.ended_at == moment(VISIT_DAY, 10, 30)


def test_an_officer_is_recused_at_the_door(cast: Cast, time_machine: Any) -> None:
    visit = given_visit(cast, "scjg", status="confirmed")
    time_machine.move_to(moment(VISIT_DAY, 9), tick=False)
    client, one = _as("scjg.inspector"), cast.officers["scjg"][0]
    assert client.post(_url("recusal", visit.pk), {"officer": one.pk, "reason": "亲属"}).status_code == 302
    assert one.certificate_number not in client.get(_url("day", visit.pk)).content.decode()


def test_the_notice_names_what_the_law_asks_for(cast: Cast) -> None:
    visit = given_visit(cast, "scjg", "xfjy", status="confirmed")
    paper = _as("scjg.head").get(_url("visit_notice", visit.pk)).content.decode()
    for words in (
        "行政检查通知",
        "演示依据",
        "日常检查",
        "执法证号",
        "有权申请回避",
        visit.premises.subject.code,
        "演示区市场监管局",
    ):
        assert words in paper


# The desk


def test_the_desk_says_what_waits_for_whom(cast: Cast) -> None:
    visit = given_visit(cast, "scjg", "xfjy")
    words = {who: [line.text for line in attention_for(cast.actor(who), NOW)] for who in ("scjg.head", "wsjk.head")}
    assert "联合检查等您部门答复" in words["scjg.head"] and not words["wsjk.head"]
    assert visit.answer_by
    late = [line.text for line in attention_for(cast.actor("coordinator"), visit.answer_by)]
    assert "部门逾期未答复，请延长期限或不再等待" in late
    given_visit(cast, "scjg", status="confirmed")
    day = [line.text for line in attention_for(cast.actor("scjg.inspector"), moment(VISIT_DAY))]
    assert "今天的联合检查" in day


def test_empty_pages_say_what_will_be_here(cast: Cast) -> None:
    assert "没有待答复的检查" in _as("scjg.head").get(_url("answers")).content.decode()
    assert "还没有联合检查" in _as("coordinator").get(_url("visits")).content.decode()
    assert "没有逾期未答复的部门" in _as("coordinator").get(_url("silent")).content.decode()
    assert "没有需要预警的主体" in _as("coordinator").get(_url("warnings")).content.decode()
    assert "还没有检查记录" in _as("coordinator").get(_url("figures")).content.decode()
    assert not Check.objects.exists()
