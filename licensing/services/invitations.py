"""Links for a customer's admin: made, found again by their token, and answered (LIC-1, LIC-8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.urls import reverse

from isvconnect.models import IsvDeal
from licensing.models import EmailCode, Invitation
from licensing.services import codes, tokens
from licensing.verbs import ACCEPT, INVITE, REFUSE, Accept, Invite
from portal.accounts.rules import Actor
from portal.workflow import services as workflow


@dataclass(frozen=True)
class NewLink:
    """An invitation with its link, which is shown now and never again."""

    invitation: Invitation
    token: str

    @property
    def link(self) -> str:
        """The whole address, to copy."""
        return link(self.token)


def invite(deal: IsvDeal, *, actor: Actor, now: datetime) -> NewLink:
    """Make a link for the deal's customer; one that waits for an answer is withdrawn.

    Raises PermissionDenied, or RuleViolation if the deal was cancelled (LIC-7).
    """
    token = tokens.new_invitation()
    made = workflow.run(None, INVITE, Invite(deal, tokens.digest(token)), actor=actor, now=now)
    return NewLink(made, token)


def link(token: str) -> str:
    return settings.BASE_URL + reverse("consent", args=[token])


def of_token(token: str) -> Invitation | None:
    """The invitation a link is for, whatever has become of it (`state_at`); None for a link that we never made."""
    return Invitation.objects.with_context().filter(token_hash=tokens.digest(token)).first()


def holder(invitation: Invitation, code: EmailCode | None = None) -> Actor:
    """Who came by the link: the customer's admin, by name and address once these are confirmed (LIC-8)."""
    if code is None:
        return Actor(kind="person", name=invitation.customer.name)
    return Actor(kind="person", name=code.name, email=code.email, language=code.language)


def accept(invitation: Invitation, *, typed: str, now: datetime) -> Invitation:
    """Confirm the address by the code that was mailed, and agree. Its relationship is what came of it.

    Raises RuleViolation: a wrong, old or spent code, or an invitation that isn't open any more (LIC-1, LIC-8).
    """
    workflow.check_allowed(invitation, ACCEPT, actor=holder(invitation))
    code = codes.confirm(invitation, typed, now=now)
    return workflow.run(invitation, ACCEPT, Accept(code), actor=holder(invitation, code), now=now)


def refuse(invitation: Invitation, *, now: datetime) -> Invitation:
    """Say no. Raises RuleViolation for one that isn't open any more (LIC-1)."""
    return workflow.run(invitation, REFUSE, actor=holder(invitation), now=now)
