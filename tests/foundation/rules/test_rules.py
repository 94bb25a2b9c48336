from datetime import date, timedelta

import pytest

from tests.builders.cast import NOW, TODAY
from tests.foundation.rules.conftest import LAW, declare
from xiezhi.domains.inspections import rules as inspections
from xiezhi.foundation.access.actors import NOBODY, PermissionRefused
from xiezhi.foundation.audit.models import Entry
from xiezhi.foundation.rules.models import RuleVersion
from xiezhi.foundation.rules.queries import NoRuleInForce, reading, readings_of, rule_book
from xiezhi.foundation.rules.registry import Confidence, Source, all_rules
from xiezhi.foundation.rules.services import change_rule, load_declared_rules, withdraw_version
from xiezhi.foundation.workflow.errors import Refused

pytestmark = pytest.mark.django_db


def change(rule, value, start, actor, **rest):
    given = {"source": LAW, "confidence": Confidence.WORKING_DEFAULT, **rest}
    return change_rule(key=rule.key, value=value, effective_from=start, actor=actor, at=NOW, **given)


def periods(rule):
    rows = RuleVersion.objects.filter(key=rule.key).order_by("effective_from")
    return [(row.value, row.effective_from, row.effective_to) for row in rows]


def test_the_version_in_force_on_the_day_is_read(rule):
    assert reading(rule, on=date(2025, 12, 31)).value == 10
    found = reading("rules.example", on=date(2026, 1, 1))
    assert (found.value, found.display, found.title) == (20, "20 个工作日", "示例期限")
    assert found.source == "演示区 演示依据 第一条" and found.is_working_default
    assert readings_of([found.version_id])[found.version_id] == found
    with pytest.raises(NoRuleInForce, match="示例期限"):
        reading(rule, on=date(2024, 12, 31))
    with pytest.raises(KeyError):
        reading("rules.nonsense", on=TODAY)


def test_a_book_reads_everything_in_one_query(rule, django_assert_num_queries):
    with django_assert_num_queries(1):
        book = rule_book(rule, *inspections.RULES)
        values = [book.reading(rule, on=date(2025, 12, 30) + timedelta(days=n)).value for n in range(4)]
        assert values == [10, 10, 20, 20]
        assert book.reading(inspections.MAX_DEPARTMENTS, on=TODAY).value == 3
        assert [each.value for each in book.history(rule)] == [20, 10]
        assert set(book.readings(on=date(2024, 1, 1))) == set()


def test_loading_again_adds_nothing(rule, put):
    before = periods(rule)
    assert put(rule) == 0
    assert periods(rule) == before


def test_a_later_release_adds_what_follows_and_alters_nothing(rule, put):
    changed = declare((11, date(2025, 1, 1)), (20, date(2026, 1, 1)), (30, date(2027, 1, 1)))
    assert put(changed) == 1
    assert periods(rule) == [
        (10, date(2025, 1, 1), date(2025, 12, 31)),  # what decisions were made under stays as it was
        (20, date(2026, 1, 1), date(2026, 12, 31)),
        (30, date(2027, 1, 1), None),
    ]


def test_a_release_never_overrides_a_local_decision(rule, put, keeper):
    change(rule, 25, TODAY, keeper)
    before = periods(rule)
    assert put(declare((10, date(2025, 1, 1)), (20, date(2026, 1, 1)), (30, date(2027, 1, 1)))) == 0
    assert periods(rule) == before


def test_a_change_closes_the_version_before_it_and_leaves_an_audit_entry(rule, keeper):
    version = change(rule, "25", TODAY, keeper)
    assert periods(rule)[1:] == [(20, date(2026, 1, 1), TODAY - timedelta(days=1)), (25, TODAY, None)]
    assert reading(rule, on=TODAY).version_id == version.pk
    entry = Entry.objects.get(action="rules.changed")
    assert entry.object_id == str(version.pk) and entry.payload["value"] == 25


def test_a_change_before_a_planned_one_ends_where_that_begins(rule, keeper):
    change(rule, 40, date(2027, 6, 1), keeper)
    change(rule, 30, date(2027, 1, 1), keeper)
    assert periods(rule)[1:] == [
        (20, date(2026, 1, 1), date(2026, 12, 31)),
        (30, date(2027, 1, 1), date(2027, 5, 31)),
        (40, date(2027, 6, 1), None),
    ]


def test_a_planned_change_can_be_taken_back(rule, keeper):
    planned = change(rule, 30, date(2027, 1, 1), keeper)
    withdraw_version(version=planned, actor=keeper, at=NOW)
    assert periods(rule)[-1] == (20, date(2026, 1, 1), None)
    assert Entry.objects.filter(action="rules.withdrawn", object_id=str(planned.pk)).exists() is True
    with pytest.raises(Refused, match="已经撤回"):
        withdraw_version(version=planned, actor=keeper, at=NOW)


def test_what_is_in_force_cannot_be_taken_back(rule, keeper):
    for version in (change(rule, 30, TODAY, keeper), RuleVersion.objects.get(key=rule.key, value=10)):
        with pytest.raises(Refused, match="不能撤回"):
            withdraw_version(version=version, actor=keeper, at=NOW)


@pytest.mark.parametrize(
    ("value", "start", "rest", "message"),
    [
        (0, TODAY, {}, "1 到 100"),
        (5, TODAY - timedelta(days=1), {}, "不能早于今天"),
        (5, TODAY, {"source": Source(), "confidence": Confidence.CONFIRMED}, "依据文件"),
    ],
)
def test_a_bad_change_is_refused_and_changes_nothing(rule, keeper, value, start, rest, message):
    before = periods(rule)
    with pytest.raises(Refused, match=message):
        change(rule, value, start, keeper, **rest)
    assert periods(rule) == before and not Entry.objects.filter(action="rules.changed").exists()


def test_two_versions_cannot_start_on_one_day(rule, keeper):
    change(rule, 30, TODAY, keeper)
    with pytest.raises(Refused, match="已经有一个版本"):
        change(rule, 31, TODAY, keeper)


def test_only_those_who_may_change_rules_can(rule):
    with pytest.raises(PermissionRefused):
        change(rule, 30, TODAY, NOBODY)
    with pytest.raises(PermissionRefused):
        withdraw_version(version=RuleVersion.objects.filter(key=rule.key).last(), actor=NOBODY, at=NOW)


def test_an_unknown_rule_is_refused(keeper, rule):
    with pytest.raises(Refused, match="没有这条规则"):
        change_rule(
            key="rules.nonsense", value=1, effective_from=TODAY, source=LAW,
            confidence=Confidence.WORKING_DEFAULT, actor=keeper, at=NOW,
        )  # fmt: skip


def test_every_declared_rule_is_in_the_database_and_readable_today(db):
    readings = rule_book().readings(on=TODAY)
    assert set(readings) == {rule.key for rule in all_rules()}
    assert len(readings) >= len(inspections.RULES) > 30
    assert load_declared_rules(using="default", at=NOW) == 0


def test_inspection_rules_are_never_presented_as_law(db):
    """What was known from excerpts only must be marked so, say what it rests on, and name no web address."""
    for found in rule_book(*inspections.RULES).readings(on=TODAY).values():
        assert found.is_working_default, found.key
        assert found.note and found.display, found.key
        assert "http" not in found.note + found.source, found.key
        assert len(found.note) <= 600 and len(found.instrument) <= 200, found.key
