import os
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.utils import timezone

from xiezhi.config.environment import free_port
from xiezhi.demo.complaints import load_complaints, read_what_is_old
from xiezhi.demo.load import PASSWORD, is_complete, load_district, load_plans, remember_complete
from xiezhi.demo.plans import quarter_around
from xiezhi.demo.prepaid import load_prepaid
from xiezhi.demo.sheets import SUBJECTS
from xiezhi.demo.story import open_the_present, tell_the_past
from xiezhi.foundation.access.models import Membership
from xiezhi.foundation.orgs.models import Organisation

SHOWN = (
    "admin", "registrar", "coordinator", "supervisor",
    "scjg-planner", "scjg-head", "xfjy-head", "wsjk-head", "scjg-inspector",
    "dispatcher", "scjg-officer", "mall",
    "scjg-funds", "gym", "laundry", "bank",
)  # fmt: skip


class Command(BaseCommand):
    help = "Load the demo district into an empty database and serve it on 127.0.0.1. A second run keeps what is there."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--subjects", type=int, default=SUBJECTS)
        parser.add_argument("--load-only", action="store_true", help="load, print the accounts, do not serve")

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        if not Organisation.objects.exists():
            self._load(options["subjects"])
        elif not is_complete():
            raise CommandError(self._not_a_demo())
        port = free_port(options["port"])
        os.environ.setdefault(
            "XIEZHI_SECOND_FACTOR", "nobody"
        )  # for what `serve` starts: a visitor brings no telephone
        self._welcome(port)
        if not options["load_only"]:
            call_command("serve", port=port)

    def _load(self, subjects: int) -> None:
        def say(text: str) -> None:
            self.stdout.write(f"  {text} …")
            self.stdout.flush()

        self.stdout.write("Loading the demo district (once):")
        quarter = quarter_around(timezone.localdate())
        folder = settings.DATA / "demo-files"
        people = load_district(folder, quarter, count=subjects, say=say)
        load_plans(folder, people, quarter, say=say)
        tell_the_past(people, quarter, say=say)
        open_the_present(people, quarter, say=say)
        load_complaints(people, quarter, say=say)
        load_prepaid(people, quarter, say=say)
        read_what_is_old(people, quarter)
        remember_complete(people, at=timezone.now())

    @staticmethod
    def _not_a_demo() -> str:
        name = connection.settings_dict["NAME"]
        if connection.vendor == "sqlite":
            mend = f"delete {name} and run this again, or name another folder: XIEZHI_DATA=/another/folder make demo"
        else:
            mend = f"drop and create the database {name} and run this again, or name another one in DATABASE_URL"
        return (
            "This database holds a district that is not a complete demo: either loading was stopped before its end, "
            f"or it is somebody's own. Nothing was changed. If it may go: {mend}."
        )

    def _welcome(self, port: int) -> None:
        posts = Membership.objects.select_related("user", "organisation").filter(user__username__in=SHOWN)
        by_name = {post.user.username: post for post in posts}
        self.stdout.write(f"\nXiezhi 协治 · http://127.0.0.1:{port}/\nPassword of every demo account: {PASSWORD}\n")
        for username in SHOWN:
            post = by_name.get(username)
            if post:
                self.stdout.write(f"  {username:<16}{post.role_class.label} · {post.organisation}")
        if os.environ["XIEZHI_SECOND_FACTOR"] == "nobody":
            self.stdout.write(
                "No second factor is asked of the administrator here; XIEZHI_SECOND_FACTOR=administrators asks.\n"
            )
        self.stdout.write("\nCtrl-C stops everything; the data stays.\n")
        self.stdout.flush()
