"""The tables of referrals."""

from referrals.models.draft import Draft
from referrals.models.engagement import Engagement, Note
from referrals.models.members import Favorite, InviterMember, ReferralSolution
from referrals.models.referral import Referral, ReferralQuerySet, Substatus, TeamMember, of_changeable, of_visible
from referrals.models.stage_name import StageName
