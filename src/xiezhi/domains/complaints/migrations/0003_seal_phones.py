"""People's telephone numbers are sealed. Their digests stand already."""

from django.db import migrations

from xiezhi.foundation.privacy.fields import EncryptedTextField
from xiezhi.foundation.privacy.migrating import open_column, seal_column


def seal_phones(apps, schema_editor):
    seal_column(apps.get_model("complaints", "ComplaintParty").objects.using(schema_editor.connection.alias), "phone")


def open_phones(apps, schema_editor):
    open_column(apps.get_model("complaints", "ComplaintParty").objects.using(schema_editor.connection.alias), "phone")


class Migration(migrations.Migration):

    dependencies = [("complaints", "0002_lists_sorted_by_deadline")]

    operations = [
        migrations.AlterField(
            model_name="complaintparty",
            name="phone",
            field=EncryptedTextField(blank=True, verbose_name="电话"),
        ),
        migrations.RunPython(seal_phones, open_phones),
    ]
