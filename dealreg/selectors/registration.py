"""Collects the facts about a deal that the rules need. Only reads; pages, workers and API share it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from django.db.models import QuerySet

from dealreg.models import Registration, Status
from dealreg.rules import RegistrationFacts, RegistrationInput, states
from dealreg.rules.acv import USD, UsdRate
from dealreg.rules.eligibility import Eligibility, EligibilityFacts
from dealreg.rules.eligibility import eligibility as judge_eligibility
from portal.accounts.models import Company, Membership
from portal.accounts.rules import Actor
from portal.catalog.models import Solution
from portal.money import services as money
from portal.policy.rules import Policy
from portal.workflow.blockers import Blocker, Term, _
from referrals import rules as referral_rules
from referrals.models import Referral


def unregistered() -> QuerySet[Referral]:
    """Partners' won deals without a registration. The vendor's own copies are left out: it registers nothing."""
    won = Referral.objects.filter(substatus=referral_rules.WON, registration=None, company__kind=Company.Kind.PARTNER)
    return won.select_related("engagement__customer", "company")


def eligible_solutions(referral: Referral) -> list[Solution]:
    """The Azure IP co-sell eligible solutions on the deal (ELIG-5)."""
    return sorted(
        (line.solution for line in referral.solutions.select_related("solution") if line.solution.azure_ip),
        key=lambda solution: solution.name,
    )


def eligibility_of(referral: Referral, policy: Policy) -> Eligibility:
    """Evaluate the criteria of ELIG for this deal as it stands; three queries."""
    engagement = referral.engagement
    vendor_copy = engagement.referrals.filter(company__kind=Company.Kind.VENDOR).prefetch_related("team").first()
    return judge_eligibility(
        EligibilityFacts(
            deal_type=engagement.deal_type,
            value=referral.money,
            value_usd=referral.value_usd,
            rate_month=referral.usd_rate_month,
            customer_managed=engagement.customer.managed,
            azure_ip_solutions=tuple(s.name for s in eligible_solutions(referral)),
            substatus=referral.substatus,
            safe_win_at=referral_rules.safe_win_at(referral.created_at, policy),
            vendor_substatus=vendor_copy.substatus if vendor_copy else None,
            vendor_expires_at=vendor_copy.expires_at if vendor_copy else None,
            vendor_seller=_seller(vendor_copy),
            won_at=referral.won_at,
        ),
        policy,
    )


def _seller(vendor_copy: Referral | None) -> str:
    """The vendor's seller on the deal, once one has accepted it (F6.5)."""
    members = list(vendor_copy.team.all()) if vendor_copy else []
    return str(members[0]) if members else ""


def registration_facts(
    referral: Referral,
    registration: Registration | None,
    form: RegistrationInput,
    *,
    eligibility: Eligibility | None,
    now: datetime,
    policy: Policy,
) -> RegistrationFacts:
    """The facts that a form is checked against (REG), with the rates of the current month (FX-2).

    `eligibility` is None where an earlier submission settled it.
    """
    invited = referral.engagement.vendor_invited_at
    return RegistrationFacts(
        today=now.date(),
        created=referral.created_at.date(),
        vendor_invited=invited.date() if invited else None,
        first_filed=_first_filed(registration),
        eligibility=eligibility,
        wrong_state=_wrong_state(registration),
        rates=_rates({m.currency for m in (form.tcv, form.solution_value) if m}, month=now.date(), policy=policy),
        exception_granted=registration.exception_granted if registration else False,
        partner_count=partner_count(referral),
        won_early=referral.won_early,
    )


def _first_filed(registration: Registration | None) -> date | None:
    filed = registration.first_submitted_at if registration else None
    return filed.date() if filed else None


def partner_count(referral: Referral) -> int:
    """The number of partner companies that take part; declined, expired and erroneous copies don't count (AUTO-2)."""
    copies = referral.engagement.referrals.filter(company__kind=Company.Kind.PARTNER)
    return copies.exclude(substatus__in=referral_rules.GONE).count()


def belongs_to(actor: Actor, registration: Registration) -> bool:
    """Whether the person belongs to the company that registers the deal as well."""
    members = Membership.objects.filter(user_id=actor.user_id or 0, is_active=True)
    return members.filter(company_id=registration.referral.company_id).exists()


def _rates(currencies: Iterable[str], *, month: date, policy: Policy) -> dict[str, UsdRate]:
    found = money.rates_for({*currencies, USD}, month=month, policy=policy)
    return {currency: UsdRate(rate.usd_per_unit, rate.month) for currency, rate in found.items()}


def was_settled(registration: Registration | None) -> bool:
    """Whether an earlier submission settled eligibility, so that only the form is checked now."""
    return registration is not None and registration.status == Status.ACTION_REQUIRED


def _wrong_state(registration: Registration | None) -> Blocker | None:
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
