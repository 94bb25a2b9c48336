"""Totals of each book by day, and a leaner `prepaid_post` that keeps them in the same round trip."""

from importlib import import_module

import django.db.models.deletion
from django.db import migrations, models
from django.utils import timezone
from django.db.models import Case, F, Sum, When
from django.db.models.functions import TruncDate

POST = """
CREATE FUNCTION prepaid_post(
    a_book bigint, a_kind text, a_phase text, a_debits bigint[], a_credits bigint[], a_amounts bigint[],
    a_key text, a_request bytea, a_at timestamptz, a_booked_at timestamptz, a_day date, a_source text,
    a_actor bigint, a_refers bigint, a_expires_at timestamptz
) RETURNS TABLE (o_id bigint, o_sequence bigint, o_debit_after bigint, o_credit_after bigint, o_digest bytea, o_replayed boolean)
LANGUAGE plpgsql AS $$
DECLARE
    legs constant integer := array_length(a_amounts, 1);
    resolving constant boolean := a_phase IN ('confirmed', 'voided', 'expired');
    moves constant boolean := a_phase IN ('posted', 'confirmed');
    book prepaid_book;
    first record;
    hold record;
    held bigint := 0;
    d_owed bigint := 0;
    d_kept bigint := 0;
    d_guaranteed bigint := 0;
    d prepaid_account;
    c prepaid_account;
    e prepaid_entry;
BEGIN
    SELECT * INTO book FROM prepaid_book b WHERE b.merchant_id = a_book FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such book' USING ERRCODE = 'XZ000';
    END IF;
    SELECT x.id, x.sequence, x.debit_after, x.credit_after, x.digest, x.request INTO first
        FROM prepaid_entry x WHERE x.book_id = a_book AND x.key = a_key AND x.leg = 0;
    IF FOUND THEN
        IF first.request <> a_request THEN
            RAISE EXCEPTION 'key reused' USING ERRCODE = 'XZ001';
        END IF;
        RETURN QUERY SELECT first.id, first.sequence, first.debit_after, first.credit_after, first.digest, true;
        RETURN;
    END IF;
    IF a_refers IS NOT NULL OR resolving THEN
        SELECT x.phase, x.kind, x.expires_at INTO hold
            FROM prepaid_entry x WHERE x.book_id = a_book AND x.sequence = a_refers AND x.leg = 0;
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
            SELECT x.operation, x.debit_id, x.credit_id, x.amount INTO hold
                FROM prepaid_entry x WHERE x.book_id = a_book AND x.sequence = a_refers + i - 1;
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
            debits = x.debits + CASE WHEN moves THEN a_amounts[i] ELSE 0 END,
            debits_pending = x.debits_pending + CASE WHEN a_phase = 'pending' THEN a_amounts[i] ELSE -held END
            WHERE x.id = a_debits[i] AND x.book_id = a_book RETURNING * INTO d;
        UPDATE prepaid_account x SET
            credits = x.credits + CASE WHEN moves THEN a_amounts[i] ELSE 0 END,
            credits_pending = x.credits_pending + CASE WHEN a_phase = 'pending' THEN a_amounts[i] ELSE -held END
            WHERE x.id = a_credits[i] AND x.book_id = a_book RETURNING * INTO c;
        IF d.id IS NULL OR c.id IS NULL OR (d.purse IN ('uses', 'uses_issued')) <> (c.purse IN ('uses', 'uses_issued')) THEN
            RAISE EXCEPTION 'accounts do not fit' USING ERRCODE = 'XZ000';
        END IF;
        IF a_phase NOT IN ('voided', 'expired') AND NOT (d.is_open AND c.is_open) THEN
            RAISE EXCEPTION 'account closed' USING ERRCODE = 'XZ002';
        END IF;
        IF moves THEN
            d_owed := d_owed + CASE WHEN c.purse IN ('principal', 'refunds') THEN a_amounts[i] ELSE 0 END
                - CASE WHEN d.purse IN ('principal', 'refunds') THEN a_amounts[i] ELSE 0 END;
            d_kept := d_kept + CASE WHEN d.purse = 'custody' THEN a_amounts[i] ELSE 0 END
                - CASE WHEN c.purse = 'custody' THEN a_amounts[i] ELSE 0 END;
            d_guaranteed := d_guaranteed + CASE WHEN d.purse = 'guarantee' THEN a_amounts[i] ELSE 0 END
                - CASE WHEN c.purse = 'guarantee' THEN a_amounts[i] ELSE 0 END;
        END IF;
        book.last_sequence := book.last_sequence + 1;
        e.id := nextval('prepaid_entry_id_seq');
        e.book_id := a_book;
        e.sequence := book.last_sequence;
        e.operation := book.last_sequence - i + 1;
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
        book.head := prepaid_digest(book.head, e);
        e.digest := book.head;
        INSERT INTO prepaid_entry SELECT (e).*;
        o_id := e.id;
        o_sequence := e.sequence;
        o_debit_after := e.debit_after;
        o_credit_after := e.credit_after;
        o_digest := e.digest;
        o_replayed := false;
        RETURN NEXT;
    END LOOP;
    IF (d_owed <> 0 OR d_kept <> 0 OR d_guaranteed <> 0) AND book.day IS DISTINCT FROM a_day THEN
        IF book.day > a_day THEN
            PERFORM prepaid_late(a_book, a_day, d_owed, d_kept, d_guaranteed);
        ELSE
            IF book.day IS NOT NULL THEN
                INSERT INTO prepaid_daytotal (book_id, day, owed, kept, guaranteed)
                    VALUES (a_book, book.day, book.owed, book.kept, book.guaranteed);
            END IF;
            book.day := a_day;
        END IF;
    END IF;
    UPDATE prepaid_book b SET last_sequence = book.last_sequence, head = book.head, day = book.day,
        owed = book.owed + d_owed, kept = book.kept + d_kept, guaranteed = book.guaranteed + d_guaranteed
        WHERE b.merchant_id = a_book;
END $$
"""
LATE = """
CREATE FUNCTION prepaid_late(a_book bigint, a_day date, a_owed bigint, a_kept bigint, a_guaranteed bigint)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO prepaid_daytotal (book_id, day, owed, kept, guaranteed)
        SELECT a_book, a_day, coalesce(max(p.owed), 0), coalesce(max(p.kept), 0), coalesce(max(p.guaranteed), 0)
        FROM (SELECT * FROM prepaid_daytotal WHERE book_id = a_book AND day < a_day ORDER BY day DESC LIMIT 1) p
        ON CONFLICT DO NOTHING;
    UPDATE prepaid_daytotal SET owed = owed + a_owed, kept = kept + a_kept, guaranteed = guaranteed + a_guaranteed
        WHERE book_id = a_book AND day >= a_day;
$$
"""
EARLIER = import_module("xiezhi.domains.prepaid.migrations.0002_ledger")


def replace_function(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION prepaid_post")
        schema_editor.execute(LATE)
        schema_editor.execute(POST.replace("{debit_grows}", EARLIER.DEBIT_GROWS))


def put_back_function(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION prepaid_post")
        schema_editor.execute("DROP FUNCTION prepaid_late")
        schema_editor.execute(EARLIER.POST.replace("{debit_grows}", EARLIER.DEBIT_GROWS))


def total_what_stands(apps, schema_editor):
    """The books that were kept before: their days from the journal, the last one on the book itself."""
    Book, DayTotal, Entry = (apps.get_model("prepaid", name) for name in ("Book", "DayTotal", "Entry"))

    def change(purses, grows, shrinks):
        return Sum(
            Case(When(**{f"{grows}__purse__in": purses}, then=F("amount")), default=0)
            - Case(When(**{f"{shrinks}__purse__in": purses}, then=F("amount")), default=0)
        )

    for book in Book.objects.iterator():
        rows = (
            Entry.objects.filter(book_id=book.pk, phase__in=["posted", "confirmed"])
            .annotate(on=TruncDate("booked_at", tzinfo=timezone.get_default_timezone()))
            .values("on")
            .annotate(
                owed=change(["principal", "refunds"], "credit", "debit"),
                kept=change(["custody"], "debit", "credit"),
                guaranteed=change(["guarantee"], "debit", "credit"),
            )
            .order_by("on")
        )
        days, owed, kept, guaranteed = [], 0, 0, 0
        for row in rows:
            owed, kept, guaranteed = owed + row["owed"], kept + row["kept"], guaranteed + row["guaranteed"]
            days.append(DayTotal(book_id=book.pk, day=row["on"], owed=owed, kept=kept, guaranteed=guaranteed))
        if days:
            last = days.pop()
            DayTotal.objects.bulk_create(days, batch_size=500)
            Book.objects.filter(pk=book.pk).update(day=last.day, owed=owed, kept=kept, guaranteed=guaranteed)


class Migration(migrations.Migration):
    dependencies = [("prepaid", "0005_terms_and_reversals")]
    operations = [
        migrations.AddField("book", "day", models.DateField(null=True)),
        migrations.AddField("book", "owed", models.BigIntegerField(default=0)),
        migrations.AddField("book", "kept", models.BigIntegerField(default=0)),
        migrations.AddField("book", "guaranteed", models.BigIntegerField(default=0)),
        migrations.CreateModel(
            "DayTotal",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("owed", models.BigIntegerField()),
                ("kept", models.BigIntegerField()),
                ("guaranteed", models.BigIntegerField()),
                (
                    "book",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="days", to="prepaid.book"
                    ),
                ),
            ],
            options={
                "verbose_name": "日终余额",
                "constraints": [models.UniqueConstraint(fields=["book", "day"], name="prepaid_day_total_once")],
            },
        ),
        migrations.RunPython(total_what_stands, migrations.RunPython.noop),
        migrations.RunPython(replace_function, put_back_function),
    ]
