"""A newcomer's first quarter of an hour with nothing but the README: its commands are taken from the page, its steps are walked in Chromium."""

import base64
import contextlib
import fcntl
import hashlib
import hmac
import os
import pty
import re
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.newcomer_sheets import DEPARTMENTS, DOORS, write_sheets
from tests.support.processes import ROOT
from tests.support.site import Site

pytestmark = pytest.mark.journey

README = ROOT / "README.md"
PASSWORD, OWN, PHRASE = "Jinyu-7-bridges", "Jinyu-9-lanterns", "four horses and a cart"
QUESTION = re.compile(r"(Pass\w+|The same again)[^\n]*: $")
FINISHED = 240_000
"""Planning compiles its kernels on a machine that has never planned; a slow runner needs the patience."""


class Newcomer:
    """The README's own commands, run in bash at the checkout; only its folder and its port are this test's own."""

    def __init__(self, folder: Path, site: Site) -> None:
        self.folder, self.site = folder, site
        page = README.read_text("utf-8")
        section = page[page.index("## Start your own district") : page.index("## Read on")]
        told = [block.replace("/srv/xiezhi", str(folder)) for block in re.findall(r"```\n(.*?)```", section, re.DOTALL)]
        assert len(told) == 2 and told[0].rstrip().endswith("\nxiezhi serve"), "install and begin; keep"
        self.begin = told[0].rstrip().removesuffix("xiezhi serve")
        self.keep = f". .venv/bin/activate\nexport XIEZHI_DATA={folder}/data\n{told[1]}"  # as in the window left open

    def type(self, commands: str, *answers: str) -> str:
        """Run `commands` at a terminal, give the next of `answers` at each question, and return all that the terminal shows."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("XIEZHI_", "DJANGO_"))}
        for name in ("DATABASE_URL", "PYTHONPATH"):
            environment.pop(name, None)
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            ["bash", "-euc", commands],
            env=environment, cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip
        os.close(theirs)
        shown, waiting = "", list(answers)
        with (
            contextlib.suppress(OSError),
            os.fdopen(ours, "r+b", buffering=0) as terminal,
        ):  # EIO when the last one leaves
            while piece := terminal.read(4096):
                shown += piece.decode("utf-8", errors="replace")
                if waiting and QUESTION.search(shown):
                    terminal.write(f"{waiting.pop(0)}\n".encode())
                    shown += "\n"
        assert process.wait(timeout=10) == 0 and not waiting, shown
        return shown


@pytest.fixture
def newcomer(tmp_path: Path) -> Iterator[Newcomer]:
    site = Site(tmp_path / "xiezhi", XIEZHI_SECOND_FACTOR="administrators")
    site.folder.mkdir()
    yield Newcomer(site.folder, site)
    site.stop()


def totp(secret: str) -> str:
    """The six digits of now (RFC 6238, SHA-1, 30 seconds), as a telephone's app works them out."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    mac = hmac.new(key, struct.pack(">Q", int(time.time()) // 30), hashlib.sha1).digest()
    at = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[at : at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"


def test_the_first_quarter_of_an_hour(
    newcomer: Newcomer, person: Callable[..., Page], shot: Callable[..., Any], accessible: Callable[..., None]
) -> None:
    site, today = newcomer.site, datetime.now(ZoneInfo("Asia/Shanghai")).date()
    sheets = write_sheets(newcomer.folder / "sheets", today)
    assert "sign in as admin" in newcomer.type(newcomer.begin, PASSWORD)
    site.start()

    admin = sign_in(person(site.url), "admin", PASSWORD)
    set_up_second_factor(admin)
    let_people_in(admin, sheets)
    for way, sheet in (("执法人员|导入名册", "officers"), ("检查力量|导入排班", "teams")):
        take_in(admin, *way.split("|"), sheets[sheet])
    registrar = first_sign_in(person(site.url), "registrar")
    take_in(registrar, "经营主体", "导入名录", sheets["subjects"])
    coordinator = first_sign_in(person(site.url), "coordinator")
    take_in(coordinator, "检查事项清单", "导入事项清单", sheets["items"])
    for code in DEPARTMENTS:
        file_a_plan(first_sign_in(person(site.url), f"{code.lower()}-planner"), code, sheets[code], today)
    plan_the_first_round(coordinator)
    shot(coordinator, "newcomer-round")
    accessible(coordinator)

    said = newcomer.type(newcomer.keep, PHRASE, PHRASE, PHRASE)
    assert "read back and proved" in said and said.count("each row count agrees") == 1
    assert said.count("ok    audit") == 2 and "FAULT" not in said
    second = newcomer.folder / "second"
    assert same_content(newcomer.folder / "data" / "files", second / "files")
    assert (second / "secret_key").read_text() == (newcomer.folder / "data" / "secret_key").read_text()


def sign_in(page: Page, username: str, password: str) -> Page:
    page.goto("/accounts/login/")
    page.fill("input[name=login]", username)
    page.fill("input[name=password]", password)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(re.compile("^(?!.*/login/)"))
    return page


def first_sign_in(page: Page, username: str) -> Page:
    """With the password that the administrator told; the page asks for one's own."""
    sign_in(page, username, PASSWORD)
    page.fill("input[name=oldpassword]", PASSWORD)
    page.fill("input[name=password1]", OWN)
    page.fill("input[name=password2]", OWN)
    page.get_by_role("button", name="保存新密码").click()
    page.goto("/desk/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("您好")
    return page


def set_up_second_factor(page: Page) -> None:
    """An administrator gets nowhere without it."""
    page.goto("/desk/people/")
    page.get_by_role("link", name="设置验证器应用").click()
    secret = page.locator("code").inner_text().strip()
    page.fill("input[name=code]", totp(secret))
    page.get_by_role("button", name="启用").click()
    page.goto("/desk/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("您好")


def let_people_in(page: Page, sheets: dict[str, Path]) -> None:
    take_in(page, "机构", "导入机构名单", sheets["organisations"])
    posts = {
        "registrar": ("示例区", "主体库管理员"),
        "coordinator": ("示例区", "区级统筹员"),
        **{f"{code.lower()}-planner": (short, "部门计划员") for code, short in DEPARTMENTS.items()},
    }
    for username, (organisation, role) in posts.items():
        page.goto("/desk/")
        page.get_by_role("link", name="人员与任职").first.click()
        page.get_by_role("link", name="开立账号").first.click()
        page.fill("input[name=display_name]", f"演示{username}")
        page.fill("input[name=username]", username)
        page.fill("input[name=password]", PASSWORD)
        page.locator("main button[type=submit]").last.click()
        page.get_by_role("link", name="任命岗位").first.click()
        page.get_by_label("机构", exact=True).select_option(label=organisation)
        page.get_by_label(re.compile(f"^{role}")).check()
        page.locator("main button[type=submit]").last.click()
        expect(page.locator("main")).to_contain_text(role)


def take_in(page: Page, where: str, what: str, sheet: Path) -> None:
    """From the desk to the list, to its import, through all steps."""
    page.goto("/desk/")
    page.get_by_role("link", name=where, exact=True).first.click()
    page.get_by_role("link", name=what).first.click()
    page.set_input_files("input[type=file]", sheet)
    carry_through(page)


def carry_through(page: Page) -> None:
    page.get_by_role("button", name="上传并识别列").click()
    page.get_by_role("button", name="开始核对").click()
    page.get_by_role("button", name=re.compile(r"导入这 \d+ 行")).click(timeout=FINISHED)
    expect(page.get_by_text("已导入").first).to_be_visible(timeout=FINISHED)
    expect(page.get_by_text("没有通过，不会导入")).to_have_count(0)


def file_a_plan(page: Page, code: str, sheet: Path, today: date) -> None:
    page.get_by_role("link", name="检查计划", exact=True).first.click()
    page.get_by_role("link", name="导入检查计划").first.click()
    page.set_input_files("input[type=file]", sheet)
    page.get_by_label("计划名称").fill(f"{code} 第一份计划")
    days = page.locator("main input[type=date]")
    days.nth(0).fill(today.replace(day=1).isoformat())
    days.nth(1).fill((today + timedelta(days=60)).isoformat())
    carry_through(page)
    page.goto("/desk/inspections/plans/")
    page.get_by_role("link", name=f"{code} 第一份计划").first.click()
    page.get_by_role("button", name="报送计划").click()
    expect(page.get_by_text("已报送").first).to_be_visible(timeout=FINISHED)


def plan_the_first_round(page: Page) -> None:
    page.goto("/desk/")
    page.get_by_role("link", name="统筹轮次", exact=True).first.click()
    page.get_by_role("link", name="开始新一轮统筹").first.click()
    page.get_by_role("button", name="看看有哪些任务").click()
    expect(page.locator("main")).to_contain_text(f"共 {2 * DOORS} 项任务，涉及 {DOORS} 个场所")
    page.get_by_role("button", name="生成联合检查建议").click()
    expect(page.get_by_role("button", name="发送各部门确认")).to_be_visible(timeout=FINISHED)
    expect(page.locator("table.before-after tbody tr").first.locator("strong")).to_have_text(str(DOORS))


def same_content(first: Path, second: Path) -> bool:
    """The same files with the same content, and some of them."""
    found = [
        {path.relative_to(each): path.read_bytes() for path in each.rglob("*") if path.is_file()}
        for each in (first, second)
    ]
    return found[0] == found[1] and len(found[0]) >= 7
