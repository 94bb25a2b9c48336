"""Documents do not lie: what they name exists, their pictures are there and used, the two READMEs are one."""

from __future__ import annotations

import re
import subprocess
from argparse import ArgumentParser
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest
from django.core.management import get_commands, load_command_class
from django.urls import Resolver404, resolve

from xiezhi.engines.planning import cli as planning
from xiezhi.engines.text import cli as complaints

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
IMAGES = DOCS / "images"
README = ROOT / "README.md"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
IN_CHINESE = [page for page in PAGES if ".zh-hans" in page.name]
GUIDES = [page for page in PAGES if {"tutorial", "how-to"} & set(page.relative_to(ROOT).parts)]
OURS = ("src", "docs", "tests", "tools", "frontend", "requirements", "benchmarks", ".ci")
LARGEST_IMAGE_BYTES = 200_000

FENCE = re.compile(r"^( *)```.*?^\1```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"")
COMMAND = re.compile(r"(?:^|[\s/`])xiezhi ([a-z][a-z-]*)(?:[ `]|$)([^`\n]*)", re.MULTILINE)
TARGET = re.compile(r"(?:^\s*|`|\$ |=\S+ )make ([a-z][a-z-]*)\b", re.MULTILINE)
VARIABLE = re.compile(r"\b(XIEZHI_[A-Z_]+)\b")
LABEL = re.compile(r"\*\*([^*\n]+)\*\*")
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def page_id(document: Path) -> str:
    return str(document.relative_to(ROOT))


every_page = pytest.mark.parametrize("document", PAGES, ids=page_id)


@cache
def text_of(document: Path) -> str:
    return document.read_text("utf-8")


def prose_of(document: Path) -> str:
    """The page without its code blocks."""
    return FENCE.sub("", text_of(document))


def slugs(document: Path) -> set[str]:
    """The anchors of a page's headings, as the usual renderers make them."""
    heads = re.findall(r"^#+ (.+)$", prose_of(document), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@cache
def source() -> str:
    """Every line that can put a word on a screen."""
    kinds = (".py", ".html", ".js")
    return "\n".join(
        path.read_text("utf-8") for path in sorted((ROOT / "src").rglob("*")) if path.suffix in kinds and path.is_file()
    )


@cache
def variables_read() -> set[str]:
    """The names of our environment variables in the product, the tests' support and the tools."""
    readers = [
        *(path for folder in ("src", "tools") for path in (ROOT / folder).rglob("*.py")),
        *(path for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__)),
    ]
    return set(VARIABLE.findall("\n".join(path.read_text("utf-8") for path in readers)))


@every_page
def test_links_lead_somewhere(document: Path) -> None:
    lost = []
    for found in LINK.finditer(prose_of(document)):
        address = found[1] or found[2]
        if re.match(r"[a-z]+:", address):
            continue
        path, _, anchor = address.partition("#")
        target = (document.parent / unquote(path)).resolve() if path else document
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in slugs(target)):
            lost.append(address)
    assert not lost, f"{page_id(document)} links to what is not there: {', '.join(lost)}"


@every_page
def test_files_that_are_named_exist(document: Path) -> None:
    lost = []
    for word in CODE.findall(prose_of(document)):
        path = word.split("::")[0].rstrip("/")
        if re.fullmatch(r"[\w.@/-]+", path) and path.split("/")[0] in OURS and "/" in path:
            lost += [] if (ROOT / path).exists() or is_made(path) else [word]
    assert not lost, f"{page_id(document)} names files that are not there: {', '.join(lost)}"


def is_made(path: str) -> bool:
    """Whether git leaves it out on purpose: built or installed, so absent from a fresh clone. It may be a file or a folder."""
    ignored = subprocess.run(["git", "check-ignore", path, f"{path}/"], cwd=ROOT, capture_output=True, check=False)
    return ignored.returncode == 0


@every_page
def test_commands_that_are_named_exist(document: Path) -> None:
    strange = []
    for name, rest in COMMAND.findall(text_of(document)):
        parser = parser_of(name, rest)
        options = re.findall(r"--[a-z][a-z-]*", rest)
        if parser is None:
            strange.append(name)
        else:
            strange += [f"{name} {option}" for option in options if option not in parser._option_string_actions]
    assert not strange, f"{page_id(document)} names commands or options that do not exist: {', '.join(strange)}"


def parser_of(name: str, rest: str) -> ArgumentParser | None:
    """What reads the arguments of `xiezhi name rest`; None when there is no such command."""
    if name == "plan":
        verbs = {"verify": planning._verify_parser, "explain": planning._explain_parser}
        return verbs.get(rest.partition(" ")[0], planning._plan_parser)()
    if name == "complaints":
        whole = complaints.parser()
        (verbs,) = (each for each in whole._actions if isinstance(each.choices, dict))
        return verbs.choices.get(rest.partition(" ")[0], whole)
    if name == "help":
        return ArgumentParser()
    command = name.replace("-", "_")
    home = get_commands().get(command)
    return load_command_class(str(home), command).create_parser("xiezhi", command) if home else None


@every_page
def test_make_targets_that_are_named_exist(document: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    code = "\n".join(
        [*(found[0] for found in FENCE.finditer(text_of(document))), *re.findall(r"`[^`\n]+`", text_of(document))]
    )
    unknown = set(TARGET.findall(code)) - targets
    assert not unknown, f"{page_id(document)} names targets that the Makefile has not: {', '.join(sorted(unknown))}"


@every_page
def test_addresses_of_the_desk_lead_to_a_page(document: Path) -> None:
    lost = []
    for address in re.findall(r"(?<!\w)/desk/[\w/<>.-]*", text_of(document)):
        try:
            resolve(re.sub(r"<[^>]+>", "1", address))
        except Resolver404:
            lost.append(address)
    assert not lost, f"{page_id(document)} names addresses without a document: {', '.join(lost)}"


@every_page
def test_variables_that_are_named_are_read_somewhere(document: Path) -> None:
    unknown = set(VARIABLE.findall(text_of(document))) - variables_read()
    assert not unknown, f"{page_id(document)} names variables that nothing reads: {', '.join(sorted(unknown))}"


def test_every_setting_from_the_environment_is_documented() -> None:
    settings = (ROOT / "src/xiezhi/config/settings.py").read_text("utf-8")
    missing = (
        set(VARIABLE.findall(settings))
        - {"XIEZHI_ROLES"}
        - set(VARIABLE.findall(text_of(DOCS / "reference/environment.md")))
    )
    assert not missing, f"docs/reference/environment.md does not tell of {', '.join(sorted(missing))}"


@pytest.mark.parametrize("document", GUIDES, ids=page_id)
def test_guides_use_the_words_of_the_screens(document: Path) -> None:
    """In tutorial and guides bold Chinese is what the screen says, so the source must say it too. … stands for what varies."""
    labels = {label for label in LABEL.findall(prose_of(document)) if CHINESE.search(label)}
    lost = sorted(label for label in labels if not all(part in source() for part in label.split("…")))
    assert not lost, f"{page_id(document)} quotes words that no screen says: {', '.join(lost)}"


@pytest.mark.parametrize("chinese", IN_CHINESE, ids=page_id)
def test_a_page_in_chinese_has_the_same_build(chinese: Path) -> None:
    """Same levels of headings, same pictures, same code, same links, same tables, in the same order as the page in English."""
    assert built(chinese) == built(chinese.with_name(chinese.name.replace(".zh-hans", "")))


def built(document: Path) -> dict[str, list[str]]:
    """What is the same in any language. A link to a page that is there in both languages counts as one to the page."""
    prose = prose_of(document)
    links = [(a or b).replace(".zh-hans", "") for a, b in LINK.findall(prose)]
    return {
        "headings": [level for level, _ in re.findall(r"^(#+) (.+)$", prose, re.MULTILINE)],
        "links": links,
        "code": [found[0] for found in FENCE.finditer(text_of(document))],
        "tables": [str(line.count("|")) for line in text_of(document).splitlines() if line.startswith("|")],
    }


def test_every_picture_is_small_and_used() -> None:
    shown = {
        (page.parent / (a or b)).resolve()
        for page in PAGES
        for a, b in LINK.findall(text_of(page))
        if (a or b).endswith((".png", ".svg"))
    }
    kept = {path.resolve() for path in IMAGES.iterdir()}
    assert kept <= shown, f"not used: {', '.join(sorted(path.name for path in kept - shown))}"
    heavy = [path.name for path in kept if path.stat().st_size > LARGEST_IMAGE_BYTES]
    assert not heavy, f"larger than {LARGEST_IMAGE_BYTES:,} bytes: {', '.join(heavy)}"


def test_every_page_can_be_reached_from_the_readme() -> None:
    seen, waiting = set(), [README]
    while waiting:
        page = waiting.pop()
        if page in seen:
            continue
        seen.add(page)
        links = [(page.parent / unquote((a or b).partition("#")[0])).resolve() for a, b in LINK.findall(prose_of(page))]
        waiting += [link for link in links if link.suffix == ".md" and link.exists()]
    alone = sorted(page_id(page) for page in set(PAGES) - seen)
    assert not alone, f"no way leads there from README.md: {', '.join(alone)}"
