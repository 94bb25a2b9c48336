"""The demo district as files: subjects, catalogue, and one plan per department, in the columns that offices use."""

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from xiezhi.demo.district import BASIS, DEPARTMENTS, Department
from xiezhi.demo.firms import Firm, make_firms
from xiezhi.demo.plans import Quarter, Row, make_rows
from xiezhi.foundation.files.sheets import write_sheet

SUBJECTS = 3_000
SEED = 20261123
SUBJECT_FILE, CATALOGUE_FILE, PLAN_FOLDER = "01-经营主体.xlsx", "02-检查事项清单.xlsx", "03-检查计划"

SUBJECT_HEADER = (
    "统一社会信用代码", "名称", "主体类型", "行业代码", "信用等级", "风险等级", "场景", "状态",
    "地址", "街道", "经度", "纬度", "每周休息日", "不参加联合检查",
)  # fmt: skip
CATALOGUE_HEADER = (
    "事项代码", "事项名称", "部门", "类别", "领域", "检查对象", "依据", "检查内容", "检查方式", "可非现场办理",
    "时长（分钟）", "涉及安全", "生效日期", "检查表单",
)  # fmt: skip
PLAN_HEADER = (
    "统一社会信用代码", "主体名称", "事项代码", "检查内容", "检查类型", "最早日期", "最晚日期",
    "抽查场景", "抽查比例", "频次", "到现场的理由", "街道",
)  # fmt: skip


def write_demo_files(folder: Path, quarter: Quarter, *, count: int = SUBJECTS, seed: int = SEED) -> list[Path]:
    """Write every sheet of the demo district under `folder`; the same rows for the same quarter, count and seed."""
    firms = make_firms(count=count, seed=seed)
    (folder / PLAN_FOLDER).mkdir(parents=True, exist_ok=True)
    written = [
        _write(folder / SUBJECT_FILE, SUBJECT_HEADER, map(_subject, firms)),
        _write(folder / CATALOGUE_FILE, CATALOGUE_HEADER, _catalogue(date(quarter.first.year, 1, 1))),
    ]
    for department in DEPARTMENTS:
        path = plan_file(folder, department)
        if rows := make_rows(department, firms, quarter, seed=seed):
            written.append(_write(path, PLAN_HEADER, map(plan_row, rows)))
        else:  # nobody to check among so few firms
            path.unlink(missing_ok=True)
    return written


def plan_file(folder: Path, department: Department) -> Path:
    """Where a department's plan sheet lies."""
    return folder / PLAN_FOLDER / f"{department.code}-{department.short}.xlsx"


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[str | int | float | date | None]]) -> Path:
    with path.open("wb") as target:
        write_sheet(target, header=header, rows=rows, widths=[18] * len(header))
    return path


def _subject(firm: Firm) -> Sequence[str | float]:
    return (
        firm.code, firm.name, firm.kind, firm.industry, firm.credit, firm.risk, "；".join(firm.scenes), "存续",
        firm.address, firm.street, firm.longitude, firm.latitude, firm.closed, "是" if firm.opt_out else "",
    )  # fmt: skip


def _catalogue(effective_from: date) -> Iterable[Sequence[str | int | date]]:
    for department in DEPARTMENTS:
        for item in department.items:
            yield (
                f"{department.code}-{item.number}", item.name, department.name, "重点" if item.key else "一般",
                department.short, "企业、个体工商户", BASIS, item.name, "现场检查", "是" if item.off_site else "否",
                item.minutes, "是" if item.safety else "否", effective_from, "\n".join(item.lines),
            )  # fmt: skip


def plan_row(row: Row) -> Sequence[str | date]:
    """The cells of one plan row, in the order of PLAN_HEADER."""
    return (
        row.firm.code if row.firm else "", row.firm.name if row.firm else row.name, row.item, row.content, row.source,
        row.earliest, row.latest, row.scene, row.ratio, row.frequency, row.on_site_reason, row.street,
    )  # fmt: skip
