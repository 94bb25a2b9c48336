from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation

from xiezhi.foundation.access.roles import roles
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.privacy.docs import personal_data_markdown
from xiezhi.foundation.rules.docs import rules_markdown
from xiezhi.foundation.workflow.tables import Workflow, mermaid

MADE_BY = "<!-- Made by `xiezhi generate-docs`; change the code, then run it again. -->\n"


class Command(BaseCommand):
    help = "Write the reference pages that follow from the code: states, rules, roles. --check only compares."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--folder", type=Path, default=Path("docs/reference"))
        parser.add_argument("--check", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        with translation.override("zh-hans"):
            pages = {"states.md": states_page(), "rules.md": rules_markdown(), "roles.md": roles_page()}
            pages["personal-data.md"] = personal_data_markdown()
        stale = []
        for name, text in pages.items():
            path = options["folder"] / name
            content = MADE_BY + text.rstrip() + "\n"
            if path.exists() and path.read_text(encoding="utf-8") == content:
                continue
            stale.append(str(path))
            if not options["check"]:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content, encoding="utf-8")
        if options["check"] and stale:
            raise CommandError(f"not up to date: {', '.join(stale)} (run `xiezhi generate-docs`)")
        self.stdout.write("up to date" if not stale else f"written: {', '.join(stale)}")


def workflows() -> Iterator[Workflow]:
    """Every transition table of the product: the Workflow objects in each app's `workflow` module, in order of key."""
    found: dict[str, Workflow] = {}
    for app in apps.get_app_configs():
        name = f"{app.name}.workflow"
        if not app.name.startswith("xiezhi.") or find_spec(name) is None:
            continue
        for value in vars(import_module(name)).values():
            if isinstance(value, Workflow):
                found[value.key] = value
    yield from (found[key] for key in sorted(found))


def states_page() -> str:
    """Every workflow as a Mermaid diagram with its table: move, from, to, who, what it asks for."""
    parts = ["# States 状态流转\n"]
    for workflow in workflows():
        parts += [f"## {workflow.title} `{workflow.key}`\n", "```mermaid", mermaid(workflow), "```\n"]
        parts += ["| Move | From | To | Who | Reason |", "| --- | --- | --- | --- | --- |"]
        for move in workflow.transitions:
            sources = "、".join(
                str(workflow.states(each).label) for each in workflow.states.values if each in move.sources
            )
            who = " / ".join(filter(None, [move.permission, "system" if move.by_system else ""]))
            target = workflow.states(move.target).label
            reason = "yes" if move.needs_reason else ""
            parts.append(f"| {move.label} `{move.name}` | {sources} | {target} | {who} | {reason} |")
        parts.append("")
    return "\n".join(parts)


def roles_page() -> str:
    """Every role: where it can be held and what it may do."""
    parts = ["# Roles 岗位\n"]
    for role in roles().values():
        kinds = "、".join(sorted(str(Organisation.Kind(kind).label) for kind in role.organisation_kinds))
        sees = "全区" if role.district_wide else "本部门"
        parts += [f"## {role.label} `{role.key}`\n", f"{role.description}\n", f"- 设在：{kinds}；可见范围：{sees}"]
        parts += [f"- `{permission}`" for permission in sorted(role.permissions)]
        parts.append("")
    return "\n".join(parts)
