"""The sheet of subjects, from real files: what is stored, what is refused and how, and that a second time changes nothing."""

import csv
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openpyxl import Workbook

from tests.builders.cast import NOW
from tests.builders.registry import a_scene, a_subject, door_of, fictional_code
from xiezhi.domains.registry import services
from xiezhi.domains.registry.models import PendingMatch, Premises, Subject, TimelineEntry
from xiezhi.foundation.access.actors import PermissionRefused
from xiezhi.foundation.audit.models import Entry
from xiezhi.foundation.events import services as events
from xiezhi.foundation.events.models import Event
from xiezhi.foundation.imports.services import import_now
from xiezhi.foundation.workflow.errors import Refused

LATER = NOW + timedelta(days=1)
HEADER = ("统一社会信用代码", "名称", "主体类型", "行业代码", "信用等级", "风险等级", "场景", "状态", "场所编号", "场所名称", "地址", "街道", "经度", "纬度", "每周休息日", "不参加联合检查")  # fmt: skip


def line(serial: int = 1, **given):
    """A row as an office writes it; `given` by column title."""
    row = {
        "统一社会信用代码": fictional_code(serial),
        "名称": f"演示第{serial}餐饮有限公司",
        "地址": f"金榆街{serial}号",
        "街道": "金榆街道",
    }
    return [{**row, **given}.get(title) for title in HEADER]


@pytest.fixture
def sheet(tmp_path):
    def write(*rows, header=HEADER, name="名录.xlsx", mend=None) -> Path:
        book = Workbook()
        page = book.active
        page.append(header)
        for row in rows:
            page.append(row)
        if mend:
            mend(page)
        book.save(tmp_path / name)
        return tmp_path / name

    return write


@pytest.fixture
def take_in(cast):
    def run(path: Path, who="registrar", at=NOW):
        return import_now("registry.subjects", path=path, actor=cast.actor(who), at=at)

    return run


def refusals(batch):
    """(row, column, reason + how to mend) of everything refused."""
    rows = batch.rows.filter(outcome="refused").order_by("number")
    return [(row.number, each["column"], each["reason"] + each["mend"]) for row in rows for each in row.problems]


def test_a_full_row_is_stored(cast, sheet, take_in):
    a_scene(cast, "hotel", "酒店"), a_scene(cast, "mall", "商圈")
    given = {
        "主体类型": "个体户", "行业代码": "6110", "信用等级": "B级", "风险等级": "较高", "场景": "酒店；hotel、商圈",
        "状态": "歇业", "场所编号": "A-1", "场所名称": "总店", "经度": 116.36684321, "纬度": "39.9128",
        "每周休息日": "周六、周日", "不参加联合检查": "是", "街道": "110199002",
    }  # fmt: skip
    batch = take_in(sheet(line(**given)))
    assert (batch.status, batch.counts["new"], batch.result["created"]) == ("applied", 1, 1)
    subject = Subject.objects.get()
    facts = (
        subject.code,
        subject.normal_name,
        subject.kind,
        subject.industry,
        subject.credit_class,
        subject.risk_class,
    )
    assert facts == (fictional_code(1), "演示第1餐饮", "individual", "H6110", "B", "higher")
    assert (subject.status, subject.joint_opt_out) == ("suspended", True)
    assert {scene.code for scene in subject.scenes.all()} == {"hotel", "mall"}
    door = door_of(subject)
    assert (door.number, door.name, door.closed_weekdays, door.street) == ("A-1", "总店", "67", cast["110199002"])
    assert (str(door.longitude), str(door.latitude)) == ("116.366843", "39.912800")
    assert subject.timeline.get().kind == "registry.registered"
    assert Entry.objects.filter(action="registry.subject_registered", object_id=str(subject.pk)).count() == 1


def test_one_subject_with_several_doors(cast, sheet, take_in):
    second = {"场所编号": "2", "地址": "银槐路9号", "街道": "银槐街道"}
    rows = [line(场所编号="1"), line(**second), line(2)]
    assert take_in(sheet(*rows)).counts["new"] == 3
    assert Subject.objects.count() == 2 and Premises.objects.count() == 3
    third = line(场所编号="3", 地址="银槐路10号", 街道="银槐街道")
    assert take_in(sheet(third), at=LATER).counts["changed"] == 1
    assert set(Premises.objects.filter(subject__code=fictional_code(1)).values_list("number", flat=True)) == set("123")
    moved = line(场所编号=None, 地址="银槐路10号", 街道="金榆街道")
    assert take_in(sheet(moved), at=LATER).counts["changed"] == 1
    assert Premises.objects.get(number="3").street == cast["110199001"]
    unclear = take_in(sheet(line(地址="别处1号")), at=LATER)
    assert refusals(unclear) == [
        (2, "premises_number", "这家主体有 3 个场所，看不出是哪一个。请填写场所编号（现有：1、2、3）。")
    ]


def test_importing_again_changes_nothing(cast, sheet, take_in):
    a_scene(cast, "hotel", "酒店")
    rows = [line(n, 场景="酒店", 经度=116.3, 纬度=39.9, 每周休息日="67") for n in range(1, 6)]
    rows += [line(统一社会信用代码=None, 名称="演示无码小店")]
    path = sheet(*rows)
    first = take_in(path)
    assert (first.counts["new"], first.counts["to_confirm"]) == (5, 1)
    before = [list(model.objects.order_by("pk").values()) for model in (Subject, Premises, TimelineEntry, PendingMatch)]
    again = take_in(path, at=LATER)
    assert (again.counts["unchanged"], sum(again.counts.values())) == (6, 6)
    after = [list(model.objects.order_by("pk").values()) for model in (Subject, Premises, TimelineEntry, PendingMatch)]
    assert before == after


def test_blank_cells_leave_facts_alone_and_nothing_clears_scenes(cast, sheet, take_in):
    hotel = a_scene(cast, "hotel", "酒店")
    subject = a_subject(cast, 1, credit_class="A", scenes=[hotel], door={"closed_weekdays": "7"})
    short = sheet([subject.code, subject.name], header=("信用代码", "企业名称"))
    assert take_in(short).counts["unchanged"] == 1
    changed = take_in(sheet(line(1, 场景="无", 每周休息日="无", 信用等级="D")), at=LATER)
    row = changed.rows.get()
    assert row.changes["credit_class"] == ["A（低风险）", "D（高风险）"] and row.changes["scenes"] == ["酒店", "—"]
    subject.refresh_from_db()
    assert (subject.credit_class, subject.scenes.count(), door_of(subject).closed_weekdays) == ("D", 0, "")
    assert subject.updated_at == LATER
    told = subject.timeline.get(kind="registry.updated").title
    assert "信用等级：A（低风险） → D（高风险）" in told and "场景：酒店 → —" in told


def test_closings_and_choices_in_a_sheet_are_heard(cast, sheet, take_in, monkeypatch):
    names = ["registry.subject_closed", "registry.joint_choice_changed", "registry.premises_closed"]
    monkeypatch.setattr(events, "_subscribers", {name: {"test": lambda payload, at: None} for name in names})
    closing, opting, shutting = (a_subject(cast, n) for n in (1, 2, 3))
    rows = [
        [closing.code, closing.name, "注销", None, None],
        [opting.code, opting.name, None, "是", None],
        [shutting.code, shutting.name, None, None, "否"],
    ]
    take_in(sheet(*rows, header=("代码", "名称", "状态", "不参加联合检查", "在营")))
    heard = [(event.name, event.payload["subject_id"]) for event in Event.objects.all()]
    assert sorted(heard) == sorted([(names[0], closing.pk), (names[1], opting.pk), (names[2], shutting.pk)])
    assert Entry.objects.filter(action="registry.subject.deregister", object_id=str(closing.pk)).exists()


BAD_CODE = fictional_code(1)[:17] + ("0" if fictional_code(1)[17] != "0" else "1")


@pytest.mark.parametrize(
    ("given", "column", "says"),
    [
        ({"统一社会信用代码": BAD_CODE}, "code", "校验位不对"),
        ({"统一社会信用代码": "9111"}, "code", "18 位"),
        ({"统一社会信用代码": 911101990000000000}, "code", "Excel 把代码变成了数字"),
        ({"统一社会信用代码": date(2026, 1, 1)}, "code", "日期"),
        ({"名称": " "}, "name", "必填项是空的"),
        ({"名称": "长" * 121}, "name", "121 个字"),
        ({"主体类型": "星球"}, "kind", "可填：企业、个体工商户"),
        ({"行业代码": "F6210"}, "industry", "属于门类 H"),
        ({"信用等级": "甲"}, "credit_class", "可填：A"),
        ({"风险等级": "极高"}, "risk_class", "可填：低"),
        ({"场景": "酒店、没有的"}, "scenes", "没有这个场景"),
        ({"状态": "不详"}, "status", "可填：存续"),
        ({"场所编号": "9" * 21}, "premises_number", "太长"),
        ({"街道": "别区街道"}, "street", "没有这个街道"),
        ({"街道": None}, "street", "新主体要有街道"),
        ({"地址": None}, "address", "新主体要有地址"),
        ({"经度": 39.9, "纬度": 116.3}, "longitude", "填反"),
        ({"经度": 116.3}, "longitude", "只填了一个"),
        ({"经度": "东经", "纬度": 39.9}, "longitude", "不是数字"),
        ({"每周休息日": "看情况"}, "closed_weekdays", "看不懂"),
        ({"不参加联合检查": "也许"}, "joint_opt_out", "是”或“否"),
    ],
)
def test_bad_rows_say_where_what_and_how_to_mend(cast, sheet, take_in, given, column, says):
    a_scene(cast, "hotel", "酒店")
    batch = take_in(sheet(line(2), line(1, **given)))
    assert [(number, key) for number, key, _said in refusals(batch)] == [(3, column)] or column == "longitude"
    assert says in "".join(said for _number, key, said in refusals(batch) if key == column)
    assert list(Subject.objects.values_list("code", flat=True)) == [fictional_code(2)]


def test_rows_that_contradict_each_other_name_each_other(cast, sheet, take_in):
    twins = take_in(sheet(line(1), line(2), line(1)))
    assert [(number, column) for number, column, _said in refusals(twins)] == [(2, "code"), (4, "code")]
    assert "第 4 行" in refusals(twins)[0][2] and "第 2 行" in refusals(twins)[1][2]
    assert list(Subject.objects.values_list("code", flat=True)) == [fictional_code(2)]
    unlike = take_in(sheet(line(3), line(3, 名称="演示另名有限公司", 场所编号="2"), line(3, 地址="别处1号")))
    assert [(number, column) for number, column, _said in refusals(unlike)] == [(3, "name"), (4, "premises_number")]
    assert all("第 2 行" in said for _number, _column, said in refusals(unlike))


def test_a_status_that_cannot_follow_is_refused(cast, sheet, take_in):
    subject = a_subject(cast, 1)
    services.close_subject(subject=subject, status="deregistered", reason="演示", actor=cast.actor("registrar"), at=NOW)
    batch = take_in(sheet(line(1, 状态="歇业")), at=LATER)
    assert refusals(batch)[0][1] == "status" and "注销" in refusals(batch)[0][2]
    assert take_in(sheet(line(1, 状态="存续")), at=LATER).counts["changed"] == 1


def test_merged_cells_formulas_blank_rows_and_full_width(cast, sheet, take_in):
    wide = fictional_code(1).translate({48 + n: 0xFF10 + n for n in range(10)})

    def mend(page):
        page["E3"] = '=CONCAT("A")'
        page.merge_cells("L4:L5")

    rows = [
        line(1, 统一社会信用代码=wide, 每周休息日="６７"),
        line(2),
        line(3),
        line(4, 街道=None),
        [None] * len(HEADER),
        line(5),
    ]
    batch = take_in(sheet(*rows, mend=mend))
    stored = set(Subject.objects.values_list("code", flat=True))
    assert fictional_code(1) in stored and fictional_code(5) in stored and fictional_code(2) not in stored
    troubles = {(number, column): said for number, column, said in refusals(batch)}
    assert "公式" in troubles[3, "credit_class"]
    assert (5, "street") in troubles and fictional_code(4) not in stored


def test_a_csv_in_gb18030(cast, tmp_path, take_in):
    path = tmp_path / "名录.csv"
    with path.open("w", encoding="gb18030", newline="") as file:
        csv.writer(file).writerows([HEADER, line(1, 名称="演示㐂寿司店", 经度="116.3", 纬度="39.9"), line(2)])
    assert take_in(path).counts["new"] == 2
    assert Subject.objects.get(code=fictional_code(1)).name == "演示㐂寿司店"


def test_nobody_else_imports_and_a_sheet_without_names_is_refused(cast, sheet, take_in):
    with pytest.raises(PermissionRefused):
        take_in(sheet(line(1)), who="scjg.planner")
    with pytest.raises(Refused, match="名称"):
        take_in(sheet(["x", "y"], header=("统一社会信用代码", "地址")))
    assert not Subject.objects.exists()


def test_rows_without_a_code_wait_and_what_they_tell_arrives_once_confirmed(cast, sheet, take_in):
    subject, registrar = a_subject(cast, 1, "演示金榆酒店有限公司"), cast.actor("registrar")
    row = line(1, 统一社会信用代码=None, 名称="演示金榆酒店", 信用等级="C", 每周休息日="周一", 地址="金榆街一号院")
    path = sheet(row, name="先.xlsx")
    batch = take_in(path)
    assert (batch.counts["to_confirm"], batch.result["queued"]) == (1, 1)
    pending = PendingMatch.objects.get()
    assert (pending.origin, pending.name, pending.street_text, pending.row_number) == (
        "registry.subject", "演示金榆酒店", "金榆街道", 2,
    )  # fmt: skip
    take_in(sheet(line(1, 统一社会信用代码=None, 名称="演示金榆酒店", 信用等级="D", 地址="金榆街一号院")), at=LATER)
    pending.refresh_from_db()
    assert pending.payload["facts"]["credit_class"] == "D", "a later row takes the place of the waiting one"
    take_in(path, at=LATER)
    pending.refresh_from_db()
    services.confirm_match(pending=pending, subject=subject, actor=registrar, at=LATER)
    subject.refresh_from_db()
    door = door_of(subject)
    assert (subject.credit_class, door.closed_weekdays) == ("C", "1")
    assert (subject.name, door.address) == ("演示金榆酒店有限公司", "金榆街1号"), "what only named it is not taken over"
    assert take_in(path, at=LATER).counts["unchanged"] == 1
    better = line(1, 统一社会信用代码=None, 名称="演示金榆酒店", 信用等级="A", 地址="金榆街一号院")
    assert take_in(sheet(better), at=LATER).counts["changed"] == 1
    subject.refresh_from_db()
    assert subject.credit_class == "A", "a person has decided once whom this name means"


def test_a_dismissed_name_comes_back_with_the_reason(cast, sheet, take_in):
    path = sheet(line(1, 统一社会信用代码=None, 名称="演示查无此店"))
    take_in(path)
    services.dismiss_match(pending=PendingMatch.objects.get(), reason="已搬走", actor=cast.actor("coordinator"), at=NOW)
    assert "已搬走" in refusals(take_in(path, at=LATER))[0][2]


def test_statements_do_not_grow_with_rows(cast, sheet, take_in):
    def statements(rows, name):
        path = sheet(*rows, name=name)
        with CaptureQueriesContext(
            connection,
        ) as seen:
            take_in(path)
        return len(seen)

    statements([line(1000)], "暖.xlsx")
    few = statements([line(n) for n in range(1, 6)], "少.xlsx")
    many = statements([line(n) for n in range(100, 200)], "多.xlsx")
    assert many - few < 20
