"""The rule book out and in again, compared, and confirmed."""

import io
import json
from datetime import date, timedelta

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from openpyxl import load_workbook

from tests.builders.cast import NOW, TODAY, make_cast
from tests.foundation.rules.conftest import LAW
from tests.foundation.rules.test_rules import change
from xiezhi.domains.inspections import rules as inspections
from xiezhi.foundation.access.actors import NOBODY, PermissionRefused
from xiezhi.foundation.rules import exchange
from xiezhi.foundation.rules.models import RuleVersion, Verification
from xiezhi.foundation.rules.queries import reading
from xiezhi.foundation.rules.registry import Confidence, Source
from xiezhi.foundation.rules.services import assign_verification, confirm_rule, import_rules
from xiezhi.foundation.workflow.errors import AlreadyDone, Refused

pytestmark = pytest.mark.django_db
TOMORROW = TODAY + timedelta(days=1)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def administrator(cast, client):
    client.force_login(cast.people["administrator"])
    return client


def exported(client, kind):
    response = client.get(reverse("rules:export"), {"format": kind})
    return b"".join(response) if response.streaming else response.content


def upload(client, name, content, **rest):
    return client.post(reverse("rules:import"), {"book": SimpleUploadedFile(name, content), **rest})


@pytest.mark.parametrize("kind", ["json", "xlsx"])
def test_what_is_taken_out_and_comes_back_changes_nothing(administrator, kind, rule, keeper):
    change(rule, 25, TOMORROW, keeper)
    page = upload(administrator, f"book.{kind}", exported(administrator, kind))
    found = page.context["found"]
    assert (page.status_code, len(found.unchanged), found.new) == (200, RuleVersion.objects.count(), [])
    assert "没有新的版本" in page.content.decode()
    assert {each.key for each in found.unchanged} >= {rule.key, inspections.SAMPLING_RATES.key}


def test_new_versions_are_shown_first_and_taken_in_all_or_none(administrator):
    sheet = load_workbook(io.BytesIO(exported(administrator, "xlsx")))
    head = [cell.value for cell in sheet.active[1]]
    places = {name: head.index(str(label)) for name, label in exchange.COLUMNS.items()}

    def row(**cells):
        values = [None] * len(head)
        given = {"effective_from": TOMORROW, "confidence": "工作默认值（待核实）", **cells}
        for name, value in given.items():
            values[places[name]] = value
        return values

    def sent(*rows):
        book = load_workbook(io.BytesIO(exported(administrator, "xlsx")))
        for each in rows:
            book.active.append(each)
        content = io.BytesIO()
        book.save(content)
        return upload(administrator, "book.xlsx", content.getvalue()), book.active.max_row

    good = row(key=inspections.ANNUAL_CAP.key, value=3)
    page, last = sent(good, row(key=inspections.MAX_DEPARTMENTS.key, value=99), row(key="rules.nothing", value=1))
    told = page.content.decode()
    assert page.status_code == 422 and f"第 {last - 1} 行，“取值”" in told and f"第 {last} 行，“规则键”" in told
    for bad, message in (
        (
            row(key=inspections.ANNUAL_CAP.key, value=3, effective_from=TODAY - timedelta(days=1)),
            "早于今天的版本不能补录",
        ),
        (row(key=inspections.ANNUAL_CAP.key, value=3, effective_from=date(2025, 1, 1)), "同一天生效"),
        (row(key=inspections.ANNUAL_CAP.key, value=3, effective_to=TODAY), "失效日期早于生效日期"),
        (row(key=inspections.ANNUAL_CAP.key, value=3, effective_to=date(2027, 1, 1)), "请把失效日期留空"),
        (row(key=inspections.ANNUAL_CAP.key, value=3, effective_from="明天"), "“生效日期”"),
        (row(key=inspections.ANNUAL_CAP.key, value=3, confidence="大概"), "“核实情况”"),
        (row(key=inspections.ANNUAL_CAP.key, value=3, confidence="已核实"), "须写明依据文件"),
        (row(key=inspections.SAMPLING_RATES.key, value="30"), "“取值”"),
    ):
        page, _last = sent(good, bad)
        assert page.status_code == 422 and message in page.content.decode(), message
    overlap = row(key=inspections.ANNUAL_CAP.key, value=4, effective_from=TOMORROW + timedelta(days=5))
    page, _last = sent(row(key=inspections.ANNUAL_CAP.key, value=3, effective_to=date(2027, 1, 1)), overlap)
    assert "生效期重叠" in page.content.decode()
    assert not RuleVersion.objects.filter(origin="local").exists()
    page, _last = sent(good)
    assert page.status_code == 200 and "下一轮按新值安排" in page.content.decode()
    saved = administrator.post(reverse("rules:import"), {"content": page.context["content"], "act": "save"})
    assert saved.status_code == 302 and reading(inspections.ANNUAL_CAP, on=TOMORROW).value == 3


def test_a_wrong_file_is_refused_in_words(administrator):
    for name, content, message in (
        ("a.csv", "企业名称,代码\n演示,1\n", "这张表不是规则表：缺少“规则键”"),
        ("a.json", "{oops", "不是有效的 JSON"),
        ("a.json", '{"format": "other"}', "不是规则导出文件"),
        ("a.json", json.dumps({"format": exchange.FORMAT, "rules": [7]}), "第 1 条规则"),
    ):
        page = upload(administrator, name, content.encode())
        assert page.status_code == 422 and message in page.content.decode(), message
    assert "请选择一个文件" in administrator.post(reverse("rules:import")).content.decode()


def test_a_file_that_opens_closed_deadlines_needs_to_be_told(keeper):
    content = {
        "key": inspections.PLAN_DUE.key,
        "versions": [{"value": "12-31", "effective_from": TODAY.isoformat(), "confidence": "working_default"}],
    }
    proposals, troubles = exchange.read_json(json.dumps({"format": exchange.FORMAT, "rules": [content]}))
    assert troubles == []
    with pytest.raises(Refused, match="重新打开"):
        import_rules(proposals=proposals, actor=keeper, at=NOW)
    with pytest.raises(PermissionRefused):
        import_rules(proposals=proposals, actor=NOBODY, at=NOW)
    assert len(import_rules(proposals=proposals, reopen=True, actor=keeper, at=NOW)) == 1


def test_two_versions_and_two_days_side_by_side(administrator, rule, keeper):
    change(rule, 25, TODAY, keeper, note="演示说明")
    page = administrator.get(reverse("rules:versions", args=[rule.key])).content.decode()
    assert "20 个工作日" in page and "25 个工作日" in page and "不同" in page
    book = administrator.get(reverse("rules:compare")).content.decode()
    assert "示例期限" in book and "25 个工作日" in book and "年度检查上限" not in book
    same = administrator.get(reverse("rules:compare"), {"before": TODAY.isoformat()}).content.decode()
    assert "这两天的规则一样" in same
    assert administrator.get(reverse("rules:compare"), {"before": "x"}).status_code == 422
    assert administrator.get(reverse("rules:versions", args=["rules.nothing"])).status_code == 404


def test_a_working_default_is_assigned_and_confirmed_with_its_article(administrator, cast, keeper):
    key = inspections.ANNUAL_CAP.key
    due = TODAY + timedelta(days=30)
    for who, day, message in ((cast["scjg"].pk, TODAY - timedelta(days=1), "不能早于今天"), ("", due, "这个字段")):
        sent = {"organisation": who, "due_on": day.isoformat()}
        response = administrator.post(reverse("rules:assign", args=[key]), sent)
        assert response.status_code == 422
        assert not Verification.objects.exists(), message
    for note in ("问法规处", "要原件"):  # a second time replaces the first
        sent = {"organisation": cast["scjg"].pk, "due_on": due.isoformat(), "note": note}
        assert administrator.post(reverse("rules:assign", args=[key]), sent).status_code == 302
    assert Verification.objects.get().note == "要原件"
    page = administrator.get(reverse("rules:pending")).content.decode()
    assert "市场监管" in page and "12-23" in page and reverse("rules:confirm", args=[key]) in page
    with time_machine.travel(NOW + timedelta(days=31), tick=False):
        administrator.force_login(cast.people["administrator"])
        assert "工作默认值到了核实期限" in administrator.get(reverse("desk:home")).content.decode()
    administrator.force_login(cast.people["administrator"])
    sent = {"instrument": "演示依据", "body": "演示区", "effective_from": TODAY.isoformat()}
    assert administrator.post(reverse("rules:confirm", args=[key]), sent).status_code == 422  # no article
    assert administrator.post(reverse("rules:confirm", args=[key]), {**sent, "article": "第三条"}).status_code == 302
    found = reading(key, on=TODAY)
    assert (found.value, found.article, found.confidence) == (2, "第三条", Confidence.CONFIRMED)
    assert not Verification.objects.exists()
    with pytest.raises(AlreadyDone):
        confirm_rule(key=key, source=LAW, effective_from=TODAY, actor=keeper, at=NOW)
    with pytest.raises(Refused, match="条款"):
        confirm_rule(key=key, source=Source("演示依据", "", "演示区"), effective_from=TODAY, actor=keeper, at=NOW)
    with pytest.raises(Refused, match="已经核实"):
        assign_verification(key=key, organisation=cast["scjg"], due_on=due, actor=keeper, at=NOW)
    administrator.force_login(cast.people["scjg.head"])
    page = administrator.get(reverse("rules:pending")).content.decode()
    assert "待核实" in page and reverse("rules:confirm", args=[inspections.MAX_DEPARTMENTS.key]) not in page
