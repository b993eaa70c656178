"""The verbs of referrals: the only code that writes engagements and referrals."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from portal.accounts import services as accounts
from portal.accounts.models import Company, Location
from portal.accounts.rules import SYSTEM, Actor, creating_scope
from portal.catalog.models import AssessmentType, Solution
from portal.customers.models import Customer
from portal.events import services as events
from portal.policy import services as policies
from portal.workflow import services as workflow
from portal.workflow.blockers import Blocker, Money, RuleViolation, _
from referrals import rules, search
from referrals.machine import usd_value
from referrals.models import Engagement, Note, Referral, ReferralSolution, TeamMember
from referrals.policies import may_change

NO_CONTACT = rules.Contact()


@dataclass(frozen=True)
class Terms:
    """What every company's copy of a deal starts with."""

    name: str
    value: Money
    close_date: date
    solutions: Sequence[Solution]
    marketplace_intent: str = Referral.Intent.UNDECIDED


@dataclass(frozen=True)
class DealInput:
    """What the person who creates a deal has entered (REF-5..8); the deal type follows from it (REF-1)."""

    customer: Customer
    location: Location
    name: str
    value: Money
    close_date: date
    team: Sequence[rules.Member]
    solutions: Sequence[Solution] = ()
    assessment: AssessmentType | None = None
    assessment_location: str = ""
    help_code: str = rules.NO_HELP
    vendor_may_view: bool = False
    contact: rules.Contact = NO_CONTACT
    crm_id: str = ""
    campaign_id: str = ""
    notes: str = ""
    marketplace_intent: str = Referral.Intent.UNDECIDED

    @property
    def terms(self) -> Terms:
        return Terms(self.name, self.value, self.close_date, self.solutions, self.marketplace_intent)


def new_deal_blockers(actor: Actor) -> list[Blocker]:
    """What is missing for *New deal*: a role, or a co-sell-ready solution of the company (ORG-5)."""
    blockers = []
    if not creating_scope(actor):
        blockers.append(
            Blocker(
                "role_missing",
                _("Creating deals needs the role referrals admin or referrals user. Ask your company's account admin."),
                "ORG-5",
            )
        )
    if not Solution.objects.co_sell_ready().filter(publisher_id=actor.own_company_id).exists():
        blockers.append(
            Blocker(
                "no_co_sell_ready_solution",
                _("Your company has no published solution that is co-sell ready. Publish one, then create deals."),
                "ORG-5",
            )
        )
    return blockers


def creatable_locations(actor: Actor) -> list[Location]:
    """The locations the actor may create deals for (ORG-2, REF-6)."""
    scope = creating_scope(actor)
    places = Location.objects.filter(company_id=actor.own_company_id).order_by("name")
    return list(places if scope.entire_company else places.filter(id__in=scope.location_ids))


def creation_blockers(deal: DealInput, *, actor: Actor, now: datetime) -> list[Blocker]:
    """Everything that keeps this deal from being created; the form asks it as well as create_deal (REF-5..8)."""
    policy = policies.current(now)
    in_scope = deal.location.company_id == actor.company_id and creating_scope(actor).covers(deal.location.pk)
    facts = rules.NewDeal(
        name=deal.name,
        value=deal.value,
        close_date=deal.close_date,
        help_code=deal.help_code,
        vendor_may_view=deal.vendor_may_view,
        contact=deal.contact,
        team=deal.team,
        solution_count=len(deal.solutions),
        has_assessment=deal.assessment is not None,
        assessment_location=bool(deal.assessment_location),
        location_in_scope=in_scope,
        notes=deal.notes,
    )
    return [*new_deal_blockers(actor), *rules.creation_blockers(facts, today=now.date(), policy=policy)]


def create_deal(deal: DealInput, *, actor: Actor, now: datetime, creation_key: uuid.UUID | None = None) -> Referral:
    """Create the company's own referral, born Accepted, and the vendor's copy when help is asked for (REF-10).

    The same creation key of the same company gives the deal that is already there. Raises RuleViolation.
    """
    key = creation_key or uuid.uuid4()
    if blockers := creation_blockers(deal, actor=actor, now=now):
        raise RuleViolation(blockers)
    try:
        return _create(deal, actor=actor, now=now, key=key)
    except IntegrityError:
        if existing := Referral.objects.created_with(key, company_id=actor.own_company_id).first():
            return existing
        raise


@transaction.atomic
def _create(deal: DealInput, *, actor: Actor, now: datetime, key: uuid.UUID) -> Referral:
    assert actor.company_id is not None
    asks_help = deal.help_code != rules.NO_HELP
    engagement = Engagement.objects.create(
        customer=deal.customer,
        started_by_id=actor.own_company_id,
        creation_key=key,
        created_at=now,
        help_code=deal.help_code,
        vendor_may_view=deal.vendor_may_view or asks_help,
        vendor_invited_at=now if asks_help else None,
        assessment_type=deal.assessment,
        assessment_location=deal.assessment_location,
        contact_name=deal.contact.name,
        contact_phone=deal.contact.phone,
        contact_email=deal.contact.email,
        contact_consent=deal.contact.consent,
    )
    referral = begin_own(
        engagement,
        deal.terms,
        actor=actor,
        now=now,
        location=deal.location,
        crm_id=deal.crm_id,
        campaign_id=deal.campaign_id,
    )
    set_team(referral, deal.team)
    if deal.notes.strip():
        keep_note(referral, deal.notes, actor=actor, now=now)
    if asks_help:
        vendor = Company.objects.vendor()
        send_copy(engagement, deal.terms, to=vendor, sender_id=actor.own_company_id, actor=actor, now=now)
    search.index([referral])
    return referral


def begin_own(engagement: Engagement, terms: Terms, *, actor: Actor, now: datetime, **details: Any) -> Referral:
    """The copy of the company that starts the deal, born Accepted (REF-10)."""
    referral = _new_referral(engagement, terms, company_id=actor.own_company_id, now=now, **details)
    referral.save()
    set_solutions(referral, terms.solutions)
    _record_birth(referral, "referral.created", actor=actor, now=now)
    return referral


def send_copy(
    engagement: Engagement, terms: Terms, *, to: Company, sender_id: int, actor: Actor, now: datetime, **asked: Any
) -> Referral:
    """Give another company its own copy of the deal, born Received with the time to answer running (REF-10, REF-13).

    A partner's copy belongs to one of its locations, as its own deals do (ORG-4); the vendor's people share theirs.
    """
    country = engagement.customer.country
    referral = _new_referral(
        engagement,
        terms,
        company_id=to.pk,
        location=None if to.is_vendor else accounts.receiving_location(to, country=country),
        now=now,
        substatus=rules.RECEIVED,
        invited_by_id=sender_id,
        expires_at=now + policies.current(now).answer_within,
        **asked,
    )
    referral.save()
    set_solutions(referral, terms.solutions)
    _record_birth(referral, "referral.received", actor=actor, now=now)
    search.index([referral])
    return referral


def _new_referral(engagement: Engagement, terms: Terms, *, company_id: int, now: datetime, **birth: Any) -> Referral:
    usd, month = usd_value(terms.value, now=now, policy=policies.current(now))
    return Referral(
        engagement=engagement,
        company_id=company_id,
        name=terms.name.strip(),
        value=terms.value.amount,
        currency=terms.value.currency,
        value_usd=usd,
        usd_rate_month=month,
        close_date=terms.close_date,
        marketplace_intent=terms.marketplace_intent,
        created_at=now,
        updated_at=now,
        **birth,
    )


def _record_birth(referral: Referral, verb: str, *, actor: Actor, now: datetime) -> None:
    event = events.new_event(
        referral,
        verb,
        actor=actor,
        now=now,
        company_id=referral.company_id,
        group=referral.event_group,
        shared=True,
        after={"name": referral.name, "substatus": referral.substatus},
        policy_version=policies.current(now).version,
    )
    events.record([event])


def set_team(referral: Referral, team: Iterable[rules.Member]) -> None:
    referral.team.all().delete()
    TeamMember.objects.bulk_create(
        [
            TeamMember(
                referral=referral,
                first_name=m.first_name,
                last_name=m.last_name,
                phone=m.phone,
                email=m.email.lower(),
                title=m.title,
            )
            for m in team
        ]
    )


def set_solutions(referral: Referral, solutions: Iterable[Solution]) -> None:
    """Each once, however often it was named."""
    once = dict.fromkeys(solutions)
    ReferralSolution.objects.bulk_create([ReferralSolution(referral=referral, solution=s) for s in once])


@transaction.atomic
def add_note(referral: Referral, *, text: str, actor: Actor, now: datetime, shared: bool = True) -> Note:
    """Add to the engagement's thread (REF-23), as who may change the deal (ORG-2).

    Raises PermissionDenied, or RuleViolation for an empty or long note, or a shared one on a closed deal.
    """
    if not may_change(actor, referral):
        raise PermissionDenied
    closed = shared and workflow.lock(referral).is_closed
    if blockers := list(rules.note_blockers(text, shared=shared, closed=closed, policy=policies.current(now))):
        raise RuleViolation(blockers)
    return keep_note(referral, text, actor=actor, now=now, shared=shared)


@transaction.atomic
def keep_note(referral: Referral, text: str, *, actor: Actor, now: datetime, shared: bool = True) -> Note:
    """Also for who creates or accepts a deal without being on its team. The event tells that, not what."""
    Engagement.objects.select_for_update().get(pk=referral.engagement_id)  # first, as every verb does
    note = Note.objects.create(
        engagement=referral.engagement,
        company_id=referral.company_id,
        author_id=actor.user_id,
        shared=shared,
        text=text.strip(),
        at=now,
    )
    search.index_engagement(referral.engagement_id)
    event = events.new_event(
        referral,
        "referral.note_added",
        actor=actor,
        now=now,
        company_id=referral.company_id,
        group=referral.event_group,
        shared=shared,
    )
    events.record([event])
    return note


@transaction.atomic
def accept(
    referral: Referral,
    *,
    actor: Actor,
    now: datetime,
    name: str,
    value: Money,
    close_date: date,
    crm_id: str = "",
    campaign_id: str = "",
    notes: str = "",
    team: Sequence[rules.Member] = (),
) -> Referral:
    """Take a received deal on (REF-12). Raises PermissionDenied or RuleViolation."""
    accepted = workflow.run(
        referral,
        "accept",
        actor=actor,
        now=now,
        name=name,
        value=value,
        close_date=close_date,
        crm_id=crm_id,
        campaign_id=campaign_id,
        notes=notes,
        team=team,
    )
    if team:
        set_team(accepted, team)
    search.index([accepted])
    if notes.strip():
        keep_note(accepted, notes, actor=actor, now=now)
    return accepted


def decline(referral: Referral, *, actor: Actor, now: datetime, reason_code: str, comment: str = "") -> Referral:
    """Refuse a received deal with a reason the sender reads (REF-12)."""
    return workflow.run(referral, "decline", actor=actor, now=now, reason_code=reason_code, comment=comment)


def set_stage(referral: Referral, *, actor: Actor, now: datetime, stage: int) -> Referral:
    """Note how far the sale is, in per cent (REF-14, REF-15)."""
    return workflow.run(referral, "set_stage", actor=actor, now=now, stage=stage)


def win(referral: Referral, *, actor: Actor, now: datetime) -> Referral:
    """Mark as won; sooner than the safe hour the fact is kept (REF-17, REF-18). The USD value freezes (FX-2)."""
    return workflow.run(referral, "win", actor=actor, now=now)


@dataclass(frozen=True)
class WinFacts:
    """What the person is told before winning (REF-18): is it early, and from when it is safe."""

    early: bool
    safe_at: datetime
    safe_hours: int


def win_facts(referral: Referral, *, now: datetime) -> WinFacts:
    policy = policies.current(now)
    return WinFacts(
        early=rules.is_early(created=referral.created_at, now=now, policy=policy),
        safe_at=rules.safe_win_at(referral.created_at, policy),
        safe_hours=policy.safe_win_hours,
    )


def schedule_win(referral: Referral, *, actor: Actor, now: datetime) -> Referral:
    """Have the worker mark it Won at the safe hour (REF-18)."""
    return workflow.run(referral, "schedule_win", actor=actor, now=now)


def cancel_win(referral: Referral, *, actor: Actor, now: datetime) -> Referral:
    """Take a planned win back, while it hasn't happened (REF-18)."""
    return workflow.run(referral, "cancel_win", actor=actor, now=now)


def lose(referral: Referral, *, actor: Actor, now: datetime, reason_code: str, comment: str = "") -> Referral:
    """Mark as lost, with the reason (REF-17)."""
    return workflow.run(referral, "lose", actor=actor, now=now, reason_code=reason_code, comment=comment)


def close_as_error(referral: Referral, *, actor: Actor, now: datetime, reason_code: str, comment: str = "") -> Referral:
    """Close a deal that should not have been; it stays out of insights (REF-17)."""
    return workflow.run(referral, "close_as_error", actor=actor, now=now, reason_code=reason_code, comment=comment)


def expire(referral: Referral, *, now: datetime) -> Referral:
    """Close one unanswered referral; expire_due does the same to many (REF-13)."""
    return workflow.run(referral, "expire", actor=SYSTEM, now=now)
