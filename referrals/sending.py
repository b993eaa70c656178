"""The vendor's sellers send deals to partners: its own copy is accepted, the partner's is to be answered (REF-10)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from portal.accounts.models import Company, User
from portal.accounts.rules import SELLER, Actor
from portal.catalog.models import Solution
from portal.customers.models import Customer
from portal.policy import services as policies
from portal.workflow.blockers import Blocker, Money, RuleViolation
from referrals import participation, partners, rules, search
from referrals.models import Engagement, Referral
from referrals.services import Terms, begin_own, keep_note, send_copy, set_team


@dataclass(frozen=True)
class SendInput:
    """A deal for a partner: what it is about, and what the partner is asked for."""

    customer: Customer
    partner: Company
    name: str
    value: Money
    close_date: date
    solutions: Sequence[Solution]
    help_code: str
    notes: str = ""

    @property
    def terms(self) -> Terms:
        return Terms(self.name, self.value, self.close_date, self.solutions)


def may_send(actor: Actor) -> bool:
    """The vendor's sellers; partners invite from their own deals (REF-9)."""
    return actor.is_vendor and actor.has(SELLER)


def sending_blockers(deal: SendInput, *, now: datetime) -> Iterator[Blocker]:
    """Everything that keeps the deal from being sent, each at its field (REF-6, REF-8, REF-9)."""
    policy = policies.current(now)
    yield from rules.detail_blockers(name=deal.name, value=deal.value, notes=deal.notes, policy=policy)
    yield from rules.close_date_blockers(deal.close_date, today=now.date())
    if not partners.ecosystem().filter(pk=deal.partner.pk).exists():
        yield participation.UNKNOWN_PARTNER
    yield from rules.count_blockers(len(deal.solutions), policy=policy)
    if any(solution.publisher_id != deal.partner.pk for solution in deal.solutions):
        yield participation.FOREIGN_SOLUTION
    yield from participation.wanted_help_blockers(deal.help_code)


def send_deal(deal: SendInput, *, actor: Actor, now: datetime, creation_key: uuid.UUID) -> Referral:
    """Send it and return the vendor's own copy; the same creation key gives the deal that is already there.

    Raises PermissionDenied or RuleViolation.
    """
    if not may_send(actor):
        raise PermissionDenied
    if blockers := list(sending_blockers(deal, now=now)):
        raise RuleViolation(blockers)
    try:
        return _send(deal, actor=actor, now=now, key=creation_key)
    except IntegrityError:
        if existing := Referral.objects.created_with(creation_key, company_id=actor.own_company_id).first():
            return existing
        raise


@transaction.atomic
def _send(deal: SendInput, *, actor: Actor, now: datetime, key: uuid.UUID) -> Referral:
    engagement = Engagement.objects.create(
        customer=deal.customer,
        started_by_id=actor.own_company_id,
        creation_key=key,
        created_at=now,
        # A co-sell deal: both work on it, and whatever the partner registers counts from here on.
        help_code=deal.help_code,
        vendor_may_view=True,
        vendor_invited_at=now,
    )
    own = begin_own(engagement, deal.terms, actor=actor, now=now)
    set_team(own, [_seller(actor)])
    if deal.notes.strip():
        keep_note(own, deal.notes, actor=actor, now=now)
    send_copy(
        engagement,
        deal.terms,
        to=deal.partner,
        sender_id=own.company_id,
        actor=actor,
        now=now,
        invite_help=deal.help_code,
        invite_notes=deal.notes,
    )
    search.index([own])
    return own


def _seller(actor: Actor) -> rules.Member:
    user = User.objects.get(pk=actor.user_id or 0)
    return rules.Member(user.first_name, user.last_name, user.phone, user.email)
