"""Only services write, and every act that others may call says who acts and when."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.apps import apps

from tests.architecture.orm_writes import writes

ROOT = Path(__file__).resolve().parents[2] / "src" / "xiezhi"
SERVICES_THEMSELVES = {
    "foundation/accounts/models.py": "Django asks a user manager for create_user; access.services calls it",
    "foundation/imports/running.py": "the worker's half of imports.services: staged rows and their result",
    "foundation/jobs/handlers.py": "a running job's own progress and heartbeat, written beside the work's transaction",
    "foundation/privacy/migrating.py": "the sealing half of migrations, which have no actor",
    "foundation/jobs/periodic.py": "the ticker's compare-and-set of when a duty ran last",
}
"""Files outside `services` that write, and why they are part of a service all the same."""
NOT_ROWS = {
    "domains/complaints/queries/likeness.py": "one SELECT of parts that Django's union cannot limit on SQLite",
    "foundation/files/sheets/sheetxml.py": "`rows` are a worksheet's there",
    "foundation/keeping/database.py": "copies the database in a transaction that may only read; restores it as a whole",
}
WITHOUT_ACTOR = {
    "xiezhi.domains.inspections.services.codes.load_result_codes": "brings published codes into an empty database; nobody acts",
    "xiezhi.domains.complaints.services.lists.load_published_lists": "brings published lists into an empty database; nobody acts",
    "xiezhi.domains.complaints.services.supervising.climb_ladders": "the ticker's",
    "xiezhi.domains.complaints.services.clocks.recompute_clocks": "the ticker's",
    "xiezhi.domains.complaints.services.handoffs.tell_waiting_again": "the ticker's",
    "xiezhi.domains.complaints.services.callbacks.close_uncalled": "the ticker's",
    "xiezhi.domains.complaints.services.tallies.recount_marked": "the ticker's",
    "xiezhi.domains.complaints.services.tallies.recount_all": "writes derived rows again; nothing is decided",
    "xiezhi.domains.complaints.services.publishing.publish_due": "the ticker's",
    "xiezhi.domains.complaints.services.rates.tell_subject_rates": "the ticker's",
    "xiezhi.domains.complaints.services.client_keys.authenticate": "finds out who asks",
    "xiezhi.domains.complaints.services.inbox.ask_box": "the ticker's; a mail has no actor of ours",
    "xiezhi.domains.complaints.services.inbox.poll_inbox": "the ticker's; a mail has no actor of ours",
    "xiezhi.domains.complaints.services.inbox.take_letter": "the ticker's; a mail has no actor of ours",
    "xiezhi.domains.complaints.services.inbox.answer_letters": "the ticker's; a mail has no actor of ours",
    "xiezhi.domains.complaints.services.public.receive_sent": "the public's: whoever sends or follows a case has no post",
    "xiezhi.domains.complaints.services.public.token_of": "the public's: whoever sends or follows a case has no post",
    "xiezhi.domains.complaints.services.public.save_draft": "the public's: whoever sends or follows a case has no post",
    "xiezhi.domains.complaints.services.public.add_photos": "the public's: whoever sends or follows a case has no post",
    "xiezhi.domains.complaints.services.public.drop_photo": "the public's: whoever sends or follows a case has no post",
    "xiezhi.domains.complaints.services.public.send_draft": "the public's: whoever sends or follows a case has no post",
    "xiezhi.domains.complaints.services.public.add_words": "the public's: whoever sends or follows a case has no post",
    "xiezhi.domains.complaints.services.public.withdraw": "the public's: whoever sends or follows a case has no post",
    "xiezhi.domains.complaints.services.public.forget_drafts": "the ticker's",
    "xiezhi.domains.complaints.services.handoffs.handoff_taken": "hears what another room did, which names its actor",
    "xiezhi.domains.complaints.services.topics.find_topics": "the ticker's",
    "xiezhi.domains.complaints.services.topics.tell_topics_again": "the ticker's",
    "xiezhi.domains.complaints.services.topics.topic_taken": "hears what another room did, which names its actor",
    "xiezhi.foundation.calendar.services.load_published_years": "brings published holidays into an empty database; nobody acts",
    "xiezhi.foundation.rules.services.load_declared_rules": "brings declared rules into the database; nobody acts",
    "xiezhi.foundation.audit.services.seal_entries": "the ticker's; seals what others did, and a seal has no moment of its own",
    "xiezhi.foundation.audit.services.sign_head": "the ticker's",
    "xiezhi.foundation.privacy.services.erase_expired": "the ticker's",
    "xiezhi.foundation.privacy.services.reseal_batch": "the worker's; another seal over the same text, nobody acts",
    "xiezhi.foundation.jobs.services.run": "the worker's; each job knows on whose behalf it runs",
    "xiezhi.foundation.jobs.services.reclaim": "the ticker's",
    "xiezhi.foundation.notices.services.delivering.forget_old": "the ticker's",
    "xiezhi.foundation.notices.services.delivering.deliver_due": "the ticker's",
    "xiezhi.foundation.notices.services.routing.route_notices": "the ticker's; hands on what others told",
    "xiezhi.foundation.notices.services.delivering.send_code": "who waits for a code has not signed in yet",
    "xiezhi.foundation.jobs.services.prune_carriers": "the ticker's",
    "xiezhi.foundation.imports.services.settle": "the ticker's, and whoever looks at a batch whose job died",
    "xiezhi.foundation.imports.services.tidy": "the ticker's",
    "xiezhi.foundation.imports.services.settle_all": "the ticker's",
    "xiezhi.foundation.events.services.deliver_due": "the ticker's; hands on what others did",
    "xiezhi.foundation.keeping.services.beating": "a process's own sign of life; nobody acts, and it has no one moment",
    "xiezhi.foundation.access.services.posts.found_district": "makes the first person who can be named",
    "xiezhi.foundation.access.services.elevations.lapse_elevations": "the ticker's",
    "xiezhi.foundation.accounts.services.note_lock": "follows too many wrong attempts; nobody is known to act",
    "xiezhi.foundation.accounts.services.own_password_set": "follows the person's own form, and names them in the audit",
    "xiezhi.foundation.accounts.services.phone_verified": "follows the person's own code",
    "xiezhi.foundation.accounts.services.tidy": "the ticker's",
    "xiezhi.foundation.accounts.services.touch_session": "remembers when a session was last seen; nobody acts",
    "xiezhi.domains.inspections.services.checks.stop_checks_of_closed": "follows the closing of a subject, which names its actor",
    "xiezhi.domains.inspections.services.telling.tell_opted_out": "a notice follows an act, which names its actor",
    "xiezhi.domains.inspections.services.escalation.chase": "the ticker's",
    "xiezhi.domains.inspections.services.rounds.discard_failed_rounds": "the ticker's",
    "xiezhi.domains.prepaid.services.bank.escalate_differences": "the ticker's",
    "xiezhi.domains.prepaid.services.custody.check_custody": "the ticker's, and after each bank file",
    "xiezhi.domains.prepaid.services.custody.expire_releases": "the ticker's",
    "xiezhi.domains.prepaid.services.posting.expire_holds": "the ticker's",
    "xiezhi.domains.prepaid.services.terms.recognise_periods": "the ticker's",
    "xiezhi.domains.prepaid.services.posting.reverse": "the ledger's own: actor_user_id and booked_at, kept in each entry",
    "xiezhi.domains.prepaid.services.posting.settle": "the ledger's own: actor_user_id and booked_at, kept in each entry",
    "xiezhi.domains.prepaid.services.keys.authenticate": "finds out who acts",
    "xiezhi.domains.prepaid.services.webhooks.announce_settled": "a message follows an act, which names its actor",
    "xiezhi.domains.prepaid.services.webhooks.send_due": "the ticker's",
    "xiezhi.domains.prepaid.services.cards.confirm_redemption": "a card holder has no account; the link proves who they are",
    "xiezhi.domains.prepaid.services.disputes.raise_dispute": "a card holder has no account; the link proves who they are",
    "xiezhi.domains.inspections.services.named_rows.add_matched_row": "follows a confirmed match, which names its actor",
    "xiezhi.domains.inspections.services.plan_rows.save_rows": "part of applying an import, which names its actor",
    "xiezhi.domains.registry.services.matches.queue_names": "part of applying an import, which names its actor",
}
"""Acts without `actor` or `at`, and why nobody can be named."""
POSITIONAL = {
    "xiezhi.domains.complaints.services.client_keys.authenticate": "the request comes first",
    "xiezhi.domains.complaints.services.handoffs.handoff_taken": "what an event brings comes first",
    "xiezhi.domains.complaints.services.topics.topic_taken": "what an event brings comes first",
    "xiezhi.foundation.workflow.services.advance": "the table, the row and the move come first, as one reads them",
    "xiezhi.foundation.audit.services.record": "the action and the row come first; what follows is payload",
    "xiezhi.foundation.imports.services.start_import": "the kind of sheet comes first",
    "xiezhi.foundation.imports.services.import_now": "the kind of sheet comes first",
    "xiezhi.foundation.jobs.services.run": "the one thing there is to say",
    "xiezhi.foundation.jobs.services.enqueue": "the kind of job comes first",
    "xiezhi.foundation.keeping.services.beating": "the one thing there is to say",
    "xiezhi.domains.inspections.services.escalation.chase": "the one thing there is to say",
    "xiezhi.domains.inspections.services.telling.tell_opted_out": "whom it is about comes first",
    "xiezhi.domains.prepaid.services.webhooks.announce_settled": "what it is about comes first",
    "xiezhi.domains.prepaid.services.custody.check_custody": "which merchants comes first",
}
"""Acts with positional parameters, and why that reads better."""


def sources() -> Iterator[tuple[str, str, ast.Module]]:
    """Path, dotted name and tree of every module but migrations."""
    for path in sorted(ROOT.rglob("*.py")):
        place = path.relative_to(ROOT)
        if "migrations" not in place.parts:
            name = ".".join(("xiezhi", *place.with_suffix("").parts)).removesuffix(".__init__")
            yield place.as_posix(), name, ast.parse(path.read_text("utf-8"))


def is_service(name: str) -> bool:
    return "services" in name.split(".")


def relations() -> set[str]:
    """What models call their related rows."""
    models = apps.get_models()
    reverse = {each.get_accessor_name() for model in models for each in model._meta.related_objects}
    return {name for name in reverse if name} | {field.name for model in models for field in model._meta.many_to_many}


def test_only_services_write() -> None:
    known = relations()
    found = {
        place: [f"{place}:{call.lineno} {ast.unparse(call)[:80]}" for call in calls]
        for place, name, tree in sources()
        if not is_service(name) and place not in NOT_ROWS and (calls := list(writes(tree, known)))
    }
    assert [told for place, calls in found.items() if place not in SERVICES_THEMSELVES for told in calls] == []
    assert sorted(SERVICES_THEMSELVES.keys() - found.keys()) == [], "does not write any more: take it off the list"


@pytest.mark.parametrize(
    "text",
    [
        "Check.objects.create(number=1)",
        "Check.objects.filter(pk=1).update(status='done')",
        "rows = Check.objects.filter(pk=1)\nrows.update(status='done')",
        "rows.update(status='done')",
        "check.save()",
        "check.save(update_fields=['status'])",
        "form.save(commit=False)",
        "Check.objects.all().delete()",
        "subject.scenes.add(scene)",
        "subject.scenes.set([])",
        "Check.objects.bulk_create(rows)",
        "Check._default_manager.get_or_create(pk=1)",
        "cursor.execute('UPDATE audit_entry SET at = now()')",
        "connection.cursor().execute(statement)",
        "cursor.execute('PRAGMA journal_mode = OFF')",
    ],
)
def test_writes_are_seen(text: str) -> None:
    assert len(list(writes(ast.parse(text), {"scenes"}))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "context.update({'a': 1})",
        "counts = {}\ncounts.update(a=1)",
        "counts = defaultdict(int)\ncounts.update(a=1)",
        "months['2026-11'].update(due=1)",
        "digest.update(chunk)",
        "seen.add(1)",
        "self._stop.set()",
        "book.save(path)",
        "cache.delete('key')",
        "cursor.execute('SELECT 1')",
        "cursor.execute('PRAGMA integrity_check(5)')",
        "SQL = f'WITH a AS (SELECT {x}) SELECT 1'\ncursor.execute(SQL)",
    ],
)
def test_what_is_no_write_is_not_taken_for_one(text: str) -> None:
    assert list(writes(ast.parse(text), {"scenes"})) == []


def names_in(name: str, tree: ast.Module) -> dict[str, str]:
    """What each name that a module imports or defines at its top stands for, in full."""
    imported = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and not node.level
        for alias in node.names
    }
    own = {node.name: f"{name}.{node.name}" for node in tree.body if isinstance(node, ast.FunctionDef)}
    return {**imported, **own}


def uses(node: ast.AST, names: dict[str, str]) -> set[str]:
    """Full names of everything imported or defined beside that `node` mentions."""
    found = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and part.id in names:
            found.add(names[part.id])
        elif isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id in names:
            found.add(f"{names[part.value.id]}.{part.attr}")
    return found


@cache
def acts() -> dict[str, ast.FunctionDef]:
    """Public functions of services that write or enter an act in the audit, themselves or by others of them, by full name."""
    known, functions, calls = relations(), {}, {}
    for _place, name, tree in sources():
        if is_service(name):
            names = names_in(name, tree)
            for function in tree.body:
                if isinstance(function, ast.FunctionDef):
                    functions[f"{name}.{function.name}"] = function
                    calls[f"{name}.{function.name}"] = uses(function, names)
    writing = {name for name, function in functions.items() if any(writes(function, known))}
    writing |= {short(name) for name in writing}
    while more := {name for name in functions if name not in writing and calls[name] & writing}:
        writing |= more | {short(name) for name in more}
    return {name: functions[name] for name in writing & functions.keys() if not functions[name].name.startswith("_")}


@cache
def called_from_outside() -> set[str]:
    """Full names of what modules that are no services take from services and use."""
    return {
        used
        for _place, name, tree in sources()
        if not is_service(name)
        for used in uses(tree, names_in(name, tree))
        if is_service(used)
    }


def short(name: str) -> str:
    """`xiezhi.domains.registry.services.matches.queue_names` as the package hands it on: without the module's own name."""
    before, _services, after = name.partition(".services.")
    return f"{before}.services.{after.rsplit('.', 1)[-1]}"


def test_every_act_that_others_call_says_who_acts_and_when() -> None:
    called, faults = called_from_outside(), []
    open_to_others = {name: act for name, act in acts().items() if name in called or short(name) in called}
    assert len(open_to_others) > 50
    for name, act in open_to_others.items():
        named = {argument.arg for argument in act.args.kwonlyargs}
        if not {"actor", "at"} <= named and name not in WITHOUT_ACTOR:
            faults.append(f"{name} takes no {' and no '.join(sorted({'actor', 'at'} - named))}")
        if act.args.posonlyargs + act.args.args and name not in POSITIONAL:
            faults.append(f"{name} takes {act.args.args[0].arg if act.args.args else 'something'} without its name")
    assert faults == []


def test_the_exceptions_are_needed() -> None:
    known, called = acts(), called_from_outside()
    stale = [
        name
        for name in WITHOUT_ACTOR
        if name not in known
        or not (name in called or short(name) in called)
        or {"actor", "at"} <= {argument.arg for argument in known[name].args.kwonlyargs}
    ]
    stale += [
        name for name in POSITIONAL if name not in known or not known[name].args.args + known[name].args.posonlyargs
    ]
    assert stale == []
