"""接诉即办 from end to end: a citizen writes with a photo, the desk is told what it may be, the mall answers, both sides settle, somebody
calls back, and it all stands in the figures. Every step is done by whoever has to do it, in a login of their own."""

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.support.site import Site

WORLD = str(Path(__file__).with_name("complaints_world.py"))
ROOT = Path(__file__).resolve().parents[2]
MATTER = "我在演示商场的演示嘉轩健身办了一张3000元的预付卡，现在店关门了，余额一直不退，打电话也没人接。"
BEIJING = ZoneInfo("Asia/Shanghai")


@pytest.fixture(scope="module")
def opened(make_site: Callable[..., Site]) -> tuple[Site, dict[str, Any]]:
    site = make_site("complaints")
    environment = {**site.environment, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    command = [sys.executable, WORLD, MATTER.replace("3000", "2600")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    site.start()
    return site, json.loads(done.stdout)


def log_in(page: Page, username: str, password: str) -> Page:
    page.goto("/accounts/login/")
    page.fill("input[name=login]", username)
    page.fill("input[name=password]", password)
    page.locator("form:has(input[name=login]) button[type=submit]").click()
    expect(page.locator("#content")).to_be_visible()
    return page


def send(page: Page, button: Locator) -> None:
    """Press it and wait for the page that answers: going elsewhere at once would end the request."""
    with page.expect_navigation():
        button.click()


def photo() -> dict[str, Any]:
    target = io.BytesIO()
    Image.new("RGB", (640, 480), "#884422").save(target, "JPEG")
    return {"name": "门店照片.jpg", "mimeType": "image/jpeg", "buffer": target.getvalue()}


@pytest.mark.journey
def test_from_the_citizens_photo_to_the_figures(
    opened: tuple[Site, dict[str, Any]],
    person: Callable[..., Page],
    shot: Callable[..., Path],
    accessible: Callable[..., None],
) -> None:
    site, world = opened
    citizen = person(site.url, screen="phone")
    number = submit(citizen, shot, accessible)
    dispatcher, officer, mall = (
        log_in(person(site.url), name, world["password"]) for name in ("dispatcher", "officer", "mall")
    )
    case = understand(dispatcher, number, world, shot, accessible)
    dispatch(dispatcher, case, world)
    ask_the_mall(officer, case)
    answer_as_mall(mall, shot, accessible)
    mediate_and_reply(officer, case)
    call_back(dispatcher, case, shot, accessible)
    see_figures(dispatcher, shot, accessible)
    citizen.goto(f"/appeals/{number}/")
    expect(citizen.locator("#content")).to_contain_text("已经办结")
    expect(citizen.locator("#content")).to_contain_text("三日内退还余额")
    shot(citizen, "complaints-progress", screens=True)
    accessible(citizen)


def submit(citizen: Page, shot: Callable[..., Path], accessible: Callable[..., None]) -> str:
    """The citizen writes without a login and adds a photo; sees who will see what; gets a number and a code."""
    citizen.goto("/appeals/new/?kind=complaint")
    citizen.fill("textarea[name=description]", MATTER)
    citizen.fill("input[name=respondent_name]", "演示嘉轩健身")
    citizen.fill("input[name=place]", "演示商场三层")
    citizen.fill("textarea[name=demand_text]", "退还余额 3000 元")
    citizen.set_input_files("input[name=photos]", photo())
    citizen.fill("input[name=name]", "演示李某")
    citizen.fill("input[name=phone]", "19900007788")
    accessible(citizen)
    shot(citizen, "complaints-form", screens=True)
    citizen.get_by_role("button", name="下一步").click()
    expect(citizen.locator("#content")).to_contain_text("门店照片")
    citizen.get_by_role("button", name="提交", exact=True).click()
    number, code = citizen.locator(".receipt-number").all_inner_texts()
    assert code and code not in citizen.url
    shot(citizen, "complaints-receipt")
    return number


def understand(
    dispatcher: Page, number: str, world: dict[str, Any], shot: Callable[..., Path], accessible: Callable[..., None]
) -> str:
    """The case says what it may be about, which mall, and that somebody said the same before; the number of the official register makes
    it count. Returns the case's address."""
    dispatcher.goto("/desk/complaints/cases/?status=lead")
    dispatcher.get_by_role("link", name=number).first.click()
    content = dispatcher.locator("#content")
    expect(content).to_contain_text(number)
    suggested = dispatcher.get_by_role("region", name="识别建议")
    expect(suggested).to_contain_text("预付")
    expect(suggested).to_contain_text(world["mall"])
    expect(suggested).to_contain_text(world["earlier"])
    shot(dispatcher, "complaints-suggested", screens=True)
    accessible(dispatcher)
    address = dispatcher.url
    for kind in ("问题类别", "商场"):
        take = dispatcher.get_by_role("button", name=re.compile(f"采纳 {kind}"))
        if take.count():
            send(dispatcher, take)
            expect(take).to_have_count(0)
    dispatcher.get_by_role("link", name="登记编号").first.click()
    dispatcher.fill("input[name=number]", "1152026112300001")
    send(dispatcher, dispatcher.locator("main form:has(input[name=number]) button[type=submit]").last)
    expect(content).to_contain_text("1152026112300001")
    return address


def dispatch(dispatcher: Page, case: str, world: dict[str, Any]) -> None:
    dispatcher.goto(f"{case}dispatch/")
    dispatcher.select_option("select[name=unit]", label=world["unit"])
    send(dispatcher, dispatcher.locator("form:has(select[name=unit]) button[type=submit]"))
    dispatcher.goto(case)
    expect(dispatcher.locator("#content")).to_contain_text("待签收")


def ask_the_mall(officer: Page, case: str) -> None:
    officer.goto(case)
    send(officer, officer.get_by_role("button", name="签收"))
    officer.goto(f"{case}mall/")
    send(officer, officer.locator("form:has(textarea[name=told]) button[type=submit]"))
    expect(officer.locator("#content")).to_contain_text("演示商场")


def answer_as_mall(mall: Page, shot: Callable[..., Path], accessible: Callable[..., None]) -> None:
    """The mall has 24 hours, and sees neither name nor telephone number."""
    mall.goto("/desk/complaints/mall/")
    mall.get_by_role("row").nth(1).get_by_role("link").first.click()
    content = mall.locator("#content")
    expect(content).to_contain_text("剩")
    assert "19900007788" not in content.inner_text() and "演示李某" not in content.inner_text()
    shot(mall, "complaints-mall", screens=True)
    accessible(mall)
    mall.fill("textarea", "已联系商户，商户同意退还余额。")
    send(mall, mall.locator("form:has(textarea) button[type=submit]"))
    expect(mall.locator("main")).to_contain_text("已提交")


def mediate_and_reply(officer: Page, case: str) -> None:
    content = officer.locator("#content")
    officer.goto(case)
    expect(content).to_contain_text("商户同意退还余额")
    send(officer, officer.get_by_role("button", name="受理", exact=True))
    officer.goto(f"{case}mediation/")
    soon = datetime.now(BEIJING) + timedelta(seconds=5)
    officer.fill("input[name=held_at]", f"{soon:%Y-%m-%dT%H:%M:%S}")
    officer.fill("input[name=place]", "演示调解室")
    officer.fill("input[name=mediators]", "演示调解员")
    send(officer, officer.locator("form:has(input[name=mediators]) button[type=submit]"))
    officer.goto(case)
    officer.wait_for_timeout(
        max(0.0, (soon - datetime.now(BEIJING)).total_seconds() + 0.2) * 1000
    )  # until it has begun
    officer.get_by_role("link", name="记录调解").first.click()
    officer.check("input[name=result][value=agreed]")
    officer.fill("textarea[name=terms]", "商家三日内退还余额 3000 元。")
    send(officer, officer.locator("form:has(textarea[name=terms]) button[type=submit]"))
    officer.goto(f"{case}reply/")
    officer.fill("textarea[name=text]", "经调解，商家同意三日内退还余额 3000 元。")
    send(officer, officer.locator("form:has(textarea[name=text]) button[type=submit]"))
    officer.goto(case)
    expect(content).to_contain_text("三日内退还余额")


def call_back(dispatcher: Page, case: str, shot: Callable[..., Path], accessible: Callable[..., None]) -> None:
    """Not by the officer who handled it; the telephone number is opened with a trace."""
    dispatcher.goto(case.replace("/cases/", "/callbacks/"))
    send(dispatcher, dispatcher.get_by_role("button", name="打开电话"))
    expect(dispatcher.locator("#content")).to_contain_text("19900007788")
    shot(dispatcher, "complaints-callback", screens=True)
    accessible(dispatcher)
    dispatcher.check("input[name=outcome][value=resolved]")
    dispatcher.check("input[name=satisfaction][value=satisfied]")
    send(dispatcher, dispatcher.get_by_role("button", name="保存，下一件"))
    dispatcher.goto(case)
    expect(dispatcher.locator("#content")).to_contain_text("已解决")


def see_figures(dispatcher: Page, shot: Callable[..., Path], accessible: Callable[..., None]) -> None:
    """The ticker counts the case within seconds."""
    for _attempt in range(20):
        dispatcher.goto("/desk/complaints/figures/")
        if "100.0" in dispatcher.locator(".figures").inner_text():
            break
        dispatcher.wait_for_timeout(1000)
    expect(dispatcher.locator(".figures")).to_contain_text("满意率")
    expect(dispatcher.locator(".figures")).to_contain_text("100.0 %")
    shot(dispatcher, "complaints-figures", screens=True)
    accessible(dispatcher)
