"""Many at once: dispatched, answered, taken out and in again; templates that stay what they were when they were sent."""

import csv
import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from tests.builders.cast import NOW
from tests.builders.complaints import Desk
from xiezhi.domains.complaints.models import Case, PartyOpening, Reply, ReplyTemplate
from xiezhi.domains.complaints.services import linking, replying, templates
from xiezhi.domains.complaints.services.templates import Draft
from xiezhi.domains.complaints.words import CaseStatus, Kind
from xiezhi.foundation.audit.models import Entry
from xiezhi.foundation.imports.services import import_now
from xiezhi.foundation.notices.models import Notice
from xiezhi.foundation.workflow.errors import Refused


@pytest.fixture
def at_work(desk: Desk, client: Client) -> Any:
    """`at_work("officer")`: that person's browser, at the fixed time."""

    def sign_in(name: str) -> Client:
        client.force_login(desk.cast.people[name])
        return client

    with time_machine.travel(NOW + timedelta(hours=8), tick=False):
        yield sign_in


def test_ticked_cases_go_to_one_unit_and_its_people_hear_once(desk: Desk, at_work: Any) -> None:
    cases, other = [desk.case() for _each in range(3)], desk.case(CaseStatus.HANDLING)
    client, page = at_work("dispatcher"), reverse("complaints:dispatch_together")
    assert "complaints/cases/dispatch" in client.get(reverse("complaints:cases")).text
    ticked = [case.pk for case in (*cases, other)]
    shown = client.post(page, {"selected": ticked})
    assert [each.case for each in shown.context["held"]] == [other] and "办理中" in shown.text
    heard = Notice.objects.count()
    client.post(page, {"selected": [case.pk for case in cases], "unit": desk.unit.pk, "note": "请尽快"})
    assert {case.status for case in Case.objects.filter(pk__in=ticked[:3])} == {"dispatched"}
    assert {case.first_receiver_id for case in Case.objects.filter(pk__in=ticked[:3])} == {desk.unit.pk}
    assert Notice.objects.count() - heard == 1
    again = client.post(page, {"selected": ticked[:3], "unit": desk.unit.pk}, follow=True)  # the same click once more
    assert "只有待派单的可以" in again.text


def test_a_group_is_answered_each_with_its_own_text_as_it_was_shown(desk: Desk, at_work: Any) -> None:
    parent = desk.case(CaseStatus.CONCLUDED)
    children = [desk.case(CaseStatus.CONCLUDED), desk.case(CaseStatus.CONCLUDED), desk.case(CaseStatus.MEDIATING)]
    linking.group_cases(parent=parent, children=children, actor=desk.dispatcher, at=NOW)
    client, page = at_work("officer"), reverse("complaints:reply_together")
    assert f"group={parent.pk}" in client.get(reverse("complaints:case", args=[parent.pk])).text
    first = client.get(page, {"group": parent.pk})
    assert {case.pk for case in first.context["cases"]} == {parent.pk, *(child.pk for child in children)}
    ticked = {"selected": [case.pk for case in first.context["cases"]]}
    settled = ReplyTemplate.objects.get(code="settled")
    chosen = client.post(page, {**ticked, "step": "template", "template": settled.pk})
    given = {**chosen.context["form"].initial, **ticked, "way": "电话"}
    shown = client.post(page, {**given, "step": "preview"})
    assert [each.case for each in shown.context["held"]] == [children[2]] and "调解中" in shown.context["held"][
        0
    ].obstacle
    assert all(
        "商家三日内退款。" in each.text and each.case.number in each.text for each, _print in shown.context["rows"]
    )
    seen = [shown_as for _each, shown_as in shown.context["rows"]]
    stale = client.post(page, {**given, "text": given["text"] + "改动", "step": "send", "seen": seen})
    assert stale.status_code == 422 and "再看一遍" in stale.text and not Reply.objects.exists()
    client.post(page, {**given, "step": "send", "seen": seen})
    replies = list(Reply.objects.order_by("case_id"))
    assert [reply.case_id for reply in replies] == [parent.pk, children[0].pk, children[1].pk]
    assert len({reply.batch for reply in replies}) == 1 and len({reply.text for reply in replies}) == 3
    assert all(reply.template == settled for reply in replies)
    assert Case.objects.get(pk=children[2].pk).status == "mediating"


def test_together_is_all_or_none(desk: Desk) -> None:
    one, two = desk.case(CaseStatus.HANDLING, kind=Kind.HELP), desk.case(CaseStatus.HANDLING, kind=Kind.COMPLAINT)
    asked = {"text": "{respondent}：演示", "outcome": "answered", "batch": "b", "actor": desk.officer, "at": NOW}
    with pytest.raises(Refused, match=f"{two.number}：投诉要先决定"):
        replying.reply_together(cases=[one, two], **asked)
    with pytest.raises(Refused, match=r"\{money\}"):
        replying.reply_together(cases=[one], **{**asked, "text": "退 {money} 元"})
    assert not Reply.objects.exists()
    assert replying.reply_together(cases=[one], **asked) == 1


def test_a_template_is_checked_versioned_and_retired(desk: Desk, at_work: Any) -> None:
    client = at_work("dispatcher")
    new = reverse("complaints:template_new")
    wrong = {"title": "演示", "text": "您好 {nobody}，{terms}，{reason", "outcomes": ["answered"], "article": "15 条"}
    said = client.post(new, wrong)
    assert said.status_code == 422
    assert all(words in said.text for words in ("{nobody}", "协议内容", "大括号", "第十五条"))
    client.post(
        new,
        {
            "title": "解答",
            "text": "您好，{number} 已解答。",
            "kinds": ["help"],
            "statuses": ["handling"],
            "outcomes": ["answered"],
        },
    )
    made = ReplyTemplate.objects.get(title="解答")
    case = desk.case(CaseStatus.HANDLING, kind=Kind.HELP)
    assert made in templates.templates_for(case) and made not in templates.templates_for(desk.case())
    replying.reply_case(
        case=case,
        text=templates.filled(made, case),
        template=made,
        outcome="answered",
        actor=desk.officer,
        at=NOW + timedelta(hours=4),
    )
    client.post(
        reverse("complaints:template", args=[made.pk]),
        {"title": "解答", "text": "您好，已解答：{number}。", "kinds": ["help"]},
    )
    second = ReplyTemplate.objects.get(code=made.code, is_active=True)
    assert (
        second.version == 2
        and case.replies.get().template == made
        and not ReplyTemplate.objects.get(pk=made.pk).is_active
    )
    with pytest.raises(Refused, match="被替换"):
        templates.save_template(draft=Draft("旧", "旧"), replaces=made, actor=desk.dispatcher, at=NOW)
    client.post(reverse("complaints:template_retire", args=[second.pk]))
    assert not ReplyTemplate.objects.filter(code=made.code, is_active=True).exists()
    listed = client.get(reverse("complaints:templates")).text
    assert "停用" in listed and "解答" in listed


@pytest.mark.parametrize("file", ["xlsx", "csv", "gb18030"])
def test_what_goes_out_is_known_when_it_comes_back(desk: Desk, at_work: Any, tmp_path: Path, file: str) -> None:
    cases = [
        desk.case(category="food_safety", description="=1+1 打 19912345678 🍰\n第二行", demand_text="退款", tier="15d"),
        desk.case(CaseStatus.REPLIED, kind=Kind.REPORT, urgency="urgent", place="-演示 1 号"), desk.case(CaseStatus.LEAD),
    ]  # fmt: skip
    client = at_work("dispatcher")
    page = reverse("complaints:export") + "?kind=complaint" if file == "csv" else reverse("complaints:export")
    asked = {"register": "12345", "file": file}
    assert client.post(page, {**asked, "persons": "on"}).status_code == 422 and not PartyOpening.objects.exists()
    persons = {} if file == "gb18030" else {"persons": "on", "purpose": "演示：回填"}
    content = b"".join(client.post(page, {**asked, **persons}).streaming_content)
    exported = cases[:1] if file == "csv" else cases[:2]
    assert PartyOpening.objects.count() == (0 if file == "gb18030" else len(exported))
    assert Entry.objects.filter(action="complaints.case.exported").count() == 1
    if file != "xlsx":
        text = content.decode("gb18030" if file == "gb18030" else "utf-8-sig")
        assert ("19912345678" in text) == (file == "csv")
        assert len(list(csv.reader(io.StringIO(text)))) == 1 + len(exported)
    path = tmp_path / ("back.xlsx" if file == "xlsx" else "back.csv")
    path.write_bytes(content)
    batch = import_now(
        "complaints.12345", path=path, actor=desk.dispatcher, at=NOW + timedelta(hours=9), options={"kind": "complaint", "mixed": "later"}
    )  # fmt: skip
    assert batch.counts["unchanged"] == len(exported) and batch.to_save == 0, batch.counts
    assert [row.warnings for row in batch.rows.all()] == [[]] * len(exported)


def test_only_those_who_may_see_persons_take_them_out(desk: Desk, at_work: Any) -> None:
    report = desk.case(CaseStatus.HANDLING, kind=Kind.REPORT)
    client, page = at_work("scjg.head"), reverse("complaints:export")
    assert "persons" not in client.get(page).context["form"].fields
    sent = client.post(page, {"register": "12345", "file": "csv", "persons": "on", "purpose": "演示"})
    text = b"".join(sent.streaming_content).decode()
    assert (
        report.numbers.get().number in text
        and report.parties.get().phone not in text
        and not PartyOpening.objects.exists()
    )
