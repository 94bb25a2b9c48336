"""A real IMAP server on 127.0.0.1 (pymap, in memory), as a bureau's mail box would be."""

from __future__ import annotations

import imaplib
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from tests.support.postgres import free_port

USER, PASSWORD = "desk@example.cn", "mail-Demo-2026"
READY_WITHIN_SECONDS = 30


@dataclass
class Box:
    """`told`: what settings.COMPLAINTS_INBOX says of it."""

    port: int

    @property
    def told(self) -> dict[str, Any]:
        return {
            "tls": False,
            "host": "127.0.0.1",
            "port": self.port,
            "user": USER,
            "password": PASSWORD,
            "folder": "INBOX",
        }

    @contextmanager
    def opened(self) -> Iterator[imaplib.IMAP4]:
        with imaplib.IMAP4("127.0.0.1", self.port, timeout=5) as client:
            client.login(USER, PASSWORD)
            client.select("INBOX")
            yield client

    def put(self, *mails: bytes) -> None:
        """Let mails arrive."""
        with self.opened() as client:
            for raw in mails:
                client.append("INBOX", "", "", raw)

    def unread(self) -> list[bytes]:
        """Numbers of the mails that nobody has read."""
        with self.opened() as client:
            found: list[bytes] = client.uid("SEARCH", "UNSEEN")[1][0].split()
            return found


@contextmanager
def mail_box() -> Iterator[Box]:
    """An empty box while the block lasts."""
    box = Box(free_port())
    told = ["--host", "127.0.0.1", "--port", str(box.port), "--no-tls"]
    who = ["dict", "--demo-user", USER, "--demo-password", PASSWORD]
    start = "from pymap.main import main; main()"
    server = subprocess.Popen(
        [sys.executable, "-c", start, *told, *who], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        give_up = time.monotonic() + READY_WITHIN_SECONDS
        while time.monotonic() < give_up and server.poll() is None:
            with suppress(OSError, imaplib.IMAP4.error), box.opened():
                break
            time.sleep(0.05)
        else:
            raise RuntimeError("the mail server did not start")
        yield box
    finally:
        server.terminate()
        server.wait(timeout=10)
