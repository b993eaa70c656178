"""Bringing others into a deal after its creation: the vendor, with or without its help, and partners (REF-4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from portal.accounts.models import Company
from portal.accounts.rules import Actor
from portal.catalog.models import Solution
from portal.workflow import services as workflow
from portal.workflow.blockers import Money
from referrals import participation, rules
from referrals.models import Engagement, InviterMember, Referral
from referrals.services import Terms, send_copy


@dataclass(frozen=True)
class InviteInput:
    """What one partner is invited with (REF-9)."""

    partner: Company
    close_date: date
    value: Money
    help_code: str
    team: Sequence[rules.Member]
    solutions: Sequence[Solution]
    notes: str = ""

    @property
    def terms(self) -> participation.Invitation:
        return participation.Invitation(
            close_date=self.close_date,
            value=self.value,
            help_code=self.help_code,
            team=self.team,
            solution_count=len(self.solutions),
            notes=self.notes,
        )


@transaction.atomic
def share_with_vendor(referral: Referral, *, actor: Actor, now: datetime) -> Referral:
    """Private -> partner-led: the vendor's sellers may view the deal from now on, for good (REF-3, REF-4)."""
    shared = workflow.run(referral, "share_with_vendor", actor=actor, now=now)
    Engagement.objects.filter(pk=shared.engagement_id).update(vendor_may_view=True)
    return _reread(shared)


@transaction.atomic
def request_help(
    referral: Referral, *, help_code: str, contact: rules.Contact, notes: str = "", actor: Actor, now: datetime
) -> Referral:
    """Private or partner-led -> co-sell: the vendor gets its own copy to answer (REF-4, REF-10)."""
    asked = workflow.run(
        referral, "request_help", actor=actor, now=now, help_code=help_code, contact=contact, comment=notes
    )
    Engagement.objects.filter(pk=asked.engagement_id).update(
        help_code=help_code,
        vendor_may_view=True,
        vendor_invited_at=now,
        contact_name=contact.name,
        contact_phone=contact.phone,
        contact_email=contact.email,
        contact_consent=contact.consent,
    )
    asked = _reread(asked)
    lines = asked.solutions.select_related("solution")
    terms = Terms(
        asked.name, asked.money, asked.close_date, [line.solution for line in lines], asked.marketplace_intent
    )
    vendor = Company.objects.vendor()
    send_copy(asked.engagement, terms, to=vendor, sender_id=asked.company_id, actor=actor, now=now)
    return asked


@transaction.atomic
def invite_partner(referral: Referral, invitation: InviteInput, *, actor: Actor, now: datetime) -> Referral:
    """Send a partner its own copy with the terms meant for it (REF-9); one per partner, never oneself.

    Returns the partner's copy. Raises PermissionDenied or RuleViolation.
    """
    inviter = workflow.run(
        referral, "invite_partner", actor=actor, now=now, partner=invitation.partner, terms=invitation.terms
    )
    copy = send_copy(
        inviter.engagement,
        Terms(inviter.name, invitation.value, invitation.close_date, invitation.solutions, inviter.marketplace_intent),
        to=invitation.partner,
        sender_id=inviter.company_id,
        actor=actor,
        now=now,
        invite_help=invitation.help_code,
        invite_notes=invitation.notes,
    )
    InviterMember.objects.bulk_create(
        [
            InviterMember(
                referral=copy,
                first_name=m.first_name,
                last_name=m.last_name,
                phone=m.phone,
                email=m.email.lower(),
            )
            for m in invitation.team
        ]
    )
    return copy


def _reread(referral: Referral) -> Referral:
    return Referral.objects.with_context().prefetch_related("team").get(pk=referral.pk)
