"""How long a file of 12345 work orders takes to come in: reading, checking, registering with clocks, and the same file once more.

    python -m benchmarks.imports.orders [--rows 10000] [--format xlsx|csv] [--seed 7]

Works as `benchmarks.imports.subjects` does: on an empty database, in the product's own settings. Everybody in the file is invented.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import resource
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.imports.subjects import Stage, take_in, world

HEADER = (
    *(
        "工单编号",
        "来电时间",
        "诉求类型",
        "来电人",
        "来电号码",
        "诉求人地址",
        "主要内容",
        "被反映主体",
        "被反映单位地址",
    ),
    *("问题分类", "所属街道", "问题地址", "诉求目的", "紧急程度", "办理时限"),
)
MATTERS = ("食品安全", "预付卡退费", "餐饮服务", "电子秤短斤少两", "虚假宣传")


def order_rows(count: int, seed: int) -> Iterator[list[Any]]:
    """`count` rows as a hotline exports them, over the last month; one in twenty asks for both kinds."""
    rng = random.Random(seed)
    start = datetime.now(tz=UTC).replace(second=0, microsecond=0) - timedelta(days=30)
    for number in range(1, count + 1):
        street, matter = rng.randrange(20), rng.choice(MATTERS)
        text = f"市民反映演示店铺{rng.randrange(900)}的{matter}问题，已与商家沟通未果，希望协调处理。" * rng.randrange(
            1, 6
        )
        yield [
            f"YS{number:014d}",
            (start + timedelta(minutes=rng.randrange(40_000))).strftime("%Y-%m-%d %H:%M:%S"),
            "投诉举报" if rng.random() < 0.05 else rng.choice(("投诉", "投诉", "举报", "咨询", "求助")),
            f"演示{number}",
            f"199{rng.randrange(10**8):08d}",
            f"演示路 {number} 号",
            text,
            f"北京示例店铺{rng.randrange(900)}有限公司",
            f"演示街 {rng.randrange(99)} 号",
            matter,
            f"演示{street}街道",
            f"演示街 {rng.randrange(99)} 号",
            "退款",
            "一般",
            rng.choice(("7天", "24小时", "")),
        ]


def write(path: Path, count: int, seed: int) -> None:
    """The rows as a sheet, XLSX or CSV (GB18030) by the name's ending."""
    if path.suffix == ".csv":
        with path.open("w", encoding="gb18030", newline="") as file:
            csv.writer(file).writerows([HEADER, *order_rows(count, seed)])
        return
    from xiezhi.foundation.files.sheets import write_sheet

    with path.open("wb") as target:
        write_sheet(target, header=HEADER, rows=order_rows(count, seed))


def main() -> None:
    """Generate, import twice, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--format", choices=("xlsx", "csv"), default="xlsx")
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="xiezhi-benchmark-") as folder:
        os.environ["XIEZHI_DATA"] = folder
        os.environ["DJANGO_SETTINGS_MODULE"] = "xiezhi.config.settings"
        import django

        django.setup()
        from django.db import connection

        path = Path(folder) / f"orders.{asked.format}"
        write(path, asked.rows, asked.seed)
        actor = world("dispatcher")
        print(f"{asked.rows:,} rows · {asked.format} · {connection.vendor} · load {os.getloadavg()[0]:.1f}")
        for name in ("first time", "once more"):
            options = {"kind": "complaint", "mixed": "later"}
            checked, applied, counts, result = take_in(path, actor, spec="complaints.12345", options=options)
            together = Stage(checked.wall + applied.wall, checked.processor + applied.processor)
            print(f"{name}: read and check {checked} · register {applied} · together {together}")
            print(f"  {', '.join(f'{key} {n:,}' for key, n in {**counts, **result}.items() if n)}")
        print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
