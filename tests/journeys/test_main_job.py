"""The main job, as its people do it: plan files → suggestions → three departments answer from three logins, one declines → re-plan →
the visit is carried out and recorded → figures. The site is stopped and started again with its clock on the visit's day; nothing else is pretended.
"""

import re
import subprocess
import sys
from collections.abc import Callable
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from tests.support.site import Site
from xiezhi.demo.load import PASSWORD

pytestmark = pytest.mark.journey

STAGE = Path(__file__).with_name("stage.py")
MOVED_CLOCK = Path(__file__).parents[1] / "support" / "moved_clock"
BEIJING = ZoneInfo("Asia/Shanghai")
SUBJECTS = 200
DEPARTMENTS = ("SCJG", "XFJY", "WSJK")
FINISHED = 240_000
"""Planning compiles its kernels on a machine that has never planned; a slow runner needs the patience."""


@pytest.fixture(scope="module")
def bureau(make_site: Callable[..., Site]) -> Site:
    """A site with the demo district's people, teams, subjects and catalogue, but without any plan."""
    site = make_site("bureau")
    done = subprocess.run(
        [sys.executable, str(STAGE), str(site.folder), str(SUBJECTS)],
        env=site.environment, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    site.start()
    return site


def sign_in(page: Page, username: str) -> Page:
    page.goto("/accounts/login/")
    page.fill("input[name=login]", username)
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("您好")
    return page


def upload_plan(page: Page, site: Site, department: str) -> None:
    """Choose the file, let the columns be recognised, look at the check, import, file the plan."""
    page.goto("/desk/imports/new/inspections.plan/")
    page.set_input_files("input[type=file]", site.folder / "plans" / f"{department}.xlsx")
    page.get_by_label("计划名称").fill(f"{department} 四季度计划")
    today = datetime.now(BEIJING).date()
    fill_dates(page, today.replace(day=1), date(today.year + 1, 2, 28))
    page.get_by_role("button", name="上传并识别列").click()
    page.get_by_role("button", name="开始核对").click()
    page.get_by_role("button", name=re.compile(r"导入这 \d+ 行")).click(timeout=FINISHED)
    expect(page.get_by_text("已导入").first).to_be_visible(timeout=FINISHED)
    page.goto("/desk/inspections/plans/")
    page.get_by_role("link", name=f"{department} 四季度计划").first.click()
    page.get_by_role("button", name="报送计划").click()
    expect(page.get_by_text("已报送").first).to_be_visible(timeout=FINISHED)


def fill_dates(page: Page, first: date, last: date) -> None:
    days = page.locator("main input[type=date]")
    days.nth(0).fill(first.isoformat())
    days.nth(1).fill(last.isoformat())


def visit_of_three(page: Page) -> str:
    """The address of a suggestion in which all three departments take part."""
    page.goto("/desk/inspections/visits/?q=")
    rows = page.locator("tbody tr", has_text="3 个").first
    rows.get_by_role("link").first.click()
    return page.url


def test_from_plan_files_to_figures(
    bureau: Site, person: Callable[..., Page], shot: Callable[..., Any], accessible: Callable[..., None]
) -> None:
    people = {name: person(bureau.url) for name in ("coordinator", "supervisor")}
    for code in DEPARTMENTS:
        for role in ("planner", "head", "inspector"):
            people[f"{code.lower()}-{role}"] = person(bureau.url, screen="phone" if role == "inspector" else "desk")
    for code in DEPARTMENTS:
        planner = sign_in(people[f"{code.lower()}-planner"], f"{code.lower()}-planner")
        upload_plan(planner, bureau, code)
    shot(people["scjg-planner"], "plan-filed")

    address = plan_the_round(people, bureau, shot, accessible)
    moved = answer_from_three_logins(people, address, shot, accessible)
    carry_out_and_record(people, bureau, address, moved, shot)

    supervisor = sign_in(people["supervisor"], "supervisor")
    supervisor.goto("/desk/inspections/figures/")
    expect(supervisor.get_by_role("heading", level=1)).to_contain_text("成效")
    expect(supervisor.locator("main")).to_contain_text("合并")
    shot(supervisor, "figures", screens=True)
    accessible(supervisor)


def plan_the_round(
    people: dict[str, Page], site: Site, shot: Callable[..., Any], accessible: Callable[..., None]
) -> str:
    coordinator = sign_in(people["coordinator"], "coordinator")
    coordinator.goto("/desk/inspections/rounds/new/")
    coordinator.get_by_role("button", name="看看有哪些任务").click()
    expect(coordinator.locator("main")).to_contain_text("共 18 项任务，涉及 6 个场所")
    shot(coordinator, "round-preview")
    coordinator.get_by_role("button", name="生成联合检查建议").click()
    expect(coordinator.get_by_role("button", name="发送各部门确认")).to_be_visible(timeout=FINISHED)
    doors = coordinator.locator("table.before-after tbody tr").first
    expect(doors).to_contain_text("18")  # each department alone
    expect(doors.locator("strong")).to_have_text("6")  # together
    shot(coordinator, "round", screens=True)
    accessible(coordinator)

    head = sign_in(people["scjg-head"], "scjg-head")
    head.goto("/desk/inspections/answers/")
    expect(head.locator("tbody tr")).to_have_count(0)  # nothing is asked before it is sent

    coordinator.get_by_role("button", name="发送各部门确认").click()
    expect(coordinator.locator("main")).to_contain_text("待答复 18")
    coordinator.goto("/desk/inspections/visits/")
    coordinator.locator("tbody tr").first.get_by_role("link").first.click()
    expect(coordinator.locator("main")).to_contain_text("各去各的 3 次，合并后 1 次")
    shot(coordinator, "visit")
    return coordinator.url.removeprefix(site.url)


def answer_from_three_logins(
    people: dict[str, Page], address: str, shot: Callable[..., Any], accessible: Callable[..., None]
) -> str:
    """Two confirm, one declines; the declined check is given another date and everybody can see which. Returns the new visit's text."""
    stale = people["scjg-head"]
    stale.goto(address + "answer/")
    shot(stale, "answer", screens=True)
    accessible(stale)
    for code in ("SCJG", "XFJY"):
        head = people[f"{code.lower()}-head"]
        if code != "SCJG":
            sign_in(head, f"{code.lower()}-head")
            head.goto(address + "answer/")
        head.get_by_role("button", name="确认参加").click()
        expect(head.locator("main")).to_contain_text("确认参加")
    declining = sign_in(people["wsjk-head"], "wsjk-head")
    declining.goto(address + "answer/")
    declining.get_by_label("人员另有任务").check()
    declining.locator("[name=decline-reason]").fill("当天全员培训")
    declining.get_by_role("button", name="答复不参加").click()

    coordinator = people["coordinator"]
    coordinator.goto(address)
    expect(coordinator.locator("h1")).to_contain_text("已确认")
    changes = coordinator.locator("#changes-card")
    expect(changes).to_contain_text("当天全员培训")
    expect(changes).to_contain_text("→")
    shot(coordinator, "replanned")
    moved = changes.locator("a").first.get_attribute("href")
    assert moved and moved != address
    return moved


def carry_out_and_record(
    people: dict[str, Page], site: Site, address: str, moved: str, shot: Callable[..., Any]
) -> None:
    coordinator = people["coordinator"]
    coordinator.goto(moved)
    expect(coordinator.locator("h1")).to_contain_text("待各部门确认")
    coordinator.goto(address)
    day = re.search(r"\d{4}-\d{2}-\d{2}", coordinator.locator(".lead-text").inner_text())
    assert day
    on = date.fromisoformat(day.group())
    move_clock(site, on, time(9))
    for code, finds_something in (("SCJG", True), ("XFJY", False)):
        inspector = sign_in(people[f"{code.lower()}-inspector"], f"{code.lower()}-inspector")
        inspector.goto(address + "day/")
        for box in inspector.locator("input[name=officers]").all()[:2]:
            box.check()
        inspector.get_by_role("button", name="登记到场，开始检查").click()
        inspector.locator("ul.attention a").first.click()
        fill_result(inspector, finds_something)
        if finds_something:
            shot(inspector, "result-phone")
        inspector.get_by_role("button", name="记录结果").click()
        expect(inspector.locator("main")).to_contain_text("发现问题")
    move_clock(site, on, time(9, 50))
    inspector.goto(address + "day/")
    inspector.get_by_role("button", name="结束检查，生成记录").click()
    inspector.goto(address + "record/")
    expect(inspector.locator("main")).to_contain_text("YS-SCJG-0001")
    expect(inspector.locator("main")).to_contain_text("演示问题")
    shot(inspector, "record")
    sign_in(coordinator, "coordinator")  # days have gone by since
    coordinator.goto(address)
    expect(coordinator.locator("h1")).to_contain_text("已记录")


def fill_result(page: Page, finds_something: bool) -> None:
    for group in page.locator("main fieldset:has(input[type=radio])").all():
        group.locator("input[type=radio]").first.check()
    page.get_by_label("发现问题待后续处理（A）" if finds_something else "未发现问题（1）").check()
    if finds_something:
        page.get_by_label("发现的问题").fill("演示问题：维保记录缺少一次")


def move_clock(site: Site, day: date, hour: time) -> None:
    """Stop the site and start it again believing that it is `hour` on `day`."""
    site.stop()
    away = datetime.combine(day, hour, BEIJING) - datetime.now(BEIJING)
    site.environment |= {"PYTHONPATH": str(MOVED_CLOCK), "XIEZHI_TEST_CLOCK_SHIFT": str(int(away.total_seconds()))}
    site.start()
