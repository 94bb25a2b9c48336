from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.foundation.access.actors import SYSTEM
from xiezhi.foundation.jobs.services import enqueue
from xiezhi.foundation.privacy import keyring, services
from xiezhi.foundation.privacy.tasks import RESEAL


class Command(BaseCommand):
    help = "The keys of personal data: how much lies under each (status), a new one (rotate), those no longer needed away (retire)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("act", choices=("status", "rotate", "retire"))
        parser.add_argument(
            "--reseal", action="store_true", help="with rotate: no new key, only seal everything under the newest"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, f"_{options['act']}")(options)
        except ImproperlyConfigured as trouble:
            raise CommandError(str(trouble)) from None

    def _status(self, _options: dict[str, Any]) -> None:
        counts = services.rows_by_key()
        for name in keyring.ring().keys:
            self.stdout.write(f"{name}: {counts.pop(name, 0)}{' (seals now)' if name == keyring.ring().newest else ''}")
        for name, count in counts.items():
            self.stdout.write(f"{name or 'the secret key'}: {count}{' — THIS KEY IS MISSING' if name else ''}")

    def _rotate(self, options: dict[str, Any]) -> None:
        name = keyring.ring().newest if options["reseal"] else keyring.add_key()
        with transaction.atomic():
            job = enqueue(RESEAL, title=_("个人信息换用新密钥"), actor=SYSTEM, at=timezone.now())
        self.stdout.write(
            f"{name} seals from now on. Task {job.pk} seals the rest anew; when it is done, and tomorrow at the earliest, run "
            "`xiezhi keys retire`. Make a backup now: an older one holds no such key."
        )

    def _retire(self, _options: dict[str, Any]) -> None:
        gone = services.retire_keys()
        self.stdout.write(f"forgotten: {', '.join(gone)}" if gone else "nothing to forget: every older key is in use")
