"""Plans: rows, filing all or nothing, withdrawal, and what happens when subjects close or names are matched."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.db import connection, transaction
from django.db.models import Q

from tests.builders.cast import NOW, TODAY, make_cast
from tests.builders.inspections import (
    given_check,
    given_item,
    given_plan,
    given_premises,
    given_version,
    named_row,
    sampling_row,
)
from xiezhi.domains.inspections.listeners import subject_closed
from xiezhi.domains.inspections.models import Check, Draw, Plan, PlanRow
from xiezhi.domains.inspections.services import filing
from xiezhi.domains.inspections.services.checks import stop_checks_of_closed
from xiezhi.domains.inspections.services.filing import file_plan, prepare_filing, save_filing, submit_plan
from xiezhi.domains.inspections.services.plan_rows import add_rows, change_row, draft_of, remove_rows
from xiezhi.domains.inspections.services.plans import amend_plan, open_plan, withdraw_plan, withdrawal_preview
from xiezhi.domains.registry import services as registry
from xiezhi.foundation.access.actors import PermissionRefused
from xiezhi.foundation.audit.models import Entry
from xiezhi.foundation.jobs.models import Job
from xiezhi.foundation.jobs.services import run
from xiezhi.foundation.workflow.errors import AlreadyDone, Refused, Stale

pytestmark = pytest.mark.django_db
PERIOD = {"starts_on": date(2026, 3, 1), "ends_on": date(2027, 2, 28)}


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def planner(cast):
    return cast.actor("scjg.planner")


def test_a_plan_is_opened_only_by_its_department_and_once(cast, planner):
    given = {"department": cast["scjg"], "title": "四季度计划", **PERIOD, "at": NOW}
    open_plan(**given, actor=planner)
    with pytest.raises(Refused, match="同名"):
        open_plan(**given, actor=planner)
    with pytest.raises(PermissionRefused):
        open_plan(**given, actor=cast.actor("wsjk.planner"))
    with pytest.raises(PermissionRefused):
        open_plan(**given, actor=cast.actor("scjg.inspector"))


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ({"starts_on": date(2026, 12, 31), "ends_on": date(2026, 1, 1)}, "早于"),
        ({"starts_on": date(2026, 1, 1), "ends_on": date(2028, 1, 1)}, "一年"),
        ({"superior_ordered": True}, "上级部署"),
    ],
)
def test_a_plans_head_must_make_sense(cast, planner, head, said):
    with pytest.raises(Refused, match=said):
        open_plan(department=cast["scjg"], title="计划", **{**PERIOD, **head}, actor=planner, at=NOW)


def test_a_body_without_standing_has_no_plan(cast, planner):
    department = cast["scjg"]
    department.qualified = False
    department.save()
    with pytest.raises(Refused, match="R01"):
        open_plan(department=department, title="计划", **PERIOD, actor=planner, at=NOW)


def bad_rows(cast):
    item, door = given_item(cast, "scjg"), given_premises(cast)
    good = named_row(item, door)
    closed = given_premises(cast)
    registry.close_subject(
        subject=closed.subject, status="revoked", reason="吊销", actor=cast.actor("registrar"), at=NOW
    )
    given_check(cast, given_premises(cast), "scjg", item=item)
    standing = Check.objects.get()
    future = given_version(cast, "scjg", since=TODAY + timedelta(days=20)).item
    return {
        "早于": replace(good, earliest=TODAY + timedelta(days=9), latest=TODAY + timedelta(days=8)),
        "超出计划期": replace(good, latest=date(2027, 3, 1)),
        "属于": replace(good, item_id=given_item(cast, "wsjk").pk),
        "清单之外": replace(good, item_id=future.pk),
        "个案": replace(good, source="case"),
        "只能填一个": replace(sampling_row(item), ratio_per_mille=100),
        "吊销": replace(good, premises_id=closed.pk),
        standing.number: replace(good, premises_id=standing.premises_id, latest=good.latest + timedelta(days=3)),
    }


def test_rows_that_cannot_stand_are_named_and_nothing_is_saved(cast, planner):
    plan = given_plan(cast, "scjg", filed=False)
    rows = bad_rows(cast)
    for said, row in rows.items():
        with pytest.raises(Refused, match=said):
            add_rows(plan=plan, rows=[row], actor=planner, at=NOW)
    with pytest.raises(Refused) as refusal:
        add_rows(plan=plan, rows=list(rows.values()), actor=planner, at=NOW)
    assert str(refusal.value).count("第 ") >= len(rows)
    assert not plan.rows.exists()


def test_overlapping_rows_about_the_same_are_refused_and_the_same_row_again_is_not(cast, planner):
    plan = given_plan(cast, "scjg", filed=False)
    row = named_row(given_item(cast, "scjg"), given_premises(cast))
    add_rows(plan=plan, rows=[row], actor=planner, at=NOW)
    assert add_rows(plan=plan, rows=[row], actor=planner, at=NOW) == []
    with pytest.raises(Refused, match="重叠"):
        add_rows(plan=plan, rows=[replace(row, latest=row.latest + timedelta(days=1))], actor=planner, at=NOW)
    later = replace(row, earliest=row.latest + timedelta(days=1), latest=row.latest + timedelta(days=9))
    assert len(add_rows(plan=plan, rows=[later], actor=planner, at=NOW)) == 1


def test_rows_of_a_draft_are_changed_and_removed(cast, planner):
    plan = given_plan(cast, "scjg", [named_row(given_item(cast, "scjg"), given_premises(cast))], filed=False)
    row = plan.rows.get()
    change_row(row=row, draft=replace(draft_of(row), section="食品科"), actor=planner, at=NOW)
    assert plan.rows.get().section == "食品科"
    assert remove_rows(plan=plan, row_ids=[row.pk], actor=planner, at=NOW) == 1
    assert not plan.rows.exists()


def test_a_plans_period_cannot_leave_rows_outside(cast, planner):
    plan = given_plan(cast, "scjg", [named_row(given_item(cast, "scjg"), given_premises(cast))], filed=False)
    with pytest.raises(Refused, match="1 行"):
        amend_plan(plan=plan, changes={"ends_on": TODAY}, actor=planner, at=NOW)
    amend_plan(plan=plan, changes={"title": "新名"}, actor=planner, at=NOW)
    plan.refresh_from_db()
    assert plan.title == "新名"


def test_filing_makes_a_check_of_every_named_row_and_every_draw(cast):
    item = given_item(cast, "scjg", minutes=25, safety=True)
    doors = [given_premises(cast) for _ in range(6)]
    plan = given_plan(cast, "scjg", [named_row(item, doors[0]), sampling_row(item, quantity=2)])
    assert (plan.status, plan.filed_at) == ("filed", NOW)
    checks = Check.objects.filter(plan_row__plan=plan).order_by("number")
    assert [check.number for check in checks] == ["C2026-000001", "C2026-000002", "C2026-000003"]
    assert {(check.department, check.minutes, check.safety, check.status) for check in checks} == {
        (cast["scjg"], 25, True, "waiting")
    }
    assert checks[0].premises == doors[0]
    draw = Draw.objects.get()
    assert len(draw.selected) == 2
    assert doors[0].subject.code not in {name.partition("/")[0] for name in draw.selected}
    entry = Entry.objects.get(action="inspections.plan.file")
    assert (entry.payload["checks"], entry.payload["draws"]) == (3, {"2": draw.seed})


def test_a_plan_is_filed_once(cast, planner):
    plan = given_plan(cast, "scjg", [named_row(given_item(cast, "scjg"), given_premises(cast))])
    with pytest.raises(AlreadyDone):
        file_plan(plan=plan, actor=planner, at=NOW)
    assert Check.objects.count() == 1


def test_a_stale_page_files_nothing(cast, planner):
    plan = given_plan(cast, "scjg", [named_row(given_item(cast, "scjg"), given_premises(cast))], filed=False)
    withdraw_plan(plan=plan, reason="重编", actor=planner, at=NOW)
    with pytest.raises(Stale):
        file_plan(plan=plan, actor=planner, at=NOW, seen_status="draft")
    assert not Check.objects.exists()


def test_special_checks_need_approval_first(cast, planner):
    row = named_row(given_item(cast, "scjg"), given_premises(cast), source="special")
    plan = given_plan(cast, "scjg", [row], filed=False)
    with pytest.raises(Refused, match="R13"):
        file_plan(plan=plan, actor=planner, at=NOW)
    amend_plan(plan=plan, changes={"approval_number": "演示〔2026〕1号", "approved_on": TODAY}, actor=planner, at=NOW)
    assert file_plan(plan=plan, actor=planner, at=NOW).status == "filed"


def test_nothing_is_filed_when_one_row_cannot_stand_any_more(cast, planner):
    item, doors = given_item(cast, "scjg"), [given_premises(cast) for _ in range(3)]
    plan = given_plan(cast, "scjg", [*(named_row(item, door) for door in doors[:2]), sampling_row(item)], filed=False)
    registry.close_subject(
        subject=doors[1].subject, status="deregistered", reason="注销", actor=cast.actor("registrar"), at=NOW
    )
    with pytest.raises(Refused, match="第 2 行"):
        file_plan(plan=plan, actor=planner, at=NOW)
    plan.refresh_from_db()
    assert plan.status == "draft"
    assert not Check.objects.exists()
    assert not Draw.objects.exists()


def test_an_empty_plan_is_not_filed(cast, planner):
    with pytest.raises(Refused, match="还没有明细"):
        file_plan(plan=given_plan(cast, "scjg", filed=False), actor=planner, at=NOW)


def test_what_moved_between_preparing_and_saving_is_seen(cast, planner):
    item, doors = given_item(cast, "scjg"), [given_premises(cast) for _ in range(2)]
    plan = given_plan(cast, "scjg", [sampling_row(item, quantity=2)], filed=False)
    prepared = prepare_filing(plan, actor=planner, at=NOW)
    given_check(cast, doors[0], "scjg", item=item)
    with pytest.raises(filing.Moved), transaction.atomic():
        save_filing(prepared, actor=planner, at=NOW)
    plan.refresh_from_db()
    assert plan.status == "draft"
    assert file_plan(plan=plan, actor=planner, at=NOW).status == "filed"
    assert Check.objects.filter(plan_row__plan=plan).get().premises == doors[1]


def test_a_sampling_plan_is_filed_by_a_job_once_however_often_one_clicks(cast, planner):
    for _ in range(4):
        given_premises(cast)
    plan = given_plan(cast, "scjg", [sampling_row(given_item(cast, "scjg"))], filed=False)
    job = submit_plan(plan=plan, actor=planner, at=NOW)
    assert isinstance(job, Job)
    with pytest.raises(AlreadyDone):
        submit_plan(plan=plan, actor=planner, at=NOW)
    with pytest.raises(Refused, match="正在报送"):
        remove_rows(plan=plan, row_ids=[], actor=planner, at=NOW)
    run(job.pk)
    job.refresh_from_db()
    plan.refresh_from_db()
    assert (job.status, plan.status, Check.objects.count()) == ("succeeded", "filed", 3)
    with pytest.raises(AlreadyDone):
        submit_plan(plan=plan, actor=planner, at=NOW)


def test_a_killed_job_starts_over_and_files_once(cast, planner, monkeypatch):
    for _ in range(4):
        given_premises(cast)
    plan = given_plan(cast, "scjg", [sampling_row(given_item(cast, "scjg"))], filed=False)
    job = submit_plan(plan=plan, actor=planner, at=NOW)

    class Killed(BaseException):
        pass

    def killed(*args, **kwargs):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(filing, "create_checks", killed)
        with pytest.raises(Killed):
            run(job.pk)
    plan.refresh_from_db()
    assert plan.status == "draft"
    assert not Draw.objects.exists()
    Job.objects.filter(pk=job.pk).update(status="queued")
    run(job.pk)
    plan.refresh_from_db()
    assert (plan.status, Check.objects.count()) == ("filed", 3)
    Job.objects.filter(pk=job.pk).update(status="queued")
    run(job.pk)
    job.refresh_from_db()
    assert (job.status, Check.objects.count()) == ("succeeded", 3)


def test_a_job_that_cannot_file_says_why(cast, planner):
    plan = given_plan(cast, "scjg", [sampling_row(given_item(cast, "scjg"))], filed=False)
    job = submit_plan(plan=plan, actor=planner, at=NOW)
    PlanRow.objects.filter(plan=plan).update(source="special")
    run(job.pk)
    job.refresh_from_db()
    assert job.status == "failed"
    assert "R13" in job.error


def test_filing_many_rows_takes_few_queries(cast, planner, django_assert_max_num_queries):
    item = given_item(cast, "scjg")
    doors = [given_premises(cast) for _ in range(40)]
    plan = given_plan(cast, "scjg", [*(named_row(item, door) for door in doors[:30]), sampling_row(item)], filed=False)
    with django_assert_max_num_queries(75 if connection.vendor == "postgresql" else 70):
        file_plan(plan=plan, actor=planner, at=NOW)
    assert Check.objects.count() == 33


def test_withdrawal_shows_first_what_it_then_does(cast, planner):
    remote = given_item(cast, "scjg", off_site_possible=True)
    item = given_item(cast, "scjg")
    doors = [given_premises(cast) for _ in range(3)]
    plan = given_plan(cast, "scjg", [named_row(item, doors[0]), named_row(item, doors[1]), named_row(remote, doors[2])])
    preview = withdrawal_preview(plan)
    assert (preview.total, preview.cancelled) == (3, {"待统筹": 2, "先问非现场": 1})
    with pytest.raises(Refused, match="理由"):
        withdraw_plan(plan=plan, reason="", actor=planner, at=NOW)
    gone = withdraw_plan(plan=plan, reason="重复编制", actor=planner, at=NOW, seen_status="filed")
    assert (gone.status, gone.withdrawal_reason) == ("withdrawn", "重复编制")
    assert set(Check.objects.values_list("status", flat=True)) == {"cancelled"}
    assert withdrawal_preview(plan).total == 0
    assert Plan.objects.filter(title=plan.title).count() == 1
    given_plan(cast, "scjg", title=plan.title, filed=False)


def test_another_department_neither_files_nor_withdraws(cast):
    plan = given_plan(cast, "scjg", [named_row(given_item(cast, "scjg"), given_premises(cast))], filed=False)
    for act in (file_plan, submit_plan):
        with pytest.raises(PermissionRefused):
            act(plan=plan, actor=cast.actor("wsjk.planner"), at=NOW)
    with pytest.raises(PermissionRefused):
        withdraw_plan(plan=plan, reason="…", actor=cast.actor("wsjk.planner"), at=NOW)


def test_checks_of_a_closed_subject_are_not_due_any_more(cast):
    door, other = given_premises(cast), given_premises(cast)
    item = given_item(cast, "scjg")
    gone, stays = given_check(cast, door, "scjg", item=item), given_check(cast, other, "scjg", item=item)
    registry.close_subject(
        subject=door.subject, status="deregistered", reason="注销", actor=cast.actor("registrar"), at=NOW
    )
    for _ in range(2):
        subject_closed({"subject_id": door.subject_id}, NOW)
    gone.refresh_from_db()
    stays.refresh_from_db()
    assert (gone.status, stays.status) == ("cancelled", "waiting")
    assert "注销" in gone.closing_reason
    assert stop_checks_of_closed(premises=Q(premises=door), at=NOW) == 0
