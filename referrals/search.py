"""What a deal is found by: one folded text per copy (REF-20)."""

from __future__ import annotations

from collections.abc import Iterable

from portal.customers.rules import fold
from referrals.models import Referral


def index(referrals: Iterable[Referral]) -> None:
    """Bring the search text of these copies up to date."""
    for referral in referrals:
        people = " ".join(f"{m.first_name} {m.last_name} {m.email}" for m in referral.team.all())
        words = f"{referral.name} {referral.public_id} {referral.crm_id} {referral.engagement.customer.name} {people}"
        folded = "".join(c if c.isalnum() else " " for c in fold(words))
        Referral.objects.filter(pk=referral.pk).update(search_text=folded)
