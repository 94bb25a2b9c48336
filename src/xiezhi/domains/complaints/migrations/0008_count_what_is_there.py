from django.db import migrations

MARK = "INSERT INTO complaints_tallymark (case_id) SELECT id FROM complaints_case"
"""Cases that were there before the figures have no row to be counted by: the ticker makes one for each that is marked."""


class Migration(migrations.Migration):
    dependencies = [("complaints", "0007_lists_sorted_by_receipt")]

    operations = [migrations.RunSQL(MARK, migrations.RunSQL.noop)]
