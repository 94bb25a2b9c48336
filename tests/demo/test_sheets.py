"""The demo's sheets: the same for the same day, valid in form, plainly invented."""

import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from openpyxl import load_workbook
from stdnum.cn import uscc

from xiezhi.demo.district import BASIS, CODE, DEPARTMENTS, STREETS
from xiezhi.demo.firms import make_firms
from xiezhi.demo.plans import NAMELESS, Row, make_rows, quarter_around
from xiezhi.demo.sheets import SEED, SUBJECT_FILE, write_demo_files

TODAY = date(2026, 11, 23)
QUARTER = quarter_around(TODAY)


def _cells(path: Path) -> list[tuple[object, ...]]:
    book = load_workbook(path, read_only=True)
    try:
        return list(book.worksheets[0].iter_rows(values_only=True))
    finally:
        book.close()


def test_the_same_day_and_seed_give_the_same_rows_and_another_seed_does_not(tmp_path: Path) -> None:
    written = {
        name: write_demo_files(tmp_path / name, QUARTER, count=60, seed=seed)
        for name, seed in (("one", SEED), ("same", SEED), ("other", SEED + 1))
    }
    one, same, other = ({path.name: _cells(path) for path in written[name]} for name in ("one", "same", "other"))
    assert one == same
    assert one[SUBJECT_FILE] != other[SUBJECT_FILE]


def test_codes_are_valid_in_an_area_that_does_not_exist_and_names_are_plainly_invented() -> None:
    firms = make_firms(count=3_000, seed=SEED)
    assert len({firm.code for firm in firms}) == len({firm.name for firm in firms}) == 3_000
    for firm in firms:
        assert uscc.is_valid(firm.code) and firm.code[2:8] == CODE
        assert firm.name.startswith("北京示例") and "示例路" in firm.address
        assert firm.street in STREETS.values()
        assert (firm.kind == "个体工商户") == firm.code.startswith("92")


def test_every_legal_basis_reads_as_what_it_is(tmp_path: Path) -> None:
    header, *rows = _cells(write_demo_files(tmp_path, QUARTER, count=1)[1])
    place = header.index("依据")
    assert {row[place] for row in rows} == {BASIS} == {"演示依据"}
    assert len(rows) == sum(len(department.items) for department in DEPARTMENTS)


def test_plans_hold_named_rows_draws_and_names_without_a_code() -> None:
    firms = make_firms(count=3_000, seed=SEED)
    rows = [row for department in DEPARTMENTS for row in make_rows(department, firms, QUARTER, seed=SEED)]
    nameless = [row for row in rows if row.name]
    assert len(nameless) == len(NAMELESS) and not any(row.firm for row in nameless)
    for row in nameless:
        meant = [firm for firm in firms if row.name in firm.name and firm.street == row.street]
        assert meant, "a person can find whom it means"
    assert {bool(row.scene) for row in rows if not row.firm and not row.name} == {True}
    assert all(_within(row) for row in rows)
    past = [row for row in rows if row.latest < TODAY]
    assert 0 < len(past) < len(rows) / 5


def _within(row: Row) -> bool:
    return QUARTER.first <= row.earliest <= row.latest <= QUARTER.last


@pytest.mark.parametrize("day", [TODAY + timedelta(days=each) for each in range(7)])
def test_a_quarter_begins_on_a_monday_and_holds_its_day(day: date) -> None:
    quarter = quarter_around(day)
    assert quarter.first.weekday() == 0 and quarter.last.weekday() == 4
    assert quarter.first < quarter.today == day < quarter.last


def test_nobodys_name_stands_in_a_sheet() -> None:
    """No natural person appears in the sheets: no ID numbers, no phone numbers."""
    firms = make_firms(count=500, seed=SEED)
    text = " ".join(f"{firm.name} {firm.address}" for firm in firms)
    assert not re.search(r"\d{11,}", text)
