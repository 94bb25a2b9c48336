"""A district's bodies as one sheet, in any order; what does not fit is named with its place, and nothing of it is saved."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.builders.cast import NOW
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.access.services import actor_for, found_district
from xiezhi.foundation.files.sheets import write_sheet
from xiezhi.foundation.imports.models import ImportRow
from xiezhi.foundation.imports.services import import_now
from xiezhi.foundation.orgs.models import Organisation

pytestmark = pytest.mark.django_db
HEADER = ("类别", "代码", "名称", "简称", "上级部门", "所在街道", "具有行政检查主体资格")
ROWS = [
    ("所", "SCJG-01", "金榆市场监管所", "金榆所", "市场监管", "金榆街道", "是"),  # names what stands further down
    ("街道", "110199001", "示例区金榆街道", "金榆街道", "", "", ""),
    ("部门", "SCJG", "示例区市场监管局", "市场监管", "", "", "是"),
]


@pytest.fixture
def admin(db: None) -> Actor:
    post = found_district(
        code="110199", name="示例区", administrator="admin", display_name="演示", password="Jinyu-7-bridges", at=NOW
    )
    return actor_for(post)


def take_in(folder: Path, actor: Actor, rows: Sequence[Sequence[Any]]) -> None:
    with (folder / "机构.xlsx").open("wb") as target:
        write_sheet(target, header=HEADER, rows=rows)
    import_now("orgs.organisations", path=folder / "机构.xlsx", actor=actor, at=NOW)


def test_a_sheet_makes_the_bodies_and_a_second_one_renames_them(admin: Actor, tmp_path: Path) -> None:
    take_in(tmp_path, admin, ROWS)
    station = Organisation.objects.get(code="SCJG-01")
    assert station.parent and station.street and station.qualified
    assert (station.parent.code, station.street.code, station.parent.parent.kind) == ("SCJG", "110199001", "district")  # type: ignore[union-attr]
    take_in(tmp_path, admin, [("部门", "SCJG", "示例区市场监督管理局", "市监", "", "", "否"), *ROWS[:2]])
    renamed = Organisation.objects.get(code="SCJG")
    assert (renamed.name, renamed.short_name, renamed.qualified) == ("示例区市场监督管理局", "市监", False)
    assert Organisation.objects.count() == 4


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (("所", "XF-01", "演示中队", "", "消防救援", "金榆街道", ""), "没有找到这个部门"),
        (("所", "XF-01", "演示中队", "", "市场监管", "", ""), "没有找到这个街道"),
        (("街道", "SCJG", "演示街道", "", "", "", ""), "已登记为另一类机构"),
        (("部门", "OTHER", "示例区市场监管局", "", "", "", ""), "名称已属于另一个机构"),
        (("区", "110198", "另一区", "", "", "", ""), "只填街道、部门和所"),
    ],
)
def test_what_does_not_fit_is_named(admin: Actor, tmp_path: Path, row: tuple[str, ...], words: str) -> None:
    take_in(tmp_path, admin, ROWS)
    before = Organisation.objects.count()
    take_in(tmp_path, admin, [row])
    told = ImportRow.objects.latest("pk")
    assert told.outcome == "refused" and any(words in each["reason"] and each["mend"] for each in told.problems)
    assert Organisation.objects.count() == before
