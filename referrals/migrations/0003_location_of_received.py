"""Received deals belong to a location from now on; those received before get the one they would get today (ORG-4)."""

from django.db import migrations

ARRIVED = """
UPDATE referrals_referral AS r SET location_id = (
    SELECT place.id FROM accounts_location AS place
    WHERE place.company_id = r.company_id
    ORDER BY place.country <> customer.country, place.id LIMIT 1
)
FROM referrals_engagement AS e
JOIN customers_customer AS customer ON customer.id = e.customer_id
WHERE e.id = r.engagement_id AND r.location_id IS NULL
    AND r.company_id NOT IN (SELECT id FROM accounts_company WHERE kind = 'vendor')
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("customers", "0001_initial"),
        ("referrals", "0002_list_orders"),
    ]

    operations = [migrations.RunSQL(ARRIVED, migrations.RunSQL.noop)]
