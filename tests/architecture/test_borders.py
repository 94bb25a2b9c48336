"""Borders that import-linter's layers cannot draw: what two neighbours on the same floor may take from each other."""

from __future__ import annotations

import grimp
import pytest

DOMAINS = "xiezhi.domains"
OPEN_TO_ALL = {"registry"}  # every domain may use the subjects' own models
MEETING_PLACES = {"services", "queries"}


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    return grimp.build_graph("xiezhi", cache_dir=None)


def domain_and_file(module: str) -> tuple[str, str]:
    """`xiezhi.domains.registry.services.merge` → registry, services."""
    parts = module.removeprefix(f"{DOMAINS}.").split(".")
    return parts[0], parts[1] if len(parts) > 1 else ""


def test_two_domains_meet_only_through_services_and_queries(imports: grimp.ImportGraph) -> None:
    smuggled = []
    for module in imports.find_descendants(DOMAINS):
        home, _ = domain_and_file(module)
        for target in imports.find_modules_directly_imported_by(module):
            if not target.startswith(f"{DOMAINS}."):
                continue
            domain, file = domain_and_file(target)
            if domain not in {home, *OPEN_TO_ALL} and file not in MEETING_PLACES:
                smuggled.append(f"{module} imports {target}")
    assert not smuggled, "\n".join(sorted(smuggled))
