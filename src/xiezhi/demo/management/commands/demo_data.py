from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from xiezhi.demo.plans import quarter_around
from xiezhi.demo.sheets import SEED, SUBJECTS, write_demo_files


class Command(BaseCommand):
    help = "Write the demo district's sheets (subjects, catalogue, one plan per department) into a folder."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument(
            "--today", type=date.fromisoformat, help="the day the plans are made around (default: today)"
        )
        parser.add_argument("--subjects", type=int, default=SUBJECTS, help=f"how many firms, 1 to 9999 ({SUBJECTS})")
        parser.add_argument("--seed", type=int, default=SEED)

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["subjects"] <= 9_999:
            raise CommandError("--subjects: from 1 to 9999")
        quarter = quarter_around(options["today"] or timezone.localdate())
        for path in write_demo_files(options["folder"], quarter, count=options["subjects"], seed=options["seed"]):
            self.stdout.write(str(path))
