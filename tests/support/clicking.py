"""The same click from two processes at once. Each process, `python -m tests.support.clicking`, takes lines of JSON: `{"login": "scjg.head"}`
makes it that person's browser, `{"path": …, "data": …}` sends a form; it answers each with a line of JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any


class TwoBrowsers:
    """Two processes with sessions of one person on the test's own database, in which it is `clock`."""

    def __init__(self, folder: Path, *, clock: datetime) -> None:
        from tests.support.processes import other_process

        environment, cwd = other_process(folder, clock=clock)
        self.pair = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.support.clicking"],
                cwd=cwd, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
            )
            for _ in range(2)
        ]  # fmt: skip

    def __enter__(self) -> TwoBrowsers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self.pair:
            process.communicate(timeout=60)  # at the end of its input it ends itself

    def click(self, username: str, path: str, **data: Any) -> list[dict[str, Any]]:
        """Send a form as that person from both at the same moment: status, where it leads and what it says, for each."""
        self._both({"login": username})
        return self._both({"path": path, "data": data})

    def _both(self, line: dict[str, Any]) -> list[dict[str, Any]]:
        for process in self.pair:
            assert process.stdin
            process.stdin.write(json.dumps(line) + "\n")
        return [json.loads(process.stdout.readline()) for process in self.pair if process.stdout]


def main() -> None:
    import django

    django.setup()
    from django.contrib.messages import get_messages
    from django.test import Client

    from xiezhi.foundation.accounts.models import User

    client = Client(SERVER_NAME="127.0.0.1")
    for line in sys.stdin:
        order = json.loads(line)
        if username := order.get("login"):
            client = Client(SERVER_NAME="127.0.0.1")
            client.force_login(User.objects.get(username=username))
            answer: dict[str, Any] = {}
        else:
            response = client.post(order["path"], order["data"])
            said = [str(message) for message in get_messages(response.wsgi_request)]
            answer = {"status": response.status_code, "to": response.headers.get("Location", ""), "said": said}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
