"""What a newcomer has in the office's folders: five sheets about a district that nobody lives in."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from tests.builders.registry import fictional_code
from xiezhi.foundation.files.sheets import write_sheet

DEPARTMENTS = {"SCJG": "市场监管", "XFJY": "消防救援"}
STREET = "金榆街道"
DOORS = 4


def write_sheets(folder: Path, today: date) -> dict[str, Path]:
    """Write every sheet under `folder`, by what it is about; plans by the department's code."""
    sheets: dict[str, tuple[Sequence[str], list[Sequence[Any]]]] = {
        "organisations": (
            ("类别", "代码", "名称", "简称", "具有行政检查主体资格"),
            [
                ("街道", "110199001", f"示例区{STREET}", STREET, ""),
                *(("部门", code, f"示例区{short}局", short, "是") for code, short in DEPARTMENTS.items()),
            ],
        ),
        "officers": (
            ("执法证号", "姓名", "部门", "有效期起", "有效期止"),
            [
                (f"YS-{code}-{number}", f"演示{number}{short[0]}", short, date(2026, 1, 1), date(2030, 12, 31))
                for code, short in DEPARTMENTS.items()
                for number in (1, 2)
            ],
        ),
        "teams": (
            ("部门", "星期", "队数", "每队每天分钟", "开始日期"),
            [(short, "12345", 2, 360, today) for short in DEPARTMENTS.values()],
        ),
        "subjects": (
            ("统一社会信用代码", "名称", "地址", "街道"),
            [(code, f"演示第{n}饭店有限公司", f"金榆街{n}号", STREET) for n, code in enumerate(_codes(), start=1)],
        ),
        "items": (
            ("事项代码", "事项名称", "部门", "依据", "时长（分钟）", "生效日期"),
            [
                (f"{code}-01", f"演示{short}检查", short, "演示依据", 40, date(2026, 1, 1))
                for code, short in DEPARTMENTS.items()
            ],
        ),
        **{
            code: (
                ("统一社会信用代码", "事项代码", "检查类型", "最早日期", "最晚日期"),
                [
                    (each, f"{code}-01", "日常检查", today + timedelta(days=9), today + timedelta(days=30))
                    for each in _codes()
                ],
            )
            for code in DEPARTMENTS
        },
    }
    folder.mkdir()
    for name, (header, rows) in sheets.items():
        with (folder / f"{name}.xlsx").open("wb") as target:
            write_sheet(target, header=header, rows=rows)
    return {name: folder / f"{name}.xlsx" for name in sheets}


def _codes() -> list[str]:
    return [fictional_code(700 + number) for number in range(DOORS)]
