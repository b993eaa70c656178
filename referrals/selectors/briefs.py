"""What the news of deals tell, and what decides who hears them: for many deals in one query, without their models."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef

from portal.workflow.blockers import Money
from referrals.models import ReferralQuerySet, TeamMember


class Brief(NamedTuple):
    """One company's copy of a deal; `sender_name` and `invited_by_id` are None for a company's own."""

    pk: int
    public_id: UUID
    engagement_id: int
    company_id: int
    location_id: int | None
    invited_by_id: int | None
    name: str
    value: Decimal
    currency: str
    reason_code: str
    expires_at: datetime | None
    vendor_may_view: bool
    customer_name: str
    company_name: str
    sender_name: str | None
    team_emails: list[str]

    @property
    def money(self) -> Money:
        return Money(self.value, self.currency)


_OWN = Brief._fields[: Brief._fields.index("customer_name")]
_OTHERS = ("engagement__customer__name", "company__name", "invited_by__name")


def briefs(referrals: ReferralQuerySet) -> list[Brief]:
    team = TeamMember.objects.filter(referral=OuterRef("pk")).order_by("pk")
    return [Brief._make(row) for row in referrals.values_list(*_OWN, *_OTHERS, ArraySubquery(team.values("email")))]
