from django.db import migrations, models
from django.db.models import Q


def forget_keys(apps, schema_editor):
    """Invitations' links were kept. Mail that still waits makes its link when it goes out."""
    Notice = apps.get_model("notify", "Notice")
    kept = Notice.objects.filter(Q(category="invitation") | Q(link__startswith="/invite/"))
    kept.exclude(link="").update(link="", category="invitation")


class Migration(migrations.Migration):

    dependencies = [
        ("notify", "0002_digest_index"),
    ]

    operations = [
        migrations.AlterField(
            model_name="notice",
            name="link",
            field=models.CharField(blank=True, max_length=300),
        ),
        migrations.RunPython(forget_keys, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.CheckConstraint(
                condition=~Q(category="invitation") | Q(link=""), name="notify_notice_keeps_no_key"
            ),
        ),
    ]
