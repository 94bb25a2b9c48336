"""A notice taken in: versions, open deadlines moved with their old value kept, closed ones left alone; and the pages around it."""

from datetime import date, timedelta

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from tests.builders.cast import NOW, TODAY, make_cast
from tests.builders.visits import VISIT_DAY, confirm, given_visit, moment, part_of
from xiezhi.domains.inspections.services.escalation import extend_deadline
from xiezhi.foundation.access.actors import NOBODY, PermissionRefused
from xiezhi.foundation.audit.models import Entry
from xiezhi.foundation.calendar.models import CalendarVersion, DeadlineChange, SpecialDay
from xiezhi.foundation.calendar.notices import read_text
from xiezhi.foundation.calendar.queries import add_workdays, special_days
from xiezhi.foundation.calendar.services import import_year
from xiezhi.foundation.notices.models import Notice
from xiezhi.foundation.ui.templatetags.ui import deadline
from xiezhi.foundation.workflow.errors import AlreadyDone, Refused

pytestmark = pytest.mark.django_db
NEXT = "\n".join(f"2027-{month:02d}-01 至 2027-{month:02d}-03 放假 演示节" for month in (1, 2, 4, 6, 10))


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def cast():
    return make_cast()


def take_in(cast, text=NEXT, year=2027, **changes):
    given = {
        "notice": "演示通知",
        "document_number": "演示〔2026〕1号",
        "actor": cast.actor("administrator"),
        "at": NOW,
    }
    return import_year(year=year, days=read_text(text, year)[0], **{**given, **changes})


def with_a_holiday_on(day: date) -> str:
    """2026 as it is, and one more day off."""
    words = dict(SpecialDay.Kind.choices)
    lines = [f"{on} {words[kind]} {name}" for on, (kind, name) in special_days(2026).items()]
    return "\n".join([*lines, f"{day} 放假 演示节"])


def test_a_new_year_is_no_longer_waited_for(cast):
    due = add_workdays(date(2026, 12, 30), 3)
    assert (due.on, due.provisional) == (date(2027, 1, 4), True)
    assert "待通知" in deadline(due.on) and "2027" in deadline(due.on)
    version = take_in(cast)
    due = add_workdays(date(2026, 12, 30), 3)
    assert (due.on, due.provisional) == (date(2027, 1, 5), False)
    assert "待通知" not in deadline(due.on)
    assert (version.number, version.recorded_by_id) == (1, cast.people["administrator"].pk)
    assert Entry.objects.get(action="calendar.imported").payload["holidays"] == 15


def test_open_deadlines_move_with_their_old_value_kept_and_closed_ones_stay(cast):
    open_, answered, by_hand = (given_visit(cast, "scjg") for _ in range(3))
    confirm(cast, part_of(answered, "scjg"))
    coordinator, later = cast.actor("coordinator"), moment(TODAY + timedelta(days=8), 12)
    extend_deadline(visit=by_hand, answer_by=later, reason="等排班", actor=coordinator, at=NOW)
    thursday, friday = moment(TODAY + timedelta(days=3), 18), moment(TODAY + timedelta(days=4), 18)
    assert open_.answer_by == answered.answer_by == thursday
    Notice.objects.all().delete()
    wednesday = TODAY + timedelta(days=2)
    version = take_in(cast, with_a_holiday_on(wednesday), 2026, replaces=True, reason="演示更正")
    for visit, expected in ((open_, friday), (answered, thursday), (by_hand, later)):
        visit.refresh_from_db()
        assert visit.answer_by == expected
    change = DeadlineChange.objects.get()
    assert (change.object_id, change.before, change.after) == (str(open_.pk), thursday, friday)
    assert change.version == version and "演示〔2026〕1号" in change.reason
    assert Entry.objects.filter(action="calendar.deadline_moved", object_id=str(open_.pk)).count() == 1
    assert "11-27 18:00" in Notice.objects.get().title
    # A day later the deadline has passed: taking the holiday back does not bring it back either.
    after = friday + timedelta(hours=1)
    take_in(cast, with_a_holiday_on(VISIT_DAY), 2026, replaces=True, reason="再次更正", at=after)
    open_.refresh_from_db()
    assert open_.answer_by == friday and DeadlineChange.objects.count() == 1


def test_what_cannot_be_taken_in_changes_nothing(cast):
    first = take_in(cast)
    before = special_days(2027)
    for text, changes, message in (
        (NEXT, {"document_number": " "}, "文号"),
        (NEXT, {"document_number": "演示〔2026〕2号"}, "已经有放假安排"),
        (NEXT, {"document_number": "演示〔2026〕2号", "replaces": True}, "写明原因"),
        (
            NEXT,
            {"document_number": "演示〔2026〕2号", "replaces": True, "reason": "更正", "seen_version_id": 0},
            "他人录入",
        ),
        ("2027-01-02 放假 甲\n2027-01-02 上班 甲", {"replaces": True, "reason": "更正"}, "既放假又上班"),
        (NEXT, {"year": 2199}, "年份应在"),
    ):
        with pytest.raises(Refused, match=message):
            take_in(cast, text, **changes)
    with pytest.raises(AlreadyDone):
        take_in(cast)
    with pytest.raises(PermissionRefused):
        take_in(cast, actor=NOBODY)
    assert special_days(2027) == before and CalendarVersion.objects.filter(year=2027).get() == first


def test_paste_look_at_it_and_take_it_in(cast, client):
    given_visit(cast, "scjg")
    client.force_login(cast.people["administrator"])
    address = reverse("calendar:import")
    assert "2027" in client.get(address).content.decode()
    assert "2027 年放假安排还没有录入" in client.get(reverse("desk:home")).content.decode()
    sent = {"year": "2027", "notice": "演示通知", "document_number": "演示〔2026〕1号", "text": NEXT}
    for changes, message in (
        ({"text": ""}, "请粘贴通知里的日期"),
        ({"document_number": ""}, "请填写通知的文号"),
        ({"text": "2027-02-30 放假 春节"}, "第 1 行：没有这一天"),
    ):
        response = client.post(address, {**sent, **changes})
        assert response.status_code == 422 and message in response.content.decode()
    wrong = SimpleUploadedFile("wrong.csv", "企业名称,代码\n演示,1\n".encode())
    assert "看起来不是放假安排" in client.post(address, {**sent, "sheet": wrong}).content.decode()
    good = SimpleUploadedFile("good.csv", "日期,结束日期,类别,名称\n2027-01-01,2027-01-03,放假,元旦\n".encode())
    page = client.post(address, {**sent, "text": "", "sheet": good}).content.decode()
    assert "2027-01-01 放假 元旦" in page and "只有 3 天放假" in page
    preview = client.post(address, sent)
    assert preview.status_code == 200 and "放假 15 天" in preview.content.decode()
    assert not CalendarVersion.objects.filter(year=2027).exists()
    back = client.post(address, {**preview.context["carried"], "act": "back"})
    assert back.status_code == 200 and "2027-10-03 放假 演示节" in back.content.decode()
    done = client.post(address, {**preview.context["carried"], "act": "save"})
    version = CalendarVersion.objects.get(year=2027)
    assert done.url == reverse("calendar:version", args=[version.pk])
    assert "演示〔2026〕1号" in client.get(done.url).content.decode()
    again = client.post(address, {**sent, "document_number": "演示〔2026〕9号"})
    assert "要更正，请返回勾选" in again.content.decode()


def test_everybody_sees_the_year_with_its_kinds_of_day_and_versions(cast, client):
    client.force_login(cast.people["scjg.inspector"])
    page = client.get(reverse("calendar:year")).content.decode()
    assert "248 个工作日" in page and "随软件提供" in page and reverse("calendar:import") not in page
    assert page.count("day-holiday") == 33 and page.count("day-makeup") == 6
    waiting = client.get(reverse("calendar:year"), {"year": "2027"}).content.decode()
    assert "还没有录入" in waiting and "day-holiday" not in waiting
    assert client.get(reverse("calendar:year"), {"year": "abc"}).status_code == 404


def test_the_corrected_version_shows_what_differs(cast, client):
    take_in(cast, with_a_holiday_on(date(2026, 12, 24)), 2026, replaces=True, reason="演示更正")
    client.force_login(cast.people["supervisor"])
    version = CalendarVersion.objects.get(year=2026, number=2)
    page = client.get(reverse("calendar:version", args=[version.pk])).content.decode()
    assert "2026-12-24" in page and "工作日" in page and "演示更正" in page and "第 2 版" in page
