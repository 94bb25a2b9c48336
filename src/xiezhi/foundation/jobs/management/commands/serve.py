import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection

from xiezhi.foundation.jobs import watch

RESTART_PAUSE_SECONDS = 2
STOP_WITHIN_SECONDS = 10
"""How long web, worker and ticker may take to finish what they are doing when asked to stop."""


class Command(BaseCommand):
    help = "Web, worker and ticker under one parent, so that nothing enqueued stays pending."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--workers", type=int, default=2, help="web worker processes")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 0 < options["port"] < 65536:
            raise CommandError("--port: a number from 1 to 65535")
        self._see_to_the_database()
        environment = {
            **os.environ,
            "XIEZHI_COLLECTED": "1",
            "XIEZHI_DATA": str(settings.DATA),
            "PROMETHEUS_MULTIPROC_DIR": str(self._empty_folder(settings.DATA / "run" / "metrics")),
        }
        # In a process of its own, which keeps the files under hashed names; this one was started without.
        collect = [sys.executable, "-m", "xiezhi", "collectstatic", "--noinput", "--verbosity", "0"]
        if subprocess.run(collect, env=environment, check=False).returncode:
            raise CommandError("the files for the browser could not be collected; the lines above say why")
        Supervisor(self._commands(options), environment).run()

    def _see_to_the_database(self) -> None:
        """Make the tables of an empty database; refuse one of another version, which a person brings up after a backup."""
        from xiezhi.foundation.keeping.database import store
        from xiezhi.foundation.keeping.proofs import unapplied_migrations

        try:
            if not (waiting := unapplied_migrations()):
                return
            if not store().is_empty():
                raise CommandError(
                    f"the database is not of this version ({len(waiting)} migrations wait, the first is {waiting[0]}). "
                    "Make a backup, run `xiezhi migrate`, then start again."
                )
        except DatabaseError as error:
            raise CommandError(f"the database does not answer: {error}") from None
        self.stdout.write("the database is empty; making its tables")
        connection.close()
        # In a process of its own: this parent lives long and keeps what it once loaded.
        if subprocess.run([sys.executable, "-m", "xiezhi", "migrate", "--verbosity", "0"], check=False).returncode:
            raise CommandError("the tables could not be made; the lines above say why")

    @staticmethod
    def _empty_folder(folder: Path) -> Path:
        """Where the web processes of one start keep their counts together."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    @staticmethod
    def _commands(options: dict[str, Any]) -> dict[str, list[str]]:
        python, xiezhi = sys.executable, [sys.executable, "-m", "xiezhi"]
        return {
            "web": [
                python, "-m", "granian", "--interface", "wsgi", "--host", options["host"], "--port", str(options["port"]),
                "--workers", str(options["workers"]), "--blocking-threads", "4", "--no-ws", "--log-level", "warning",
                "--workers-kill-timeout", str(STOP_WITHIN_SECONDS // 2),
                "xiezhi.config.wsgi:application",
            ],
            "worker": [*xiezhi, "work", "--interval", "0.5"],
            "ticker": [*xiezhi, "tick"],
        }  # fmt: skip


class Supervisor:
    """Starts the children, restarts one that dies, and stops all when asked.

    Each child leads a process group of its own: Ctrl-C reaches this parent alone, which asks each child once, and what a child
    started itself cannot outlive it. Should this parent be killed, `jobs.watch` ends them.
    """

    def __init__(self, commands: dict[str, list[str]], environment: dict[str, str]) -> None:
        self.commands, self.environment = commands, environment
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self.stopping = False

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        self._watcher = subprocess.Popen(
            [sys.executable, "-I", "-S", watch.__file__, str(STOP_WITHIN_SECONDS)],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, start_new_session=True,
        )  # fmt: skip
        try:
            for name in self.commands:
                self._start(name)
            while not self.stopping:
                time.sleep(0.5)
                for name, child in list(self.children.items()):
                    if child.poll() is not None and not self.stopping:
                        print(f"{name} ended with {child.returncode}; starting it again", file=sys.stderr)
                        time.sleep(RESTART_PAUSE_SECONDS)
                        self._start(name)
        finally:
            self._end_children()
            self._tell_watcher(".")
            if self._watcher.stdin:
                self._watcher.stdin.close()
            self._watcher.wait(timeout=STOP_WITHIN_SECONDS)

    def _start(self, name: str) -> None:
        self.children[name] = subprocess.Popen(
            self.commands[name], env=self.environment, stdin=subprocess.DEVNULL, process_group=0
        )
        self._tell_watcher(f"{name} {self.children[name].pid}")

    def _tell_watcher(self, line: str) -> None:
        if self._watcher.stdin:
            with contextlib.suppress(BrokenPipeError):  # somebody ended the watcher: serve goes on without it
                self._watcher.stdin.write(line + "\n")
                self._watcher.stdin.flush()

    def _stop(self, *_: object) -> None:
        self.stopping = True

    def _end_children(self) -> None:
        for child in self.children.values():
            if child.poll() is None:
                child.terminate()
        give_up = time.monotonic() + STOP_WITHIN_SECONDS
        for child in self.children.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(timeout=max(0, give_up - time.monotonic()))
            with contextlib.suppress(ProcessLookupError):  # nobody is left of the group, as it should be
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
