"""Parts of names can be looked up: $filter=contains(name,'...') in a million deals."""

import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models
from django.db import migrations

FUNCTION = """
CREATE FUNCTION referrals_parts(name text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN array_to_tsvector(ARRAY(SELECT DISTINCT substr(name, i, 3) FROM generate_series(1, length(name) - 2) i));
"""


class Migration(migrations.Migration):
    dependencies = [("referrals", "0009_crm_ids")]

    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION referrals_parts(text)"),
        migrations.AddIndex(
            "referral",
            django.contrib.postgres.indexes.GinIndex(
                django.db.models.Func(
                    django.db.models.F("name"),
                    function="referrals_parts",
                    output_field=django.contrib.postgres.search.SearchVectorField(),
                ),
                name="referrals_name_parts",
            ),
        ),
    ]
