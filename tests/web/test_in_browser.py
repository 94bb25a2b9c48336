"""The interface in Chromium: nothing refused by the policy, accessible in light and dark, usable by keyboard and without script."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support.site import Site

pytestmark = pytest.mark.journey
PASSWORD = "Yinhuai-7-bridges"
# What `xiezhi found` does, which asks for the password at a terminal.
FOUND = f"""
from django.utils import timezone
from xiezhi.foundation.access.services import found_district
found_district(code="110199", name="示例区", administrator="admin", display_name="管理员", password="{PASSWORD}", at=timezone.now())
"""

SMALL = """() => [...document.querySelectorAll(
    'main .btn, main input:not([type=hidden]), main select, main .hits a, main .menu-panel a, main .menu-panel .form-check, header .btn, header input'
)].filter((each) => each.offsetParent && !['checkbox', 'radio'].includes(each.type))
  .filter((each) => each.getBoundingClientRect().height < 44).map((each) => each.outerHTML.slice(0, 120))"""
"""What is too small for a finger."""


@pytest.fixture(scope="module")
def founded(make_site: Callable[..., Site]) -> Iterator[Site]:
    """A running site with one administrator."""
    site = make_site("interface")
    site.manage("shell", "--no-imports", "-c", FOUND)
    site.start()
    yield site
    site.stop()


@pytest.fixture
def enter(founded: Site, person: Callable[..., Page]) -> Callable[..., Page]:
    """`enter("/desk/ui/", screen="phone", dark=True)`: that page, logged in as the administrator."""

    def arrive(path: str, **how: Any) -> Page:
        page = person(founded.url, **how)
        page.set_default_timeout(10_000)
        page.goto("/accounts/login/?next=" + path)
        page.get_by_label("登录名", exact=True).fill("admin")
        page.get_by_label("密码", exact=True).fill(PASSWORD)
        page.locator("main button[type=submit]").click()
        page.wait_for_url("**" + path)
        return page

    return arrive


def drafts(page: Page) -> int:
    """How many drafts are kept on this device."""
    return int(page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('xiezhi-draft:')).length"))


def wait_for_draft(page: Page) -> None:
    """What was typed is kept a moment later. (Playwright's own waiting for a condition needs eval, which the policy refuses.)"""
    for _attempt in range(50):
        if drafts(page):
            return
        page.wait_for_timeout(100)
    pytest.fail("no draft was kept")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("screen", ["phone", "desk"])
def test_every_component_is_accessible_and_stays_in_the_window(
    enter: Any, accessible: Any, screen: str, dark: bool
) -> None:
    page = enter("/desk/ui/", screen=screen, dark=dark)
    expect(page.locator("[data-chart]")).to_have_attribute("data-drawn", "1")
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_the_login_page_is_accessible(founded: Site, person: Any, accessible: Any) -> None:
    page = person(founded.url, screen="phone")
    page.goto("/accounts/login/")
    accessible(page)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_publics_pages_are_accessible_and_stay_in_the_window(
    founded: Site, person: Any, accessible: Any, dark: bool
) -> None:
    page = person(founded.url, screen="phone", dark=dark)
    for path in ("/appeals/", "/appeals/new/?kind=complaint", "/appeals/look-up/", "/appeals/mine/"):
        page.goto(path)
        accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), path


@pytest.mark.parametrize("path", ["/desk/", "/desk/people/", "/desk/search/?q=R0"])
def test_touch_targets_on_a_phone_and_contrast_in_the_dark(enter: Any, accessible: Any, path: str) -> None:
    page = enter("/desk/", screen="phone", dark=True)
    page.goto(path)
    for menu in page.locator(".results-tools summary:visible").all():
        menu.click()
        assert not page.evaluate(SMALL)
        panel = page.locator(".results-tools details[open] .menu-panel").bounding_box()
        assert panel
        assert panel["x"] >= 0
        assert panel["x"] + panel["width"] <= 360
    assert not page.evaluate(SMALL)
    accessible(page)


def test_the_list_narrows_while_typing_and_the_address_remembers(enter: Any) -> None:
    page = enter("/desk/people/")
    page.keyboard.press("f")
    page.keyboard.type("nobody")
    expect(page.get_by_text("没有符合条件的记录")).to_be_visible()
    assert "q=nobody" in page.url
    page.reload()
    expect(page.locator("[data-search]")).to_have_value("nobody")
    page.get_by_role("link", name="清空筛选").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("link", name="登录名").click()
    page.wait_for_url("**sort=username**")


def test_the_keyboard_reaches_search_help_and_menus(enter: Any) -> None:
    page = enter("/desk/people/")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="快捷键")).to_be_visible()
    page.keyboard.press("Escape")
    page.locator(".desk-tools summary").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="退出登录")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="退出登录")).to_be_hidden()
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"


def test_the_search_of_everything_by_keyboard_alone(enter: Any, accessible: Any) -> None:
    page = enter("/desk/")
    page.keyboard.press("/")
    page.keyboard.type("admin")
    expect(page.locator(".quick-panel").get_by_role("link", name="管理员")).to_be_visible()
    accessible(page)
    page.keyboard.press("Escape")
    expect(page.locator(".quick-panel")).to_have_count(0)
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk/search/?q=admin")
    accessible(page)
    page.get_by_role("main").get_by_role("link", name="管理员").click()
    page.wait_for_url("**/desk/people/*/")


def test_a_form_goes_once_and_what_was_typed_comes_back(enter: Any) -> None:
    page = enter("/desk/ui/")
    form = page.locator("#form")
    form.get_by_label("说明").fill("写了一半")
    wait_for_draft(page)
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect(form.get_by_label("说明")).to_have_value("写了一半")
    expect(page.get_by_text("已恢复上次没有提交的内容")).to_be_visible()
    page.get_by_role("button", name="不要了").click()
    expect(form.get_by_label("说明")).to_have_value("")
    assert drafts(page) == 0

    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    form.get_by_role("button").dblclick()
    expect(page.locator(".error-summary")).to_be_focused()
    assert len(sent) == 1
    page.locator(".error-summary").get_by_role("link", name="日期").click()
    expect(form.get_by_label("日期")).to_be_focused()


def test_logging_out_takes_the_drafts_along(enter: Any) -> None:
    page = enter("/desk/ui/")
    page.locator("#form").get_by_label("说明").fill("写了一半")
    wait_for_draft(page)
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator(".desk-tools summary").click()
    page.get_by_role("button", name="退出登录").click()
    page.wait_for_url("**/accounts/login/**")
    assert drafts(page) == 0


def test_everything_works_without_script(enter: Any) -> None:
    page = enter("/desk/people/", java_script_enabled=False)
    page.locator("[data-search]").fill("nobody")
    page.get_by_role("button", name="筛选").click()
    expect(page.get_by_text("没有符合条件的记录")).to_be_visible()
    page.goto("/desk/ui/")
    page.locator(".move summary").click()
    page.get_by_label("理由").fill("人手不够")
    page.get_by_role("button", name="确定不参加").click()
    expect(page.get_by_text("收到“不参加”")).to_be_visible()
    page.locator(".desk-tools summary").click()
    expect(page.get_by_role("button", name="退出登录")).to_be_visible()


def test_the_menu_of_a_phone_works_without_script(enter: Any) -> None:
    page = enter("/desk/", screen="phone", java_script_enabled=False)
    people = page.get_by_role("link", name="人员与任职")
    expect(people).to_be_hidden()
    page.get_by_role("link", name="菜单", exact=True).click()
    people.click()
    page.wait_for_url("**/desk/people/")


def test_paper_shows_the_content_the_address_and_the_time(enter: Any) -> None:
    page = enter("/desk/people/")
    page.emulate_media(media="print")
    expect(page.locator(".desk-nav")).to_be_hidden()
    expect(page.locator(".filters")).to_be_hidden()
    expect(page.locator(".print-foot")).to_contain_text("/desk/people/")
    expect(page.locator("tbody tr")).to_be_visible()


def test_a_passkey_is_added_and_signs_in(founded: Site, enter: Any) -> None:
    """Under the strict policy, with the browser's own virtual authenticator. Keys belong to a name, not to an address: hence localhost."""
    page = enter("/desk/")
    named = founded.url.replace("127.0.0.1", "localhost")
    page.goto(named + "/accounts/login/?next=/accounts/security/keys/new/")
    page.get_by_label("登录名", exact=True).fill("admin")
    page.get_by_label("密码", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="登录", exact=True).click()
    page.wait_for_url("**/keys/new/")
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    kind = {"protocol": "ctap2", "transport": "internal", "automaticPresenceSimulation": True}
    able = {"hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True}
    device.send("WebAuthn.addVirtualAuthenticator", {"options": {**kind, **able}})
    page.get_by_role("button", name="添加", exact=True).click()
    page.wait_for_url("**/recovery/")
    expect(page.locator(".codes li")).to_have_count(10)
    page.goto(named + "/accounts/logout/")
    page.locator("main button[type=submit]").click()
    page.get_by_role("button", name="通行密钥登录").click()
    page.wait_for_url(named + "/desk/")
    page.goto(named + "/accounts/security/")
    page.get_by_role("link", name="删除").click()
    page.get_by_role("button", name="删除").click()  # the other tests sign in by password alone
    expect(page.get_by_text("通行密钥已删除")).to_be_visible()
