"""The same button pressed in two processes at the same moment: one of them does it, the other says that it is done, and it is there once.
On SQLite and PostgreSQL alike."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.urls import reverse

from tests.builders.cast import NOW, TODAY, Cast
from tests.builders.inspections import given_check, given_item, given_plan, given_premises, named_row
from tests.builders.registry import fictional_code
from tests.builders.visits import given_teams, given_visit, part_of
from tests.support.clicking import TwoBrowsers
from xiezhi.domains.inspections.models import Check, Plan, Round
from xiezhi.domains.registry.models import Subject
from xiezhi.foundation.audit.models import Entry
from xiezhi.foundation.jobs.models import Job


@pytest.fixture
def both(tmp_path: Path) -> Iterator[TwoBrowsers]:
    with TwoBrowsers(tmp_path, clock=NOW) as two:
        yield two


def _entries(action: str) -> int:
    return Entry.objects.filter(action=action).count()


@pytest.mark.django_db(transaction=True)
def test_file_confirm_plan_and_register(cast: Cast, both: TwoBrowsers) -> None:
    item = given_item(cast, "scjg")
    plan = given_plan(cast, "scjg", [named_row(item, given_premises(cast)) for _ in range(3)], filed=False)
    filing = reverse("inspections:plan_move", args=[plan.pk, "file"])
    answers = both.click("scjg.planner", filing, seen_status="draft")
    assert {each["status"] for each in answers} <= {302, 303}, answers
    assert Plan.objects.get().status == "filed"
    assert Check.objects.count() == 3 and _entries("inspections.plan.file") == 1

    checks = Check.objects.select_related("premises__subject", "department", "item_version__item").order_by("pk")
    visit = given_visit(cast, checks=list(checks[:1]))
    confirming = reverse("inspections:answer_confirm", args=[visit.pk])
    answers = both.click("scjg.head", confirming, seen_revision=visit.revision, seen_answer="pending")
    assert sorted(each["status"] for each in answers) == [302, 303], answers
    late = next(each for each in answers if each["status"] == 303)
    assert any("已经办好" in line for line in late["said"]), "a second click is no error: it says that it is done"
    visit.refresh_from_db()
    assert (visit.status, part_of(visit, "scjg").answer) == ("confirmed", "confirmed")
    assert _entries("inspections.participation.confirm") == _entries("inspections.visit.confirm") == 1

    given_teams(cast)
    given_check(cast, given_premises(cast), "scjg")
    horizon = {"starts_on": TODAY + timedelta(days=8), "ends_on": TODAY + timedelta(days=42)}
    fields = {name: day.isoformat() for name, day in horizon.items()}
    answers = both.click("coordinator", reverse("inspections:round_new"), **fields, max_departments="4")
    assert sorted(each["status"] for each in answers) == [302, 422], answers
    assert Round.objects.count() == Job.objects.filter(kind="inspections.plan_round").count() == 1

    before = Subject.objects.count()
    subject = {"code": fictional_code(990_017), "name": "演示同时登记餐饮有限公司", "kind": "company", "is_open": "on"}
    door = {"address": "金榆街 1 号", "street": cast["110199001"].pk, "number": "1"}
    answers = both.click("registrar", reverse("registry:subject_new"), **subject, **door)
    assert sorted(each["status"] for each in answers) == [302, 422], answers
    assert Subject.objects.count() == before + 1
