"""What can be shown to be whole. Rooms register a proof of their own records; `xiezhi verify` runs them all."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from xiezhi.foundation.audit.verifying import verify_chain
from xiezhi.foundation.files.models import StoredFile, content_path

MOST_NAMED = 5


@dataclass(frozen=True)
class Outcome:
    """What a proof found: `said` counts what was looked at; `faults` is empty when all of it is whole."""

    said: str
    faults: tuple[str, ...] = ()


Proof = Callable[[], Outcome]
_proofs: dict[str, Proof] = {}


def register(name: str, proof: Proof) -> None:
    """Let `xiezhi verify` run `proof` under that name. Registering a name again replaces it."""
    _proofs[name] = proof


def run_proofs() -> Iterator[tuple[str, Outcome]]:
    """Run each proof; one that cannot be carried out is a fault."""
    for name, proof in _proofs.items():
        try:
            yield name, proof()
        except Exception as error:
            yield name, Outcome("could not be carried out", (f"{type(error).__name__}: {error}",))


def unapplied_migrations() -> list[str]:
    """Migrations of this version that the database has not seen, by name."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label} {migration.name}" for migration, _backwards in plan]


def prove_database() -> Outcome:
    """The tables are those of this version; on SQLite the file is sound and no row points at nothing."""
    faults = [f"{name} is not applied: run `xiezhi migrate`" for name in unapplied_migrations()]
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA integrity_check(5)")
            faults += [str(line) for (line,) in cursor.fetchall() if line != "ok"]
            cursor.execute("PRAGMA foreign_key_check")
            faults += [
                f"{table} row {row} points at a missing row of {parent}" for table, row, parent, _ in cursor.fetchall()
            ]
    tables = connection.introspection.table_names()
    return Outcome(f"{len(tables)} tables", tuple(faults[:MOST_NAMED]))


def prove_uploads() -> Outcome:
    """Every upload in the books has its content in its place, and every content is what its name says."""
    wanted = set(StoredFile.objects.values_list("digest", flat=True).distinct())
    root = Path(settings.MEDIA_ROOT) / "content"
    found = {path.name for path in root.glob("*/*")}
    faults = [f"the content {digest[:12]}… of an upload is missing" for digest in sorted(wanted - found)]
    faults += [
        f"the content {digest[:12]}… was altered" for digest in sorted(found) if _sha256(content_path(digest)) != digest
    ]
    named = (*faults[:MOST_NAMED], *([f"and {len(faults) - MOST_NAMED} more"] if faults[MOST_NAMED:] else []))
    return Outcome(f"{len(wanted)} uploads, {len(found)} contents", named)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def prove_audit() -> Outcome:
    """Every hash of the audit chain, recomputed."""
    report = verify_chain()
    said = f"{report.sealed} sealed entries, head {report.head[:16]}, {report.unsealed} not yet sealed"
    return Outcome(said, (report.fault,) if report.fault else ())
