"""What the API keeps for a while only: answers, used assertions and tokens."""

from __future__ import annotations

from datetime import datetime

from oauth2_provider.models import clear_expired

from portal.api.models import UsedAssertion
from portal.api.services import idempotency


def purge(*, now: datetime) -> int:
    """Delete what nobody can use any more; how many answers."""
    UsedAssertion.objects.filter(expires_at__lt=now).delete()
    clear_expired()
    return idempotency.purge(now=now)
