import hashlib

from django.core.signing import Signer
from django.db import migrations, models


def hash_tokens(apps, schema_editor):
    """Links that were mailed before this go on working."""
    signer = Signer(sep=".", salt="portal.accounts.invite")
    Invite = apps.get_model("accounts", "Invite")
    waiting = []
    for invite in Invite.objects.only("public_id").iterator(2000):
        invite.token_hash = hashlib.sha256(signer.sign(str(invite.public_id)).encode()).hexdigest()
        waiting.append(invite)
    Invite.objects.bulk_update(waiting, ["token_hash"], batch_size=1000)


class Migration(migrations.Migration):

    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="invite",
            name="token_hash",
            field=models.CharField(editable=False, max_length=64, null=True),
        ),
        migrations.RunPython(hash_tokens, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="invite",
            name="token_hash",
            field=models.CharField(editable=False, max_length=64, unique=True),
        ),
    ]
