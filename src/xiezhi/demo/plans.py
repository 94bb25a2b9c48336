"""A quarter of plans, one department at a time: named rows where a department knows whom it must see, sampling rows where it draws."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from xiezhi.demo.district import Department, Item
from xiezhi.demo.firms import Firm

DUE_SHARE, NAMED_SHARE = 0.18, 0.6
"""Share of the firms that are due this quarter, and of those the share that a department names for an item that concerns them."""
PAST_SHARE = 0.2
"""Share of the due firms that were due before today, so that the demo has something behind it."""
TODAY_SHARE = 0.01
"""Share of the due firms that are due on the very day, so that a visitor can carry out a visit; none are open at a weekend."""
SAMPLING: tuple[tuple[str, str, str, str], ...] = (
    ("SCJG-05", "专精特新", "30%", "1次"),
    ("XFJY-01", "餐饮", "8%", ">=1"),
    ("CSGL-01", "餐饮", "6%", "1次"),
    ("CSGL-01", "商圈", "50%", "1次"),
    ("WHLY-02", "酒店", "25%", "1次"),
    ("RLSB-01", "专精特新", "20%", "1次"),
    ("SWFJ-01", "餐饮", "4%", "1次"),
    ("GAFJ-01", "酒店", "30%", ">=1"),
)
"""(item, scene, ratio, frequency)."""
NAMELESS: tuple[tuple[str, str], ...] = (
    ("SCJG-01", "retail"),
    ("SCJG-02", "catering"),
    ("SCJG-03", "hotel"),
    ("XFJY-01", "catering"),
    ("CSGL-03", "catering"),
)
"""(item, trade) of rows that carry a name as somebody remembers it, and no code: they wait for a person to say whom they mean."""


@dataclass(frozen=True)
class Quarter:
    """The plans' period and the day on which the demo is looked at."""

    first: date
    today: date
    last: date


@dataclass(frozen=True)
class Row:
    """One row of a department's plan sheet; `firm` None for a sampling row and for one that carries only a `name`."""

    item: str
    content: str
    source: str
    earliest: date
    latest: date
    firm: Firm | None = None
    name: str = ""
    street: str = ""
    scene: str = ""
    ratio: str = ""
    frequency: str = ""
    on_site_reason: str = ""


def quarter_around(today: date) -> Quarter:
    """Thirteen weeks from a Monday six weeks before `today`."""
    first = today - timedelta(days=today.weekday(), weeks=6)
    return Quarter(first, today, first + timedelta(weeks=13, days=-3))


def make_rows(department: Department, firms: Sequence[Firm], quarter: Quarter, *, seed: int) -> list[Row]:
    """The department's rows, the same for the same seed."""
    chance = random.Random(f"{seed}/{department.code}")
    rows = [
        row
        for item in department.items
        if item.trades
        for firm in firms
        if firm.trade in item.trades.split() and _luck(seed, "due", firm) < DUE_SHARE and chance.random() < NAMED_SHARE
        for row in [_named(department, item, firm, quarter, chance, when=_luck(seed, "past", firm))]
    ]
    rows += _nameless(department, firms, quarter, chance)
    for code, scene, ratio, frequency in SAMPLING:
        if item := _item(department, code):
            rows.append(
                Row(
                    item=code,
                    content=item.name,
                    source="双随机抽查",
                    earliest=quarter.today + timedelta(days=1),
                    latest=quarter.last,
                    scene=scene,
                    ratio=ratio,
                    frequency=frequency,
                    on_site_reason="抽查须核对现场" if item.off_site else "",
                )
            )
    return rows


def _item(department: Department, code: str) -> Item | None:
    return next((each for each in department.items if f"{department.code}-{each.number}" == code), None)


def _nameless(department: Department, firms: Sequence[Firm], quarter: Quarter, chance: random.Random) -> Iterator[Row]:
    """Firms that nobody is due to see, named short: without 北京 in front and without the legal form behind."""
    for code, trade in NAMELESS:
        item = _item(department, code)
        known = [firm for firm in firms if firm.trade == trade]
        if item and known:
            firm = chance.choice(known)
            row = _named(department, item, firm, quarter, chance, when=1.0)
            short = firm.name.removeprefix("北京").removesuffix("有限公司")
            yield replace(row, firm=None, name=short, street=firm.street)


def _luck(seed: int, about: str, firm: Firm) -> float:
    """A number of the firm's own, the same for every department: firms are due, or were due, for several at once."""
    return random.Random(f"{seed}/{about}/{firm.code}").random()


def _named(
    department: Department, item: Item, firm: Firm, quarter: Quarter, chance: random.Random, *, when: float
) -> Row:
    """`when`: the firm's own number, below PAST_SHARE if it was due before today, just above if it is due today itself."""
    if when < PAST_SHARE:
        earliest, latest = quarter.first, quarter.today - timedelta(days=7)
    elif when < PAST_SHARE + TODAY_SHARE:
        earliest = latest = quarter.today
    else:
        start = quarter.today + timedelta(days=1 + chance.choice((0, 0, 7, 14, 21)))
        length = chance.choice((13, 27, 41, 60))
        earliest, latest = start, min(start + timedelta(days=length), quarter.last)
    return Row(
        item=f"{department.code}-{item.number}",
        content=item.name,
        source="日常检查",
        earliest=earliest,
        latest=latest,
        firm=firm,
        on_site_reason="上次检查发现问题，须到现场复核" if item.off_site and chance.random() < 0.5 else "",
    )
