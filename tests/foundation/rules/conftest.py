"""Two rules of the rules room itself, declared for one test at a time."""

from datetime import date

import pytest

from tests.builders.cast import NOW
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.rules import registry
from xiezhi.foundation.rules.permissions import RulesPermission
from xiezhi.foundation.rules.registry import Confidence, Rule, Source, Version
from xiezhi.foundation.rules.services import load_declared_rules
from xiezhi.foundation.rules.values import Whole

LAW = Source("演示依据", "第一条", "演示区", "演示区")


def declare(*versions: tuple[int, date]) -> Rule[int]:
    """A rule `rules.example` with these values from these days."""
    return Rule(
        "rules.example",
        "示例期限",
        Whole(1, 100),
        tuple(Version(value, start, LAW, Confidence.WORKING_DEFAULT) for value, start in versions),
        "个工作日",
        "R99",
    )


@pytest.fixture
def put(monkeypatch, db):
    """put(rule): declare it as a release would, and set the database up with it; returns how many versions that added."""
    catalogue = dict(registry._rules)
    monkeypatch.setattr(registry, "_rules", catalogue)

    def _put(rule):
        catalogue[rule.key] = rule
        return load_declared_rules(using="default", at=NOW)

    return _put


@pytest.fixture
def rule(put):
    """10 in 2025, 20 from 2026 on."""
    declared = declare((10, date(2025, 1, 1)), (20, date(2026, 1, 1)))
    put(declared)
    return declared


@pytest.fixture
def keeper():
    return Actor(role="administrator", permissions=frozenset({RulesPermission.CHANGE.value}), district_wide=True)
