"""How a partner stands with the vendor: top tier, and approved for solution assessments (ORG-7, ORG-8)."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_account_message'),
    ]

    operations = [
        migrations.AddField(
            model_name='company',
            name='assessments_since',
            field=models.DateField(blank=True, help_text='Empty: not approved.', null=True, verbose_name='approved for solution assessments since'),
        ),
        migrations.AddField(
            model_name='company',
            name='top_tier_since',
            field=models.DateField(blank=True, help_text='Empty: not a top-tier partner.', null=True, verbose_name='top tier since'),
        ),
    ]
