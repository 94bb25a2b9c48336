"""Seals say which hash made them; the daily signed head. The column is added in place: Django would build the table anew on SQLite and
lose the triggers that make it append-only."""

from django.db import migrations, models

TABLE = "audit_head"


def forbid(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            f"CREATE TRIGGER {TABLE}_append_only BEFORE UPDATE OR DELETE ON {TABLE} "
            "FOR EACH ROW EXECUTE FUNCTION audit_refuse()"
        )
        return
    for verb in ("UPDATE", "DELETE"):
        schema_editor.execute(
            f"CREATE TRIGGER {TABLE}_no_{verb.lower()} BEFORE {verb} ON {TABLE} "
            "BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END"
        )


def allow(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP TRIGGER {TABLE}_append_only ON {TABLE}")
        return
    for verb in ("update", "delete"):
        schema_editor.execute(f"DROP TRIGGER {TABLE}_no_{verb}")


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_append_only")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "ALTER TABLE audit_seal ADD COLUMN algorithm varchar(8) DEFAULT 'sha256' NOT NULL",
                    "ALTER TABLE audit_seal DROP COLUMN algorithm",
                )
            ],
            state_operations=[
                migrations.AddField("seal", "algorithm", models.CharField(db_default="sha256", max_length=8))
            ],
        ),
        migrations.CreateModel(
            name="Head",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("on", models.DateField(unique=True, verbose_name="日期")),
                ("sequence", models.BigIntegerField(verbose_name="封存号")),
                ("digest", models.CharField(max_length=64, verbose_name="链头")),
                ("algorithm", models.CharField(max_length=8, verbose_name="摘要算法")),
                ("signed_at", models.DateTimeField(verbose_name="签名时间")),
                ("key_id", models.CharField(max_length=16, verbose_name="公钥编号")),
                ("signature", models.CharField(max_length=100, verbose_name="签名")),
            ],
            options={"verbose_name": "审计每日签名"},
        ),
        migrations.RunPython(forbid, allow),
    ]
