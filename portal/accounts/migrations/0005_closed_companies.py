"""Companies that were closed, and those that were merged into another (ORG-1, ORG-2)."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0004_company_standing'),
    ]

    operations = [
        migrations.AddField(
            model_name='company',
            name='close_reason',
            field=models.TextField(blank=True, editable=False, verbose_name='why it was closed'),
        ),
        migrations.AddField(
            model_name='company',
            name='closed_at',
            field=models.DateTimeField(editable=False, null=True, verbose_name='closed (UTC)'),
        ),
        migrations.AddField(
            model_name='company',
            name='merged_into',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='absorbed', to='accounts.company', verbose_name='merged into'),
        ),
        migrations.AddConstraint(
            model_name='company',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('close_reason', ''), ('closed_at', None), ('merged_into', None)), models.Q(('closed_at__isnull', False), ('kind', 'partner'), models.Q(('close_reason', ''), _negated=True)), _connector='OR'), name='accounts_company_closed'),
        ),
    ]
