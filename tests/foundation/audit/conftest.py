"""A chain of a dozen entries, and a data folder of its own for the signing key."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection

from tests.builders.cast import Cast, make_cast
from xiezhi.foundation.audit.services import seal_entries


@pytest.fixture
def data(settings, tmp_path: Path) -> Path:
    """Where keys and heads go."""
    settings.DATA = tmp_path
    return tmp_path


@pytest.fixture
def chain(db: None, data: Path) -> Cast:
    """The cast's own entries, sealed."""
    cast = make_cast()
    seal_entries()
    return cast


@pytest.fixture
def without_triggers() -> Callable[[str], None]:
    """without_triggers(statement): what somebody with the database's password could do."""

    def _run(statement: str) -> None:
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                for table in ("audit_entry", "audit_seal", "audit_head"):
                    cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            else:
                cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'audit_%'")
                for (name,) in cursor.fetchall():
                    cursor.execute(f"DROP TRIGGER {name}")
            cursor.execute(statement)

    return _run
