import os
import socket
from typing import Any

from django_tasks_db.management.commands import db_worker

from xiezhi.foundation.keeping.health import WORKER
from xiezhi.foundation.keeping.services import beating


class Command(db_worker.Command):
    help = "Do background jobs, with a sign of life that `/readyz` and `xiezhi doctor` look for."

    def handle(self, **options: Any) -> None:
        with beating(f"{WORKER} {socket.gethostname()[:20]}:{os.getpid()}"):
            super().handle(**options)
