"""What only separate processes can show: nobody overdraws together, and a killed writer takes nothing with it.

On PostgreSQL and, as far as one writer at a time goes, on SQLite.
"""

import contextlib
import hashlib
import hmac
import http.client
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support import tables
from tests.support.postgres import Server, free_port

PROOFS = str(Path(__file__).with_name("proofs.py"))
ROOT = Path(__file__).resolve().parents[3]


class World:
    """One migrated database that other processes work in."""

    def __init__(self, folder: Path, address: str | None) -> None:
        self.environment = {
            **{key: value for key, value in os.environ.items() if key != "DATABASE_URL"},
            "DJANGO_SETTINGS_MODULE": "xiezhi.config.settings",
            "XIEZHI_DATA": str(folder),
            "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]),
            **({"DATABASE_URL": address} if address else {}),
        }

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def proof(self, *arguments: str) -> list[Any]:
        return [json.loads(line) for line in self.run(PROOFS, *arguments).splitlines()]

    @contextmanager
    def victim(self) -> Iterator[subprocess.Popen[str]]:
        process = subprocess.Popen(
            [sys.executable, PROOFS, "victim"], env=self.environment, stdout=subprocess.PIPE, text=True
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    @contextmanager
    def web(self) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
        """The web server alone, as `xiezhi serve` starts it, leading a process group of its own; and its port."""
        port = free_port()
        command = ["-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--workers", "2"]
        command += ["--blocking-threads", "4", "--log-level", "warning", "xiezhi.config.wsgi:application"]
        server = subprocess.Popen([sys.executable, *command], env=self.environment, start_new_session=True)
        try:
            give_up = time.monotonic() + 90
            while server.poll() is None and time.monotonic() < give_up:
                with contextlib.suppress(OSError):
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).close()
                    break
                time.sleep(0.1)
            yield server, port
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)
            server.wait()


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("sqlite")
    tables.sqlite_copy(folder / tables.DATABASE)
    return World(folder, None)


@pytest.fixture(scope="module")
def on_postgres(tmp_path_factory: pytest.TempPathFactory, postgres_server: Server) -> Iterator[World]:
    name = f"xiezhi_{secrets.token_hex(4)}"
    yield World(tmp_path_factory.mktemp("postgres"), tables.postgres_copy(postgres_server, name))
    postgres_server.drop(name)


@pytest.mark.postgres
def test_postgres_32_spenders_at_once_never_overdraw_one_card(on_postgres: World, postgres_server: Server) -> None:
    spend_together(on_postgres, 32)


def test_sqlite_6_spenders_at_once_never_overdraw_one_card(on_sqlite: World) -> None:
    spend_together(on_sqlite, 6)


def spend_together(world: World, spenders: int) -> None:
    """Each wants 3 × 70 of a card that holds 1,000: of all that, exactly 14 × 70 can be had."""
    ended, state = world.proof("crowd", str(spenders))
    assert ended == {"codes": [0] * spenders, "accepted": 14}
    assert (state["principal"], state["earned"], state["last"]) == (1_000 - 14 * 70, 14 * 70, 1 + 14)
    assert state["faults"] == []


@pytest.mark.postgres
def test_postgres_a_killed_writer_loses_nothing_accepted(on_postgres: World, postgres_server: Server) -> None:
    kill_a_writer(on_postgres)


def test_sqlite_a_killed_writer_loses_nothing_accepted(on_sqlite: World) -> None:
    kill_a_writer(on_sqlite)


def kill_a_writer(world: World) -> None:
    with world.victim() as process:
        assert process.stdout
        book = json.loads(process.stdout.readline())["book"]
        lines = [process.stdout.readline() for _number in range(60)]
        process.kill()  # SIGKILL, in the middle of its work
        lines += process.stdout.read().splitlines(keepends=True)
    told = [json.loads(line) for line in lines if line.endswith("\n")]
    (state,) = world.proof("state", str(book))
    assert all(state["keys"][key] == operation for operation, key in told)
    spent = len(state["keys"]) - 1  # without the purchase
    assert len(told) <= spent <= len(told) + 2  # committed, but killed before it could tell
    assert state["principal"] == 10**9 - spent
    assert state["faults"] == []


def test_a_killed_web_server_loses_nothing_it_answered(on_sqlite: World) -> None:
    """Killed (SIGKILL, the parent and its workers) while tills post: what was answered stands, and nothing is booked but what was asked."""
    (till,) = on_sqlite.proof("till")
    answered: list[tuple[str, int]] = []
    with on_sqlite.web() as (server, port):

        def post(name: str) -> None:
            for number in range(10**6):
                if (operation := redeem_one(till, port, f"{name}-{number}")) is None:
                    return
                answered.append((f"{name}-{number}", operation))

        tills = [threading.Thread(target=post, args=(name,)) for name in "abc"]
        for each in tills:
            each.start()
        while len(answered) < 40 and any(each.is_alive() for each in tills):
            time.sleep(0.005)
        os.killpg(server.pid, signal.SIGKILL)
        for each in tills:
            each.join()
    (state,) = on_sqlite.proof("state", str(till["book"]))
    assert len(answered) >= 40
    assert all(state["keys"][key] == operation for key, operation in answered)
    spent = len(state["keys"]) - 1  # without the sale
    assert len(answered) <= spent <= len(answered) + len(tills)  # committed, but killed before it could answer
    assert state["principal"] == 500_000 - spent
    assert state["faults"] == []


def redeem_one(till: dict[str, Any], port: int, key: str) -> int | None:
    """Spend one fen as a till would; the operation's number, or None when the server is gone. Any other answer fails."""
    path, body, moment = (
        f"/api/prepaid/v1/cards/{till['card']}/redemptions",
        b'{"amount_fen": 1}',
        str(int(time.time())),
    )
    digest = hashlib.sha256(body).hexdigest()
    signed = hmac.new(till["secret"].encode(), f"POST\n{path}\n{moment}\n{digest}".encode(), "sha256").hexdigest()
    headers = {"X-Key": till["key"], "X-Time": moment, "X-Signature": signed, "Idempotency-Key": key}
    headers["Content-Type"] = "application/json"
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return int(json.load(answer)["operation"])
    except urllib.error.HTTPError:
        raise
    except (OSError, http.client.HTTPException, ValueError):
        return None


@pytest.mark.postgres
def test_postgres_verify_finds_one_altered_row(on_postgres: World, postgres_server: Server) -> None:
    alter_rows(on_postgres)


def test_sqlite_verify_finds_one_altered_row(on_sqlite: World) -> None:
    alter_rows(on_sqlite)


def alter_rows(world: World) -> None:
    told = world.proof("tamper")
    assert [what for what, _faults in told[::2]] == ["amount", "at", "key", "removed", "total", "day", "tail"]
    assert all(each == ["mended", []] for each in told[1::2])
    found = {what: faults[0] for what, faults in told[::2]}
    for what in ("amount", "at", "key"):
        assert "entry 9: does not match its digest" in found[what]
    assert "entry 10: does not match its digest" in found["removed"]
    assert "is not the sum of its entries" in found["total"]
    assert "the totals of" in found["day"]
    assert "does not end with its last entry" in found["tail"]
    assert "every digest and every balance agrees" in world.run("-m", "xiezhi", "ledger", "verify")
