import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """The model of a table that portal.pages made."""

    initial = True

    dependencies = [
        ('accounts', '0004_company_standing'),
        ('pages', '0003_uploads'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name='ListView',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('name', models.CharField(max_length=30)),
                        ('query', models.JSONField(default=dict)),
                        ('columns', models.JSONField(default=list)),
                        ('company', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.company')),
                        ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'verbose_name': 'list view',
                        'verbose_name_plural': 'list views',
                        'db_table': 'pages_listview',
                        'constraints': [models.UniqueConstraint(fields=('user', 'company', 'name'), name='pages_listview_once')],
                    },
                ),
            ],
        ),
    ]
