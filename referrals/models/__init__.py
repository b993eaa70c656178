"""The tables of referrals."""

from referrals.models.draft import Draft
from referrals.models.engagement import Engagement, Note
from referrals.models.referral import (
    Favorite,
    InviterMember,
    Referral,
    ReferralQuerySet,
    ReferralSolution,
    Substatus,
    TeamMember,
)
from referrals.models.stage_name import StageName
