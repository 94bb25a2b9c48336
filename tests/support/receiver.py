"""A real HTTP server on 127.0.0.1 that takes what notices send, as an SMS gateway or a group's robot would."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Receiver:
    """`received`: the JSON bodies in order of arrival. `status`: what it answers from now on."""

    port: int
    status: int = 200
    received: list[dict[str, Any]] = field(default_factory=list)

    def address(self, path: str = "send", query: str = "") -> str:
        """The apprise address that reaches it, such as `receiver.address(query=":phone={to}")`."""
        return f"json://127.0.0.1:{self.port}/{path}" + (f"?{query}" if query else "")

    @property
    def texts(self) -> list[str]:
        return [each["message"] for each in self.received]


@contextmanager
def listening() -> Iterator[Receiver]:
    """A receiver while the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if receiver.status < 300:
                receiver.received.append(json.loads(body))
            self.send_response(receiver.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = Receiver(port=server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
