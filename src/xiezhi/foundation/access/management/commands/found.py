import getpass
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from xiezhi.foundation.access.services import found_district
from xiezhi.foundation.audit import signing
from xiezhi.foundation.workflow.errors import Refused


class Command(BaseCommand):
    help = "Begin an installation of your own: the district and its first administrator (asks for the password)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--district", required=True, help="name of the district, e.g. 示例区")
        parser.add_argument("--code", required=True, help="its division code, six digits")
        parser.add_argument("--administrator", default="admin", help="login name of the first administrator")

    def handle(self, *args: Any, **options: Any) -> None:
        password = getpass.getpass("Password for the administrator (at least 10 characters): ")
        try:
            validate_password(password)
            found_district(
                code=options["code"],
                name=options["district"],
                administrator=options["administrator"],
                display_name=options["administrator"],
                password=password,
                at=timezone.now(),
            )
        except (ValidationError, Refused) as error:
            raise CommandError(str(error)) from None
        signing.make_key()  # signs the audit's daily head
        self.stdout.write(f"{options['district']} is ready; sign in as {options['administrator']}.")
