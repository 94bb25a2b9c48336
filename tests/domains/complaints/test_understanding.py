"""What the desk reads out of a case, what people make of it, and whether the matter was brought before."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.builders.cast import NOW
from tests.builders.complaints import Desk
from xiezhi.domains.complaints.models import Case, CaseKey, Suggestion
from xiezhi.domains.complaints.queries.likeness import duplicates, facts
from xiezhi.domains.complaints.queries.reading import read
from xiezhi.domains.complaints.services import adopting, dispatching, intake, likeness, linking
from xiezhi.domains.complaints.services.people import Person, phone_digest
from xiezhi.domains.complaints.words import CaseStatus, Kind
from xiezhi.domains.registry.models import Subject
from xiezhi.foundation.access.actors import SYSTEM, PermissionRefused
from xiezhi.foundation.workflow.errors import AlreadyDone, Refused, Stale

GYM = "去年在店里办了三千六百元健身年卡，门店贴出停业通知，店长一直不接电话，要求退还没有用完的余额。"
LIFT = "商场三号电梯困人半小时，老人摔倒受伤，请马上派人检查。"


def rows(case: Case) -> dict[str, Suggestion]:
    return {each.kind: each for each in Suggestion.objects.filter(case=case)}


def test_what_a_text_offers_with_reasons_and_nothing_is_set(desk: Desk, subject_in_mall: Subject) -> None:
    """Names from the register, words from the lists, facts for the form; the merchant's mall and street by what is registered."""
    text = f"{subject_in_mall.name}的{LIFT}你们再不管后果自负。电话 19900001234，11月3日花了 2000 元，要求赔偿。"
    found = {each.kind: each for each in reversed(read(text, on=NOW.date()).offers)}
    assert (
        found["category"].value == "lift"
        and found["category"].confidence is None
        and "电梯" in found["category"].reasons[0]
    )
    assert found["subject"].fills["subject_code"] == subject_in_mall.code and found["subject"].sure
    assert found["mall"].value == str(desk.mall.pk) and "铺位" in found["mall"].reasons[0]
    assert found["street"].value == str(subject_in_mall.premises.get().street_id)
    assert found["urgency"].fills == {"tier": "2h", "urgency": "emergency"} and "受伤" in "".join(
        found["urgency"].reasons
    )
    assert found["hostile"].fills == {"hostile": "on"}
    assert found["phone"].label == "199****1234" and found["demand"].value == "compensate"
    assert found["happened_on"].value == "2026-11-03" and found["amount"].label == "¥2,000.00"
    case = desk.case(CaseStatus.LEAD, description=text, respondent_name="")
    assert case.category is None and case.subject is None and not case.hostile
    assert set(rows(case)) == {"category", "subject", "mall", "street", "urgency", "hostile"}


@pytest.mark.parametrize(
    "text", ["", "   ", "😀😀", "<script>alert(1)</script>", "换" * 100_000, "\u0000\ud800", "1", "）（" * 9_000 + GYM]
)
def test_any_text_is_read(desk: Desk, text: str) -> None:
    read(text, on=NOW.date())
    assert duplicates(text, actor=desk.dispatcher) == []
    if any(map(str.isalnum, text.encode("utf-8", "ignore").decode())):
        assert desk.case(CaseStatus.LEAD, description=text)


def test_two_categories_that_say_as_much_are_not_sure(desk: Desk) -> None:
    """家政维修 speaks for 售后 and 服务 alike: shown, but as 信心不足."""
    offers = [each for each in read("师傅维修以后", on=NOW.date()).offers if each.kind == "category"]
    assert len(offers) == 2 and not any(each.sure for each in offers)


def test_decisions_are_remembered_as_taken_or_corrected(desk: Desk) -> None:
    for _ in range(4):
        desk.case(CaseStatus.HANDLING, category="lift")
    case = desk.case(CaseStatus.LEAD, description=LIFT)
    adopting.adopt_suggestion(case=case, kind="category", seen="", actor=desk.dispatcher, at=NOW)
    case.refresh_from_db()
    assert case.category and case.category.code == "lift" and case.safety
    assert (
        rows(case)["category"].outcome == "accepted" and rows(case)["category"].decided_by_id == desk.dispatcher.user_id
    )
    with pytest.raises(AlreadyDone):
        adopting.adopt_suggestion(case=case, kind="category", seen="", actor=desk.dispatcher, at=NOW)
    other = desk.case(CaseStatus.REGISTERED, description=LIFT, category="other")
    assert rows(other)["category"].outcome == ""  # nobody has looked yet
    with pytest.raises(Stale):
        adopting.adopt_suggestion(case=other, kind="category", seen="", actor=desk.dispatcher, at=NOW)
    desk.bring(other, CaseStatus.DISPATCHED)
    assert rows(other)["category"].outcome == "corrected" and rows(other)["category"].decided_value == "other"
    with pytest.raises(PermissionRefused):
        adopting.adopt_suggestion(case=other, kind="category", seen="other", actor=desk.helper, at=NOW)
    with pytest.raises(Refused, match="没有这一项"):
        adopting.adopt_suggestion(case=other, kind="mall", seen="", actor=desk.dispatcher, at=NOW)


def test_who_handled_the_like_is_suggested_and_takes_it_with_one_click(desk: Desk) -> None:
    for _ in range(3):
        desk.case(CaseStatus.HANDLING, category="lift")
    case = desk.case(CaseStatus.REGISTERED, description=LIFT, category="lift")
    offer = rows(case)["unit"]
    assert (offer.value, offer.sure) == (str(desk.unit.pk), True) and "3 件" in offer.reasons[0]
    case = adopting.adopt_suggestion(case=case, kind="unit", seen="", actor=desk.dispatcher, at=NOW)
    assert (case.status, case.unit, rows(case)["unit"].outcome) == (CaseStatus.DISPATCHED, desk.unit, "accepted")
    dispatching.redirect_case(case=case, unit=desk.cast["xfjy"], reason="演示", actor=desk.dispatcher, at=NOW)
    assert rows(case)["unit"].outcome == "corrected"


def test_the_same_matter_is_found_open_or_closed_and_the_same_person_is_marked(desk: Desk) -> None:
    person = Person("演示王某", "19900007777")
    closed = desk.case(CaseStatus.CLOSED, description=GYM, person=person)
    again = desk.case(CaseStatus.LEAD, description=f"我反映：{GYM}请尽快处理。😀")
    desk.case(CaseStatus.LEAD, description=LIFT)
    merged = desk.case(CaseStatus.LEAD, description=GYM)
    linking.merge_case(case=merged, into=again, supplements=False, actor=desk.dispatcher, at=NOW)
    found = duplicates(GYM, actor=desk.dispatcher, digests=[phone_digest("+86 199 0000 7777")], day=NOW.date())
    assert [each.case for each in found] == [closed, again]
    assert found[0].same_person and not found[1].same_person and found[0].level == "same"
    assert any("停业通知" in each for each in found[0].why)
    assert [each.case for each in duplicates(GYM, actor=desk.dispatcher, besides=closed.pk)] == [again]


def test_reports_stay_with_those_who_may_see_them(desk: Desk) -> None:
    """A station finds its own cases only; who reported is not given away by the mark (art. 37)."""
    person = Person("演示举报人", "19900008888")
    ours = desk.case(CaseStatus.HANDLING, description=GYM, kind=Kind.REPORT, person=person)
    digests = [phone_digest("19900008888")]
    assert duplicates(GYM, actor=desk.helper, digests=digests) == []
    assert duplicates(GYM, actor=desk.mall_manager, digests=digests) == []
    assert [each.same_person for each in duplicates(GYM, actor=desk.officer, digests=digests)] == [True]
    seen = duplicates(GYM, actor=desk.head, digests=digests)
    assert [(each.case, each.same_person) for each in seen] == [(ours, False)]


def test_keys_follow_what_is_known_and_are_made_for_old_cases(desk: Desk) -> None:
    """A merchant named later finds the case; cases without keys get theirs, once."""
    case = desk.case(CaseStatus.LEAD, description="店家不讲理😀", respondent_name="")
    known = facts(respondent_name="示例 青禾里（甲店）")
    before = set(CaseKey.objects.filter(case=case).values_list("key", flat=True))
    matter = adopting.matter_of(case)
    intake.amend_case(
        case=case,
        matter=type(matter)(**{**matter.__dict__, "respondent_name": "示例青禾里(甲店)"}),
        actor=desk.dispatcher,
        at=NOW,
    )
    after = set(CaseKey.objects.filter(case=case).values_list("key", flat=True))
    assert before < after and len(after - before) == len(known) == 1
    CaseKey.objects.all().delete()
    for _ in range(2):
        assert likeness.fill_batch(after=0, actor=SYSTEM, at=NOW) == case.pk
        assert set(CaseKey.objects.values_list("key", flat=True)) == after
    assert likeness.fill_batch(after=case.pk, actor=SYSTEM, at=NOW) is None


def test_looking_costs_the_same_for_one_case_and_for_many(desk: Desk) -> None:
    def cost() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            read(GYM, on=NOW.date())
            duplicates(GYM, actor=desk.dispatcher, digests=[phone_digest("19900007777")])
        return len(seen)

    desk.case(CaseStatus.LEAD, description=GYM, person=Person("演示王某", "19900007777"))
    read(GYM, on=NOW.date())
    first = cost()
    for number in range(12):
        desk.case(CaseStatus.LEAD, description=f"{GYM}{number}", at=NOW + timedelta(minutes=number))
    assert cost() == first <= 8
