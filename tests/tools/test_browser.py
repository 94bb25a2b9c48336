"""The browser fixtures themselves: a person's page, the fonts, and the complaints that fail a journey."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.support.browser import Complaints

PAGE = """<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>协治</title></head>
<body><main><h1>综合查一次</h1><p>{}</p></main></body></html>"""


def serve(page: Page, body: str = "一次进门，多项检查。") -> None:
    page.route("**/*", lambda route: route.fulfill(body=PAGE.format(body), content_type="text/html"))
    page.goto("/")


@pytest.mark.journey
def test_a_page_is_seen_at_every_width(
    person: Callable[..., Page], shot: Callable[..., Path], accessible: Callable[..., None]
) -> None:
    page = person("http://127.0.0.1:9", screen="phone")
    serve(page)
    assert page.evaluate("[innerWidth, navigator.language, Intl.DateTimeFormat().resolvedOptions().timeZone]") == [
        360,
        "zh-CN",
        "Asia/Shanghai",
    ]
    accessible(page)
    path = shot(page, "tools/fonts")
    assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.journey
def test_a_script_error_is_a_complaint(person: Callable[..., Page], complaints: Complaints) -> None:
    page = person("http://127.0.0.1:9")
    serve(page, "<script>missing()</script>")
    assert len(complaints.lines) == 1 and "missing is not defined" in complaints.lines[0]
    complaints.lines.clear()


@pytest.mark.journey
def test_what_cannot_be_read_by_all_is_a_finding(person: Callable[..., Page], accessible: Callable[..., None]) -> None:
    page = person("http://127.0.0.1:9")
    serve(page, '<input type="text">')
    with pytest.raises(AssertionError, match="label"):
        accessible(page)
