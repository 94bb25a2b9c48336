from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from xiezhi.foundation.audit.services import verify_chain


class Command(BaseCommand):
    help = "Prove the audit chain: recompute every hash and name the unsealed tail."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["verify"])

    def handle(self, *args: Any, **options: Any) -> None:
        report = verify_chain()
        if report.fault:
            raise CommandError(f"the chain is broken: {report.fault}")
        self.stdout.write(f"{report.sealed} sealed entries, head {report.head[:16]}, {report.unsealed} not yet sealed")
