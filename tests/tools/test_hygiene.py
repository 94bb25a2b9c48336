"""The search for what must not be committed finds it, and finds nothing in what may be."""

from __future__ import annotations

import json

import pytest

import hygiene


@pytest.mark.parametrize(
    ("path", "content", "words"),
    [
        ("docs/a.md", "from https://files.pythonh" + "osted.org/x", "registry"),
        (
            "frontend/package-lock.json",
            json.dumps({"packages": {"": {}, "a": {"resolved": "x", "integrity": "y"}}}),
            "address",
        ),
        ("frontend/package-lock.json", json.dumps({"packages": {"": {}, "a": {"version": "1"}}}), "no hash"),
        ("requirements/base.txt", "--index-url https://example.org/simple\ndjango==5.2", "address"),
        ("src/a/static/htmx.min.js", "var a", "built file"),
        ("src/a/static/app.js", "x" * 6000, "nobody wrote"),
        ("src/a/static/noto.woff2", "wOF2", "fonts"),
        ("docs/data.csv", "1,2\n" * 300_000, "bytes"),
    ],
)
def test_it_finds(path: str, content: str, words: str) -> None:
    assert any(words in problem for problem in hygiene.problems(path, content.encode()))


def test_ordinary_files_pass() -> None:
    lock = json.dumps({"packages": {"": {}, "node_modules/a": {"version": "1", "integrity": "sha512-x"}}})
    assert hygiene.problems("frontend/package-lock.json", lock.encode()) == []
    assert hygiene.problems("requirements/base.txt", b"django==5.2 \\\n    --hash=sha256:00\n") == []
    assert hygiene.problems("src/xiezhi/a.py", "行 = '协治'\n".encode()) == []


def test_a_file_that_is_not_utf8_is_named() -> None:
    assert hygiene.problems("docs/a.md", "检查".encode("gb18030")) == ["not UTF-8"]
