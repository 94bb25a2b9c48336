from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("inspections", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="NumberSeries",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("prefix", models.CharField(max_length=4)),
                ("year", models.PositiveSmallIntegerField()),
                ("last", models.PositiveIntegerField(default=0)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("prefix", "year"), name="one_series_a_year")],
            },
        ),
        migrations.AddField("plan", "filing_job_id", models.BigIntegerField(null=True)),
        migrations.RemoveConstraint("planrow", "plan_row_named_or_sampling"),
        migrations.AddConstraint(
            "planrow",
            models.CheckConstraint(
                condition=Q(kind="named", premises__isnull=False, ratio_per_mille=None, quantity=None)
                | (Q(kind="sampling", premises__isnull=True) & (Q(ratio_per_mille=None) | Q(quantity=None))),
                name="plan_row_named_or_sampling",
            ),
        ),
        migrations.RemoveField("draw", "frame_ids"),
        migrations.RemoveField("draw", "selected_ids"),
        migrations.AddField("draw", "algorithm", models.CharField(max_length=40, default="", verbose_name="算法"), preserve_default=False),
        migrations.AddField("draw", "frame", models.JSONField(default=dict, verbose_name="抽查库")),
        migrations.AddField("draw", "terms", models.JSONField(default=dict, verbose_name="抽取条件")),
        migrations.AddField("draw", "selected", models.JSONField(default=list, verbose_name="抽中")),
        migrations.AddField("draw", "wanted", models.PositiveIntegerField(default=0, verbose_name="应抽数量"), preserve_default=False),
        migrations.AlterField("draw", "excluded", models.JSONField(default=dict, verbose_name="未参与抽取")),
    ]
