"""Holders' telephone numbers are sealed, and found by a keyed digest."""

from django.db import migrations, models

from xiezhi.domains.prepaid.services.holders import phone_digest
from xiezhi.foundation.privacy.fields import EncryptedTextField
from xiezhi.foundation.privacy.migrating import open_column, seal_column


def seal_phones(apps, schema_editor):
    holders = apps.get_model("prepaid", "Holder").objects.using(schema_editor.connection.alias)
    seal_column(holders, "phone")
    seen = set()
    for holder in holders.exclude(phone__isnull=True).order_by("pk").iterator():
        key = holder.merchant_id, phone_digest(holder.phone)
        # One number written in two ways was two holders: the first is found by it, the other keeps its cards and its link.
        if key[1] and key not in seen:
            seen.add(key)
            holders.filter(pk=holder.pk).update(phone_digest=key[1])


def open_phones(apps, schema_editor):
    open_column(apps.get_model("prepaid", "Holder").objects.using(schema_editor.connection.alias), "phone")


class Migration(migrations.Migration):

    dependencies = [("prepaid", "0006_day_totals")]

    operations = [
        migrations.RemoveConstraint(model_name="holder", name="prepaid_holder_phone_once"),
        migrations.AddField(
            model_name="holder",
            name="phone_digest",
            field=models.CharField(blank=True, editable=False, max_length=64),
        ),
        migrations.AlterField(
            model_name="holder",
            name="phone",
            field=EncryptedTextField(blank=True, verbose_name="手机号"),
        ),
        migrations.RunPython(seal_phones, open_phones),
        migrations.AddConstraint(
            model_name="holder",
            constraint=models.UniqueConstraint(
                condition=models.Q(("phone_digest", ""), _negated=True),
                fields=("merchant", "phone_digest"),
                name="prepaid_holder_phone_once",
            ),
        ),
    ]
