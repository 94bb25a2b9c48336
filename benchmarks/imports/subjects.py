"""How long a sheet of subjects takes to come in: reading, checking, applying, and the same file once more.

    python -m benchmarks.imports.subjects [--rows 50000] [--format xlsx|csv] [--seed 7]

Works on the database that DATABASE_URL names, else on a new SQLite file, in the product's own settings; the database must be empty
and is left as it is. Invented names, codes of an area that does not exist. Prints one line per step.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

HEADER = (
    *("统一社会信用代码", "名称", "主体类型", "行业代码", "信用等级", "风险等级", "场景", "状态"),
    *("场所编号", "场所名称", "地址", "街道", "经度", "纬度", "每周休息日", "不参加联合检查"),
)
STREETS = 20
SCENES = {"hotel": "酒店", "mall": "商圈", "catering": "餐饮", "specialised": "专精特新"}
WORDS = ("金榆", "银槐", "青檀", "白杨", "丹枫", "翠柏", "云杉", "玉兰")
TRADES = (("餐饮", "H6210"), ("酒店", "H6110"), ("百货", "F5211"), ("印刷", "C2319"), ("科技", "I6510"))


def subject_rows(count: int, seed: int) -> Iterator[list[Any]]:
    """`count` rows as an office's system exports them."""
    from stdnum.cn import uscc

    rng = random.Random(seed)
    for number in range(1, count + 1):
        body = f"91110199MA{number:07d}"
        trade, industry = rng.choice(TRADES)
        name = f"演示{rng.choice(WORDS)}{rng.choice(WORDS)}{number}{trade}有限公司"
        street = rng.randrange(STREETS)
        yield [
            body + uscc.calc_check_digit(body),
            name,
            "企业",
            industry,
            rng.choice("ABCD"),
            rng.choice(("低", "一般", "较高", "高")),
            "；".join(rng.sample(list(SCENES.values()), rng.randrange(3))),
            "存续",
            "1",
            name[:-4] + "总店",
            f"演示{street}路{number}号",
            f"演示{street}街道",
            round(116.3 + rng.random() / 10, 6),
            round(39.9 + rng.random() / 10, 6),
            rng.choice(("无", "周六、周日", "周一", "")),
            "是" if rng.random() < 0.02 else "否",
        ]


def write(path: Path, count: int, seed: int) -> None:
    """The rows as a sheet, XLSX or CSV (GB18030) by the name's ending."""
    if path.suffix == ".csv":
        with path.open("w", encoding="gb18030", newline="") as file:
            csv.writer(file).writerows([HEADER, *subject_rows(count, seed)])
        return
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(HEADER)
    for row in subject_rows(count, seed):
        sheet.append(row)
    book.save(path)


def world(role: str = "registrar") -> Any:
    """A district with streets, scenes and somebody in `role`; returns who imports."""
    from django.core.management import call_command
    from django.utils import timezone

    from xiezhi.domains.registry.permissions import RegistryPermission
    from xiezhi.domains.registry.services import add_scene
    from xiezhi.foundation.access.actors import Actor
    from xiezhi.foundation.access.permissions import AccessPermission
    from xiezhi.foundation.access.services import actor_for, appoint, open_account
    from xiezhi.foundation.orgs.models import Organisation

    call_command("migrate", verbosity=0)
    if Organisation.objects.exists():
        sys.exit("The database is not empty; name another in DATABASE_URL.")
    district = Organisation.objects.create(kind="district", code="110199", name="演示区", short_name="演示区")
    for n in range(STREETS):
        name = f"演示{n}街道"
        Organisation.objects.create(
            kind="street", code=f"110199{n:03d}", name=f"演示区{name}", short_name=name, parent=district
        )
    now = timezone.now()
    founder = Actor(
        role="founder",
        permissions=frozenset({AccessPermission.MANAGE_PEOPLE.value, RegistryPermission.MANAGE.value}),
        district_wide=True,
    )
    user = open_account(username=role, display_name="演示", password=None, actor=founder, at=now)
    for code, name in SCENES.items():
        add_scene(code=code, name=name, actor=founder, at=now)
    return actor_for(
        appoint(user=user, organisation=district, role=role, starts_on=timezone.localdate(), actor=founder, at=now)
    )


@dataclass
class Stage:
    """Wall and processor seconds of one step: on a busy machine the second is what the work costs."""

    wall: float
    processor: float

    def __str__(self) -> str:
        return f"{self.wall:5.1f} s ({self.processor:.1f} s of processor)"


def take_in(
    path: Path, actor: Any, *, spec: str = "registry.subjects", options: dict[str, Any] | None = None
) -> tuple[Stage, Stage, dict[str, int], dict[str, int]]:
    """Reading and checking, applying, and the counts of one import."""
    from django.utils import timezone

    from xiezhi.foundation.imports import services

    marks = [(time.perf_counter(), time.process_time())]
    check = services.run_check

    def marked(*args: Any, **kwargs: Any) -> Any:
        result = check(*args, **kwargs)
        marks.append((time.perf_counter(), time.process_time()))
        return result

    services.run_check = marked
    try:
        batch = services.import_now(spec, path=path, actor=actor, at=timezone.now(), options=options)
    finally:
        services.run_check = check
    marks.append((time.perf_counter(), time.process_time()))
    checked, applied = (Stage(after[0] - before[0], after[1] - before[1]) for before, after in pairwise(marks))
    return checked, applied, batch.counts, batch.result


def main() -> None:
    """Generate, import twice, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--format", choices=("xlsx", "csv"), default="xlsx")
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="xiezhi-benchmark-") as folder:
        os.environ["XIEZHI_DATA"] = folder
        os.environ["DJANGO_SETTINGS_MODULE"] = "xiezhi.config.settings"
        import django

        django.setup()
        from django.db import connection

        path = Path(folder) / f"subjects.{asked.format}"
        write(path, asked.rows, asked.seed)
        actor = world()
        print(
            f"{asked.rows:,} rows · {asked.format} {path.stat().st_size / 1e6:.1f} MB · {connection.vendor} · "
            f"{os.cpu_count()} cores · load {os.getloadavg()[0]:.1f}"
        )
        for name in ("first time", "once more"):
            checked, applied, counts, result = take_in(path, actor)
            together = Stage(checked.wall + applied.wall, checked.processor + applied.processor)
            print(f"{name}: read and check {checked} · apply {applied} · together {together}")
            print(f"  {', '.join(f'{key} {n:,}' for key, n in {**counts, **result}.items() if n)}")
        print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
