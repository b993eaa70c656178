"""Each copy holds how far its deal is shared, so that a closed one keeps it (REF-11); those there are get today's.

The vendor is invited by sharing, too (REG-7), and its copies lead with the help asked for (REF-5).
"""

from django.db import migrations, models

INVITED = """
UPDATE referrals_engagement AS e SET vendor_invited_at = least(e.vendor_invited_at, coalesce(
    (SELECT min(told.at) FROM events_event AS told WHERE told."group" = e.public_id AND told.verb = 'referral.shared'),
    CASE WHEN e.vendor_invited_at IS NULL THEN e.created_at END))
WHERE e.vendor_may_view
"""
PARTNERS = """
UPDATE referrals_engagement SET p2p = true WHERE id IN (
    SELECT r.engagement_id FROM referrals_referral AS r
    JOIN accounts_company AS invited ON invited.id = r.company_id AND invited.kind = 'partner'
    JOIN accounts_company AS inviter ON inviter.id = r.invited_by_id AND inviter.kind = 'partner')
"""
COPIES = """
UPDATE referrals_referral AS r SET help_code = e.help_code, vendor_may_view = e.vendor_may_view,
    vendor_invited_at = e.vendor_invited_at, p2p = e.p2p
FROM referrals_engagement AS e WHERE e.id = r.engagement_id
"""
ASKED = """
UPDATE referrals_referral AS r SET invite_help = e.help_code, invite_notes = coalesce(
    (SELECT told.comment FROM events_event AS told
     WHERE told."group" = e.public_id AND told.verb = 'referral.help_requested' ORDER BY told.id LIMIT 1), '')
FROM referrals_engagement AS e
WHERE e.id = r.engagement_id AND r.invited_by_id IS NOT NULL
    AND r.company_id IN (SELECT id FROM accounts_company WHERE kind = 'vendor')
"""


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0004_company_standing'),
        ('events', '0003_versions'),
        ('referrals', '0004_signed_on'),
    ]

    operations = [
        migrations.AddField(
            model_name='engagement',
            name='p2p',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='referral',
            name='help_code',
            field=models.CharField(default='Unknown', max_length=40),
        ),
        migrations.AddField(
            model_name='referral',
            name='p2p',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='referral',
            name='vendor_invited_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='referral',
            name='vendor_may_view',
            field=models.BooleanField(default=False),
        ),
        migrations.AddConstraint(
            model_name='referral',
            constraint=models.CheckConstraint(condition=models.Q(('help_code__in', ['Unknown', 'WorkloadSpecificValueProposition', 'CustomerTechnicalArchitecture', 'ProofOfConceptOrDemo', 'QuotesOrLicensing', 'PostSalesCustomerSuccess', 'GeneralOrOther'])), name='referrals_referral_help_code'),
        ),
        migrations.AddConstraint(
            model_name='referral',
            constraint=models.CheckConstraint(condition=models.Q(('help_code', 'Unknown'), ('vendor_may_view', True), _connector='OR'), name='referrals_referral_help_implies_view'),
        ),
        *(migrations.RunSQL(filled, migrations.RunSQL.noop) for filled in (INVITED, PARTNERS, COPIES, ASKED)),
    ]
