"""Chromium for journeys: Debian's own build, Chinese fonts, the screens that people have, and what they must not see."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import ConsoleMessage, Page, Response

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = ROOT / "var" / "screenshots"
AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
HOW_TO_GET = "Chromium was not found. On Debian: apt-get install chromium fonts-noto-cjk"
SCREENS = {"phone": (360, 780), "tablet": (768, 1024), "desk": (1440, 900)}
WORST = {"serious", "critical"}


def chromium() -> str | None:
    """The browser's path."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """pytest-playwright's own arguments with the machine's browser, kept from calling anyone but us."""
    path = chromium()
    if path is None:
        if "journey" in os.environ.get("XIEZHI_REQUIRE", ""):
            pytest.fail(HOW_TO_GET)
        pytest.skip(HOW_TO_GET)
    arguments = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
        "--font-render-hinting=none",
        "--lang=zh-CN",
    ]
    return {**browser_type_launch_args, "executable_path": path, "headless": True, "args": arguments}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_context_args, "timezone_id": "Asia/Shanghai", "reduced_motion": "reduce"}


class Complaints:
    """What a page's console and network say went wrong: script errors, refused content, lost files, server errors."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def listen_to(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.lines.append(f"{page.url}: script error: {error}"))
        page.on("console", lambda message: self._console(page, message))
        page.on("response", self._response)

    def _console(self, page: Page, message: ConsoleMessage) -> None:
        # A refused form is answered 4xx on purpose; lost files and server errors are caught from the response.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.lines.append(f"{page.url}: {message.text}")

    def _response(self, response: Response) -> None:
        if response.status >= 500 or (response.status == 404 and "/static/" in response.url):
            self.lines.append(f"{response.status} {response.url}")


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    """Collects complaints of every page that `person` opens; any left at the end fails the test."""
    heard = Complaints()
    yield heard
    assert not heard.lines, "the browser complained:\n" + "\n".join(heard.lines)


@pytest.fixture
def person(new_context: Callable[..., Any], complaints: Complaints) -> Callable[..., Page]:
    """`person(site.url, screen="desk", dark=False, language="zh-CN")`: a page of somebody's own, with no login.

    Each call is another person: own cookies, own window. Addresses may be relative to the given one.
    """

    def arrive(url: str, screen: str = "desk", dark: bool = False, language: str = "zh-CN", **more: Any) -> Page:
        width, height = SCREENS[screen]
        context = new_context(
            base_url=url,
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            locale=language,
            **more,
        )
        page: Page = context.new_page()
        complaints.listen_to(page)
        return page

    return arrive


@pytest.fixture(scope="session")
def shot() -> Callable[..., Path]:
    """`shot(page, "plans")` keeps var/screenshots/plans.png; `screens=True` one for each width, light and dark."""

    def take(page: Page, name: str, *, screens: bool = False, full_page: bool = True) -> Path:
        path = SCREENSHOTS / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=path, full_page=full_page, animations="disabled")
        if screens:
            before = page.viewport_size
            for screen, (width, height) in SCREENS.items():
                page.set_viewport_size({"width": width, "height": height})
                for scheme in ("light", "dark"):
                    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                    page.screenshot(
                        path=SCREENSHOTS / f"{name}-{screen}-{scheme}.png", full_page=full_page, animations="disabled"
                    )
            page.emulate_media(color_scheme="null")
            if before:
                page.set_viewport_size(before)
        return path

    return take


@pytest.fixture(scope="session")
def accessible() -> Callable[..., None]:
    """`accessible(page)` runs axe-core on the page as it stands and fails on serious or critical findings.

    `without` names axe rules to leave out, for a finding whose reason is written beside the call.
    """

    def check(page: Page, *, without: tuple[str, ...] = ()) -> None:
        assert AXE.is_file(), "axe-core is missing: run `make setup-dev`"
        page.evaluate(AXE.read_text("utf-8"))
        options = {"rules": {rule: {"enabled": False} for rule in without}}
        found = page.evaluate("options => axe.run(document, options)", options)["violations"]
        lines = [
            f"{finding['id']}: {finding['help']}: {', '.join(str(node['target']) for node in finding['nodes'][:5])}"
            for finding in found
            if finding["impact"] in WORST
        ]
        assert not lines, f"{page.url} is not accessible:\n" + "\n".join(lines)

    return check
