from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import dj_database_url
import pytest
from django.db import connection

from tests.support.postgres import Server
from tests.support.processes import database_url


@pytest.fixture
def data_folder(tmp_path: Path, settings: Any) -> Callable[[str], Path]:
    """`data_folder("first")`: another installation's folder, in force from now on."""

    def take(name: str) -> Path:
        settings.DATA = tmp_path / name
        settings.MEDIA_ROOT = tmp_path / name / "files"
        settings.DATA.mkdir(exist_ok=True)
        return Path(settings.DATA)

    return take


@pytest.fixture
def new_database(tmp_path: Path) -> Iterator[Callable[[], str]]:
    """`new_database()`: the address of an empty database beside the test's own, of the same kind."""
    with ExitStack() as stack:

        def make() -> str:
            if connection.vendor == "sqlite":
                return f"sqlite:///{tmp_path / 'second.sqlite3'}"
            return stack.enter_context(Server.at(database_url()).database())

        yield make


def connection_to(address: str) -> dict[str, Any]:
    """Django's dictionary for a database address."""
    return dict(dj_database_url.parse(address))
