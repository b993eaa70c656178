from django.db import migrations


def keep(apps, schema_editor):
    """What people saved of the desk is a view of theirs, as of every list, at the vendor, whose desk it is."""
    vendor = apps.get_model('accounts', 'Company').objects.filter(kind='vendor').first()
    if vendor is None:
        return
    view = apps.get_model('ui', 'SavedView')
    for kept in apps.get_model('desk', 'SavedFilter').objects.all():
        view.objects.create(user_id=kept.user_id, company=vendor, listing='desk', name=kept.name, address=kept.address)


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_closed_companies'),
        ('desk', '0002_notes'),
        ('ui', '0002_saved_views'),
    ]

    operations = [
        migrations.RunPython(keep, migrations.RunPython.noop),
        migrations.DeleteModel(name='SavedFilter'),
    ]
