"""A company asks a customer's admin to agree, by a link that is good once (LIC-1)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied

from isvconnect.models import IsvDeal
from isvconnect.policies import may_manage_licences
from licensing.models import Invitation, InvitationState
from licensing.policies import may_answer, may_withdraw
from licensing.rules import invitation_blockers
from licensing.timeline import LICENCES
from licensing.verbs.base import lock_deal
from portal.workflow import services as workflow
from portal.workflow.blockers import Blocker, _
from portal.workflow.timeline import Sentence
from portal.workflow.verbs import Context, Creation, Effect, Verb, worker
from referrals.policies import acts_for_company


class Withdraw(Verb[Invitation, None]):
    """Take a link back; it says so from now on. A new link does it, too, and so does cancelling the deal."""

    name = "withdraw"
    label = _("Withdraw the invitation")
    event = "consent.withdrawn"
    sentence = Sentence("envelope-x", "neutral", _("The invitation to %(customer)s was withdrawn"), LICENCES)
    who = (may_withdraw, worker)
    danger = True

    def apply(self, record: Invitation, inputs: None, context: Context) -> Effect:
        record.withdraw()
        record.answered_at = context.now
        return _about(record)


class Expire(Verb[Invitation, None]):
    """Nobody answered in time."""

    name = "expire"
    label = _("Expire")
    event = "consent.expired"
    sentence = Sentence("hourglass-bottom", "warning", _("The invitation to %(customer)s expired"), LICENCES)
    who = (worker,)

    def blockers(self, record: Invitation, context: Context) -> Iterable[Blocker]:
        if record.expires_at > context.now:
            yield Blocker("not_due", _("It is not due yet."), "LIC-1")

    def apply(self, record: Invitation, inputs: None, context: Context) -> Effect:
        record.expire()
        return _about(record)


class Refuse(Verb[Invitation, None]):
    """The customer says no; nothing about them is kept, and the company hears of it (LIC-1)."""

    name = "refuse"
    label = _("Refuse")
    event = "consent.refused"
    sentence = Sentence("hand-thumbs-down", "warning", _("%(customer)s refused the relationship"), LICENCES)
    who = (may_answer,)

    def blockers(self, record: Invitation, context: Context) -> Iterable[Blocker]:
        return invitation_blockers(expires_at=record.expires_at, now=context.now)

    def apply(self, record: Invitation, inputs: None, context: Context) -> Effect:
        record.refuse()
        record.answered_at = context.now
        return _about(record)


@dataclass(frozen=True)
class Invite:
    """The deal, and the SHA-256 of the token in the link; the caller shows the link once (services.invitations)."""

    deal: IsvDeal
    token_hash: bytes


class InviteCustomer(Creation[Invitation, Invite]):
    """Make a link for the deal's customer; it replaces one that waits for an answer (LIC-1).

    Raises PermissionDenied for who doesn't manage the deal's licences.
    """

    name = "invite"
    label = _("Invite a new customer to consent")
    event = "consent.invited"
    sentence = Sentence("envelope", "info", _("%(company)s invited %(customer)s to agree to licences"), LICENCES)
    who = (acts_for_company,)

    def input_blockers(self, inputs: Invite, context: Context) -> Iterable[Blocker]:
        deal = lock_deal(inputs.deal.pk)  # one invitation at a time, and none after the deal was cancelled
        if not may_manage_licences(context.actor, deal):
            raise PermissionDenied
        if deal.is_cancelled:
            yield Blocker("deal_cancelled", _("The deal was cancelled: nobody can be invited any more."), "LIC-7")

    def apply(self, inputs: Invite, context: Context) -> tuple[Invitation, Effect]:
        deal = lock_deal(inputs.deal.pk)  # it may have been corrected since the caller read it
        open_ones = Invitation.objects.select_for_update(of=("self",)).with_context().filter(state=InvitationState.SENT)
        for old in open_ones.filter(deal=deal):
            workflow.run_on_locked(old, WITHDRAW_INVITATION, None, actor=context.actor, now=context.now)
        record = Invitation.objects.create(
            company_id=deal.company_id,
            deal=deal,
            customer=deal.customer,
            token_hash=inputs.token_hash,
            sent_by_id=context.actor.user_id,
            created_at=context.now,
            updated_at=context.now,
            expires_at=context.now + context.policy.consent_link_time,
        )
        return record, _about(record)


def _about(record: Invitation) -> Effect:
    """Whom the sentence names."""
    return Effect(after={"customer": record.customer.name, "invitation": str(record.public_id)})


INVITE, WITHDRAW_INVITATION, EXPIRE_INVITATION, REFUSE = InviteCustomer(), Withdraw(), Expire(), Refuse()
