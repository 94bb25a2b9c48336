"""What the database itself holds the ledger to: entries are never changed or removed, and on PostgreSQL one function posts.

`prepaid_post` does what `ledger/applying.py` does, in one round trip; the same state machine checks both.
"""

from django.db import migrations

DIGEST = """
CREATE FUNCTION prepaid_digest(previous bytea, e prepaid_entry) RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE AS $$
SELECT sha256(previous || convert_to(concat_ws('|',
    e.book_id, e.sequence, e.operation, e.leg, e.kind, e.phase, e.debit_id, e.credit_id, e.amount,
    e.debit_after, e.credit_after,
    (extract(epoch FROM e.at) * 1000000)::bigint,
    (extract(epoch FROM e.booked_at) * 1000000)::bigint,
    coalesce(((extract(epoch FROM e.expires_at) * 1000000)::bigint)::text, ''),
    e.key, coalesce(encode(e.request, 'hex'), ''), e.source,
    coalesce(e.actor_user_id::text, ''), coalesce(e.refers::text, '')), 'UTF8'))
$$
"""

POST = """
CREATE FUNCTION prepaid_post(
    a_book bigint, a_kind text, a_phase text, a_debits bigint[], a_credits bigint[], a_amounts bigint[],
    a_key text, a_request bytea, a_at timestamptz, a_booked_at timestamptz, a_source text,
    a_actor bigint, a_refers bigint, a_expires_at timestamptz
) RETURNS TABLE (entry prepaid_entry, replayed boolean) LANGUAGE plpgsql AS $$
DECLARE
    legs constant integer := array_length(a_amounts, 1);
    resolving constant boolean := a_phase IN ('confirmed', 'voided', 'expired');
    last bigint;
    previous bytea;
    first prepaid_entry;
    hold prepaid_entry;
    held bigint := 0;
    d prepaid_account;
    c prepaid_account;
    e prepaid_entry;
BEGIN
    SELECT b.last_sequence, b.head INTO last, previous FROM prepaid_book b WHERE b.merchant_id = a_book FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such book' USING ERRCODE = 'XZ000';
    END IF;
    SELECT * INTO first FROM prepaid_entry x WHERE x.book_id = a_book AND x.key = a_key AND x.leg = 0;
    IF FOUND THEN
        IF first.request <> a_request THEN
            RAISE EXCEPTION 'key reused' USING ERRCODE = 'XZ001';
        END IF;
        RETURN QUERY SELECT x, true FROM prepaid_entry x
            WHERE x.book_id = a_book AND x.operation = first.operation
              AND x.sequence BETWEEN first.sequence AND first.sequence + 1000 ORDER BY x.sequence;
        RETURN;
    END IF;
    IF a_refers IS NOT NULL OR resolving THEN
        SELECT * INTO hold FROM prepaid_entry x WHERE x.book_id = a_book AND x.sequence = a_refers AND x.leg = 0;
        IF NOT FOUND
            OR EXISTS (SELECT 1 FROM prepaid_entry x WHERE x.book_id = a_book AND x.refers = a_refers AND x.leg = 0)
            OR EXISTS (SELECT 1 FROM prepaid_entry x
                       WHERE x.book_id = a_book AND x.sequence = a_refers + legs AND x.operation = a_refers)
            OR resolving AND (hold.phase <> 'pending' OR a_phase <> 'voided'
                AND (hold.expires_at IS NOT NULL AND hold.expires_at <= a_booked_at) <> (a_phase = 'expired'))
            OR NOT resolving AND (hold.phase NOT IN ('posted', 'confirmed')
                OR a_kind <> 'reversal' OR hold.kind = 'reversal')
        THEN
            RAISE EXCEPTION 'nothing to settle' USING ERRCODE = CASE WHEN resolving THEN 'XZ003' ELSE 'XZ004' END;
        END IF;
    END IF;
    FOR i IN 1..legs LOOP
        IF a_refers IS NOT NULL THEN
            SELECT * INTO hold FROM prepaid_entry x WHERE x.book_id = a_book AND x.sequence = a_refers + i - 1;
            IF NOT FOUND OR hold.operation <> a_refers
                OR resolving AND (hold.debit_id <> a_debits[i] OR hold.credit_id <> a_credits[i]
                    OR a_amounts[i] > hold.amount OR a_phase <> 'confirmed' AND a_amounts[i] <> hold.amount)
                OR NOT resolving AND (hold.debit_id <> a_credits[i] OR hold.credit_id <> a_debits[i]
                    OR a_amounts[i] <> hold.amount)
            THEN
                RAISE EXCEPTION 'nothing to settle' USING ERRCODE = CASE WHEN resolving THEN 'XZ003' ELSE 'XZ004' END;
            END IF;
            IF resolving THEN
                held := hold.amount;
            END IF;
        END IF;
        UPDATE prepaid_account x SET
            debits = x.debits + CASE WHEN a_phase IN ('posted', 'confirmed') THEN a_amounts[i] ELSE 0 END,
            debits_pending = x.debits_pending + CASE WHEN a_phase = 'pending' THEN a_amounts[i] ELSE -held END
            WHERE x.id = a_debits[i] AND x.book_id = a_book RETURNING * INTO d;
        UPDATE prepaid_account x SET
            credits = x.credits + CASE WHEN a_phase IN ('posted', 'confirmed') THEN a_amounts[i] ELSE 0 END,
            credits_pending = x.credits_pending + CASE WHEN a_phase = 'pending' THEN a_amounts[i] ELSE -held END
            WHERE x.id = a_credits[i] AND x.book_id = a_book RETURNING * INTO c;
        IF d.id IS NULL OR c.id IS NULL OR (d.purse IN ('uses', 'uses_issued')) <> (c.purse IN ('uses', 'uses_issued')) THEN
            RAISE EXCEPTION 'accounts do not fit' USING ERRCODE = 'XZ000';
        END IF;
        IF a_phase NOT IN ('voided', 'expired') AND NOT (d.is_open AND c.is_open) THEN
            RAISE EXCEPTION 'account closed' USING ERRCODE = 'XZ002';
        END IF;
        last := last + 1;
        e.id := nextval('prepaid_entry_id_seq');
        e.book_id := a_book;
        e.sequence := last;
        e.operation := last - i + 1;
        e.leg := i - 1;
        e.kind := a_kind;
        e.phase := a_phase;
        e.debit_id := a_debits[i];
        e.credit_id := a_credits[i];
        e.amount := a_amounts[i];
        e.debit_after := CASE WHEN d.purse IN ({debit_grows}) THEN d.debits - d.credits ELSE d.credits - d.debits END;
        e.credit_after := CASE WHEN c.purse IN ({debit_grows}) THEN c.debits - c.credits ELSE c.credits - c.debits END;
        e.at := a_at;
        e.booked_at := a_booked_at;
        e.expires_at := a_expires_at;
        e.key := CASE WHEN i = 1 THEN a_key ELSE '' END;
        e.request := CASE WHEN i = 1 THEN a_request END;
        e.source := a_source;
        e.actor_user_id := a_actor;
        e.refers := a_refers;
        previous := prepaid_digest(previous, e);
        e.digest := previous;
        INSERT INTO prepaid_entry SELECT (e).*;
        entry := e;
        replayed := false;
        RETURN NEXT;
    END LOOP;
    UPDATE prepaid_book b SET last_sequence = last, head = previous WHERE b.merchant_id = a_book;
END $$
"""
DEBIT_GROWS = "'funds', 'custody', 'fees', 'guarantee', 'bonus_issued', 'uses_issued'"
REFUSE = (
    "CREATE FUNCTION prepaid_refuse() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'the journal is append-only'; END $$"
)


def forward(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        for verb in ("UPDATE", "DELETE"):
            schema_editor.execute(
                f"CREATE TRIGGER prepaid_entry_no_{verb.lower()} BEFORE {verb} ON prepaid_entry "
                "BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"
            )
        return
    schema_editor.execute(REFUSE)
    schema_editor.execute(
        "CREATE TRIGGER prepaid_entry_append_only BEFORE UPDATE OR DELETE ON prepaid_entry "
        "FOR EACH ROW EXECUTE FUNCTION prepaid_refuse()"
    )
    schema_editor.execute(DIGEST)
    schema_editor.execute(POST.replace("{debit_grows}", DEBIT_GROWS))
    # Room on each page, so that a changed balance stays on it and no index is touched.
    schema_editor.execute("ALTER TABLE prepaid_account SET (fillfactor = 60)")
    schema_editor.execute("ALTER TABLE prepaid_book SET (fillfactor = 20)")


def backward(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        for verb in ("update", "delete"):
            schema_editor.execute(f"DROP TRIGGER prepaid_entry_no_{verb}")
        return
    schema_editor.execute("DROP FUNCTION prepaid_refuse() CASCADE")
    schema_editor.execute("DROP FUNCTION prepaid_post CASCADE")
    schema_editor.execute("DROP FUNCTION prepaid_digest CASCADE")


class Migration(migrations.Migration):
    dependencies = [("prepaid", "0001_initial")]
    operations = [migrations.RunPython(forward, backward)]
