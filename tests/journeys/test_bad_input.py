"""What goes wrong in an office, in a real browser: a sheet full of mistakes, a click too many, a page left too early, a network that fails
between the click and the answer. Everything is refused with its place and its mend, and nothing is there twice."""

import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import psutil
import pytest
from openpyxl import Workbook, load_workbook
from playwright.sync_api import Error, Page, Route, expect

from tests.builders.cast import NOW, PASSWORD
from tests.support.processes import MOVED_CLOCK, ROOT, clock_at
from tests.support.site import Site

pytestmark = pytest.mark.journey
FINISHED = 240_000
"""Planning compiles its kernels on a machine that has never planned; a slow runner needs the patience."""
HEADER = ["统一社会信用代码", "主体名称", "检查主体", "事项代码", "街道", "数量", "最早日期", "最晚日期"]
START, END = date(2026, 12, 1), date(2026, 12, 31)
FULL_WIDTH = str.maketrans(
    {**{n: 0xFF10 + n - 48 for n in range(48, 58)}, **{n: 0xFF21 + n - 65 for n in range(65, 91)}}
)


class Bureau:
    """A running site on Monday 2026-11-23, with the ids of what is in it."""

    def __init__(self, site: Site, told: dict[str, Any]) -> None:
        self.site, self.told = site, told

    def count(self, table: str, where: str = "1=1") -> int:
        """Rows in the site's own database, whatever the pages say."""
        path = self.site.folder / "data" / "xiezhi.sqlite3"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            return int(database.execute(f"SELECT count(*) FROM {table} WHERE {where}").fetchone()[0])


@pytest.fixture(scope="module")
def bureau(make_site: Callable[..., Site]) -> Bureau:
    site = make_site("bad-input", **clock_at(NOW))
    made = subprocess.run(
        [sys.executable, "-m", "tests.journeys.small_district"],
        env={**site.environment, "PYTHONPATH": f"{MOVED_CLOCK}:{ROOT / 'src'}:{ROOT}"},
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert made.returncode == 0, made.stdout + made.stderr
    site.start()
    return Bureau(site, json.loads(made.stdout.splitlines()[-1]))


@pytest.fixture
def enter(bureau: Bureau, person: Callable[..., Page]) -> Callable[[str], Page]:
    """`enter("scjg.head")`: that person's window, logged in."""

    def log_in(username: str) -> Page:
        page = person(bureau.site.url)
        page.goto("/accounts/login/")
        page.fill("input[name=login]", username)
        page.fill("input[name=password]", PASSWORD)
        page.press("input[name=password]", "Enter")
        expect(page.get_by_role("heading", level=1)).to_contain_text("您好")
        return page

    return log_in


def row(**cells: Any) -> list[Any]:
    """A plan row about SCJG-01 in December unless told otherwise."""
    usual = {"事项代码": "SCJG-01", "最早日期": START, "最晚日期": END}
    return [{**usual, **cells}.get(title) for title in HEADER]


def bad_sheet(path: Path, codes: list[str], unknown: str) -> Path:
    """Rows 2 and 3 are good, 4 is blank, every one after it has a mistake of its own."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(HEADER)
    for cells in (
        row(统一社会信用代码=codes[6]),
        row(统一社会信用代码=codes[7].translate(FULL_WIDTH)),
        [None] * len(HEADER),
        row(统一社会信用代码=codes[8][:-1] + ("0" if codes[8][-1] != "0" else "1")),  # 5: check digit
        row(统一社会信用代码=codes[6]),  # 6: the same as row 2
        row(统一社会信用代码=unknown),  # 7: nobody has it
        row(统一社会信用代码=codes[8], 最早日期=END, 最晚日期=START),  # 8: reversed
        row(统一社会信用代码=codes[8], 最晚日期=date(2028, 1, 31)),  # 9: outside the plan
        row(统一社会信用代码=codes[8], 检查主体="无此局"),  # 10
        row(统一社会信用代码=codes[8], 事项代码="SCJG-99"),  # 11
        row(街道="无此街道", 数量=2),  # 12
        row(统一社会信用代码=codes[8], 最晚日期="=G13+30"),  # 13: a formula
        row(统一社会信用代码=codes[8], 主体名称="合并"),  # 14 and 15: merged
        row(),
    ):
        sheet.append(cells)
    sheet.merge_cells("B14:B15")
    book.save(path)
    return path


def upload(page: Page, path: Path, title: str) -> None:
    page.goto("/desk/imports/new/inspections.plan/")
    page.set_input_files("input[type=file]", path)
    page.get_by_label("计划名称").fill(title)
    days = page.locator("main input[type=date]")
    days.nth(0).fill("2026-03-01")
    days.nth(1).fill("2027-02-28")
    page.get_by_role("button", name="上传并识别列").click()
    page.get_by_role("button", name="开始核对").click()
    expect(page.get_by_role("heading", name="现在要做的")).to_be_visible(timeout=FINISHED)


def save(page: Page, rows: int) -> None:
    page.get_by_role("button", name=f"导入这 {rows} 行").click()
    expect(page.get_by_text("已导入").first).to_be_visible(timeout=FINISHED)


def mend(path: Path, code: str) -> Path:
    """What an office does with the returned sheet: correct what the last columns complain of, and leave those where they are."""
    book = load_workbook(path)
    sheet = book.worksheets[0]
    assert [cell.value for cell in sheet[1]] == [*HEADER, "原行号", "问题", "如何改正"]
    for cells in list(sheet.iter_rows(min_row=2)):
        by_title = {title: cells[index] for index, title in enumerate(HEADER)}
        assert cells[-2].value and cells[-1].value, (
            f"row {cells[-3].value} does not say what is wrong and how to mend it"
        )
        if cells[-3].value == 12:
            by_title["街道"].value = "金榆街道"
        elif cells[-3].value == 13:
            by_title["统一社会信用代码"].value, by_title["最晚日期"].value = code, END
        else:
            sheet.delete_rows(cells[0].row)
            return mend(_saved(book, path), code)
    return _saved(book, path)


def _saved(book: Workbook, path: Path) -> Path:
    book.save(path)
    return path


def test_a_sheet_full_of_mistakes_comes_back_with_places_and_is_mended(
    bureau: Bureau, enter: Callable[[str], Page], shot: Callable[..., Any], tmp_path: Path
) -> None:
    codes, page = bureau.told["codes"], enter("scjg.planner")
    upload(page, bad_sheet(tmp_path / "计划.xlsx", codes, bureau.told["unknown_code"]), "演示错表计划")
    listed = page.locator("tbody tr")
    told = {int(re.sub(r"\D", "", each.locator("td").first.inner_text())): each.inner_text() for each in listed.all()}
    for number, (column, value) in {
        5: ("统一社会信用代码", "校验"),
        7: ("统一社会信用代码", bureau.told["unknown_code"]),
        8: ("日期", "2026-12-01"),
        9: ("最晚日期", "2028-01-31"),
        10: ("检查主体", "无此局"),
        11: ("事项代码", "SCJG-99"),
        12: ("街道", "无此街道"),
        13: ("最晚日期", "公式"),
        14: ("主体名称", "合并"),
        15: ("主体名称", "合并"),
    }.items():
        assert column in told[number] and value in told[number], f"row {number}: {told.get(number)}"
    assert set(told) == {5, *range(6, 16)}, (
        "the good rows, one in full-width digits, and the blank one are not among them"
    )
    shot(page, "import-problems")
    with page.expect_download() as download:
        page.get_by_role("link", name="下载未通过的行").first.click()
    download.value.save_as(tmp_path / "未通过的行.xlsx")
    save(page, 2)
    assert rows_of(bureau, "演示错表计划") == 2

    upload(page, mend(tmp_path / "未通过的行.xlsx", codes[8]), "演示错表计划")
    expect(page.get_by_text("没有通过，不会导入")).to_have_count(0)
    save(page, 2)
    assert rows_of(bureau, "演示错表计划") == 4


def rows_of(bureau: Bureau, title: str) -> int:
    """Stored rows of the plan with this title."""
    plans = f"SELECT id FROM inspections_plan WHERE title = '{title}'"
    return bureau.count("inspections_planrow", f"plan_id IN ({plans})")


def test_a_check_goes_on_while_nobody_looks(bureau: Bureau, enter: Callable[[str], Page], tmp_path: Path) -> None:
    path = tmp_path / "主体.csv"
    lines = [f"演示大表{number}号饭店,金榆街{number}号,金榆街道" for number in range(3_000)]
    path.write_bytes("\r\n".join(["名称,地址,街道", *lines]).encode("gb18030"))
    page = enter("registrar")
    page.goto("/desk/imports/new/registry.subjects/")
    page.set_input_files("input[type=file]", path)
    page.get_by_role("button", name="上传并识别列").click()
    page.get_by_role("button", name="开始核对").click()
    page.goto("/desk/")
    page.goto("/desk/imports/")
    page.get_by_role("link", name="主体.csv").first.click()
    expect(page.get_by_role("heading", name="现在要做的")).to_be_visible(timeout=FINISHED)
    expect(page.get_by_role("button", name=re.compile("导入这 3,?000 行"))).to_be_visible()
    assert bureau.count("registry_pendingmatch") == 0, "nothing is saved by looking"


def test_a_sheet_of_100_mb_is_refused_in_words_and_fills_no_memory(
    bureau: Bureau, enter: Callable[[str], Page], tmp_path: Path
) -> None:
    path = tmp_path / "很大.xlsx"
    with path.open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    page = enter("registrar")
    page.goto("/desk/imports/new/registry.subjects/")
    page.set_input_files("input[type=file]", path)
    before = peak_memory_mb(bureau)
    page.get_by_role("button", name="上传并识别列").click()
    expect(page.get_by_text("超过上限 20 MB").first).to_be_visible(timeout=FINISHED)
    assert peak_memory_mb(bureau) - before < 50
    assert bureau.count("files_storedfile", "size > 1000000") == 0


def peak_memory_mb(bureau: Bureau) -> int:
    """The most memory that any process of the site has ever held."""
    assert bureau.site.process
    family = psutil.Process(bureau.site.process.pid).children(recursive=True)
    texts = [Path(f"/proc/{each.pid}/status").read_text() for each in family]
    return max(int(found.group(1)) // 1024 for text in texts if (found := re.search(r"VmHWM:\s+(\d+) kB", text)))


def test_two_fast_clicks_do_one_thing(bureau: Bureau, enter: Callable[[str], Page]) -> None:
    planner = enter("scjg.planner")
    planner.goto(f"/desk/inspections/plans/{bureau.told['plan']}/")
    planner.get_by_role("button", name="报送计划").dblclick()
    expect(planner.get_by_text("已报送").first).to_be_visible()
    mine = f"plan_row_id IN (SELECT id FROM inspections_planrow WHERE plan_id = {bureau.told['plan']})"
    assert bureau.count("inspections_check", mine) == 3

    coordinator = enter("coordinator")
    coordinator.goto("/desk/inspections/rounds/new/?starts_on=2026-12-01&ends_on=2026-12-31&max_departments=4")
    coordinator.get_by_role("button", name="生成联合检查建议").dblclick()
    expect(coordinator.get_by_role("button", name="发送各部门确认")).to_be_visible(timeout=FINISHED)
    assert bureau.count("inspections_round") == 1
    assert bureau.count("jobs_job", "kind = 'inspections.plan_round'") == 1


def test_a_lost_answer_is_asked_for_again_and_nothing_is_doubled(bureau: Bureau, enter: Callable[[str], Page]) -> None:
    head, visit = enter("scjg.head"), bureau.told["visit"]
    head.goto(f"/desk/inspections/visits/{visit}/answer/")
    head.context.set_offline(True)
    confirm = head.get_by_role("button", name="确认参加")
    confirm.click()  # nothing reaches the server
    expect(confirm).to_have_count(0)
    assert bureau.count("inspections_participation", f"visit_id = {visit} AND answer = 'confirmed'") == 0
    head.context.set_offline(False)

    def loses_the_answer(route: Route) -> None:
        route.fetch(max_redirects=0)
        route.abort("connectionreset")

    head.goto(f"/desk/inspections/visits/{visit}/answer/")
    head.route("**/answer/confirm/", loses_the_answer, times=1)
    confirm.click()  # the server does it; the browser never hears
    expect(confirm).to_have_count(0)
    assert bureau.count("inspections_participation", f"visit_id = {visit} AND answer = 'confirmed'") == 1
    try:
        head.go_back()
        confirm.click(timeout=10_000)
        expect(head.get_by_text("已经办好")).to_be_visible()
    except Error:  # the browser kept nothing to go back to; the address shows how things stand
        head.goto(f"/desk/inspections/visits/{visit}/answer/")
        expect(confirm).to_have_count(0)
    assert (
        bureau.count("audit_entry", "action = 'inspections.participation.confirm' AND object_kind LIKE '%part%'") == 1
    )


def test_anothers_visit_is_not_there(bureau: Bureau, enter: Callable[[str], Page]) -> None:
    head = enter("scjg.head")
    for address in ("", "answer/", "notice/"):
        answer = head.goto(f"/desk/inspections/visits/{bureau.told['others_visit']}/{address}")
        assert answer and answer.status == 404, address
