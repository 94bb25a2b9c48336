from typing import Any

from django.core.management.base import BaseCommand, CommandError

from xiezhi.foundation.keeping.proofs import run_proofs


class Command(BaseCommand):
    help = (
        "Prove that what is kept is whole: database, uploads, audit chain, ledger. After a restore, and now and then."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        faulty = []
        for name, outcome in run_proofs():
            self.stdout.write(f"{'FAULT' if outcome.faults else 'ok':<6}{name:<10}{outcome.said}")
            for fault in outcome.faults:
                self.stdout.write(f"      {fault}")
            faulty += [name] if outcome.faults else []
        if faulty:
            raise CommandError(f"not whole: {', '.join(faulty)}")
