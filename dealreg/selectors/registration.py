"""Collects the facts about a deal that the rules need. Only reads; pages, workers and API share it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from django.db.models import Q, QuerySet

from dealreg.models import Registration, Status, Waiver
from dealreg.rules import Granted, RegistrationFacts, RegistrationInput, answers_asked, states
from dealreg.rules.acv import USD, UsdRate
from dealreg.rules.criteria import Eligibility, EligibilityFacts, criteria_from_json
from dealreg.rules.eligibility import eligibility as judge_eligibility
from dealreg.selectors.routing import routing_facts
from dealreg.selectors.waivers import is_waived, replaced_tenant, waiver_of
from portal.accounts.models import Company, Membership
from portal.accounts.rules import Actor
from portal.catalog.models import Solution
from portal.money import services as money
from portal.policy.rules import Policy
from portal.workflow.blockers import Blocker, Term, _
from referrals import rules as referral_rules
from referrals.models import Referral, ReferralSolution


def unregistered() -> QuerySet[Referral]:
    """Partners' won deals without a registration. The vendor's own copies are left out: it registers nothing.
    Only what opening a registration reads is loaded."""
    won = Referral.objects.filter(substatus=referral_rules.WON, registration=None, company__kind=Company.Kind.PARTNER)
    return won.select_related("engagement__customer").only(*_OPENING)


#: The columns that opening a registration reads.
_OPENING = (
    *("company", "value", "currency", "value_usd", "usd_rate_month", "substatus", "help_code", "vendor_may_view"),
    *("created_at", "closed_at", "engagement__public_id", "engagement__assessment_type"),
    "engagement__customer__managed",
)


def ripe(policy: Policy) -> QuerySet[Referral]:
    """The unregistered deals that fulfil the criteria as far as a query can tell (ELIG-2 to ELIG-7), once each."""
    vendor = Referral.objects.filter(company__kind=Company.Kind.VENDOR)
    accepted = vendor.filter(Q(accepted_at__isnull=False) | Q(substatus=referral_rules.WON))
    return unregistered().filter(
        Q(help_code=referral_rules.NO_HELP) | Q(engagement__in=accepted.values("engagement")),
        value_usd__gte=policy.minimum_deal_value_usd,
        vendor_may_view=True,
        engagement__assessment_type=None,
        engagement__customer__managed=True,
        pk__in=ReferralSolution.objects.filter(solution__azure_ip=True).values("referral"),
    )


def eligible_solutions(referral: Referral, registration: Registration | None = None) -> list[Solution]:
    """The solutions on the deal that may be registered: those that are Azure IP co-sell eligible (ELIG-5), or were when
    the registration was opened (ELIG-10)."""
    kept = registration.open_solutions if registration else []
    found = [line.solution for line in referral.solutions.select_related("solution")]
    return sorted((s for s in found if s.azure_ip or s.pk in kept), key=lambda solution: solution.name)


def kept_eligibility(registration: Registration | None) -> Eligibility | None:
    """The criteria as they were when the registration was opened (ELIG-10)."""
    return criteria_from_json(registration.criteria) if registration and registration.criteria else None


class Line(NamedTuple):
    """A solution on a deal, without its model: many deals are looked at at once."""

    pk: int
    name: str
    azure_ip: bool


@dataclass
class Around:
    """What decides about a deal's registration and stands elsewhere: the vendor's copy, its solutions, an exception."""

    vendor_copy: Referral | None = None
    solutions: list[Line] = field(default_factory=list)
    waiver: Waiver | None = None

    @property
    def eligible_solutions(self) -> list[Line]:
        return sorted((s for s in self.solutions if s.azure_ip), key=lambda solution: solution.name)


def around(referrals: Sequence[Referral]) -> dict[int, Around]:
    """By the deals' keys; three queries, however many deals there are."""
    found = {referral.pk: Around() for referral in referrals}
    copies = Referral.objects.filter(
        engagement__in={referral.engagement_id for referral in referrals}, company__kind=Company.Kind.VENDOR
    )
    columns = ("engagement_id", "substatus", "accepted_at", "expires_at")
    by_engagement = {copy.engagement_id: copy for copy in copies.only(*columns)}
    for referral in referrals:
        found[referral.pk].vendor_copy = by_engagement.get(referral.engagement_id)
    lines = ReferralSolution.objects.filter(referral__in=found).order_by("pk")
    for pk, *line in lines.values_list("referral_id", "solution_id", "solution__name", "solution__azure_ip"):
        found[pk].solutions.append(Line._make(line))
    for waiver in Waiver.objects.filter(referral__in=found):
        found[waiver.referral_id].waiver = waiver
    return found


def eligibility_of(referral: Referral, policy: Policy, beside: Around | None = None) -> Eligibility:
    """Evaluate the criteria of ELIG for this deal as it stands; three queries unless what is around it is loaded, one
    more while the vendor hasn't answered."""
    beside = beside or around([referral])[referral.pk]
    return eligibility_for(
        referral,
        policy,
        vendor_copy=beside.vendor_copy,
        solutions=beside.eligible_solutions,
        waiver=beside.waiver,
        seller=_seller(beside.vendor_copy),
    )


def eligibility_for(
    referral: Referral,
    policy: Policy,
    *,
    vendor_copy: Referral | None,
    solutions: Sequence[Solution | Line],
    waiver: Waiver | None,
    seller: str = "",
) -> Eligibility:
    """Evaluate the criteria of a deal of which everything is loaded; no query."""
    return judge_eligibility(
        EligibilityFacts(
            deal_type=referral.deal_type,
            value=referral.money,
            value_usd=referral.value_usd,
            rate_month=referral.usd_rate_month,
            customer_managed=referral.engagement.customer.managed,
            azure_ip_solutions=tuple(s.name for s in solutions),
            substatus=referral.substatus,
            safe_win_at=referral_rules.safe_win_at(referral.created_at, policy),
            vendor_substatus=vendor_copy.substatus if vendor_copy else None,
            vendor_expires_at=vendor_copy.expires_at if vendor_copy else None,
            vendor_seller=seller,
            vendor_accepted=vendor_copy is not None and vendor_copy.accepted_at is not None,
            exception=Granted(waiver.granted_by, waiver.granted_at) if waiver else None,
            won_at=referral.won_at,
        ),
        policy,
    )


def _seller(vendor_copy: Referral | None) -> str:
    """The vendor's seller on a deal that isn't accepted yet: whom to remind."""
    waits = vendor_copy is not None and vendor_copy.accepted_at is None
    members = list(vendor_copy.team.all()) if vendor_copy and waits else []
    return str(members[0]) if members else ""


def known_facts(
    referral: Referral,
    registration: Registration | None,
    *,
    eligibility: Eligibility | None,
    now: datetime,
    policy: Policy,
) -> RegistrationFacts:
    """Of the facts that a form is checked against (REG), those that don't depend on its answers; without rates.

    `eligibility` is None where opening the registration settled it.
    """
    invited = referral.vendor_invited_at
    waiver = waiver_of(referral)
    return RegistrationFacts(
        today=now.date(),
        created=referral.created_at.date(),
        vendor_invited=invited.date() if invited else None,
        first_filed=_first_filed(registration),
        eligibility=eligibility,
        wrong_state=wrong_state(registration),
        exception_granted=is_waived(waiver, registration, now),
        waived_until=waiver.until if waiver and waiver.covers(now) else None,
        replaced_tenant=replaced_tenant(waiver),
        top_tier=referral.company.is_top_tier(now.date()),
        solutions=tuple(solution.pk for solution in eligible_solutions(referral, registration)),
        renewable={pk: solution or 0 for pk, solution in renewable(referral).values_list("pk", "solution_id")},
    )


def registration_facts(
    known: RegistrationFacts,
    referral: Referral,
    registration: Registration | None,
    form: RegistrationInput,
    *,
    now: datetime,
    policy: Policy,
) -> RegistrationFacts:
    """All facts that this form is checked against and routed by (REG, AUTO), with the rates of its month (FX-2)."""
    facts = replace(known, rates=_rates(form, registration, now=now, policy=policy))
    route = routing_facts(referral, registration, answers_asked(form, facts), now=now, policy=policy)
    return replace(facts, **vars(route))


def _first_filed(registration: Registration | None) -> date | None:
    filed = registration.first_submitted_at if registration else None
    return filed.date() if filed else None


def renewable(referral: Referral) -> QuerySet[Registration]:
    """The company's approved registrations of this customer, which a registration of the same solution may renew
    (REG-18); the newest first."""
    own = Registration.objects.filter(
        referral__company_id=referral.company_id,
        referral__engagement__customer_id=referral.engagement.customer_id,
        solution__isnull=False,
    )
    earlier = own.approved().exclude(referral=referral)
    return earlier.select_related("solution", "referral").order_by("-first_submitted_at")


def belongs_to(actor: Actor, registration: Registration) -> bool:
    """Whether the person belongs to the company that registers the deal as well."""
    members = Membership.objects.filter(user_id=actor.user_id or 0, is_active=True)
    return members.filter(company_id=registration.referral.company_id).exists()


def _rates(
    form: RegistrationInput, registration: Registration | None, *, now: datetime, policy: Policy
) -> dict[str, UsdRate]:
    """The rates of this month; for a correction those it was first judged at, and for a currency that only the
    correction brings in, the rate of that same month (FX-2)."""
    wanted = {amount.currency for amount in (form.tcv, form.solution_value) if amount}
    month = _first_filed(registration) or now.date()
    found = money.rates_for({*wanted, USD}, month=month, policy=policy)
    return {currency: UsdRate(rate.usd_per_unit, rate.month) for currency, rate in found.items()} | (
        kept_rates(registration) if registration else {}
    )


def kept_rates(registration: Registration) -> dict[str, UsdRate]:
    """The rates that the registration was first judged at (FX-2)."""
    return {
        currency: UsdRate(Decimal(rate["usd_per_unit"]), date.fromisoformat(rate["month"]))
        for currency, rate in registration.rates.items()
    }


def wrong_state(registration: Registration | None) -> Blocker | None:
    """The reason why the form can't be sent in this state at all (REG-14); if there is no registration yet, ELIG
    explains it."""
    if registration is None or registration.status == Status.ACTION_REQUIRED:
        return None
    if registration.status == Status.REGISTRATION_PENDING and registration.submitted_at is None:
        return None
    return Blocker(
        "wrong_state",
        _("This registration is in the state “%(state)s”; it can be changed only while action is required."),
        "REG-14",
        params={"state": Term(states.REGISTRATION_STATES[registration.status])},
    )
