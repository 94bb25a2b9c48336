import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import connection
from django.utils import timezone

from xiezhi.foundation.jobs import periodic


class Command(BaseCommand):
    help = "Do the periodic work: seal the audit, deliver events, remind and escalate, reclaim dead jobs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="one round, then stop (for cron)")

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        if not options["once"]:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: stop.set())
        aside = None if options["once"] else periodic.Aside()
        while True:
            periodic.run_due(at=timezone.now(), aside=aside)
            if options["once"] or stop.wait(1):
                break
        connection.close()
