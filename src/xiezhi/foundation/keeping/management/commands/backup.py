import sys
from getpass import getpass
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from xiezhi.foundation.keeping.backups import examine, make_backup
from xiezhi.foundation.keeping.trouble import Trouble


class Command(BaseCommand):
    help = (
        "Write database, uploads and sealed keys into one file and read it back (`xiezhi backup OUT.tar.gz`, or a folder), "
        "or prove such a file (`xiezhi backup verify FILE`)."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "words", nargs="+", metavar="OUT | verify FILE", help="a file ending in .tar.gz or .tar, or a folder"
        )
        parser.add_argument(
            "--passphrase-file", type=Path, help="whose first line opens the sealed keys; asked for unless given"
        )
        parser.add_argument(
            "--without-keys", action="store_true", help="leave the keys out, because they are kept elsewhere"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        words: list[str] = options["words"]
        try:
            if words[0] == "verify" and len(words) == 2:
                self._verify(Path(words[1]))
            elif len(words) == 1:
                self._make(Path(words[0]), options)
            else:
                raise CommandError("say `xiezhi backup OUT.tar.gz` or `xiezhi backup verify FILE`")
        except Trouble as trouble:
            raise CommandError(str(trouble)) from None

    def _make(self, target: Path, options: dict[str, Any]) -> None:
        passphrase = None if options["without_keys"] else ask_passphrase(options["passphrase_file"], twice=True)
        made = make_backup(target, passphrase=passphrase, at=timezone.localtime())
        examine(made.path)  # a backup that nobody has read back is a hope
        sealed = (
            f"{len(made.keys)} sealed key files" if made.keys else "no keys: keep those of the data folder elsewhere"
        )
        self.stdout.write(
            f"{made.path}: {made.bytes / 1e6:,.1f} MB, {made.rows:,} rows, {made.files:,} uploads, {sealed}; read back and proved"
        )

    def _verify(self, path: Path) -> None:
        about = examine(path)
        rows = sum(about["rows"].values())
        self.stdout.write(
            f"{path} is whole: Xiezhi {about['version']}, {about['database']['kind']}, made {about['made_at']}, "
            f"{rows:,} rows, {about['uploads']:,} uploads, {len(about['keys']['sealed'])} sealed key files"
        )


def ask_passphrase(file: Path | None, *, twice: bool = False) -> str:
    """The passphrase from the first line of `file`, else from whoever sits at the terminal. Raises Trouble."""
    if file is not None:
        try:
            return file.read_text("utf-8").splitlines()[0].strip()
        except (OSError, IndexError) as error:
            raise Trouble(f"No passphrase could be read from {file} ({error}).") from None
    try:
        passphrase = getpass("Passphrase for the keys in the backup: ")
        if twice and sys.stdin.isatty() and getpass("The same again: ") != passphrase:
            raise Trouble("The two are not the same. Nothing was written.")
    except EOFError:
        raise Trouble(
            "Nobody is there to ask for a passphrase: name --passphrase-file, or say --without-keys."
        ) from None
    return passphrase
