from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from xiezhi.foundation.keeping.doctor import Level, examine


class Command(BaseCommand):
    help = "Look at this installation line by line and say how to mend what is not well. Changes nothing; status 1 if something fails."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        failed = []
        for finding in examine(at=timezone.now()):
            self.stdout.write(f"{finding.level:<6}{finding.subject:<13}{finding.said}")
            if finding.mend:
                self.stdout.write(f"{'':<19}→ {finding.mend}")
            failed += [finding.subject] if finding.level is Level.FAIL else []
        if failed:
            raise CommandError(f"not well: {', '.join(failed)}")
