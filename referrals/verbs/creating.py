"""The verbs that create deals: a company creates its own, or the vendor's seller sends one to a partner (REF-5..10)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from portal.accounts import selectors as accounts
from portal.accounts.models import Company, Location, User
from portal.accounts.rules import Actor, creating_scope
from portal.catalog.models import AssessmentType, Solution
from portal.customers.models import Customer
from portal.workflow.blockers import Blocker, Money, _
from portal.workflow.timeline import Sentence
from portal.workflow.verbs import Context, Creation, Effect, Inputs
from referrals import rules
from referrals.models import Engagement, Referral
from referrals.policies import acts_for_company, may_send
from referrals.rules import sharing
from referrals.selectors import partners
from referrals.timeline import STATUS
from referrals.verbs import copies, search_index
from referrals.verbs.copies import Birth, Terms
from referrals.verbs.notes import note_with

NO_CONTACT = rules.Contact()


@dataclass(frozen=True)
class NewDeal:
    """The answers of the person who creates a deal (REF-5..8); the deal type follows from them (REF-1).

    `key` comes from the form, so that a double click creates only one deal.
    """

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
    #: What the vendor reads first where help is asked for; without it, the notes.
    help_notes: str = ""
    marketplace_intent: str = Referral.Intent.UNDECIDED
    #: What a CRM wants kept (wire.md), by its name on the wire.
    extras: Mapping[str, object] = field(default_factory=dict)
    key: uuid.UUID = field(default_factory=uuid.uuid4)

    @property
    def terms(self) -> Terms:
        return Terms(self.name, self.value, self.close_date, self.solutions, self.marketplace_intent)

    @property
    def asks_help(self) -> bool:
        return self.help_code != rules.NO_HELP


class DealCreation(Creation[Referral, Inputs]):
    """A verb that creates an engagement with its copies."""

    label = _("New deal")
    event = "referral.created"
    sentence = Sentence("plus-circle", "brand", _("%(company)s created the deal"), STATUS)
    shared = True


class Create(DealCreation[NewDeal]):
    """Create the company's own referral as Accepted, and the vendor's copy if help is asked for (REF-10)."""

    name = "create"
    who = (acts_for_company,)

    def blockers(self, context: Context) -> Iterable[Blocker]:
        return new_deal_blockers(context.actor)

    def input_blockers(self, inputs: NewDeal, context: Context) -> Iterable[Blocker]:
        actor, place = context.actor, inputs.location
        in_scope = place.company_id == actor.company_id and creating_scope(actor).covers(place.pk)
        judged = rules.NewDeal(
            name=inputs.name,
            value=inputs.value,
            close_date=inputs.close_date,
            help_code=inputs.help_code,
            vendor_may_view=inputs.vendor_may_view,
            contact=inputs.contact,
            team=inputs.team,
            solution_count=len(inputs.solutions),
            has_assessment=inputs.assessment is not None,
            assessment_location=bool(inputs.assessment_location),
            may_assess=inputs.assessment is None or accounts.may_assess(actor, today=context.now.date()),
            location_in_scope=in_scope,
            notes=inputs.notes,
            crm_id=inputs.crm_id,
            campaign_id=inputs.campaign_id,
            marketplace_intent=inputs.marketplace_intent,
        )
        if not inputs.customer.is_seen_by(context.actor.company_id):
            yield UNKNOWN_CUSTOMER
        yield from rules.creation_blockers(judged, today=context.now.date(), policy=context.policy)
        yield from rules.length_blockers(inputs.help_notes, "help_notes", policy=context.policy)
        yield from rules.text_blockers(inputs.assessment_location, rules.MAX_REFERENCE, "assessment_location")
        yield from copies.unready(inputs.solutions)

    def apply(self, inputs: NewDeal, context: Context) -> tuple[Referral, Effect]:
        engagement = Engagement(
            help_code=inputs.help_code,
            vendor_may_view=inputs.vendor_may_view or inputs.asks_help,
            assessment_type=inputs.assessment,
            assessment_location=inputs.assessment_location,
            contact_name=inputs.contact.name,
            contact_phone=inputs.contact.phone,
            contact_email=inputs.contact.email,
            contact_consent=inputs.contact.consent,
        )
        own = Birth(
            location=inputs.location,
            crm_id=inputs.crm_id,
            campaign_id=inputs.campaign_id,
            wire_extras=dict(inputs.extras),
        )
        vendor = Company.objects.vendor() if inputs.asks_help else None
        asked = Birth(invite_help=inputs.help_code, invite_notes=(inputs.help_notes or inputs.notes).strip())
        return _begin(engagement, inputs, context, team=inputs.team, own=own, to=vendor, received=asked)


UNKNOWN_CUSTOMER = Blocker("unknown_customer", _("Choose the customer from the list."), "REF-5", "customer")
ROLE_MISSING = Blocker(
    "role_missing",
    _("Creating deals needs the role referrals admin or referrals user. Ask your company's account admin."),
    "ORG-5",
)


def new_deal_blockers(actor: Actor) -> list[Blocker]:
    """What is missing for *New deal*: a role, or a co-sell-ready solution of the company (ORG-5)."""
    blockers = [] if creating_scope(actor) else [ROLE_MISSING]
    if not Solution.objects.co_sell_ready().filter(publisher_id=actor.own_company_id).exists():
        message = _(
            "Your company has no published solution that is co-sell ready. %(vendor)s lists solutions and says which "
            "of them are ready: ask the programme."
        )
        blockers.append(Blocker("no_co_sell_ready_solution", message, "ORG-5"))
    return blockers


@dataclass(frozen=True)
class SentDeal:
    """A deal for a partner: its details, and what the partner is asked for; `key` as in NewDeal."""

    customer: Customer
    partner: Company
    name: str
    value: Money
    close_date: date
    solutions: Sequence[Solution]
    help_code: str
    notes: str = ""
    #: The vendor's people on it; none named: whoever sends it.
    team: Sequence[rules.Member] = ()
    key: uuid.UUID = field(default_factory=uuid.uuid4)

    @property
    def terms(self) -> Terms:
        return Terms(self.name, self.value, self.close_date, self.solutions)


class Send(DealCreation[SentDeal]):
    """Create the vendor's own copy as Accepted and the partner's as Received (REF-10)."""

    name = "send"
    label = _("Send a deal to a partner")
    who = (may_send,)

    def input_blockers(self, inputs: SentDeal, context: Context) -> Iterable[Blocker]:
        """Every problem at its field (REF-6..9)."""
        policy = context.policy
        yield from rules.detail_blockers(name=inputs.name, value=inputs.value, notes=inputs.notes, policy=policy)
        yield from rules.close_date_blockers(inputs.close_date, today=context.now.date())
        if inputs.partner.is_closed:
            yield sharing.closed_partner(inputs.partner.name)
        elif not partners.ecosystem().filter(pk=inputs.partner.pk).exists():
            yield sharing.UNKNOWN_PARTNER
        yield from rules.count_blockers(len(inputs.solutions), policy=policy)
        yield from copies.unready(inputs.solutions)
        if any(solution.publisher_id != inputs.partner.pk for solution in inputs.solutions):
            yield sharing.FOREIGN_SOLUTION
        yield from sharing.wanted_help_blockers(inputs.help_code)
        if not inputs.customer.is_seen_by(None):
            yield UNKNOWN_CUSTOMER
        yield from rules.team_blockers(_senders(inputs, context), policy=policy)  # whose account may lack a phone

    def apply(self, inputs: SentDeal, context: Context) -> tuple[Referral, Effect]:
        # A co-sell deal: both work on it, and whatever the partner registers counts from here on.
        engagement = Engagement(help_code=inputs.help_code, vendor_may_view=True)
        wanted = Birth(invite_help=inputs.help_code, invite_notes=inputs.notes)
        team = _senders(inputs, context)
        return _begin(engagement, inputs, context, team=team, own=Birth(), to=inputs.partner, received=wanted)


def _begin(
    engagement: Engagement,
    inputs: NewDeal | SentDeal,
    context: Context,
    *,
    team: Sequence[rules.Member],
    own: Birth,
    to: Company | None,
    received: Birth,
) -> tuple[Referral, Effect]:
    """Save the engagement with the own copy, and with the copy of the company that the deal goes to, if any (REF-10).

    Where the vendor may view it, it is invited from here on: it starts the deal, it is asked, or it is shared (REG-7).
    """
    engagement.customer, engagement.creation_key = inputs.customer, inputs.key
    engagement.started_by_id, engagement.created_at = context.actor.own_company_id, context.now
    engagement.vendor_invited_at = context.now if engagement.vendor_may_view else None
    engagement.save()
    copy = copies.own_copy(engagement, inputs.terms, context, **own)
    copies.add_team(copy, team)
    events = note_with(copy, inputs.notes, context)
    if to is not None:
        sender = copy.company_id
        _sent, event = copies.send_copy(engagement, inputs.terms, to=to, sender_id=sender, context=context, **received)
        events.append(event)
    search_index.index_engagements([engagement.pk])
    return copy, Effect(after=copies.birth_columns(copy), events=events)


def _senders(inputs: SentDeal, context: Context) -> Sequence[rules.Member]:
    """The people who are named, or the person who sends the deal; a program is nobody."""
    sender = User.objects.filter(pk=context.actor.user_id or 0)
    return inputs.team or [rules.Member(user.first_name, user.last_name, user.phone, user.email) for user in sender]


CREATE, SEND = Create(), Send()
