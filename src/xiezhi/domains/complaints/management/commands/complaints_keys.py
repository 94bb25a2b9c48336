from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from xiezhi.domains.complaints.services.likeness import fill_batch
from xiezhi.foundation.access.actors import SYSTEM


class Command(BaseCommand):
    """Make the keys by which the same matter is found, for cases that have none (brought in before there were any, or from elsewhere)."""

    help = "Make matching keys for complaint cases that have none; again changes nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        """Batch by batch, each saved by itself."""
        after, batches = 0, 0
        while (last := fill_batch(after=after, actor=SYSTEM, at=timezone.now())) is not None:
            after, batches = last, batches + 1
            if options["verbosity"] and batches % 20 == 0:
                self.stdout.write(f"up to case {after}")
        self.stdout.write("done")
