"""A consistent copy of the database in one file, and back: SQLite's online backup, PostgreSQL's own pg_dump and pg_restore."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from django.db import connections

from xiezhi.foundation.keeping.trouble import Trouble, room_on

Query = Callable[[str], list[tuple[Any, ...]]]
ERROR_LINES = 5


def facts(query: Query, tables: list[str]) -> dict[str, Any]:
    """What can be compared after a restore: applied migrations by app, rows of each table, the head of the audit chain."""
    migrations: dict[str, list[str]] = {}
    if "django_migrations" in tables:
        for app, name in query("SELECT app, name FROM django_migrations ORDER BY app, name"):
            migrations.setdefault(app, []).append(name)
    rows = {table: int(query(f'SELECT count(*) FROM "{table}"')[0][0]) for table in tables}
    seals = (
        query("SELECT sequence, digest FROM audit_seal ORDER BY sequence DESC LIMIT 1")
        if rows.get("audit_seal")
        else []
    )
    audit = {"sequence": seals[0][0], "digest": seals[0][1]} if seals else None
    return {"migrations": migrations, "rows": rows, "audit": audit}


class Store(ABC):
    """One kind of database. `kind` and `member` name it in an archive; `settings` is Django's dictionary of the connection."""

    kind: str
    member: str

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings

    @abstractmethod
    def version(self) -> str:
        """The server's (or the library's) version."""

    @abstractmethod
    def size_bytes(self) -> int:
        """About how much room a snapshot takes."""

    @abstractmethod
    def is_empty(self) -> bool:
        """Whether no table is there."""

    @abstractmethod
    def snapshot(self, target: Path) -> dict[str, Any]:
        """Write one moment of the database to `target`; returns its `facts` at that moment. Writers go on meanwhile."""

    @abstractmethod
    def examine(self, source: Path) -> dict[str, Any] | None:
        """The facts in a snapshot file, or None when only a server could tell. Raises Trouble for a damaged one."""

    @abstractmethod
    def load(self, source: Path) -> dict[str, Any]:
        """Put a snapshot into the empty database, all or nothing; returns its facts. May move `source` away."""

    def programs(self) -> list[str]:
        """What else a backup and a restore need on this machine. Raises Trouble when it is not there."""
        return []


class SQLite(Store):
    kind, member = "sqlite", "database.sqlite3"

    @property
    def path(self) -> Path:
        """Where the database lies."""
        return Path(self.settings["NAME"])

    def version(self) -> str:
        return sqlite3.sqlite_version

    def size_bytes(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def is_empty(self) -> bool:
        if not self.path.exists():
            return True
        with self._read(self.path) as database:
            return not self._tables(database)

    def snapshot(self, target: Path) -> dict[str, Any]:
        with self._read(self.path) as source, closing(sqlite3.connect(target)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one closed file, no -wal beside it
            target.chmod(0o600)
            return self._facts(copy)

    def examine(self, source: Path) -> dict[str, Any]:
        with self._read(source) as database:
            said = database.execute("PRAGMA integrity_check").fetchone()[0]
            if said != "ok":
                raise Trouble(f"The database in the backup is damaged: {said}. Take another backup.")
            return self._facts(database)

    def load(self, source: Path) -> dict[str, Any]:
        for suffix in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with room_on(self.path.parent):
            shutil.move(source, self.path)
        with self._read(self.path) as database:
            return self._facts(database)

    @contextmanager
    def _read(self, path: Path) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
                yield database
        except sqlite3.Error as error:
            if "full" in str(error) or "I/O" in str(error):
                raise Trouble(
                    f"SQLite could not write the copy ({error}): is the disk full? Nothing was left behind."
                ) from error
            raise Trouble(f"{path} cannot be read as an SQLite database ({error}).") from error

    @staticmethod
    def _tables(database: sqlite3.Connection) -> list[str]:
        listed = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
        return [name for (name,) in database.execute(listed)]

    def _facts(self, database: sqlite3.Connection) -> dict[str, Any]:
        return facts(lambda sql: database.execute(sql).fetchall(), self._tables(database))


class PostgreSQL(Store):
    kind, member = "postgresql", "database.pgdump"

    def version(self) -> str:
        with self._cursor() as cursor:
            cursor.execute("SHOW server_version")
            return str(cursor.fetchone()[0]).split()[0]

    def size_bytes(self) -> int:
        with self._cursor() as cursor:
            cursor.execute("SELECT pg_database_size(current_database())")
            return int(cursor.fetchone()[0])

    def is_empty(self) -> bool:
        with self._cursor() as cursor:
            return not self._tables(cursor)

    def programs(self) -> list[str]:
        return [self._program("pg_dump"), self._program("pg_restore")]

    def snapshot(self, target: Path) -> dict[str, Any]:
        """pg_dump reads the very snapshot in which the rows are counted."""
        program = self._program("pg_dump")
        with self._cursor() as cursor:
            cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            try:
                cursor.execute("SELECT pg_export_snapshot()")
                snapshot = cursor.fetchone()[0]
                # The archive as a whole is compressed.
                options = ["--format=custom", "--compress=0", "--no-owner", "--no-privileges", f"--snapshot={snapshot}"]
                self._run([program, *options, f"--file={target}", *self._where()])
                return self._facts(cursor)
            finally:
                cursor.execute("ROLLBACK")

    def examine(self, source: Path) -> None:
        self._run([self._program("pg_restore", for_server=False), "--list", str(source)])

    def load(self, source: Path) -> dict[str, Any]:
        program = self._program("pg_restore")
        options = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
        self._run([program, *options, *self._where(), str(source)])
        with self._cursor() as cursor:
            cursor.execute("ANALYZE")
            return self._facts(cursor)

    @contextmanager
    def _cursor(self) -> Iterator[Any]:
        """A connection of our own, so that nothing of Django's transactions gets between."""
        connection = connections["default"].copy()
        connection.settings_dict = {**connection.settings_dict, **self.settings}
        try:
            with connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()

    @staticmethod
    def _tables(cursor: Any) -> list[str]:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename")
        return [name for (name,) in cursor.fetchall()]

    def _facts(self, cursor: Any) -> dict[str, Any]:
        def query(sql: str) -> list[tuple[Any, ...]]:
            cursor.execute(sql)
            return list(cursor.fetchall())

        return facts(query, self._tables(cursor))

    def _where(self) -> list[str]:
        told = {"host": self.settings["HOST"], "port": self.settings["PORT"], "username": self.settings["USER"]}
        return [f"--dbname={self.settings['NAME']}", *(f"--{name}={value}" for name, value in told.items() if value)]

    def _run(self, command: list[str]) -> None:
        environment = {**os.environ, "PGPASSWORD": str(self.settings.get("PASSWORD") or ""), "LC_ALL": "C"}
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if done.returncode:
            words = "\n  ".join(done.stderr.strip().splitlines()[:ERROR_LINES])
            raise Trouble(f"{Path(command[0]).name} ended with {done.returncode}; nothing was left behind:\n  {words}")

    def _program(self, name: str, *, for_server: bool = True) -> str:
        """The oldest installed `name` that is not older than the server. Raises Trouble with how to get one."""
        needed = int(self.version().split(".")[0]) if for_server else 0
        places = [
            *(Path(found) for found in [shutil.which(name)] if found),
            *Path("/usr/lib/postgresql").glob(f"*/bin/{name}"),
        ]
        fitting = {version: place for place in places if (version := _major(place)) >= needed and version}
        if not fitting:
            package = f"postgresql-client-{needed}" if needed else "postgresql-client"
            raise Trouble(f"{name} {needed or ''} or newer was not found. On Debian: apt-get install {package}")
        return str(fitting[min(fitting)])


def _major(program: Path) -> int:
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return 0
    found = re.search(r"(\d+)(?:\.\d+)*", said)
    return int(found[1]) if found else 0


def store(settings: dict[str, Any] | None = None) -> Store:
    """The installation's own database, or the one that a Django dictionary names."""
    told = settings or connections["default"].settings_dict
    return PostgreSQL(told) if "postgresql" in told["ENGINE"] else SQLite(told)


def differences(told: dict[str, Any], found: dict[str, Any]) -> list[str]:
    """In words, what a restored database has otherwise than the archive says."""
    lines = [
        f"{table}: {told['rows'].get(table, 'no')} rows in the archive's account, {found['rows'].get(table, 'none')} found"
        for table in sorted({*told["rows"], *found["rows"]})
        if told["rows"].get(table) != found["rows"].get(table)
    ]
    if told["audit"] != found["audit"]:
        lines.append(
            f"audit head: {json.dumps(told['audit'])} in the archive's account, {json.dumps(found['audit'])} found"
        )
    return lines
