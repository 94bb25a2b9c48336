from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from xiezhi.config.environment import free_port
from xiezhi.demo.load import DONE, PASSWORD, load_district, load_plans
from xiezhi.demo.plans import quarter_around
from xiezhi.demo.sheets import SUBJECTS
from xiezhi.demo.story import open_the_present, tell_the_past
from xiezhi.foundation.access.models import Membership
from xiezhi.foundation.orgs.models import Organisation

SHOWN = (
    "admin", "registrar", "coordinator", "supervisor",
    "scjg-planner", "scjg-head", "xfjy-head", "wsjk-head", "scjg-inspector",
)  # fmt: skip


class Command(BaseCommand):
    help = "Load the demo district into an empty database and serve it on 127.0.0.1. A second run keeps what is there."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--subjects", type=int, default=SUBJECTS)
        parser.add_argument("--load-only", action="store_true", help="load, print the accounts, do not serve")

    def handle(self, *args: Any, **options: Any) -> None:
        marker = settings.DATA / DONE
        call_command("migrate", interactive=False, verbosity=0)
        if not Organisation.objects.exists():
            self._load(options["subjects"])
            marker.touch()
        elif not marker.exists():
            raise CommandError(
                f"{settings.DATA} holds data that is not a complete demo. Choose another folder (XIEZHI_DATA=…) or empty this one."
            )
        port = free_port(options["port"])
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

    def _welcome(self, port: int) -> None:
        posts = Membership.objects.select_related("user", "organisation").filter(user__username__in=SHOWN)
        by_name = {post.user.username: post for post in posts}
        self.stdout.write(f"\nXiezhi 协治 · http://127.0.0.1:{port}/\nPassword of every demo account: {PASSWORD}\n")
        for username in SHOWN:
            post = by_name.get(username)
            if post:
                self.stdout.write(f"  {username:<16}{post.role_class.label} · {post.organisation}")
        self.stdout.write("\nCtrl-C stops everything; the data stays.\n")
        self.stdout.flush()
