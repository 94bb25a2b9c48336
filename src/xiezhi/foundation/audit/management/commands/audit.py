from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from xiezhi.foundation.audit import exporting, signing
from xiezhi.foundation.audit.services import sign_head
from xiezhi.foundation.audit.verifying import ChainReport, verify_chain


class Command(BaseCommand):
    help = "Prove the audit chain, sign where it stands, and hand it to outsiders."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "action",
            choices=["verify", "sign", "export", "public-key", "new-key"],
            help="verify: recompute every hash, check every signed head, name the unsealed tail; sign: today's head now; "
            "export: the chain as JSON lines; public-key: the key that heads are signed with; new-key: begin a new one",
        )
        parser.add_argument("--out", type=Path, help="export: the file to write (it must not exist)")
        parser.add_argument("--heads", type=Path, help="verify: a copy of heads.jsonl kept elsewhere")
        parser.add_argument("--key", type=Path, action="append", default=[], help="verify: public key kept elsewhere")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, options["action"].replace("-", "_"))(options)
        except (signing.KeyTrouble, OSError) as trouble:
            raise CommandError(str(trouble)) from None

    def verify(self, options: dict[str, Any]) -> None:
        if options["heads"] and not options["heads"].exists():
            raise CommandError(f"{options['heads']} is not there")
        report = verify_chain(heads_file=options["heads"], public_keys=options["key"])
        if report.fault:
            raise CommandError(f"the chain is broken: {report.fault}")
        self.stdout.write(in_words(report))

    def sign(self, options: dict[str, Any]) -> None:
        head = sign_head(at=timezone.now())
        self.stdout.write(
            f"signed: {head.on}, sequence {head.sequence}" if head else "nothing to sign: no seal yet, or done today"
        )

    def export(self, options: dict[str, Any]) -> None:
        if not options["out"]:
            raise CommandError("say where: xiezhi audit export --out FILE")
        with options["out"].open("x", encoding="utf-8") as file:
            count = sum(bool(file.write(line)) for line in exporting.chain_lines())
        self.stdout.write(f"{count} sealed entries written to {options['out']}")

    def public_key(self, options: dict[str, Any]) -> None:
        key = signing.private_key().public_key()
        self.stdout.write(signing.folder().joinpath(f"public-{signing.key_id(key)}.pem").read_text().strip())

    def new_key(self, options: dict[str, Any]) -> None:
        old = signing.set_aside()
        key = signing.make_key()
        self.stdout.write(f"heads are signed with key {signing.key_id(key.public_key())} from now on")
        if old:
            self.stdout.write(f"the old one lies in {old}; its public half stays, so old heads go on verifying")


def in_words(report: ChainReport) -> str:
    """The report of a whole chain in a few lines."""
    made_by = ", ".join(f"{count} with {algorithm}" for algorithm, count in report.algorithms)
    tail = report.tail
    unsealed = f"{tail.count} not yet sealed"
    if tail.count:
        unsealed += f": entries {tail.first} to {tail.last}, since {timezone.localtime(tail.since):%Y-%m-%d %H:%M:%S}"
    signed = f"{report.heads} signed heads, the last of {report.last_signed}" if report.heads else "no signed head yet"
    return f"{report.sealed} sealed entries{f' ({made_by})' if made_by else ''}, head {report.head[:16]}\n{unsealed}\n{signed}"
