"""Work-order files: what offices send comes in once, by its number; what is wrong is named; nobody's data lies open while it waits."""

import csv
import io
import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from tests.builders.cast import NOW
from tests.builders.complaints import Desk
from xiezhi.domains.complaints.models import Case, ExternalNumber
from xiezhi.domains.complaints.services import intake
from xiezhi.domains.complaints.services.clocks import recompute_clocks
from xiezhi.domains.complaints.words import CaseStatus, Channel, Kind
from xiezhi.foundation.access.actors import PermissionRefused
from xiezhi.foundation.calendar.models import CalendarYear, SpecialDay
from xiezhi.foundation.files.sheets import write_sheet
from xiezhi.foundation.imports.models import ImportBatch, ImportRow
from xiezhi.foundation.imports.services import import_now

HERE = ZoneInfo("Asia/Shanghai")
HEADER = (
    "工单编号",
    "来电时间",
    "诉求类型",
    "来电人",
    "来电号码",
    "主要内容",
    "被反映主体",
    "问题分类",
    "所属街道",
    "办理时限",
)


def order(number: str, **said: Any) -> list[Any]:
    """A row of the hotline's file."""
    usual = {
        "at": "2026年11月20日 9时05分", "kind": "投诉", "name": "演示赵某某", "phone": "19912345678",
        "text": f"演示工单 {number}：买的点心发霉，打 19912345678 联系。", "whom": "北京示例点心有限公司", "category": "食品安全",
        "street": "", "tier": "7个工作日",
    }  # fmt: skip
    given = {**usual, **said}
    return [
        number,
        *(given[key] for key in ("at", "kind", "name", "phone", "text", "whom", "category", "street", "tier")),
    ]


@pytest.fixture
def send(desk: Desk, tmp_path: Path) -> Any:
    """`send(rows)`: the dispatcher sends a file and confirms what can be taken."""

    def take(
        rows: Sequence[Sequence[Any]],
        *,
        encoding: str = "",
        spec: str = "complaints.12345",
        header: Sequence[str] = HEADER,
        at: datetime = NOW,
        **options: Any,
    ) -> ImportBatch:
        path = tmp_path / ("orders.csv" if encoding else "orders.xlsx")
        if encoding:
            with path.open("w", encoding=encoding, newline="") as file:
                csv.writer(file).writerows([header, *rows])
        else:
            with path.open("wb") as target:
                write_sheet(target, header=header, rows=rows)
        options = {"kind": "complaint", "mixed": "later", **options}
        return import_now(spec, path=path, actor=desk.dispatcher, at=at, options=options)

    return take


def problems(batch: ImportBatch) -> dict[int, list[tuple[str, str]]]:
    """Row number → (column, reason) of what was refused."""
    return {
        row.number: [(each["column"], each["reason"]) for each in row.problems]
        for row in batch.rows.filter(outcome="refused")
    }


def test_the_hotlines_file_comes_in_once_and_its_clocks_run_from_receipt(desk: Desk, send: Any) -> None:
    rows = [
        order("YS1", text="演示：🍰发霉\n打 19912345678 联系"),
        order("YS2", kind="举报", tier="", category="市场监管-食品-食品安全"),
    ]
    batch = send(rows, encoding="gb18030")
    assert batch.counts["new"] == 2 and batch.result["created"] == 2
    one, two = Case.objects.order_by("pk")
    assert (one.channel, one.status, one.tier, one.kind) == ("12345", "registered", "7d", Kind.COMPLAINT)
    assert one.received_at == datetime(2026, 11, 20, 9, 5, tzinfo=HERE) and one.arrived_at == NOW
    assert {clock.kind: clock.started_at for clock in one.clocks.all()} == dict.fromkeys(
        ("tier", "decide"), one.received_at
    )
    assert one.next_due_at == min(clock.due_at for clock in one.clocks.all() if clock.due_at)
    assert one.category and one.category == two.category and two.kind == Kind.REPORT
    assert one.parties.get().phone == "19912345678" and "🍰" in one.description and one.title == "演示：🍰发霉"

    for again in (
        send(rows, encoding="gb18030", at=NOW + timedelta(hours=1)),
        send(rows),
    ):  # the other format is the same file
        assert again.counts["unchanged"] == 2 and again.to_save == 0 and not again.rows.exclude(warnings=[]).exists()
    assert Case.objects.count() == 2


def test_while_it_waits_nobodys_data_lies_open(desk: Desk, send: Any, client: Client) -> None:
    batch = send([order("YS1"), order("YS2", at="明天")])
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM imports_importrow")
        stored = json.dumps(cursor.fetchall(), default=str, ensure_ascii=False)
    assert "YS1" not in stored and "1991234" not in stored and "赵某某" not in stored
    assert "1991234" not in json.dumps(batch.sample, ensure_ascii=False)
    assert (
        ImportRow.objects.get(number=3).cells[4] == "19912345678"
    )  # whoever sent it gets the refused rows back to mend
    client.force_login(desk.cast.people["dispatcher"])
    page = client.get(reverse("imports:check", args=[batch.pk]) + "?outcome=new", follow=True).text
    assert "19912345678" not in page and "赵某某" not in page


def test_a_changed_row_corrects_what_nobody_changed_here_and_says_the_rest(desk: Desk, send: Any) -> None:
    send([order("YS1", whom="北京示例点心"), order("YS2"), order("YS3")])
    one, two, three = Case.objects.order_by("pk")
    intake.amend_case(
        case=two, matter=intake.Matter(two.kind, two.description, respondent_name="北京核实过有限公司", category=two.category),
        actor=desk.dispatcher, at=NOW,
    )  # fmt: skip
    desk.bring(three, CaseStatus.CLOSED)
    again = [
        order("YS1", whom="北京示例点心有限公司", phone="19900009999", text="演示：补充了新的内容", kind="举报"),
        order("YS2"),
        order("YS3", whom="别家"),
    ]
    batch = send(again)
    assert (batch.counts["changed"], batch.counts["unchanged"]) == (1, 2) and batch.result["amended"] == 1
    one.refresh_from_db()
    two.refresh_from_db()
    three.refresh_from_db()
    assert (
        one.respondent_name == "北京示例点心有限公司" and one.kind == Kind.COMPLAINT and "补充" not in one.description
    )
    assert two.respondent_name == "北京核实过有限公司"  # the old file once more does not undo it
    assert three.respondent_name == "北京示例点心有限公司"
    said = {row.number: {each["column"] for each in row.warnings} for row in batch.rows.all()}
    assert said == {2: {"kind", "description", "phone"}, 3: set(), 4: {"respondent_name"}}
    assert (
        send([order("YS2", whom="第三个名字")]).rows.get().warnings[0]["reason"].startswith("本系统登记的是“北京核实过")
    )


def test_bad_rows_are_named_and_good_ones_taken(desk: Desk, send: Any) -> None:
    rows = [
        order("YS1", at=46127.5), order("YS2", at="2026-11-24 08:00"), order("YS3", kind="表扬"), order("YS4", phone=""),
        order("YS5", at=date(2026, 11, 19), category="没有的类别", tier="尽快"), order("YS6"), order("YS6"), order("", at="2026-02-30"),
        order("YS7", text="很" * 32_767),
    ]  # fmt: skip
    batch = send(rows)
    wrong = problems(batch)
    assert {row: {column for column, _reason in found} for row, found in wrong.items()} == {
        2: {"received_at"}, 3: {"received_at"}, 4: {"kind"}, 7: {"number"}, 8: {"number"}, 9: {"number", "received_at"},
    }  # fmt: skip
    assert "序号" in wrong[2][0][1] and wrong[3][0][1] == "收到时间晚于现在。" and "第 8 行" in wrong[7][0][1]
    assert {case.numbers.get().number for case in Case.objects.all()} == {"YS4", "YS5", "YS7"}
    assert Case.objects.get(numbers__number="YS5").received_at == datetime(2026, 11, 19, tzinfo=HERE)
    assert {each["column"] for each in batch.rows.get(number=6).warnings} == {"category", "tier"}
    long = send([order("YS8", text="长" * 100_001)], encoding="utf-8")
    assert "过长" in problems(long)[2][0][1] and not Case.objects.filter(numbers__number="YS8").exists()
    with pytest.raises(PermissionRefused):
        import_now("complaints.12345", path=Path(batch.file.path), actor=desk.officer, at=NOW)


def test_both_kinds_in_one_row_are_offered_for_split_or_split_at_once(desk: Desk, send: Any, client: Client) -> None:
    rows = [order("YS1", kind="投诉举报"), order("YS2", text="演示：退款，并要求查处其虚假宣传。")]
    batch = send(rows)
    assert batch.counts["to_confirm"] == 2 and batch.result["mixed"] == 2
    client.force_login(desk.cast.people["dispatcher"])
    page = client.get(reverse("complaints:case", args=[Case.objects.get(numbers__number="YS2").pk])).text
    assert "第九条" in page and "拆出举报" in page
    batch = send([order("YS3", kind="举报、投诉")], mixed="now")
    assert batch.result["split"] == 1
    half = Case.objects.get(kind=Kind.REPORT)
    assert half.split_from and half.split_from.numbers.get().number == "YS3"
    assert [clock.started_at for clock in half.clocks.filter(kind="report")] == [half.split_from.received_at]


def test_the_platforms_file_and_a_number_of_either_register_name_one_case(desk: Desk, send: Any) -> None:
    case = desk.case(number="YS77", respondent_name="北京示例点心有限公司")
    header = ("登记编号", "业务类型", "接收时间", "投诉人", "联系电话", "投诉内容", "投诉请求", "被投诉方", "12345编号")
    said = [
        "1110000000000001",
        "投诉",
        "2026/11/20 10:00:30",
        "演示赵某某",
        "19912345678",
        "演示：点心发霉。",
        "退款",
        "北京示例点心有限公司",
    ]
    batch = send([[*said, "YS77"], ["1110000000000002", *said[1:], ""]], spec="complaints.12315", header=header)
    assert (batch.counts["changed"], batch.counts["new"]) == (1, 1)
    assert {(each.register, each.number) for each in case.numbers.all()} == {
        ("12345", "YS77"),
        ("12315", "1110000000000001"),
    }
    other = Case.objects.exclude(pk=case.pk).get()
    assert other.channel == Channel.PLATFORM_12315 and other.demand_text == "退款"
    clash = send([["1110000000000002", *said[1:], "YS77"]], spec="complaints.12315", header=header)
    assert "分别属于" in problems(clash)[2][0][1]


def test_without_a_calendar_notice_the_clock_says_so_until_it_comes(desk: Desk, send: Any) -> None:
    far = datetime(2028, 3, 1, 12, tzinfo=HERE)
    send([order("YS1", at="2028-03-01 08:00")], at=far)
    decide = Case.objects.get().clocks.get(kind="decide")
    assert decide.provisional and decide.due_at
    CalendarYear.objects.create(year=2028, notice="演示通知")
    SpecialDay.objects.create(year_id=2028, day=date(2028, 3, 3), kind="holiday", name="演示假日")
    assert recompute_clocks(at=far) >= 1
    before, decide = decide.due_at, Case.objects.get().clocks.get(kind="decide")
    assert not decide.provisional and decide.due_at and before and decide.due_at > before
    assert decide.revisions.get().old_due_at == before


def test_many_rows_are_written_together(desk: Desk, send: Any, django_assert_max_num_queries: Any) -> None:
    rows = [order(f"YS{number}") for number in range(300)]
    with django_assert_max_num_queries(150 + 2 * 300):  # suggestions read twice a case; nothing is written one by one
        assert send(rows).result["created"] == 300
    assert ExternalNumber.objects.count() == 300 and len({case.number for case in Case.objects.all()}) == 300


def as_csv(content: bytes, encoding: str) -> list[list[str]]:
    """A downloaded CSV's rows."""
    return list(csv.reader(io.StringIO(content.decode(encoding))))
