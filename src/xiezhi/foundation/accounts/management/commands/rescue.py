from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from xiezhi.foundation.access.actors import SYSTEM
from xiezhi.foundation.accounts import services
from xiezhi.foundation.accounts.models import User
from xiezhi.foundation.workflow.errors import Refused


class Command(BaseCommand):
    help = "Let somebody in again whom no administrator can help: a temporary password, no lock, no second factor."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", help="login name of an account that exists")
        parser.add_argument("--reason", required=True, help="stays with the account, e.g. 唯一的管理员手机丢失")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"nobody signs in as {options['username']}")
        try:
            password = services.rescue(user=user, reason=options["reason"], actor=SYSTEM, at=timezone.now())
        except Refused as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"Temporary password, valid for a day, shown only here: {password}")
