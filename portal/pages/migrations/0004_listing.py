from django.db import migrations, models

#: What was chosen in a list has another name; only what still waits for its file is read again.
RENAME = """
    UPDATE pages_export SET query = query - '{old}' || jsonb_build_object('{new}', query -> '{old}')
    WHERE finished_at IS NULL
"""


class Migration(migrations.Migration):
    """Files are made of any list; how a person left one belongs to the kit of lists, with its table."""

    dependencies = [
        ("pages", "0003_uploads"),
        ("ui", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="export",
            name="listing",
            field=models.CharField(default="deals", max_length=30),
        ),
        migrations.RunSQL(RENAME.format(old="deals", new="chosen"), RENAME.format(old="chosen", new="deals")),
        migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel(name="ListView")]),
    ]
