"""The rules pages as people use them: find a rule, see what it rests on, change or confirm it."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.builders.cast import NOW, TODAY, make_cast
from xiezhi.domains.inspections import rules as inspections
from xiezhi.foundation.rules.models import RuleVersion
from xiezhi.foundation.rules.queries import reading, rule_book
from xiezhi.foundation.rules.registry import Confidence
from xiezhi.foundation.rules.services import load_declared_rules
from xiezhi.foundation.ui.templatetags.ui import rule_link

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
def visit(client, cast):
    """visit(person, url name, *args, **data): the page that a person gets; with data, what they get for sending it."""

    def _visit(person, name, *args, post=None, **query):
        client.force_login(cast.people[person])
        address = reverse(name, args=args)
        return client.post(address, post) if post is not None else client.get(address, query)

    return _visit


def typed(form, **changes):
    """What a browser would send for a form as it stands, with some fields typed over."""
    data = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in {**data, "act": "save", **changes}.items() if value is not None}


def test_everybody_finds_rules_by_words_in_their_title_or_source(visit):
    page = visit("scjg.inspector", "rules:list").content.decode()
    for rule in inspections.RULES:
        assert str(rule.title) in page
    found = visit("scjg.inspector", "rules:list", q="联合 马鞍山").content.decode()
    assert "一次联合检查的部门数" in found and "抽查比例" not in found
    assert "没有符合条件的记录" in visit("scjg.inspector", "rules:list", q="没有这样的规则").content.decode()


def test_the_list_says_how_many_still_wait_to_be_confirmed(visit):
    page = visit("administrator", "rules:list").content.decode()
    in_use = rule_book().readings(on=TODAY).values()  # a rule may have had working defaults before
    waiting = sum(each.is_working_default for each in in_use)
    assert waiting >= len(inspections.RULES)
    assert re.search(rf"有 {waiting} 条是工作默认值", page)
    RuleVersion.objects.filter(key=inspections.ANNUAL_CAP.key).update(confidence=Confidence.CONFIRMED)
    confirmed = visit("administrator", "rules:list", confidence="confirmed").content.decode()
    assert "年度检查上限" in confirmed and "部门数" not in confirmed


def test_the_list_takes_as_many_queries_for_all_rules_as_for_one(visit):
    visit("administrator", "rules:list")  # signing in for the first time asks more
    counts = []
    for kept in (RuleVersion.objects.filter(key=inspections.ANNUAL_CAP.key), RuleVersion.objects.all()):
        load_declared_rules(using="default", at=NOW)
        RuleVersion.objects.exclude(pk__in=kept.values("pk")).delete()
        with CaptureQueriesContext(connection) as queries:
            visit("administrator", "rules:list")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_list_can_be_taken_away_as_a_sheet(visit):
    response = visit("supervisor", "rules:list", export="csv", q="R07")
    text = b"".join(response).decode()
    assert "R07,一次联合检查的部门数,3 个部门,马鞍山市" in text and text.count("\n") == 2


def test_a_rule_shows_value_source_and_that_it_is_not_law(visit):
    page = visit("scjg.head", "rules:detail", inspections.ANNUAL_CAP.key).content.decode()
    for words in ("2 次/年", "国办发〔2024〕54号", "国务院办公厅", "不能当作法律规定引用", "随软件提供"):
        assert words in page
    assert reverse("rules:change", args=[inspections.ANNUAL_CAP.key]) not in page


def test_a_table_value_is_shown_as_a_table(visit):
    page = visit("scjg.head", "rules:detail", inspections.SAMPLING_RATES.key).content.decode()
    assert re.search(r"<th scope=\"row\">D 类</th><td>30 %</td>", page)


@pytest.mark.parametrize("rule", inspections.RULES, ids=lambda rule: rule.key)
def test_every_rule_can_be_confirmed_as_it_stands(visit, rule):
    page = visit("administrator", "rules:change", rule.key)
    sent = typed(page.context["form"], confidence="confirmed", instrument="演示依据", body="演示区")
    response = visit("administrator", "rules:change", rule.key, post=sent)
    assert response.status_code == 302, response.context["form"].errors
    found = reading(rule, on=TODAY)
    assert (found.value, found.confidence, found.effective_from) == (rule.versions[0].value, "confirmed", TODAY)


def test_a_change_names_its_day_and_can_be_taken_back_before_it(visit):
    key = inspections.CONFIRMATION_WORKDAYS.key
    form = visit("administrator", "rules:change", key).context["form"]
    visit("administrator", "rules:change", key, post=typed(form, value="5", effective_from=TOMORROW.isoformat()))
    assert (reading(key, on=TODAY).value, reading(key, on=TOMORROW).value) == (3, 5)
    page = visit("administrator", "rules:detail", key).content.decode()
    planned = RuleVersion.objects.get(key=key, effective_from=TOMORROW)
    address = reverse("rules:withdraw", args=[planned.pk])
    assert "未生效" in page and address in page
    assert address not in visit("scjg.head", "rules:detail", key).content.decode()
    assert visit("administrator", "rules:withdraw", planned.pk, post={}).status_code == 302
    assert reading(key, on=TOMORROW).value == 3


def test_bad_input_keeps_what_was_typed_and_says_what_is_wrong(visit):
    key = inspections.PLAN_DUE.key
    form = visit("administrator", "rules:change", key).context["form"]
    for changes, message in (
        ({"value": "02-31"}, "例如 03-31"),
        ({"effective_from": "2026-11-01"}, "不能早于今天"),
        ({"confidence": "confirmed", "instrument": ""}, "依据文件"),
    ):
        response = visit("administrator", "rules:change", key, post=typed(form, note="先记在这里", **changes))
        page = response.content.decode()
        assert response.status_code == 422 and message in page and "先记在这里" in page
    assert RuleVersion.objects.filter(key=key).count() == 1


def test_a_stale_page_and_a_double_click_change_nothing_twice(visit):
    key = inspections.TRAVEL_MINUTES.key
    form = visit("administrator", "rules:change", key).context["form"]
    first = typed(form, value="25", effective_from=TOMORROW.isoformat())
    assert visit("administrator", "rules:change", key, post=first).status_code == 302
    assert visit("administrator", "rules:change", key, post=first).status_code == 303  # already done
    stale = visit("administrator", "rules:change", key, post=typed(form, value="30"))
    assert stale.status_code == 422 and "他人修改" in stale.content.decode()
    assert RuleVersion.objects.filter(key=key).count() == 2


def test_only_administrators_change_rules_and_unknown_rules_are_not_found(visit, client, cast):
    key = inspections.ANNUAL_CAP.key
    version = RuleVersion.objects.get(key=key)
    for person in ("coordinator", "supervisor", "scjg.planner"):
        assert visit(person, "rules:change", key).status_code == 403
        assert visit(person, "rules:withdraw", version.pk, post={}).status_code == 403
    assert visit("administrator", "rules:detail", "inspections.nonsense").status_code == 404
    assert visit("administrator", "rules:change", "inspections.nonsense").status_code == 404
    client.logout()
    assert client.get(reverse("rules:list")).status_code == 302


def test_a_rule_without_a_version_today_says_so(visit, rule):
    RuleVersion.objects.filter(key=rule.key).update(effective_to=TODAY - timedelta(days=1))
    RuleVersion.objects.filter(key=rule.key, value=10).delete()
    assert "今天没有生效的版本" in visit("administrator", "rules:detail", rule.key).content.decode()
    assert "示例期限" in visit("administrator", "rules:list").content.decode()


def test_what_a_release_brought_and_nobody_adopted_is_listed(visit, put, rule, keeper):
    from tests.foundation.rules.conftest import declare
    from tests.foundation.rules.test_rules import change

    change(rule, 25, TODAY, keeper)
    put(declare((10, rule.versions[0].effective_from), (20, rule.versions[1].effective_from), (30, TOMORROW)))
    page = visit("administrator", "rules:detail", rule.key).content.decode()
    assert "本地没有采用" in page and "30 个工作日" in page


def test_a_page_links_to_the_source_by_the_rules_key_alone(rule):
    with pytest.raises(KeyError):
        rule_link("rules.nothing")
    shown = rule_link(rule.key)
    assert "20 个工作日" in shown and reverse("rules:detail", args=[rule.key]) in shown
    RuleVersion.objects.filter(key=rule.key).delete()
    assert rule_link(rule.key) == ""
