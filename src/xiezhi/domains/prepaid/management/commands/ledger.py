from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from xiezhi.domains.prepaid.queries.verification import verify_books


class Command(BaseCommand):
    help = "Prove the prepaid ledger: recompute every digest, sequence and balance; name what does not agree."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["verify"])

    def handle(self, *args: Any, **options: Any) -> None:
        report = verify_books()
        if report.faults:
            raise CommandError("the ledger does not agree:\n" + "\n".join(str(fault) for fault in report.faults))
        self.stdout.write(f"{report.books} books, {report.entries} entries: every digest and every balance agrees")
