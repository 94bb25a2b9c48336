"""What every test can count on. The parts are in tests/support; builders of the world in tests/builders.

DATABASE_URL=postgres://… runs the same tests on PostgreSQL. XIEZHI_ONLY=database leaves out what never touches it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.support import postgres, tables
from tests.support.counting import Counting, required, uses_database

pytest_plugins = ["tests.support.browser", "tests.support.emptying", "tests.support.site"]


# How long an example takes says more about the machine than about the code: nothing here is judged by the clock.
settings.register_profile("xiezhi", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("xiezhi")


def pytest_configure(config: pytest.Config) -> None:
    required()
    config.pluginmanager.register(Counting(), "xiezhi-counting")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if os.environ.get("XIEZHI_ONLY") == "database":
        left_out = [item for item in items if not uses_database(item) and not item.get_closest_marker("postgres")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]
    # Playwright leaves an event loop running, in which Django refuses its database: journeys go last.
    items.sort(key=lambda item: item.get_closest_marker("journey") is not None)


@pytest.hookimpl(trylast=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    from django.db import connection

    starts_its_own = "postgres_server" in getattr(item, "fixturenames", ())
    if item.get_closest_marker("postgres") and not starts_its_own and connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL: set DATABASE_URL=postgres://…, or run `make test`")


@pytest.fixture(scope="session")
def django_db_keepdb(
    request: pytest.FixtureRequest, django_db_modify_db_settings: None, django_db_blocker: Any
) -> Iterator[bool]:
    """Django is told to keep the database that it finds: a copy of the tables, which are made once for all processes of a run."""
    from django.db import connection

    name = connection.settings_dict["TEST"]["NAME"] or f"test_{connection.settings_dict['NAME']}"
    if connection.vendor == "sqlite":
        tables.sqlite_copy(Path(name))
        yield True
        return
    server = postgres.Server.at(os.environ["DATABASE_URL"])
    tables.postgres_copy(server, name)
    yield True
    with django_db_blocker.unblock():
        connection.close()
    server.drop(name)


@pytest.fixture(autouse=True)
def own_heads() -> Iterator[None]:
    """A test's rows go when it ends, and so must the file of the audit heads that it signed."""
    yield
    from xiezhi.foundation.audit import signing

    signing.heads_file().unlink(missing_ok=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    """A PostgreSQL server to make databases on, whatever the suite itself runs on: for tests that need several
    processes, or a server of their own. `make test` starts one for the whole run; alone, this starts its own."""
    if address := os.environ.get("XIEZHI_TEST_POSTGRES"):
        yield postgres.Server.at(address)
        return
    if postgres.programs() is None:
        if "postgres" in os.environ.get("XIEZHI_REQUIRE", ""):
            pytest.fail(postgres.HOW_TO_GET)
        pytest.skip(postgres.HOW_TO_GET)
    with postgres.PrivateCluster() as server:
        yield server
