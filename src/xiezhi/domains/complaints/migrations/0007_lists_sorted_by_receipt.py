"""Lists sorted by receipt find their page by an index; nothing sorts a unit's cases by when they came to us."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('complaints', '0006_files_in_and_out'),
        ('orgs', '0002_enterprises'),
        ('registry', '0003_tenancies'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='case',
            name='cases_of_unit_newest',
        ),
        migrations.RemoveIndex(
            model_name='case',
            name='cases_of_dept_newest',
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(fields=['-received_at', 'id'], name='cases_last_received'),
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(fields=['unit', '-received_at', 'id'], name='cases_of_unit_received'),
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(fields=['unit_department', '-received_at', 'id'], name='cases_of_dept_received'),
        ),
    ]
