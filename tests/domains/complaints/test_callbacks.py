"""回访: who may ask, what counts, and what follows from it."""

from datetime import datetime, timedelta

import pytest

from tests.builders.cast import NOW
from tests.builders.complaints import Desk
from xiezhi.domains.complaints.models import Callback, Case, PartyOpening, Supervision, Tally, TallyMark
from xiezhi.domains.complaints.queries.callbacks import callbacks_shown, effective, queue, satisfaction_hidden
from xiezhi.domains.complaints.services import callbacks, linking, replying, tallies
from xiezhi.domains.complaints.services.callbacks import citizen_answer, record_callback, record_official
from xiezhi.domains.complaints.services.people import Person
from xiezhi.domains.complaints.words import CaseStatus, Channel, Kind
from xiezhi.foundation.access.actors import SYSTEM, PermissionRefused
from xiezhi.foundation.workflow.errors import Refused

LATER = NOW + timedelta(days=9)
"""After the limit of a week of a case received NOW."""


def asked(desk: Desk, case: Case, outcome: str, *, called_at: datetime = LATER, **given: object) -> Callback:
    return record_callback(
        case=case, outcome=outcome, called_at=called_at, actor=desk.dispatcher, at=max(LATER, called_at), **given  # type: ignore[arg-type]
    )  # fmt: skip


def waiting(desk: Desk, at: datetime = LATER) -> list[Case]:
    tallies.recount_marked(at=at)
    return [row.case for row in queue(desk.dispatcher, at)]


def test_a_call_is_due_when_the_limit_has_passed_and_closes_the_case(desk: Desk) -> None:
    case = desk.case(CaseStatus.REPLIED, tier="7d")
    assert waiting(desk, NOW + timedelta(days=2)) == [] and waiting(desk) == [case]
    callbacks.open_number(case=case, actor=desk.dispatcher, at=LATER)
    assert PartyOpening.objects.get(party__case=case).purpose == f"回访 {case.number}"
    first = asked(desk, case, "resolved", satisfaction="fair", note="钱已退。")
    assert asked(desk, case, "resolved", satisfaction="fair", note="钱已退。") == first, "a double click"
    case.refresh_from_db()
    assert case.status == CaseStatus.CLOSED and waiting(desk) == []
    told = case.events.get(kind="called_back")
    assert "满意" not in told.title + told.text, "the officer reads the history"


def test_what_is_refused(desk: Desk) -> None:
    case = desk.case(CaseStatus.REPLIED)
    with pytest.raises(PermissionRefused):
        record_callback(case=case, outcome="resolved", called_at=LATER, actor=desk.officer, at=LATER)
    answered_by = desk.cast.people["dispatcher"]
    own = desk.case(CaseStatus.REPLIED)
    Case.objects.filter(pk=own.pk).update(officer=answered_by)
    with pytest.raises(PermissionRefused, match="自己办理"):
        asked(desk, own, "resolved")
    assert own not in waiting(desk)
    for wrong, match in (
        ({"called_at": NOW}, "早于答复"),
        ({"outcome": "no_answer", "satisfaction": "satisfied"}, "不填满意"),
        ({"outcome": "great"}, "选择回访结果"),
        ({"satisfaction": "great"}, "选择满意"),
    ):
        with pytest.raises(Refused, match=match):
            asked(desk, case, **{"outcome": "resolved", **wrong})  # type: ignore[arg-type]
    with pytest.raises(Refused, match="晚于现在"):
        record_callback(
            case=case, outcome="resolved", called_at=LATER, actor=desk.dispatcher, at=NOW + timedelta(days=1)
        )
    unanswered, silent = desk.case(CaseStatus.HANDLING), Person("演示甲", "19900009999", may_call_back=False)
    with pytest.raises(Refused, match="还没有答复"):
        asked(desk, unanswered, "resolved")
    quiet = desk.case(CaseStatus.REPLIED, person=silent)
    with pytest.raises(Refused, match="不愿意"):
        asked(desk, quiet, "resolved")
    merged = desk.case(CaseStatus.HANDLING)
    linking.merge_case(case=merged, into=case, supplements=False, actor=desk.dispatcher, at=NOW)
    for ask in (asked, lambda desk, case, outcome: citizen_answer(case=case, outcome=outcome, actor=SYSTEM, at=LATER)):
        with pytest.raises(Refused, match=case.number):
            ask(desk, merged, "resolved")
    assert not Callback.objects.exists()
    tallies.recount_marked(at=LATER)
    assert callbacks.close_uncalled(at=LATER) == 1
    quiet.refresh_from_db()
    case.refresh_from_db()
    assert (quiet.status, case.status) == (CaseStatus.CLOSED, CaseStatus.REPLIED)


def test_missed_calls_come_back_later_and_end_after_three(desk: Desk) -> None:
    case = desk.case(CaseStatus.REPLIED)
    for attempt in range(3):
        called_at = LATER + timedelta(hours=5 * attempt)
        assert waiting(desk, called_at) == [case]
        asked(desk, case, "no_answer", called_at=called_at)
        assert waiting(desk, called_at + timedelta(hours=3)) == []
    case.refresh_from_db()
    assert case.status == CaseStatus.CLOSED and Tally.objects.get(case=case).callback == "no_answer"


def test_the_newest_talk_decides_however_late_it_is_written_down(desk: Desk) -> None:
    case = desk.case(CaseStatus.REPLIED)
    unresolved = asked(desk, case, "unresolved", called_at=LATER + timedelta(hours=2), satisfaction="dissatisfied")
    asked(desk, case, "resolved", called_at=LATER, satisfaction="satisfied")
    asked(desk, case, "no_answer", called_at=LATER + timedelta(hours=3))
    case.refresh_from_db()
    row = Tally.objects.get(case=case)
    assert (case.status, row.callback, row.satisfaction) == (CaseStatus.REPLIED, "unresolved", "dissatisfied")
    assert [each.counts for each in callbacks_shown(case)] == [False, True, False]  # type: ignore[attr-defined]
    assert satisfaction_hidden(case, desk.officer) and not satisfaction_hidden(case, desk.dispatcher)
    asked(desk, case, "partly", called_at=LATER + timedelta(hours=2), corrects=unresolved, note="听错了")
    assert effective(case.callbacks.all()).outcome == "partly" and case.callbacks.count() == 4  # type: ignore[union-attr]
    case.refresh_from_db()
    assert case.status == CaseStatus.CLOSED and not satisfaction_hidden(case, desk.officer)
    with pytest.raises(Refused, match="已经更正"):
        asked(desk, case, "resolved", corrects=unresolved)


@pytest.mark.parametrize("way", ["reopen", "supervise", "close"])
def test_unresolved_is_followed_up(desk: Desk, way: str) -> None:
    case = desk.case(CaseStatus.REPLIED)
    with pytest.raises(Refused, match="不需要"):
        callbacks.follow_up(case=case, way=way, reason="演示", actor=desk.dispatcher, at=LATER)
    asked(desk, case, "unresolved")
    found = callbacks.follow_up(case=case, way=way, reason="还没退款", actor=desk.dispatcher, at=LATER)
    case.refresh_from_db()
    assert case.status == CaseStatus.CLOSED
    again = case.reopenings.first()
    assert (again is None) == (way == "close")
    if way == "supervise":
        assert isinstance(found, Supervision) and again and again.unit == case.unit and again.status == "dispatched"


def test_the_person_and_the_hotline_answer_too(desk: Desk) -> None:
    case, other = desk.case(CaseStatus.REPLIED), desk.case(CaseStatus.HANDLING)
    said = citizen_answer(case=case, outcome="unresolved", satisfaction="dissatisfied", actor=SYSTEM, at=LATER)
    assert citizen_answer(case=case, outcome="unresolved", satisfaction="dissatisfied", actor=SYSTEM, at=LATER) == said
    assert waiting(desk) == [], "who has answered is not called"
    for wrong in ("no_answer", ""):
        with pytest.raises(Refused):
            citizen_answer(case=case, outcome=wrong, actor=SYSTEM, at=LATER)
    with pytest.raises(Refused, match="已过"):
        citizen_answer(case=case, outcome="resolved", actor=SYSTEM, at=LATER + timedelta(days=60))
    told = {"reference": "回访.xlsx 第 3 行", "actor": desk.dispatcher, "at": LATER}
    official = record_official(
        case=case, outcome="resolved", satisfaction="satisfied", called_at=NOW + timedelta(days=2), **told
    )
    assert official == record_official(
        case=case, outcome="resolved", satisfaction="satisfied", called_at=NOW + timedelta(days=2), **told
    )
    row = Tally.objects.get(case=case)
    assert (row.source, row.callback, row.stage) == ("official", "resolved", "closed"), "though ours is newer"
    record_official(case=other, outcome="unresolved", called_at=LATER, **told)
    other.refresh_from_db()
    assert other.status == CaseStatus.HANDLING and Tally.objects.get(case=other).callback == "unresolved"
    with pytest.raises(Refused, match="线索"):
        record_official(case=desk.case(CaseStatus.LEAD), outcome="resolved", called_at=LATER, **told)
    with pytest.raises(Refused, match="早于收到"):
        record_official(case=other, outcome="resolved", called_at=NOW - timedelta(days=1), **told)


def test_other_channels_are_sampled_by_number_alone(desk: Desk) -> None:
    drawn = sum(tallies.sampled(f"S2026-{number:06d}", 20) for number in range(2_000))
    assert 340 < drawn < 460
    assert not any(tallies.sampled(f"S{n}", 0) for n in range(50)) and all(
        tallies.sampled(f"S{n}", 100) for n in range(50)
    )
    cases = [desk.case(CaseStatus.REPLIED, kind=Kind.HELP, channel=Channel.WINDOW) for _each in range(6)]
    assert set(waiting(desk)) == {case for case in cases if tallies.sampled(case.number, 20)}


def test_children_are_called_each_and_reopening_takes_a_case_off_the_queue(desk: Desk) -> None:
    parent, child = desk.case(CaseStatus.REPLIED), desk.case(CaseStatus.REPLIED)
    linking.group_cases(parent=parent, children=[child], actor=desk.dispatcher, at=NOW)
    assert set(waiting(desk)) == {parent, child}
    asked(desk, child, "resolved")
    assert waiting(desk) == [parent]
    replying.reopen_case(case=parent, reason="演示", actor=desk.dispatcher, at=LATER)
    assert parent not in waiting(desk) and not TallyMark.objects.exists()
