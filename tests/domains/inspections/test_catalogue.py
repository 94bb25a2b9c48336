"""The catalogue of items: versions, the end of an item, what may not be together, and the sheet that brings it in."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from openpyxl import Workbook

from tests.builders.cast import NOW, TODAY, make_cast
from tests.builders.inspections import given_check, given_item, given_premises, given_version
from xiezhi.domains.inspections.models import CatalogueItem, IncompatiblePair, ItemVersion
from xiezhi.domains.inspections.services.catalogue import (
    Line,
    allow_together,
    end_item,
    keep_apart,
    wording_of,
)
from xiezhi.domains.inspections.services.checks import settle_off_site
from xiezhi.domains.inspections.services.shelf import version_for
from xiezhi.foundation.access.actors import PermissionRefused
from xiezhi.foundation.imports.services import import_now
from xiezhi.foundation.workflow.errors import Refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return make_cast()


def test_the_same_wording_changes_nothing(cast):
    given = {"code": "SCJG-01", "minutes": 45, "lines": (Line("许可证", "有效"), Line("台账"))}
    first = given_version(cast, "scjg", **given)
    again = given_version(cast, "scjg", **given, since=date(2026, 6, 1))
    assert again.pk == first.pk
    assert [(line.position, line.content, line.standard) for line in first.form_lines.order_by("position")] == [
        (1, "许可证", "有效"),
        (2, "台账", ""),
    ]


def test_a_new_wording_closes_the_version_before_it(cast):
    first = given_version(cast, "scjg", code="SCJG-01", minutes=45)
    second = given_version(cast, "scjg", code="SCJG-01", minutes=30, since=date(2026, 7, 1))
    first.refresh_from_db()
    assert (first.effective_to, second.version, second.effective_to) == (date(2026, 6, 30), 2, None)
    assert version_for(first.item, date(2026, 6, 30), date(2026, 8, 1)) == first
    assert version_for(first.item, date(2026, 7, 1), date(2026, 8, 1)) == second
    assert wording_of(second).minutes == 30


@pytest.mark.parametrize("since", [date(2025, 12, 1), date(2026, 1, 1)])
def test_a_new_wording_begins_later_than_the_last(cast, since):
    given_version(cast, "scjg", code="SCJG-01")
    with pytest.raises(Refused, match="2026-01-02"):
        given_version(cast, "scjg", code="SCJG-01", minutes=99, since=since)
    assert ItemVersion.objects.count() == 1


def test_a_new_wording_does_not_reach_behind_a_check_already_done(cast):
    item = given_item(cast, "scjg", code="SCJG-01", off_site_possible=True)
    check = given_check(cast, given_premises(cast), "scjg", item=item)
    settle_off_site(checks=[check], note="核对材料", actor=cast.actor("scjg.inspector"), at=NOW)
    with pytest.raises(Refused, match="不能追溯"):
        given_version(cast, "scjg", code="SCJG-01", minutes=99, since=TODAY)
    assert given_version(cast, "scjg", code="SCJG-01", minutes=99, since=TODAY + timedelta(days=1)).version == 2


def test_waiting_checks_that_begin_later_move_to_the_new_version(cast):
    item = given_item(cast, "scjg", code="SCJG-01", minutes=40)
    later = given_check(cast, given_premises(cast), "scjg", item=item)
    sooner = given_check(cast, given_premises(cast), "scjg", item=item, earliest=TODAY + timedelta(days=1))
    version = given_version(cast, "scjg", code="SCJG-01", minutes=70, safety=True, since=TODAY + timedelta(days=5))
    later.refresh_from_db()
    sooner.refresh_from_db()
    assert (later.item_version, later.minutes, later.safety) == (version, 70, True)
    assert (sooner.item_version.version, sooner.minutes) == (1, 40)


def test_a_code_belongs_to_one_department(cast):
    given_item(cast, "scjg", code="X-1")
    with pytest.raises(Refused, match="市场监管"):
        given_item(cast, "wsjk", code="X-1")


def test_nobody_publishes_for_another_department(cast):
    from xiezhi.domains.inspections.services.catalogue import Wording, publish_version

    with pytest.raises(PermissionRefused):
        publish_version(
            code="W-1",
            department=cast["wsjk"],
            wording=Wording("甲", "演示依据", 10),
            effective_from=TODAY,
            actor=cast.actor("scjg.planner"),
            at=NOW,
        )


def test_ending_an_item_ends_what_would_begin_later_and_shortens_the_rest(cast):
    item = given_item(cast, "scjg")
    last = TODAY + timedelta(days=10)
    late = given_check(cast, given_premises(cast), "scjg", item=item, earliest=last + timedelta(days=1))
    early = given_check(cast, given_premises(cast), "scjg", item=item, earliest=TODAY + timedelta(days=1))
    assert end_item(item=item, last_day=last, actor=cast.actor("scjg.planner"), at=NOW) == 1
    late.refresh_from_db()
    early.refresh_from_db()
    assert late.status == "cancelled"
    assert (early.status, early.latest) == ("waiting", last)
    with pytest.raises(Refused, match="清单之外不得检查"):
        version_for(item, last, last + timedelta(days=1))


def test_items_are_kept_apart_once_whichever_way_round(cast):
    mine, other = given_item(cast, "scjg"), given_item(cast, "wsjk")
    planner = cast.actor("scjg.planner")
    pair, new = keep_apart(first=other, second=mine, reason="一项停机一项开机", actor=planner, at=NOW)
    _same, again = keep_apart(first=mine, second=other, reason="…", actor=planner, at=NOW)
    assert (new, again, IncompatiblePair.objects.count()) == (True, False, 1)
    with pytest.raises(PermissionRefused):
        allow_together(pair=pair, actor=cast.actor("csgl.planner"), at=NOW)
    allow_together(pair=pair, actor=cast.actor("wsjk.planner"), at=NOW)
    assert not IncompatiblePair.objects.exists()


HEADER = (
    "事项代码", "事项名称", "部门", "类别", "依据", "检查方式", "可非现场办理", "时长（分钟）", "涉及安全", "年度频次上限", "生效日期",
    "检查表单", "不宜同场事项", "不宜同场原因",
)  # fmt: skip


def sheet(path: Path, *rows: tuple, header: tuple = HEADER) -> Path:
    book = Workbook()
    book.active.append(header)
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def row(code: str, **more):
    given = dict.fromkeys(HEADER)
    given |= {
        "事项代码": code,
        "事项名称": f"演示 {code}",
        "依据": "演示依据",
        "时长（分钟）": 40,
        "生效日期": date(2026, 1, 1),
    }
    return tuple((given | more).values())


def bring(cast, path: Path):
    return import_now("inspections.items", path=path, actor=cast.actor("scjg.planner"), at=NOW)


def problems(batch) -> dict[str, tuple[str, str]]:
    return {
        entry.raw[0]: (entry.problems[0]["column"], entry.problems[0]["reason"])
        for entry in batch.rows.filter(outcome="refused")
    }


def test_a_sheet_brings_items_with_forms_and_pairs(cast, tmp_path):
    path = sheet(
        tmp_path / "事项.xlsx",
        row("SCJG-01", 类别="重点", 检查方式="书面核查", 可非现场办理="是", 涉及安全="√", 年度频次上限="2次",
            检查表单="1. 许可证 | 在有效期内\n２、台账；消毒｜每日记录", 不宜同场事项="ＳＣＪＧ－０２", 不宜同场原因="不能同时"),
        row("ｓｃｊｇ－０２", **{"时长（分钟）": "３０分钟", "生效日期": "2026年3月1日"}),
    )  # fmt: skip
    batch = bring(cast, path)
    assert batch.counts["new"] == 2, problems(batch)
    first = ItemVersion.objects.get(item__code="SCJG-01")
    assert (first.category, first.method, first.off_site_possible, first.safety, first.annual_cap) == (
        "key", "written", True, True, 2,
    )  # fmt: skip
    assert [(each.content, each.standard) for each in first.form_lines.order_by("position")] == [
        ("许可证", "在有效期内"),
        ("台账", ""),
        ("消毒", "每日记录"),
    ]
    second = ItemVersion.objects.get(item__code="SCJG-02")
    assert (second.minutes, second.effective_from) == (30, date(2026, 3, 1))
    assert IncompatiblePair.objects.get().reason == "不能同时"


def test_importing_again_changes_nothing_and_a_changed_row_makes_a_version(cast, tmp_path):
    bring(cast, sheet(tmp_path / "1.xlsx", row("SCJG-01"), row("SCJG-02")))
    again = bring(cast, sheet(tmp_path / "2.xlsx", row("SCJG-01"), row("SCJG-02")))
    assert (again.counts["unchanged"], again.to_save) == (2, 0)
    changed = bring(
        cast, sheet(tmp_path / "3.xlsx", row("SCJG-01", **{"时长（分钟）": 55, "生效日期": TODAY}), row("SCJG-02"))
    )
    assert (changed.counts["changed"], changed.result["versions"]) == (1, 1)
    assert changed.rows.get(outcome="changed").changes["minutes"] == ["40", "55"]
    assert list(
        ItemVersion.objects.filter(item__code="SCJG-01").order_by("version").values_list("minutes", flat=True)
    ) == [
        40,
        55,
    ]


def test_bad_rows_are_refused_with_place_and_mend_and_the_good_ones_stand(cast, tmp_path):
    given_item(cast, "wsjk", code="WSJK-1")
    bring(cast, sheet(tmp_path / "1.xlsx", row("SCJG-09")))
    batch = bring(
        cast,
        sheet(
            tmp_path / "2.xlsx",
            row("SCJG-01"),
            row("SCJG-02", 部门="无此部门"),
            row("SCJG-03", 部门="卫生健康委"),
            row("WSJK-1"),
            row("SCJG-04", **{"时长（分钟）": 0}),
            row("SCJG-05", 依据=None),
            row("SCJG-06", 不宜同场事项="SCJG-77", 不宜同场原因="…"),
            row("SCJG-07", 不宜同场事项="SCJG-01"),
            row("SCJG-08", 检查方式="飞检"),
            row("SCJG-09", **{"时长（分钟）": 41}),
        ),
    )
    found = {code: column for code, (column, _reason) in problems(batch).items()}
    assert found == {
        "SCJG-02": "department",
        "SCJG-03": "department",
        "WSJK-1": "code",
        "SCJG-04": "minutes",
        "SCJG-05": "legal_basis",
        "SCJG-06": "incompatible",
        "SCJG-07": "incompatible_reason",
        "SCJG-08": "method",
        "SCJG-09": "effective_from",
    }
    assert set(CatalogueItem.objects.filter(department=cast["scjg"]).values_list("code", flat=True)) == {
        "SCJG-01",
        "SCJG-09",
    }
