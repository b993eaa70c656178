"""When people were here last, and whether they put their first steps away."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_closed_companies")]

    operations = [
        migrations.AddField("membership", "seen_at", models.DateTimeField(editable=False, null=True)),
        migrations.AddField("membership", "saw_home", models.BooleanField(default=False, editable=False)),
        migrations.AddField("membership", "told_until", models.DateTimeField(editable=False, null=True)),
        migrations.AddField("membership", "hides_steps", models.BooleanField(default=False, editable=False)),
    ]
