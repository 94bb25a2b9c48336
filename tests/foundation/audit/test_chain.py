import pytest
from django.db import DatabaseError, connection, transaction

from tests.builders.cast import NOW, make_cast
from xiezhi.foundation.access.actors import SYSTEM
from xiezhi.foundation.audit.models import Entry, Seal
from xiezhi.foundation.audit.services import record, seal_entries
from xiezhi.foundation.audit.verifying import verify_chain

pytestmark = pytest.mark.django_db


def test_an_entry_outside_a_transaction_is_a_programming_error(transactional_db: None) -> None:
    cast = make_cast()
    with pytest.raises(RuntimeError):
        record("demo.act", cast.district, actor=SYSTEM, at=NOW)


def test_sealing_numbers_every_entry_without_gaps_and_the_chain_holds() -> None:
    make_cast()
    before = Entry.objects.count()
    assert before > 10
    assert seal_entries(limit=7) == 7
    assert seal_entries() == before - 7
    assert seal_entries() == 0
    report = verify_chain()
    assert (report.sealed, report.unsealed, report.fault) == (before, 0, None)
    assert list(Seal.objects.order_by("sequence").values_list("sequence", flat=True)) == list(range(1, before + 1))


def test_the_unsealed_tail_is_counted_not_hidden() -> None:
    cast = make_cast()
    seal_entries()
    with transaction.atomic():
        record("demo.act", cast.district, actor=SYSTEM, at=NOW)
    assert verify_chain().unsealed == 1


@pytest.mark.parametrize("model", [Entry, Seal])
@pytest.mark.parametrize("verb", ["update", "delete"])
def test_the_database_itself_refuses_to_change_or_remove_rows(model: type, verb: str) -> None:
    make_cast()
    seal_entries()
    rows = model.objects.all()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        if verb == "update":
            rows.update(**({"action": "forged"} if model is Entry else {"digest": "0" * 64}))
        else:
            with connection.cursor() as cursor:
                cursor.execute(f"DELETE FROM {model._meta.db_table}")


def _without_triggers(statement: str) -> None:
    """What somebody with the database's password could do."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER; ALTER TABLE audit_seal DISABLE TRIGGER USER")
        else:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'audit_%'")
            for (name,) in cursor.fetchall():
                cursor.execute(f"DROP TRIGGER {name}")
        cursor.execute(statement)


def test_one_altered_entry_is_named() -> None:
    make_cast()
    seal_entries()
    victim = Entry.objects.order_by("pk")[4]
    _without_triggers(f"UPDATE audit_entry SET action = 'forged' WHERE id = {victim.pk}")
    fault = verify_chain().fault
    assert fault and f"entry {victim.pk}" in fault


def test_a_removed_seal_in_the_middle_is_a_gap() -> None:
    make_cast()
    seal_entries()
    _without_triggers("DELETE FROM audit_seal WHERE sequence = 3")
    assert verify_chain().fault == "sequence 3 is missing (next is 4)"
