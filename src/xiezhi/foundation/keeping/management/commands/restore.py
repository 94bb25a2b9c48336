import subprocess
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from xiezhi import __version__
from xiezhi.foundation.keeping.backups import restore_backup
from xiezhi.foundation.keeping.keys import key_check, secret_in_force
from xiezhi.foundation.keeping.management.commands.backup import ask_passphrase
from xiezhi.foundation.keeping.trouble import Trouble


class Command(BaseCommand):
    help = "Put a backup into an empty data folder and database, bring it up to this version, and verify it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument(
            "--passphrase-file", type=Path, help="whose first line opens the sealed keys; asked for unless given"
        )
        parser.add_argument(
            "--without-keys", action="store_true", help="do not open the sealed keys; keep those that are here"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        def passphrase() -> str | None:
            return None if options["without_keys"] else ask_passphrase(options["passphrase_file"])

        try:
            about = restore_backup(options["file"], passphrase=passphrase)
        except Trouble as trouble:
            raise CommandError(str(trouble)) from None
        rows = sum(about["rows"].values())
        self.stdout.write(
            f"restored {rows:,} rows in {len(about['rows'])} tables and {about['uploads']:,} uploads: each row count agrees"
        )
        self.stdout.flush()
        # In processes of their own: this one began with another secret key and an empty database.
        self._next("migrate", "--verbosity", "0", told=f"brought from {about['version']} to {__version__}")
        self._warn_of_another_key(about["keys"]["secret_check"])
        self._next("verify")

    def _next(self, *command: str, told: str = "") -> None:
        if subprocess.run([sys.executable, "-m", "xiezhi", *command], check=False).returncode:
            raise CommandError(
                f"the backup was restored, but `xiezhi {command[0]}` found something; its lines above say what"
            )
        if told:
            self.stdout.write(told)
            self.stdout.flush()

    def _warn_of_another_key(self, check: str) -> None:
        if key_check(secret_in_force(settings.DATA)) != check:
            self.stderr.write(
                "The secret key here is not the one that the backup was made with: second factors and tills' keys will not work, "
                "and people must sign in again. Put the old key into XIEZHI_SECRET_KEY, or restore with the sealed keys."
            )
