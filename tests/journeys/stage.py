"""Run inside a site's own process: the demo district without plans, as a bureau looks on its first Monday."""

import sys
from datetime import date, timedelta
from pathlib import Path

import django

django.setup()

from django.utils import timezone  # noqa: E402

from xiezhi.demo.firms import Firm, make_firms  # noqa: E402
from xiezhi.demo.load import load_district  # noqa: E402
from xiezhi.demo.plans import Row, quarter_around  # noqa: E402
from xiezhi.demo.sheets import PLAN_HEADER, SEED, plan_row  # noqa: E402
from xiezhi.foundation.files.sheets import write_sheet  # noqa: E402

HOTELS = 6
ITEMS = {"SCJG": "SCJG-03", "XFJY": "XFJY-01", "WSJK": "WSJK-01"}


def hotels(count: int) -> list[Firm]:
    """The first hotels that take part in joint visits and stand on no do-not-disturb list."""
    firms = make_firms(count=count, seed=SEED)
    return [firm for firm in firms if firm.trade == "hotel" and not firm.opt_out and "无事不扰" not in firm.scenes][
        :HOTELS
    ]


def write_plans(folder: Path, firms: list[Firm], first: date, last: date) -> None:
    """One sheet per department, all about the same doors and the same weeks."""
    folder.mkdir(parents=True, exist_ok=True)
    for department, item in ITEMS.items():
        rows = [Row(item=item, content="", source="日常检查", earliest=first, latest=last, firm=firm) for firm in firms]
        with (folder / f"{department}.xlsx").open("wb") as target:
            write_sheet(target, header=PLAN_HEADER, rows=map(plan_row, rows))


if __name__ == "__main__":
    where, how_many = Path(sys.argv[1]), int(sys.argv[2])
    today = timezone.localdate()
    load_district(where / "demo-files", quarter_around(today), count=how_many, say=print)
    write_plans(where / "plans", hotels(how_many), today + timedelta(days=9), today + timedelta(days=30))
