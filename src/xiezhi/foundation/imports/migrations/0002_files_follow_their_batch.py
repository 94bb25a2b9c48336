from django.db import migrations
from django.db.models import OuterRef, Subquery


def tie(apps, schema_editor):
    """Files taken in by imports so far belong to the first batch that read them."""
    StoredFile, ImportBatch = apps.get_model("files", "StoredFile"), apps.get_model("imports", "ImportBatch")
    first = ImportBatch.objects.filter(file=OuterRef("pk")).order_by("pk").values("pk")[:1]
    StoredFile.objects.filter(owner_kind="", pk__in=ImportBatch.objects.values("file")).update(
        owner_kind="imports.importbatch", owner_id=Subquery(first)
    )


class Migration(migrations.Migration):
    dependencies = [("imports", "0001_initial"), ("files", "0002_owner_scan_and_more")]

    operations = [migrations.RunPython(tie, migrations.RunPython.noop)]
