"""Only a deal that is won, or whose win is planned, has the day its contract was signed (REF-18)."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("referrals", "0005_own_sharing"),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="referral",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("signed_on", None), ("substatus", "Won"), ("win_at__isnull", False), _connector="OR"
                ),
                name="referrals_referral_signed_on",
            ),
        ),
    ]
