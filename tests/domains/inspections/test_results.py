"""The visit day: officers, results, one record."""

from datetime import date, timedelta

import pytest

from tests.builders.cast import NOW, Cast
from tests.builders.inspections import given_check, given_item, given_premises
from tests.builders.visits import VISIT_DAY, arrive, find, given_teams, given_visit, moment, part_of
from xiezhi.domains.inspections.models import Attendance, Check, Result, ResultCode, ResultDraft, Visit
from xiezhi.domains.inspections.services.catalogue import Line
from xiezhi.domains.inspections.services.codes import CODES, load_result_codes
from xiezhi.domains.inspections.services.results import (
    Found,
    add_recusal,
    end_recusal,
    finish_visit,
    mark_of,
    officers_for,
    record_result,
    save_draft,
    start_visit,
)
from xiezhi.domains.registry.models import TimelineEntry
from xiezhi.foundation.access.actors import PermissionRefused
from xiezhi.foundation.audit.models import Entry
from xiezhi.foundation.events import services as events
from xiezhi.foundation.orgs.models import Officer
from xiezhi.foundation.orgs.services import certify_officer
from xiezhi.foundation.workflow.errors import AlreadyDone, Refused, Stale

pytestmark = pytest.mark.django_db
DAY = moment(VISIT_DAY, 10)


def _start(cast: Cast, visit: Visit, code: str, officers=None, at=DAY, **more) -> Visit:
    return start_visit(
        visit=visit,
        officers=cast.officers[code][:2] if officers is None else officers,
        actor=cast.actor(f"{code}.inspector"),
        at=at,
        **more,
    )


def test_the_first_department_starts_the_visit_and_the_others_join(cast: Cast) -> None:
    visit = given_visit(cast, "scjg", "xfjy", status="confirmed")
    assert _start(cast, visit, "scjg").status == "under_way"
    _start(cast, visit, "xfjy", at=DAY + timedelta(minutes=20))
    visit.refresh_from_db()
    assert visit.started_at == DAY
    assert part_of(visit, "xfjy").arrived_at == DAY + timedelta(minutes=20)
    kept = Attendance.objects.filter(participation__visit=visit).values_list("certificate_number", flat=True)
    assert sorted(kept) == ["DEMO-scjg-1", "DEMO-scjg-2", "DEMO-xfjy-1", "DEMO-xfjy-2"]


def test_the_certificate_is_kept_as_it_was_on_the_day(cast: Cast) -> None:
    visit = given_visit(cast, "scjg", status="under_way")
    Officer.objects.filter(pk=cast.officers["scjg"][0].pk).update(certificate_number="DEMO-NEW")
    assert "DEMO-scjg-1" in Attendance.objects.values_list("certificate_number", flat=True)
    assert visit.status == "under_way"


def test_too_few_certified_officers_cannot_start(cast: Cast) -> None:
    visit = given_visit(cast, "scjg", status="confirmed")
    one, two, three = cast.officers["scjg"]
    with pytest.raises(Refused, match="至少 2 名"):
        _start(cast, visit, "scjg", [one])
    with pytest.raises(Refused, match="至少 2 名"):
        _start(cast, visit, "scjg", [one, one])
    expired = certify_officer(
        name="演示新人",
        department=cast["scjg"],
        certificate_number="DEMO-OLD",
        certificate_from=date(2024, 1, 1),
        certificate_to=VISIT_DAY - timedelta(days=1),
        actor=cast.actor("scjg.planner"),
        at=NOW,
    )
    with pytest.raises(Refused, match="演示新人"):
        _start(cast, visit, "scjg", [one, expired])
    with pytest.raises(PermissionRefused):
        _start(cast, visit, "scjg", [one, cast.officers["xfjy"][0]])
    assert not Attendance.objects.exists() and visit.participations.get().arrived_at is None
    _start(cast, visit, "scjg", [two, three])


def test_an_officer_with_a_tie_does_not_count(cast: Cast) -> None:
    visit = given_visit(cast, "scjg", status="confirmed")
    one, two, _three = cast.officers["scjg"]
    inspector = cast.actor("scjg.inspector")
    recusal = add_recusal(officer=one, subject=visit.premises.subject, reason="亲属", actor=inspector, at=NOW)
    assert one not in officers_for(part_of(visit, "scjg"), on=VISIT_DAY)
    with pytest.raises(Refused, match="回避"):
        _start(cast, visit, "scjg", [one, two])
    with pytest.raises(AlreadyDone):
        add_recusal(officer=one, subject=visit.premises.subject, reason="亲属", actor=inspector, at=NOW)
    with pytest.raises(PermissionRefused):
        add_recusal(
            officer=two, subject=visit.premises.subject, reason="亲属", actor=cast.actor("xfjy.inspector"), at=NOW
        )
    end_recusal(recusal=recusal, actor=inspector, at=NOW)
    _start(cast, visit, "scjg", [one, two])


def test_an_officer_at_the_door_is_not_recused_away(cast: Cast) -> None:
    visit = given_visit(cast, "scjg", status="under_way")
    with pytest.raises(Refused, match="正在进行"):
        add_recusal(
            officer=cast.officers["scjg"][0],
            subject=visit.premises.subject,
            reason="亲属",
            actor=cast.actor("scjg.inspector"),
            at=DAY,
        )


def test_the_day_must_have_come_and_the_department_must_take_part(cast: Cast) -> None:
    visit = given_visit(cast, "scjg", status="confirmed")
    with pytest.raises(Refused, match="还没有到"):
        _start(cast, visit, "scjg", at=DAY - timedelta(days=1))
    with pytest.raises(PermissionRefused):
        _start(cast, visit, "xfjy")
    with pytest.raises(PermissionRefused):
        start_visit(visit=visit, officers=cast.officers["scjg"], actor=cast.actor("scjg.head"), at=DAY)
    offered = given_visit(cast, "scjg")
    with pytest.raises(Refused, match="没有确认"):
        _start(cast, offered, "scjg")


def test_a_visit_is_written_up_afterwards_with_the_time_it_had(cast: Cast) -> None:
    visit = given_visit(cast, "scjg", status="confirmed")
    later = DAY + timedelta(days=2)
    with pytest.raises(Refused, match="当天"):
        _start(cast, visit, "scjg", at=later)
    started = _start(cast, visit, "scjg", at=later, arrived_at=DAY)
    assert started.started_at == DAY
    find(cast, visit.checks.get(), at=later)
    with pytest.raises(Refused, match="离场"):
        finish_visit(visit=visit, actor=cast.actor("scjg.inspector"), at=later, left_at=DAY - timedelta(minutes=1))
    done = finish_visit(visit=visit, actor=cast.actor("scjg.inspector"), at=later, left_at=DAY + timedelta(minutes=45))
    assert done.ended_at == DAY + timedelta(minutes=45) and done.recorded_at == later


def test_registering_twice_is_a_double_click_or_a_stale_page(cast: Cast) -> None:
    visit = given_visit(cast, "scjg", status="confirmed")
    _start(cast, visit, "scjg")
    with pytest.raises(AlreadyDone):
        _start(cast, visit, "scjg")
    with pytest.raises(Stale):
        _start(cast, visit, "scjg", cast.officers["scjg"])


# Results


def test_each_department_writes_its_own_results(cast: Cast) -> None:
    visit = given_visit(cast, "scjg", "xfjy", status="under_way")
    mine, theirs = (visit.checks.get(department__code=code) for code in ("scjg", "xfjy"))
    result = find(cast, mine)
    assert (result.visit, result.department, result.problem_found) == (visit, cast["scjg"], False)
    assert result.recorded_by_officer == cast.officers["scjg"][0]
    mine.refresh_from_db()
    assert (mine.status, mine.done_at) == ("done", DAY)
    with pytest.raises(PermissionRefused):
        record_result(check=theirs, found=Found(["1"]), actor=cast.actor("scjg.inspector"), at=DAY)


def test_a_department_without_its_officers_records_nothing(cast: Cast) -> None:
    visit = given_visit(cast, "scjg", "xfjy", status="confirmed")
    arrive(cast, visit, "scjg")
    with pytest.raises(Refused, match="登记到场人员"):
        find(cast, visit.checks.get(department__code="xfjy"))


def _form(cast: Cast) -> Visit:
    item = given_item(cast, "scjg", lines=(Line("亮照经营", "醒目位置"), Line("价格公示")))
    return given_visit(cast, checks=[given_check(cast, given_premises(cast), "scjg", item)], status="under_way")


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (Found([], {"1": "ok", "2": "ok"}), "至少选一项"),
        (Found(["1", "A"], {"1": "ok", "2": "ok"}, "x"), "不能与其他结果并选"),
        (Found(["Z"], {"1": "ok", "2": "ok"}), "没有这样的结果代码"),
        (Found(["1"], {"1": "ok"}), "价格公示"),
        (Found(["1"], {"1": "ok", "2": "maybe"}), "价格公示"),
        (Found(["1"], {"1": "ok", "2": "problem"}), "价格公示"),
        (Found(["A"], {"1": "ok", "2": "problem"}), "请写明发现的问题"),
        (Found(["1"], {"1": "ok", "2": "ok"}, "地面有油"), "却写了"),
        (Found(["1"], {"1": "ok", "2": "ok"}, rectify_by=VISIT_DAY), "整改期限"),
        (Found(["A"], {"1": "ok", "2": "problem"}, "无价签", rectify_by=VISIT_DAY - timedelta(days=1)), "整改期限"),
    ],
)
def test_a_form_that_contradicts_itself_is_refused(cast: Cast, found: Found, says: str) -> None:
    check = _form(cast).checks.get()
    with pytest.raises(Refused, match=says):
        record_result(check=check, found=found, actor=cast.actor("scjg.inspector"), at=DAY)
    assert not Result.objects.exists() and Check.objects.get().status == "scheduled"


def test_a_problem_is_kept_with_codes_lines_and_deadline(cast: Cast) -> None:
    check = _form(cast).checks.get()
    found = Found(
        ["E", "A"], {"1": "ok", "2": "problem"}, "三种商品没有价签", "责令改正", VISIT_DAY + timedelta(days=15)
    )
    result = record_result(check=check, found=found, actor=cast.actor("scjg.inspector"), at=DAY)
    assert result.raw_codes == ["A", "E"] and result.problem_found and result.code_version == "open-1"
    assert result.answers == {"1": "ok", "2": "problem"}


def test_a_result_can_be_corrected_until_the_visit_ends_and_not_blindly(cast: Cast) -> None:
    visit = _form(cast)
    check, actor = visit.checks.get(), cast.actor("scjg.inspector")
    fine = Found(["1"], {"1": "ok", "2": "ok"})
    bad = Found(["A"], {"1": "ok", "2": "problem"}, "无价签")
    first = record_result(check=check, found=fine, actor=actor, at=DAY)
    with pytest.raises(AlreadyDone):
        record_result(check=check, found=fine, actor=actor, at=DAY)
    with pytest.raises(Stale):
        record_result(check=check, found=bad, actor=actor, at=DAY)
    later = DAY + timedelta(minutes=5)
    record_result(check=check, found=bad, actor=actor, at=later, seen=mark_of(first))
    assert Result.objects.get().finding == "无价签"
    assert Entry.objects.get(action="inspections.result.correct").payload["was"] == ["1"]
    finish_visit(visit=visit, actor=actor, at=later)
    with pytest.raises(Refused):
        record_result(check=check, found=fine, actor=actor, at=later, seen=mark_of(Result.objects.get()))


def test_a_draft_survives_and_goes_when_the_result_is_there(cast: Cast) -> None:
    check, actor = _form(cast).checks.get(), cast.actor("scjg.inspector")
    save_draft(check=check, content={"line_1": "ok", "finding": "半句"}, actor=actor, at=DAY)
    save_draft(check=check, content={"line_1": "ok", "finding": "半句话"}, actor=actor, at=DAY)
    assert ResultDraft.objects.get().content["finding"] == "半句话"
    find(cast, check)
    assert not ResultDraft.objects.exists()
    with pytest.raises(Refused, match="已经记录"):
        save_draft(check=check, content={}, actor=actor, at=DAY)


# One record


def test_one_visit_is_one_record_and_the_subjects_timeline_and_others_hear_of_it(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[dict] = []
    monkeypatch.setattr(events, "_subscribers", {})
    events.subscribe("inspections.visit_recorded", "test", lambda payload, at: heard.append(dict(payload)))
    visit = given_visit(cast, "scjg", "xfjy", status="under_way")
    find(cast, visit.checks.get(department__code="scjg"), "A", finding="无价签")
    inspector = cast.actor("scjg.inspector")
    with pytest.raises(Refused, match="消防救援"):
        finish_visit(visit=visit, actor=inspector, at=DAY)
    find(cast, visit.checks.get(department__code="xfjy"))
    done = finish_visit(visit=visit, actor=inspector, at=moment(VISIT_DAY, 11), seen_status="under_way")
    assert (done.status, done.ended_at) == ("recorded", moment(VISIT_DAY, 11))
    with pytest.raises(AlreadyDone):
        finish_visit(visit=visit, actor=inspector, at=moment(VISIT_DAY, 11))
    [line] = TimelineEntry.objects.filter(kind="inspections.visit_recorded")
    assert line.subject == visit.premises.subject and "2 项" in line.title and "发现问题 1 项" in line.title
    events.deliver_due(at=moment(VISIT_DAY, 12))
    [payload] = heard
    assert payload["number"] == visit.number
    assert [(each["department"], each["problem"]) for each in payload["checks"]] == [("scjg", True), ("xfjy", False)]


def test_who_did_not_come_is_left_out_and_comes_another_day(cast: Cast) -> None:
    given_teams(cast)
    visit = given_visit(cast, "xfjy", "scjg", status="confirmed")
    arrive(cast, visit, "scjg")
    find(cast, visit.checks.get(department__code="scjg"))
    with pytest.raises(Refused):
        finish_visit(visit=visit, actor=cast.actor("xfjy.inspector"), at=DAY)
    done = finish_visit(visit=visit, actor=cast.actor("scjg.inspector"), at=DAY)
    assert done.status == "recorded" and [each.department.code for each in done.checks.all()] == ["scjg"]
    again = Visit.objects.exclude(pk=visit.pk).get()
    assert again.on > VISIT_DAY and again.checks.get().department == cast["xfjy"]
    row = visit.replans.get()
    assert row.cause == "absent" and row.department == cast["xfjy"]


# Codes


def test_the_codes_are_there_once_and_say_where_they_come_from(cast: Cast) -> None:
    assert ResultCode.objects.count() == len(CODES)
    assert load_result_codes(using="default") == 0
    assert all("不是官方" in code.source for code in ResultCode.objects.all())
    alone = set(ResultCode.objects.filter(exclusive=True).values_list("code", flat=True))
    assert alone == {"1", "F"}
