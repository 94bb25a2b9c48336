"""A department's own sheet becomes a draft; what cannot stand comes back with place and mend; names wait for a match."""

import csv
from datetime import date
from pathlib import Path

import pytest
from openpyxl import Workbook

from tests.builders.cast import NOW, TODAY, make_cast
from tests.builders.inspections import given_item, given_premises
from tests.builders.registry import a_scene
from xiezhi.domains.inspections.imports.cells import period
from xiezhi.domains.inspections.models import Check, Plan, PlanRow
from xiezhi.domains.inspections.services.filing import file_plan
from xiezhi.domains.inspections.services.named_rows import names_waiting
from xiezhi.domains.inspections.services.plans import withdraw_plan
from xiezhi.domains.registry import services as registry
from xiezhi.domains.registry.facts import PremisesFacts
from xiezhi.domains.registry.models import PendingMatch
from xiezhi.foundation.access.actors import NOBODY
from xiezhi.foundation.events.services import deliver_due
from xiezhi.foundation.imports.columns import CellRefused
from xiezhi.foundation.imports.services import import_now
from xiezhi.foundation.imports.specs import ImportContext
from xiezhi.foundation.notices.models import Notice

pytestmark = pytest.mark.django_db
HEADER = (
    "检查主体", "计划名称", "事项代码", "检查内容", "检查类型", "统一社会信用代码", "主体名称", "场所编号", "地址", "检查对象", "抽查场景",
    "行业", "街道", "抽查比例", "数量", "频次", "最早日期", "最晚日期", "时间", "现场检查理由", "股室",
)  # fmt: skip
OPTIONS = {"title": "四季度计划", "starts_on": "2026-03-01", "ends_on": "2027-02-28", "kind": "annual"}
START, END = date(2026, 12, 1), date(2026, 12, 31)


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def item(cast):
    return given_item(cast, "scjg", code="SCJG-01", name="食品安全检查")


def line(**cells) -> tuple:
    given = {"事项代码": "SCJG-01", "最早日期": START, "最晚日期": END, **cells}
    assert set(given) <= set(HEADER)
    return tuple(given.get(name) for name in HEADER)


def sheet(path: Path, *rows: tuple) -> Path:
    book = Workbook()
    book.active.append(HEADER)
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def bring(cast, path: Path, who: str = "scjg.planner", **options):
    return import_now("inspections.plan", path=path, actor=cast.actor(who), at=NOW, options={**OPTIONS, **options})


def refused(batch) -> list[tuple[int, str]]:
    return [
        (entry.number, entry.problems[0]["column"]) for entry in batch.rows.filter(outcome="refused").order_by("number")
    ]


def test_named_and_sampling_rows_become_a_draft(cast, item, tmp_path):
    door, hotels = given_premises(cast), a_scene(cast, "hotel", "酒店")
    batch = bring(
        cast,
        sheet(
            tmp_path / "计划.xlsx",
            line(
                统一社会信用代码=door.subject.code.lower(),
                主体名称=door.subject.name,
                检查主体="演示区市场监管局",
                股室="食品科",
            ),
            line(
                事项代码="食品安全检查",
                检查对象="酒店",
                抽查比例="５％",
                频次="≥1",
                最早日期=None,
                最晚日期=None,
                时间="12月",
            ),
            line(行业="H62", 街道="金榆街道", 数量="3户", 检查类型="双随机"),
            line(抽查场景="酒店", 街道="银槐街道"),
        ),
    )
    assert batch.counts["new"] == 4, refused(batch)
    plan = Plan.objects.get()
    assert (plan.title, plan.status, plan.department) == ("四季度计划", "draft", cast["scjg"])
    named, scene, industry, classes = plan.rows.order_by("number")
    assert (named.kind, named.source, named.premises, named.section) == ("named", "routine", door, "食品科")
    assert (scene.source, scene.scene, scene.ratio_per_mille, scene.frequency) == ("random", hotels, 50, ">=1")
    assert (scene.earliest, scene.latest) == (START, END)
    assert (industry.industry, industry.street, industry.quantity) == ("H62", cast["110199001"], 3)
    assert (classes.ratio_per_mille, classes.quantity) == (None, None)


def test_a_plan_name_in_the_sheet_goes_before_the_one_given(cast, item, tmp_path):
    rows = [
        line(行业="H62", 计划名称=title, 街道=street) for title, street in (("甲计划", "金榆街道"), (None, "银槐街道"))
    ]
    bring(cast, sheet(tmp_path / "计划.xlsx", *rows))
    assert set(Plan.objects.values_list("title", flat=True)) == {"甲计划", "四季度计划"}


def test_bad_rows_come_back_with_their_place_and_the_good_one_stands(cast, item, tmp_path):
    door, closed, many = given_premises(cast), given_premises(cast), given_premises(cast)
    registry.close_subject(
        subject=closed.subject, status="deregistered", reason="注销", actor=cast.actor("registrar"), at=NOW
    )
    registry.register_premises(
        subject=many.subject,
        premises=PremisesFacts(address="银槐街2号", street=cast["110199002"], number="2"),
        actor=cast.actor("registrar"),
        at=NOW,
    )
    given_item(cast, "wsjk", code="WSJK-01")
    code = door.subject.code
    batch = bring(
        cast,
        sheet(
            tmp_path / "计划.xlsx",
            line(统一社会信用代码=code),  # 2: stands
            line(统一社会信用代码=code, 最晚日期=date(2026, 12, 30)),  # 3: overlaps the first
            line(统一社会信用代码=code, 事项代码="没有"),  # 4
            line(统一社会信用代码=code, 事项代码="WSJK-01"),  # 5: another department's
            line(统一社会信用代码=code, 检查主体="卫生健康委"),  # 6
            line(统一社会信用代码=code, 检查主体="无此局"),  # 7
            line(统一社会信用代码=code[:-1] + ("0" if code[-1] != "0" else "1")),  # 8: check digit
            line(统一社会信用代码="91110199MA9999999N"),  # 9
            line(统一社会信用代码=closed.subject.code),  # 10
            line(统一社会信用代码=many.subject.code),  # 11: which door
            line(统一社会信用代码=many.subject.code, 场所编号="9"),  # 12
            line(统一社会信用代码=code, 最早日期=END, 最晚日期=START),  # 13: reversed
            line(统一社会信用代码=code, 最晚日期=date(2027, 6, 1)),  # 14: outside the period
            line(统一社会信用代码=code, 最早日期=None, 最晚日期=None),  # 15
            line(),  # 16: nobody
            line(统一社会信用代码=code, 抽查比例="5%"),  # 17: both
            line(街道="无此街道", 数量=3),  # 18
            line(街道="金榆街道", 数量=3, 抽查比例="5%"),  # 19
            line(街道="金榆街道", 抽查比例="0.01%"),  # 20
            line(统一社会信用代码=code, 检查类型="个案检查"),  # 21
            line(街道="金榆街道", 频次="天天"),  # 22
            line(统一社会信用代码=many.subject.code, 场所编号="2"),  # 23: stands
        ),
    )
    assert refused(batch) == [
        (3, ""), (4, "item"), (5, "item"), (6, "department"), (7, "department"), (8, "subject_code"), (9, "subject_code"),
        (10, "subject_code"), (11, "premises_number"), (12, "premises_number"), (13, "latest"), (14, "latest"),
        (15, "earliest"), (16, "subject_code"), (17, "subject_code"), (18, "street"), (19, "quantity"), (20, "ratio"),
        (21, "source"), (22, "frequency"),
    ]  # fmt: skip
    assert all(entry.problems[0]["reason"] for entry in batch.rows.filter(outcome="refused"))
    assert Plan.objects.get().rows.count() == 2


def test_importing_again_changes_nothing_and_a_change_is_shown(cast, item, tmp_path):
    door = given_premises(cast)
    rows = [line(统一社会信用代码=door.subject.code), line(街道="金榆街道", 数量=3)]
    bring(cast, sheet(tmp_path / "1.xlsx", *rows))
    again = bring(cast, sheet(tmp_path / "2.xlsx", *rows, line(街道="银槐街道", 数量=1)))
    assert (again.counts["unchanged"], again.counts["new"]) == (2, 1)
    changed = bring(cast, sheet(tmp_path / "3.xlsx", rows[0], line(街道="金榆街道", 数量=5)))
    assert changed.rows.get(outcome="changed").changes == {"quantity": ["3", "5"]}
    assert PlanRow.objects.get(street=cast["110199001"]).quantity == 5
    assert PlanRow.objects.count() == 3


def test_a_filed_plan_takes_no_further_rows(cast, item, tmp_path):
    door, other = given_premises(cast), given_premises(cast)
    bring(cast, sheet(tmp_path / "1.xlsx", line(统一社会信用代码=door.subject.code)))
    file_plan(plan=Plan.objects.get(), actor=cast.actor("scjg.planner"), at=NOW)
    batch = bring(
        cast,
        sheet(tmp_path / "2.xlsx", line(统一社会信用代码=door.subject.code), line(统一社会信用代码=other.subject.code)),
    )
    assert batch.counts["unchanged"] == 1
    assert refused(batch) == [(3, "title")]


def test_a_csv_in_gb18030_is_read_too(cast, item, tmp_path):
    door = given_premises(cast)
    path = tmp_path / "计划.csv"
    with path.open("w", encoding="gb18030", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["事项代码", "统一社会信用代码", "最早日期", "最晚日期"])
        writer.writerow(["SCJG-01", door.subject.code, "2026/12/1", "2026年12月31日"])
    assert bring(cast, path).counts["new"] == 1


def test_a_name_alone_waits_and_joins_its_draft_once_matched(cast, item, tmp_path):
    door = given_premises(cast, name="演示金榆饭店有限公司")
    path = sheet(tmp_path / "1.xlsx", line(主体名称="金榆饭店", 街道="金榆街道"), line(街道="金榆街道", 数量=1))
    batch = bring(cast, path)
    assert (batch.counts["to_confirm"], batch.result["queued"]) == (1, 1)
    plan = Plan.objects.get()
    assert (plan.rows.count(), names_waiting(plan)) == (1, 1)
    again = bring(cast, sheet(tmp_path / "2.xlsx", line(主体名称="金榆饭店", 街道="金榆街道")))
    assert again.counts["unchanged"] == 1
    pending = PendingMatch.objects.get()
    registry.confirm_match(pending=pending, subject=door.subject, actor=cast.actor("scjg.planner"), at=NOW)
    assert deliver_due(at=NOW) == 1
    row = plan.rows.get(premises=door)
    assert (row.kind, row.item, row.earliest, row.latest) == ("named", item, START, END)
    assert names_waiting(plan) == 0
    assert not Check.objects.exists()


def test_a_name_matched_after_filing_becomes_a_check_at_once(cast, item, tmp_path):
    door, other = given_premises(cast), given_premises(cast)
    bring(cast, sheet(tmp_path / "1.xlsx", line(主体名称="某饭店"), line(统一社会信用代码=other.subject.code)))
    plan = file_plan(plan=Plan.objects.get(), actor=cast.actor("scjg.planner"), at=NOW)
    registry.confirm_match(
        pending=PendingMatch.objects.get(), subject=door.subject, actor=cast.actor("scjg.planner"), at=NOW
    )
    deliver_due(at=NOW)
    check = Check.objects.get(premises=door)
    assert (check.plan_row.plan, check.status, check.number) == (plan, "waiting", "C2026-000002")


def test_a_matched_name_that_cannot_join_is_told(cast, item, tmp_path):
    door = given_premises(cast)
    bring(cast, sheet(tmp_path / "1.xlsx", line(主体名称="某饭店"), line(街道="金榆街道", 数量=1)))
    withdraw_plan(plan=Plan.objects.get(), reason="重编", actor=cast.actor("scjg.planner"), at=NOW)
    registry.confirm_match(
        pending=PendingMatch.objects.get(), subject=door.subject, actor=cast.actor("scjg.planner"), at=NOW
    )
    deliver_due(at=NOW)
    assert "撤回" in Notice.objects.get(recipient=cast.people["scjg.planner"]).body
    assert not PlanRow.objects.filter(premises=door).exists()


@pytest.mark.parametrize(
    ("written", "window"),
    [
        ("4月", (date(2026, 4, 1), date(2026, 4, 30))),
        ("2027年2月", (date(2027, 2, 1), date(2027, 2, 28))),
        ("4-6月", (date(2026, 4, 1), date(2026, 6, 30))),
        ("４月至６月", (date(2026, 4, 1), date(2026, 6, 30))),
        ("第二季度", (date(2026, 4, 1), date(2026, 6, 30))),
        ("2026年4季度", (date(2026, 10, 1), date(2026, 12, 31))),
        ("Q3", (date(2026, 7, 1), date(2026, 9, 30))),
        ("下半年", (date(2026, 7, 1), date(2026, 12, 31))),
        ("全年", (date(2026, 1, 1), date(2026, 12, 31))),
        ("2026-04-01至2026-05-31", (date(2026, 4, 1), date(2026, 5, 31))),
        ("2026年4月1日-2026年5月31日", (date(2026, 4, 1), date(2026, 5, 31))),
    ],
)
def test_times_as_plans_write_them(written, window):
    context = ImportContext(NOBODY, NOW, None, {"starts_on": "2026-03-01"}, None)
    assert period()(written, context) == window


@pytest.mark.parametrize("written", ["近期", "13月", "6-4月份左右", "5季度"])
def test_times_that_cannot_be_read_are_refused(written):
    context = ImportContext(NOBODY, NOW, None, {"starts_on": TODAY.isoformat()}, None)
    with pytest.raises(CellRefused):
        period()(written, context)
