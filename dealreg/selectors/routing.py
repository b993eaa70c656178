"""What a registration's route is decided by: who takes part, and what was registered before (AUTO)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, date, datetime, time
from typing import Any

from dealreg.models import Registration, Waiver
from dealreg.rules import Duplicate, RegistrationFacts, RegistrationInput, states
from dealreg.rules.acv import add_months
from dealreg.selectors.waivers import waiver_of
from portal.accounts.models import Company
from portal.policy.rules import Policy
from referrals import rules as referral_rules
from referrals.models import Referral
from referrals.rules.sharing import knows


@dataclass(frozen=True)
class RoutingFacts:
    """The facts for AUTO-2, AUTO-4, AUTO-5 and AUTO-6, as RegistrationFacts has them."""

    partner_count: int
    known_partners: int
    won_early: bool
    duplicates: tuple[Duplicate, ...]
    approved_dates: Mapping[str, date | None] = field(default_factory=dict)


def routing_facts(
    referral: Referral, registration: Registration | None, form: RegistrationInput, *, now: datetime, policy: Policy
) -> RoutingFacts:
    """The facts for routing this form, which is about the solution that it names; three queries."""
    waiver = waiver_of(referral)
    copies = list(partner_copies(referral))
    known = [copy for copy in copies if knows(referral.party, copy.party)]
    return RoutingFacts(
        partner_count=len(copies),
        known_partners=len(known),
        won_early=referral.won_early,
        duplicates=_duplicates(referral, registration, form, waiver, now=now, policy=policy),
        approved_dates=waiver.dates if waiver else {},
    )


def partner_copies(referral: Referral) -> Any:
    """The copies of the partner companies that take part; declined, expired and erroneous ones don't count (AUTO-2)."""
    copies = referral.engagement.referrals.filter(company__kind=Company.Kind.PARTNER)
    return copies.exclude(substatus__in=referral_rules.GONE).select_related("company")


def _duplicates(
    referral: Referral,
    registration: Registration | None,
    form: RegistrationInput,
    waiver: Waiver | None,
    *,
    now: datetime,
    policy: Policy,
) -> tuple[Duplicate, ...]:
    """Without what this one renews (REG-18) or replaces (EXC-13)."""
    if form.solution is None:
        return ()
    filed = (registration and registration.first_submitted_at) or now
    customer_id = referral.engagement.customer_id
    found = registered_before(customer_id, form.solution, day=filed.date(), now=now, policy=policy)
    others = found.exclude(pk__in=[pk for pk in (registration and registration.pk, form.renews) if pk])
    if waiver and waiver.replaces_id:
        others = others.exclude(referral=waiver.replaces_id)
    rows = others.order_by("pk").values_list("pk", "referral__company_id")
    return tuple(Duplicate(pk, own=company_id == referral.company_id) for pk, company_id in rows)


def registered_before(customer_id: int, solution_id: int, *, day: date, now: datetime, policy: Policy) -> Any:
    """What was registered of this customer and solution since so many months before the day, by anyone and whatever
    became of it, unless another took its place (AUTO-5, EXC-13). Found by the customer's engagements, which an index
    leads to."""
    since = datetime.combine(add_months(day, -policy.duplicate_months), time.min, UTC)
    return Registration.objects.filter(
        referral__engagement__customer_id=customer_id,
        solution_id=solution_id,
        first_submitted_at__range=(since, now),
    ).exclude(outcome=states.REPLACED)


# What is kept of it, by the version of the registration that the decision made (FLOW-7)


def to_json(facts: RoutingFacts) -> dict[str, Any]:
    dates = {name: day.isoformat() if day else None for name, day in facts.approved_dates.items()}
    return {**asdict(facts), "approved_dates": dates}


def form_to_json(facts: RegistrationFacts) -> dict[str, Any]:
    """Of what a form was judged by, that which may change and stands nowhere else."""
    return {
        "solutions": list(facts.solutions),
        "exception_granted": facts.exception_granted,
        "replaced_tenant": facts.replaced_tenant,
    }


def kept_at(registration: Registration, version: int | None) -> Mapping[str, Any]:
    """What the decision that made this version was decided by; empty if it kept nothing."""
    found: Mapping[str, Any] = registration.route_facts.get(str(version), {})
    return found


def routing_of(kept: Mapping[str, Any]) -> RoutingFacts | None:
    """The facts for the route; None where that decision made none."""
    if "duplicates" not in kept:
        return None
    facts = {f.name: kept[f.name] for f in fields(RoutingFacts) if f.name in kept}
    given = kept.get("approved_dates", {})
    facts["approved_dates"] = {name: date.fromisoformat(day) if day else None for name, day in given.items()}
    return RoutingFacts(**{**facts, "duplicates": tuple(Duplicate(**one) for one in kept["duplicates"])})


def last_routing(registration: Registration) -> RoutingFacts | None:
    """What the registration was last routed by."""
    newest = sorted(registration.route_facts.items(), key=lambda item: int(item[0]), reverse=True)
    return next((facts for _version, kept in newest if (facts := routing_of(kept))), None)
