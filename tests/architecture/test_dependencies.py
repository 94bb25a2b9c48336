"""The product runs on what requirements/base.txt installs; a test tool that slipped into it would fail only elsewhere."""

from __future__ import annotations

import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[2]


def locked(name: str) -> set[str]:
    text = (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")
    return {found.lower().replace("_", "-") for found in re.findall(r"^([A-Za-z0-9._-]+)==", text, re.MULTILINE)}


def pins(name: str) -> set[str]:
    text = (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")
    return set(re.findall(r"^([A-Za-z0-9._-]+==[^ ;]+)", text, re.MULTILINE))


def extras() -> set[str]:
    """What pyproject.toml offers beside, which the product imports where it is asked for and does without where it is not."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return {name for names in project["optional-dependencies"].values() for name in names}


def test_the_product_imports_only_what_it_installs() -> None:
    graph = grimp.build_graph("xiezhi", include_external_packages=True, cache_dir=None)
    owners = packages_distributions()
    strangers = []
    for package in graph.modules:
        if "." in package or package == "xiezhi" or package in sys.stdlib_module_names:
            continue
        distributions = {name.lower().replace("_", "-") for name in owners.get(package, [package])}
        if not distributions & (locked("base") | extras()):
            users = sorted(graph.find_modules_that_directly_import(package))
            strangers.append(f"{package}, imported by {', '.join(users[:3])}")
    assert not strangers, "not in requirements/base.txt: " + "; ".join(strangers)


def test_development_adds_to_what_runs_and_changes_none_of_it() -> None:
    assert pins("base") <= pins("dev")
