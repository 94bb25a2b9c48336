"""A suite that quietly runs nothing looks green. This counts what really ran, and fails the run when it was nothing.

XIEZHI_REQUIRE=postgres,journey names what must have run at least once: `journey` tests drive a browser; `postgres`
counts tests marked so and tests that used the database while it was PostgreSQL. Tests of the tools themselves do not
count: they say nothing about the product.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[1] / "tools"
KINDS = ("postgres", "journey")
DATABASE_FIXTURES = {"db", "transactional_db", "django_db_reset_sequences", "django_db_serialized_rollback"}


def required() -> list[str]:
    """What this run must contain; raises pytest.UsageError for a word that is not a kind."""
    wanted = [word for word in os.environ.get("XIEZHI_REQUIRE", "").split(",") if word]
    if unknown := set(wanted) - set(KINDS):
        raise pytest.UsageError(f"XIEZHI_REQUIRE: unknown {', '.join(sorted(unknown))}; known: {', '.join(KINDS)}")
    return wanted


def uses_database(item: pytest.Item) -> bool:
    fixtures = set(getattr(item, "fixturenames", ()))
    return item.get_closest_marker("django_db") is not None or bool(fixtures & DATABASE_FIXTURES)


def kinds_of(item: pytest.Item) -> list[str]:
    from django.db import connection

    if item.path.is_relative_to(TOOLS):
        return []
    kinds = [kind for kind in KINDS if item.get_closest_marker(kind)]
    if "postgres" not in kinds and uses_database(item) and connection.vendor == "postgresql":
        kinds.append("postgres")
    return kinds


class Counting:
    """Runs in every process; only the controlling one decides, from the reports that workers send it."""

    def __init__(self) -> None:
        self.ran: Counter[str] = Counter()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        item.user_properties.append(("kinds", ",".join(kinds_of(item))))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.outcome in {"passed", "failed"}:
            self.ran.update(filter(None, dict(report.user_properties).get("kinds", "").split(",")))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if hasattr(session.config, "workerinput"):
            return
        missing = [kind for kind in required() if not self.ran[kind]]
        if missing:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for kind in required():
            if self.ran[kind]:
                terminalreporter.write_line(f"{kind} tests that ran: {self.ran[kind]}")
            else:
                terminalreporter.write_line(f"FAILED: no {kind} test ran, and this run must contain some", red=True)
