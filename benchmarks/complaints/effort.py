"""What a case costs its officers: key strokes, clicks and pages, counted while a real Chromium does the work.

    python -m benchmarks.complaints.effort [--out FILE.json]

Starts a site of its own in a folder that goes afterwards (SQLite, 127.0.0.1), with an invented desk, and needs Debian's Chromium. Counted: a
character typed or a key pressed is a stroke (one a Chinese character; what an input method asks on top is not counted), Ctrl with a key is one
stroke, choosing from a list is two clicks, a new document is a page. Ways that the product does not have are left out, so that the same script
counts an older version: put its `src` first in PYTHONPATH.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

PASSWORD = "Effort-demo-2026"
SAID = {
    "number": "YS20261120000123", "name": "演示赵某某", "phone": "19912345678", "respondent_name": "北京示例健身有限公司",
    "place": "金榆街 8 号 B1 层", "description": "市民反映在该店办了 2000 元年卡，店铺 11 月闭店，要求退还余额。", "demand_text": "退款",
}  # fmt: skip
LABELS = {
    "number": "工单编号", "name": "来电人", "phone": "来电号码", "respondent_name": "被反映单位", "place": "问题地址",
    "description": "主要内容", "demand_text": "诉求目的",
}  # fmt: skip
LAYOUTS: dict[str, Callable[[str, str], str]] = {
    "lines": lambda label, value: f"{label}：{value}\n",
    "brackets": lambda label, value: f"【{label}】{value}",
    "table": lambda label, value: f"{label}\t{value}\n",
    "one below the other": lambda label, value: f"{label}\n{value}\n",
}
MANY = 20


@dataclass
class Hands:
    """One person at the keyboard, counted."""

    page: Page
    keys: int = 0
    clicks: int = 0
    pages: int = 0
    started: tuple[int, int, int] = field(default=(0, 0, 0))

    def __post_init__(self) -> None:
        self.page.on("framenavigated", lambda frame: self._turned(frame))

    def _turned(self, frame: Any) -> None:
        self.pages += frame == self.page.main_frame

    def begin(self) -> None:
        """Count from here."""
        self.started = (self.keys, self.clicks, self.pages)

    def counted(self) -> dict[str, int]:
        """What was done since `begin`."""
        now = (self.keys, self.clicks, self.pages)
        return dict(
            zip(("keys", "clicks", "pages"), (a - b for a, b in zip(now, self.started, strict=True)), strict=True)
        )

    def type(self, text: str) -> None:
        self.page.keyboard.insert_text(text)
        self.keys += len(text)

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)
        self.keys += 1

    def click(self, selector: str) -> None:
        self.page.click(selector)
        self.clicks += 1

    def choose(self, selector: str, label: str) -> None:
        self.page.select_option(selector, label=label)
        self.clicks += 2

    def fill(self, name: str, text: str) -> None:
        """Go to a field with the mouse and write over what stands there."""
        self.click(f"#id_{name}")
        if self.page.input_value(f"#id_{name}"):
            self.press("Control+a")
        self.type(text)

    def paste(self, text: str) -> None:
        self.page.evaluate("text => navigator.clipboard.writeText(text)", text)
        self.press("Control+v")

    def send(self, selector: str) -> None:
        """Click a button that leads to another page, and wait for it."""
        with self.page.expect_navigation():
            self.click(selector)

    def stroke(self, key: str) -> None:
        """Press a key that leads to another page, and wait for it."""
        with self.page.expect_navigation():
            self.press(key)


def world() -> None:
    """In the site's process: a desk with its station, and cases to dispatch and to answer. Prints what the browser needs."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.utils import timezone

    from xiezhi.domains.complaints.models import Case
    from xiezhi.domains.complaints.services import deciding, dispatching, linking, mediating
    from xiezhi.domains.complaints.services.intake import Intake, Matter, Numbered, receive_case
    from xiezhi.domains.complaints.services.people import Person
    from xiezhi.foundation.access.actors import Actor
    from xiezhi.foundation.access.permissions import AccessPermission
    from xiezhi.foundation.access.services import actor_for, appoint, open_account
    from xiezhi.foundation.orgs.models import Organisation

    call_command("migrate", verbosity=0)
    now = timezone.now() - timedelta(hours=6)
    founder = Actor(role="founder", permissions=frozenset({AccessPermission.MANAGE_PEOPLE.value}), district_wide=True)
    district = Organisation.objects.create(kind="district", code="110199", name="演示区", short_name="演示区")
    department = Organisation.objects.create(kind="department", code="scjg", name="演示区市场监管局", short_name="市场监管局", parent=district)  # fmt: skip
    station = Organisation.objects.create(
        kind="station", code="scjg-1", name="演示金榆所", short_name="金榆所", parent=department
    )
    actors = {}
    for name, home, role in (("dispatcher", district, "dispatcher"), ("officer", station, "complaint_officer")):
        user = open_account(username=name, display_name=name, password=PASSWORD, actor=founder, at=now)
        actors[name] = actor_for(
            appoint(user=user, organisation=home, role=role, starts_on=date(2026, 1, 1), actor=founder, at=now)
        )

    def case(number: int, kind: str = "complaint") -> Case:
        return receive_case(
            intake=Intake(
                Matter(kind=kind, description=f"演示第 {number} 件：健身房闭店，要求退款。", respondent_name=SAID["respondent_name"]),
                "12345", now, [Person("演示", f"1990000{number:04d}", "演示路")], [Numbered("12345", f"W{number:05d}")],
            ),
            actor=actors["dispatcher"], at=now,
        )  # fmt: skip

    def concluded(number: int) -> Case:
        at = now + timedelta(minutes=number % 50)
        one = dispatching.dispatch_case(case=case(number), unit=station, actor=actors["dispatcher"], at=at)
        one = dispatching.sign_case(case=one, actor=actors["officer"], at=at)
        one = deciding.accept_complaint(case=one, actor=actors["officer"], at=at)
        sitting = mediating.plan_mediation(
            case=one, held_at=at, mediators="演示", place="演示", actor=actors["officer"], at=at
        )
        return mediating.record_mediation(
            mediation=sitting, result="agreed", note="", terms="三日内退款。", actor=actors["officer"], at=at
        )

    singles = [concluded(number) for number in range(100, 100 + MANY)]
    group = [concluded(number) for number in range(200, 200 + MANY)]
    linking.group_cases(parent=group[0], children=group[1:], actor=actors["dispatcher"], at=now)
    waiting = [case(number) for number in range(300, 300 + 2 * MANY)]
    print(
        json.dumps(
            {"singles": [each.pk for each in singles], "group": group[0].pk, "waiting": [each.pk for each in waiting]}
        )
    )


@contextlib.contextmanager
def site(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The product's own server in `folder`, with the world in it; its address and what the world printed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ, "XIEZHI_DATA": str(folder), "DJANGO_SETTINGS_MODULE": "xiezhi.config.settings", "XIEZHI_SECOND_FACTOR": "nobody",
    }  # fmt: skip
    made = subprocess.run([sys.executable, "-m", "benchmarks.complaints.effort", "--world"], env=environment, capture_output=True, text=True, check=False)  # fmt: skip
    if made.returncode:
        sys.exit(made.stderr)
    with (folder / "serve.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "xiezhi", "serve", "--port", str(port)], env=environment, stdout=log, stderr=log
        )
    try:
        url, give_up = f"http://127.0.0.1:{port}", time.monotonic() + 120
        while time.monotonic() < give_up:
            with contextlib.suppress(urllib.error.URLError, ConnectionError):
                urllib.request.urlopen(f"{url}/healthz", timeout=5).close()
                break
            time.sleep(0.3)
        yield url, json.loads(made.stdout.splitlines()[-1])
    finally:
        server.terminate()
        server.wait(timeout=30)


def has(page: Page, selector: str) -> bool:
    """Whether this version offers it."""
    return page.locator(selector).count() > 0


def by_hand(hands: Hands) -> dict[str, int]:
    """Type a case while somebody is on the telephone: mouse into each field, text, register."""
    hands.page.goto("/desk/complaints/cases/new/")
    hands.begin()
    for name, text in {**SAID, "number": "YSHAND01"}.items():
        hands.fill(name, text)
    hands.send(".form-card[data-submits-once] .form-end button")
    return hands.counted()


def pasted(hands: Hands, layout: str, number: str) -> dict[str, int]:
    """Paste a work order, mend what was not recognised, register."""
    said = {**SAID, "number": number}
    order = "".join(LAYOUTS[layout](LABELS[name], text) for name, text in said.items())
    hands.page.goto("/desk/complaints/cases/new/")
    hands.begin()
    if hands.page.evaluate("document.activeElement.name") == "order":
        hands.paste(order)
        hands.stroke("Control+Enter")
    else:
        hands.click("#id_order")
        hands.paste(order)
        hands.send("form:has(#id_order) button")
    for name, text in said.items():
        if hands.page.input_value(f"#id_{name}").strip() != text:
            hands.fill(name, text)
    hands.send(".form-card[data-submits-once] .form-end button")
    assert "/cases/new/" not in hands.page.url, "not registered"
    return hands.counted()


def from_file(hands: Hands, folder: Path) -> dict[str, int] | None:
    """Take in a hundred work orders as a file."""
    from openpyxl import Workbook

    hands.page.goto("/desk/complaints/cases/")
    if not has(hands.page, "a[href*='imports/new/complaints.12345']"):
        return None
    book = Workbook()
    sheet = book.active
    sheet.append(["工单编号", "来电时间", "诉求类型", "来电人", "来电号码", "主要内容", "被反映单位"])
    when = (datetime.now().astimezone() - timedelta(days=1)).strftime("%Y-%m-%d %H:%M")
    for number in range(100):
        sheet.append(
            [
                f"YSF{number:05d}",
                when,
                "投诉",
                "演示",
                f"1990001{number:04d}",
                "演示：" + SAID["description"],
                "北京示例有限公司",
            ]
        )
    book.save(folder / "orders.xlsx")
    hands.begin()
    hands.send("a[href*='imports/new/complaints.12345']")
    hands.page.set_input_files("#id_import_file", folder / "orders.xlsx")
    hands.clicks += 2  # open the chooser, pick the file
    hands.send(".form-end button")
    hands.send(".form-end button")
    confirm = "form[action*='/apply/'] button"
    hands.page.wait_for_selector(confirm, timeout=120_000)
    hands.send(confirm)
    hands.page.wait_for_selector("text=新登记的诉求", timeout=120_000)
    return hands.counted()


def replied_singly(hands: Hands, cases: list[int]) -> dict[str, int]:
    """Answer cases one after another with the template that is offered."""
    hands.begin()
    for pk in cases:
        hands.page.goto(f"/desk/complaints/cases/{pk}/")
        hands.send(".needed a[href$='/reply/']")
        hands.send(".form-end button")
    return {**hands.counted(), "pages": hands.counted()["pages"] - len(cases)}  # the next case opens itself


def replied_together(hands: Hands, group: int) -> dict[str, int] | None:
    """Answer a group on one page."""
    hands.page.goto(f"/desk/complaints/cases/{group}/")
    if not has(hands.page, "a[href*='reply/?group=']"):
        return None
    hands.begin()
    hands.send("a[href*='reply/?group=']")
    hands.choose("#id_template", "调解成功告知")
    hands.send("button[value=template]")
    hands.send(".form-end button")
    hands.send("button[value=send]")
    assert "已答复" in hands.page.content()
    return hands.counted()


def dispatched_singly(hands: Hands, cases: list[int]) -> dict[str, int]:
    """Dispatch cases one after another."""
    hands.begin()
    for pk in cases:
        hands.page.goto(f"/desk/complaints/cases/{pk}/")
        hands.send(".needed a[href$='/dispatch/']")
        hands.choose("#id_unit", "演示金榆所")
        hands.send(".form-end button")
    return {**hands.counted(), "pages": hands.counted()["pages"] - len(cases)}


def dispatched_together(hands: Hands) -> dict[str, int] | None:
    """Tick a page of the list and dispatch it."""
    hands.page.goto("/desk/complaints/cases/?status=registered&q=W003")
    if not has(hands.page, "[data-select-all]"):
        return None
    hands.begin()
    hands.click("[data-select-all]")
    hands.send("#bulk button[formaction$='/dispatch/']")
    hands.choose("#id_unit", "演示金榆所")
    hands.send(".form-end button")
    assert "已把" in hands.page.content()
    return hands.counted()


def by_keyboard(dispatcher: Hands, officer: Hands) -> dict[str, int] | None:
    """From a pasted order to the reply without a mouse: two people, keys only."""
    page = dispatcher.page
    page.goto("/desk/complaints/cases/new/")
    if page.evaluate("document.activeElement.name") != "order":
        return None
    dispatcher.begin()
    officer.begin()
    dispatcher.paste(
        "工单编号：YSKEYS01\n诉求类型：求助\n来电人：演示\n来电号码：19912340000\n主要内容：演示：想知道年卡怎么退。"
    )
    dispatcher.stroke("Control+Enter")
    dispatcher.stroke("Control+Enter")
    case = page.url
    dispatcher.stroke("1")
    dispatcher.type("演示金榆所")
    page.select_option("#id_unit", label="演示金榆所")  # what typing a name does in a list of a desktop browser
    dispatcher.stroke("Control+Enter")
    officer.page.goto(case)
    officer.stroke("1")
    officer.stroke(_place_of(officer.page, "/reply/"))
    officer.type("演示：您可以持合同到店办理。")
    officer.stroke("Control+Enter")
    officer.page.goto(case)
    assert "已答复" in officer.page.content(), "not answered"
    counted = {key: value + officer.counted()[key] for key, value in dispatcher.counted().items()}
    assert not counted["clicks"]
    return {**counted, "pages": counted["pages"] - 2}  # opening the case twice is not part of it


def _place_of(page: Page, ending: str) -> str:
    """The number of the button that leads there, among those of what is needed now."""
    buttons = page.locator(".needed .moves > .btn, .needed .moves > * > .btn")
    return next(
        str(at + 1) for at in range(buttons.count()) if (buttons.nth(at).get_attribute("href") or "").endswith(ending)
    )


def sign_in(browser: Any, url: str, name: str) -> Hands:
    """Somebody's own browser."""
    context = browser.new_context(base_url=url, locale="zh-CN", viewport={"width": 1440, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto("/accounts/login/")
    page.fill("input[name=login]", name)
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    page.wait_for_url("**/desk/**", wait_until="commit")
    return Hands(page)


def measure(url: str, known: dict[str, Any], folder: Path) -> dict[str, dict[str, int] | None]:
    """Every way of working, counted."""
    executable = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=executable, args=["--no-sandbox", "--disable-gpu", "--no-first-run"]
        )
        dispatcher, officer = sign_in(browser, url, "dispatcher"), sign_in(browser, url, "officer")
        found: dict[str, dict[str, int] | None] = {"a case typed by hand": by_hand(dispatcher)}
        for at, layout in enumerate(LAYOUTS):
            found[f"a work order pasted ({layout})"] = pasted(dispatcher, layout, f"YSPASTE0{at}")
        found["a hundred work orders as a file"] = from_file(dispatcher, folder)
        found[f"{MANY} cases dispatched one by one"] = dispatched_singly(dispatcher, known["waiting"][:MANY])
        found[f"{MANY} cases dispatched together"] = dispatched_together(dispatcher)
        found[f"{MANY} cases answered one by one"] = replied_singly(officer, known["singles"])
        found[f"{MANY} cases answered together"] = replied_together(officer, known["group"])
        found["pasted, dispatched, signed and answered by keyboard"] = by_keyboard(dispatcher, officer)
        browser.close()
    return found


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="the counts as JSON")
    parser.add_argument("--world", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.world:
        world()
        return
    with tempfile.TemporaryDirectory(prefix="xiezhi-effort-") as folder, site(Path(folder)) as (url, known):
        found = measure(url, known, Path(folder))
    print("| Work | Strokes | Clicks | Pages |\n| --- | --- | --- | --- |")
    for name, counted in found.items():
        print(
            f"| {name} | "
            + (" | ".join(str(counted[key]) for key in ("keys", "clicks", "pages")) if counted else "— | — | —")
            + " |"
        )
    if asked.out:
        asked.out.write_text(json.dumps(found, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
