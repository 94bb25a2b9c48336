"""The suite's own footing: the database in use, the private server, the browser, and the guard against empty runs."""

from __future__ import annotations

import os
from pathlib import Path

import psycopg
import pytest
from django.contrib.auth import get_user_model
from django.db import connection

import run_tests
from tests.support.counting import required
from tests.support.postgres import Server

ROOT = Path(__file__).resolve().parents[2]

pytest_plugins = ["pytester"]


@pytest.mark.django_db
def test_the_database_is_the_one_asked_for() -> None:
    asked = "postgresql" if os.environ.get("DATABASE_URL", "").startswith("postgres") else "sqlite"
    assert connection.vendor == asked
    assert get_user_model().objects.count() == 0


@pytest.mark.postgres
def test_a_private_server_makes_and_drops_databases(postgres_server: Server) -> None:
    with postgres_server.database() as address, psycopg.connect(address) as database:
        assert database.info.server_version >= 140000
        assert database.info.hostaddr == "127.0.0.1"
        name = database.info.dbname
    with psycopg.connect(f"{postgres_server.url}/postgres") as database:
        left = database.execute("SELECT count(*) FROM pg_database WHERE datname = %s", [name]).fetchone()
    assert left == (0,)


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ("assert True", 0),
        ("pytest.skip('no browser here')", 1),
    ],
)
def test_a_run_that_must_hold_a_journey_fails_without_one(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, body: str, outcome: int
) -> None:
    monkeypatch.setenv("XIEZHI_REQUIRE", "journey")
    pytester.makeconftest(
        """
        from tests.support.counting import Counting

        def pytest_configure(config):
            config.addinivalue_line("markers", "journey: a journey")
            config.pluginmanager.register(Counting())
        """
    )
    pytester.makepyfile(f"import pytest\n\n@pytest.mark.journey\ndef test_journey():\n    {body}\n")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    result = pytester.runpytest_subprocess("-p", "no:django", "-p", "no:playwright")
    assert result.ret == outcome


def test_a_run_cannot_ask_for_what_nobody_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XIEZHI_REQUIRE", "postgres,jorney")
    with pytest.raises(pytest.UsageError, match="jorney"):
        required()


def test_journeys_stand_where_make_test_looks_for_them() -> None:
    marked = [path for path in (ROOT / "tests").rglob("test_*.py") if "mark.journey" in path.read_text("utf-8")]
    looked_in = [ROOT / each for each in run_tests.JOURNEYS]
    assert len(marked) > 5
    assert [path for path in marked if not any(path.is_relative_to(each) for each in looked_in)] == []
