"""Where plans and checks meet visits: withdrawal, closed subjects, the cool-down in draws, urgent cases, two filings at once."""

import threading
from datetime import timedelta

import pytest
from django.db import connection

from tests.builders.cast import NOW, TODAY, make_cast
from tests.builders.inspections import given_case, given_item, given_plan, given_premises, named_row, sampling_row
from tests.builders.visits import VISIT_DAY, given_teams, given_visit, moment
from xiezhi.domains.inspections.listeners import subject_closed
from xiezhi.domains.inspections.models import Check, Draw, Visit
from xiezhi.domains.inspections.services.filing import file_plan
from xiezhi.domains.inspections.services.plans import withdraw_plan, withdrawal_preview
from xiezhi.domains.registry import services as registry
from xiezhi.foundation.jobs.models import Job
from xiezhi.foundation.jobs.services import run
from xiezhi.foundation.notices.models import Notice


@pytest.mark.django_db
def test_withdrawing_leaves_confirmed_visits_and_mends_the_others(cast):
    given_teams(cast)
    item, other = given_item(cast, "scjg"), given_item(cast, "wsjk")
    doors = [given_premises(cast) for _ in range(3)]
    plan = given_plan(cast, "scjg", [named_row(item, door) for door in doors])
    theirs = given_plan(cast, "wsjk", [named_row(other, door) for door in doors[:2]])
    mine, hers = (
        {
            check.premises_id: check
            for check in Check.objects.filter(plan_row__plan=each).select_related("premises", "department")
        }
        for each in (plan, theirs)
    )
    pinned = given_visit(cast, status="confirmed", checks=[mine[doors[0].pk], hers[doors[0].pk]])
    offered = given_visit(cast, status="offered", checks=[mine[doors[1].pk], hers[doors[1].pk]])
    preview = withdrawal_preview(plan)
    assert (preview.total, preview.pinned, preview.visits) == (2, 1, 1)
    withdraw_plan(plan=plan, reason="重编", actor=cast.actor("scjg.planner"), at=NOW)
    states = dict(Check.objects.filter(plan_row__plan=plan).values_list("premises_id", "status"))
    assert states == {doors[0].pk: "scheduled", doors[1].pk: "cancelled", doors[2].pk: "cancelled"}
    assert [check.department_id for check in offered.checks.all()] == [cast["wsjk"].pk]
    assert offered.participations.get(department=cast["scjg"]).answer not in {"pending", "confirmed"}
    assert pinned.checks.count() == 2


@pytest.mark.django_db
def test_a_closed_subject_in_a_confirmed_visit_is_told_to_the_departments(cast):
    given_teams(cast)
    visit = given_visit(cast, "scjg", "wsjk", status="confirmed")
    subject = visit.premises.subject
    registry.close_subject(subject=subject, status="deregistered", reason="注销", actor=cast.actor("registrar"), at=NOW)
    for _ in range(2):
        subject_closed({"subject_id": subject.pk}, NOW)
    assert set(visit.checks.values_list("status", flat=True)) == {"scheduled"}
    told = Notice.objects.filter(key=f"inspections.closed:{visit.pk}")
    assert {notice.recipient.username for notice in told} == {"scjg.head", "wsjk.head"}


@pytest.mark.django_db
def test_a_firm_jointly_checked_lately_is_not_drawn_again(cast):
    given_teams(cast)
    door, other = given_premises(cast), given_premises(cast)
    given_visit(cast, "scjg", "wsjk", status="recorded", premises=door)
    later = VISIT_DAY + timedelta(days=30)
    window = {"earliest": later, "latest": later + timedelta(days=10)}
    given_plan(cast, "csgl", [sampling_row(given_item(cast, "csgl"), quantity=2, **window)], at=moment(later))
    draw = Draw.objects.get()
    assert draw.excluded == {f"{door.subject.code}/{door.number}": "cool_down"}
    assert draw.selected == [f"{other.subject.code}/{other.number}"]


@pytest.mark.django_db
def test_an_urgent_case_gets_its_date_without_waiting_for_a_round(cast, monkeypatch):
    given_teams(cast)
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    check = given_case(
        cast, given_premises(cast), given_item(cast, "scjg"), urgent=True, latest=TODAY + timedelta(days=10)
    )
    job = Job.objects.get(kind="inspections.place_urgent")
    run(job.pk)
    check.refresh_from_db()
    job.refresh_from_db()
    visit = Visit.objects.get()
    assert (job.status, job.result, check.visit, visit.status) == ("succeeded", {"visits": 1}, visit, "offered")
    assert visit.on <= TODAY + timedelta(days=3)


@pytest.mark.django_db(transaction=True)
def test_two_plans_filed_at_once_neither_share_a_number_nor_draw_a_firm_twice():
    cast = make_cast()
    for _ in range(6):
        given_premises(cast)
    item, planner = given_item(cast, "scjg"), cast.actor("scjg.planner")
    plans = [given_plan(cast, "scjg", [sampling_row(item, quantity=4)], filed=False) for _ in range(2)]
    start, troubles = threading.Barrier(2), []

    def file_one(plan):
        try:
            start.wait()
            file_plan(plan=plan, actor=planner, at=NOW)
        except Exception as error:
            troubles.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=file_one, args=(plan,)) for plan in plans]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not troubles
    firms = list(Check.objects.values_list("premises__subject", flat=True))
    assert len(firms) == len(set(firms)) == 6
    assert sorted(Check.objects.values_list("number", flat=True)) == [f"C2026-{n:06d}" for n in range(1, 7)]
