"""Before a rule changes: what it would alter, and deadlines that it would open again."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from tests.builders.cast import NOW, TODAY, make_cast
from tests.builders.visits import given_visit, part_of
from tests.foundation.rules.conftest import LAW
from tests.foundation.rules.test_screens import typed
from xiezhi.domains.inspections import rules as inspections
from xiezhi.domains.inspections.models import Participation
from xiezhi.foundation.rules import effects
from xiezhi.foundation.rules.models import RuleVersion
from xiezhi.foundation.rules.queries import reading
from xiezhi.foundation.rules.registry import Confidence, all_rules
from xiezhi.foundation.rules.services import change_rule, proposed_change
from xiezhi.foundation.workflow.errors import Refused

pytestmark = pytest.mark.django_db


def given_change(rule, value, at=NOW):
    return proposed_change(rule, rule.kind.check(value), TODAY, RuleVersion.objects.filter(key=rule.key), at)


def change(rule, value, keeper, at=NOW, **rest):
    return change_rule(
        key=rule.key, value=value, effective_from=TODAY, source=LAW,
        confidence=Confidence.WORKING_DEFAULT, actor=keeper, at=at, **rest,
    )  # fmt: skip


def test_a_day_of_the_year_that_is_over_is_not_opened_again_unawares(keeper):
    """Plans were due on 31 March; moving that to 31 December would make this year's late plans punctual."""
    rule = inspections.PLAN_DUE
    with pytest.raises(Refused, match="年度检查计划公布期限（2026-03-31）"):
        change(rule, "12-31", keeper)
    assert RuleVersion.objects.filter(key=rule.key).count() == 1
    change(rule, "12-31", keeper, reopen=True)
    assert reading(rule, on=TODAY).value == (12, 31)


def test_steps_already_taken_are_named_when_a_longer_wait_would_undo_them(keeper):
    visit = given_visit(make_cast(), "scjg", "xfjy")
    late = visit.answer_by + timedelta(hours=2)
    longer = {step: {"workdays": 9} for step in ("head", "coordinator", "release")}
    given = {"key": inspections.ESCALATION.key, "value": longer, "effective_from": late.date(), "source": LAW}
    part = part_of(visit, "scjg")
    Participation.objects.filter(pk=part.pk).update(escalated_at=visit.answer_by)
    with pytest.raises(Refused, match=f"{visit.number} · 市场监管"):
        change_rule(**given, confidence=Confidence.WORKING_DEFAULT, actor=keeper, at=late)
    Participation.objects.filter(pk=part.pk).update(escalated_at=None)
    change_rule(**given, confidence=Confidence.WORKING_DEFAULT, actor=keeper, at=late)


def test_every_estimator_answers_and_a_confirmation_alters_nothing(db):
    asked = 0
    for rule in all_rules():
        now = reading(rule, on=TODAY)
        assert effects.effects_of(given_change(rule, now.value)) == []
        if rule.key in effects._estimators:
            other = effects.Change(rule, None, now.value, TODAY, NOW)
            asked += len([effect for effect in effects.effects_of(other) if effect.text])
    assert asked > 20


def test_the_preview_shows_the_effects_and_saves_only_what_was_confirmed(client):
    with time_machine.travel(NOW, tick=False):
        client.force_login(make_cast().people["administrator"])
        address = reverse("rules:change", args=[inspections.PLAN_DUE.key])
        form = client.get(address).context["form"]
        preview = client.post(address, typed(form, act="preview", value="12-31"))
        page = preview.content.decode()
        assert preview.status_code == 200 and "会重新打开" in page and "12 月 31 日" in page
        carried = dict(preview.context["carried"])
        assert RuleVersion.objects.filter(key=inspections.PLAN_DUE.key).count() == 1
        refused = client.post(address, {**carried, "act": "save"})
        assert refused.status_code == 422 and "重新打开" in refused.content.decode()
        back = client.post(address, {**carried, "act": "back"})
        assert back.status_code == 200 and 'value="12-31"' in back.content.decode()
        assert client.post(address, {**carried, "act": "save", "reopen": "1"}).status_code == 302
        cap = reverse("rules:change", args=[inspections.ANNUAL_CAP.key])
        page = client.post(cap, typed(client.get(cap).context["form"], act="preview", value="3")).content.decode()
        assert "下一轮按新值安排" in page and "不变" in page
