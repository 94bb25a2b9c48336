"""A private PostgreSQL cluster: made for a test run, reachable on loopback only, gone afterwards."""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

HOW_TO_GET = "PostgreSQL's server programs were not found. On Debian: apt-get install postgresql"

# The data is thrown away, so nothing waits for the disk; what transactions see of each other is unchanged.
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200")


def programs() -> Path | None:
    """The folder with `initdb` and `postgres`: on the path, or the newest that Debian installed."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    installed = [folder for folder in Path("/usr/lib/postgresql").glob("*/bin") if (folder / "initdb").exists()]
    return max(installed, key=lambda folder: float(folder.parent.name), default=None)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A running PostgreSQL on which the holder may make databases.

    `url` is a postgres:// address without a database name, ending in no slash.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    @classmethod
    def at(cls, database_url: str) -> Server:
        """The server that a full database address points to."""
        parts = urlsplit(database_url)
        return cls(f"{parts.scheme}://{parts.netloc}")

    def execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(f"{self.url}/postgres", autocommit=True) as connection:
            connection.execute(statement)

    def create(self, name: str, like: str = "template1") -> str:
        """A new database, a copy of `like`; returns its address."""
        self.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(like)))
        return f"{self.url}/{name}"

    def drop(self, name: str) -> None:
        """Remove a database, if there is one, and whoever is connected to it."""
        self.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    @contextlib.contextmanager
    def database(self, name: str | None = None) -> Iterator[str]:
        """A new empty database's address; the database is dropped at the end."""
        name = name or f"xiezhi_{secrets.token_hex(4)}"
        try:
            yield self.create(name)
        finally:
            self.drop(name)


class PrivateCluster:
    """`with PrivateCluster() as server:` - starts within seconds, needs no administrator and no service.

    The administrator may not run PostgreSQL; then the cluster belongs to the `postgres` user, or to `nobody`.
    `keep`: a folder of its own in which the cluster stays when it stops, and from which it starts again.
    Raises RuntimeError with the server's own words when it does not start.
    """

    def __init__(self, settings: tuple[str, ...] = FAST, *, keep: Path | None = None) -> None:
        self.settings, self.keep = settings, keep
        self.folder: Path | None = None
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Server:
        binaries = programs()
        if binaries is None:
            raise RuntimeError(HOW_TO_GET)
        if self.keep:
            self.keep.mkdir(parents=True, exist_ok=True)
        self.folder = self.keep or Path(tempfile.mkdtemp(prefix="xz-pg-"))
        try:
            return self._start(binaries, self.folder)
        except BaseException:
            self.close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self, binaries: Path, folder: Path) -> Server:
        password, log = folder / "password", folder / "log"
        known = (folder / "data" / "PG_VERSION").exists()
        if not known:
            password.write_text(secrets.token_urlsafe(16))
        log.touch()
        as_user = self._owner(folder)
        if not known:
            self._make(binaries, folder, as_user)
        for _attempt in range(3):  # the port may be taken between looking and binding
            port = free_port()
            command: list[str | Path] = [binaries / "postgres", "-D", folder / "data", "-p", str(port)]
            for setting in ("listen_addresses=127.0.0.1", "unix_socket_directories=", *self.settings):
                command += ["-c", setting]
            with log.open("wb") as output:
                self.process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=folder, **as_user
                )
            server = Server(f"postgres://xiezhi:{password.read_text()}@127.0.0.1:{port}")
            if self._answers(server):
                return server
        raise RuntimeError(f"PostgreSQL did not start: {log.read_text(errors='replace')[-2000:]}")

    @staticmethod
    def _make(binaries: Path, folder: Path, as_user: dict[str, Any]) -> None:
        initdb: list[str | Path] = [
            binaries / "initdb",
            "-D",
            folder / "data",
            "-U",
            "xiezhi",
            "--encoding=UTF8",
            "--locale=C",
        ]
        initdb += ["--auth=scram-sha-256", f"--pwfile={folder / 'password'}", "--no-sync"]
        made = subprocess.run(initdb, capture_output=True, text=True, cwd=folder, check=False, **as_user)
        if made.returncode:
            raise RuntimeError(f"initdb failed: {made.stderr.strip()}")

    @staticmethod
    def _owner(folder: Path) -> dict[str, Any]:
        """Hand the folder to an ordinary user when we are the administrator; how to run programs as that user."""
        if os.geteuid() != 0:
            return {}
        for name in ("postgres", "nobody"):
            with contextlib.suppress(KeyError):
                user = pwd.getpwnam(name)
                for path in (folder, *folder.iterdir()):
                    os.chown(path, user.pw_uid, user.pw_gid)
                return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        raise RuntimeError("PostgreSQL will not run as the administrator, and no user postgres or nobody exists.")

    def _answers(self, server: Server) -> bool:
        assert self.process
        give_up = time.monotonic() + 30
        while time.monotonic() < give_up and self.process.poll() is None:
            try:
                psycopg.connect(f"{server.url}/postgres", connect_timeout=2).close()
                return True
            except psycopg.OperationalError:
                time.sleep(0.05)
        return False

    def close(self) -> None:
        """Stop the server at once and remove its folder, unless it is kept."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)  # PostgreSQL's "fast" shutdown
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.folder and not self.keep:
            shutil.rmtree(self.folder, ignore_errors=True)
