"""`xiezhi inbox`: ask the desk's mail box now, or take in mails that lie in files (.eml)."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from xiezhi.domains.complaints.services import inbox


class Command(BaseCommand):
    help = "Take in the unread mails of XIEZHI_COMPLAINTS_IMAP, or the given .eml files, as leads."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="a mail as a file (.eml)")

    def handle(self, *args: Any, files: list[Path], **options: Any) -> None:
        now = timezone.now()
        if not files and not settings.COMPLAINTS_INBOX:
            raise CommandError("no mail box: set XIEZHI_COMPLAINTS_IMAP, or name .eml files")
        for path in files:
            if not path.is_file():
                raise CommandError(f"{path}: no such file")
        for path in files:
            mail = inbox.take_letter(raw=path.read_bytes(), at=now)
            self.stdout.write(f"{path.name}: {mail.get_status_display()} {mail.case or ''} {mail.reason}".rstrip())
        if not files:
            self.stdout.write(f"{inbox.poll_inbox(at=now)} mails taken in")
        inbox.answer_letters(at=timezone.now())
