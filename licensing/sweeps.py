"""What workers do to invitations, and to what was mailed to strangers (LIC-1, LIC-8)."""

from __future__ import annotations

from datetime import datetime, timedelta

from licensing.models import EmailCode, Invitation, InvitationState, LicenceLink
from licensing.verbs import EXPIRE_INVITATION
from portal.accounts.rules import SYSTEM
from portal.workflow.services import run_batch

#: Codes and links are kept so long after their end, for who asks what was mailed.
KEPT = timedelta(days=30)


def expire_invitations(*, now: datetime, limit: int = 1000) -> int:
    """End one batch of invitations that nobody answered in time (LIC-1). Returns how many."""
    due = Invitation.objects.with_context().filter(state=InvitationState.SENT, expires_at__lte=now)
    return run_batch(due.order_by("expires_at", "pk"), EXPIRE_INVITATION, actor=SYSTEM, now=now, limit=limit)


def forget_mailed(*, now: datetime) -> int:
    """Delete codes, with the names and addresses in them, and links, long after they ended. Returns how many."""
    codes, _kinds = EmailCode.objects.filter(expires_at__lte=now - KEPT).delete()
    links, _kinds = LicenceLink.objects.filter(expires_at__lte=now - KEPT).delete()
    return codes + links
