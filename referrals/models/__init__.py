"""The tables of referrals."""

from __future__ import annotations

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

__all__ = [
    "Draft",
    "Engagement",
    "Favorite",
    "InviterMember",
    "Note",
    "Referral",
    "ReferralQuerySet",
    "ReferralSolution",
    "StageName",
    "Substatus",
    "TeamMember",
]
