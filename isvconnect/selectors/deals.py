"""What a deal may be reported with, and what it would come to: pages, API and verbs ask the same (ISV-1 to ISV-4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Exists, OuterRef, QuerySet

from dealreg.models import Registration, Status
from dealreg.rules import UsdRate
from dealreg.rules.acv import USD
from dealreg.rules.contract import in_usd, positive
from dealreg.rules.criteria import Criterion
from isvconnect.models import IsvDeal
from isvconnect.policies import may_report
from isvconnect.rules import checks, schedule
from isvconnect.rules.criteria import ReferralFacts, criteria
from isvconnect.rules.values import IsvDealInput, IsvFacts, OfReferral, answers_asked
from isvconnect.selectors.rates import rate_in_force
from portal.accounts.models import Company, Location
from portal.accounts.rules import Actor, writing_scope
from portal.catalog.models import Solution
from portal.catalog.rules import NO_BIZ_APPS
from portal.customers.models import Customer
from portal.money import services as money
from portal.policy import services as policies
from portal.workflow.blockers import Blocker, _
from referrals import rules as referral_rules
from referrals.models import Referral, ReferralQuerySet, ReferralSolution


@dataclass(frozen=True)
class Judgement:
    """What a report or a correction would come to; a dry run shows it, and the verb keeps it.

    `claim` is the form as it is judged and kept. Values are there wherever they can be computed, with or without
    violations; those in USD to the cent at `rates` (FX-2). `percent` is the fee rate in force at the signing; None
    where there is none yet, or where it is not known for what. `years` lead to the invoices (ISV-6).
    """

    claim: IsvDealInput
    violations: tuple[Blocker, ...]
    years: tuple[schedule.Year, ...]
    percent: Decimal | None
    tcv_usd: Decimal | None
    solution_value_usd: Decimal | None
    rates: Mapping[str, UsdRate]
    tag: str


def judge(
    inp: IsvDealInput, *, actor: Actor, referral: Referral | None = None, deal: IsvDeal | None = None, now: datetime
) -> Judgement:
    """Evaluate the form for a new deal, from `referral` or none, or for the correction of `deal`. Writes nothing.

    A correction is judged at the rates of the first submission, and as long as solution and signing stay, at the tag
    and the fee rate found then (FX-2, ISV-5).
    """
    referral = deal.referral if deal else referral
    facts = _facts(inp, actor, referral, deal, now)
    claim = answers_asked(inp, facts)
    tag = _tag(claim, deal)
    percent = _percent(claim, tag, deal)
    tcv, value = positive(claim.tcv), positive(claim.solution_value)
    return Judgement(
        claim=claim,
        violations=checks.violations(claim, facts, policies.current(now)),
        years=_years(claim, percent, (deal.created_at if deal else now).date()),
        percent=percent,
        tcv_usd=in_usd(tcv, facts.rates),
        solution_value_usd=in_usd(value, facts.rates),
        rates=_used(claim, facts.rates),
        tag=tag,
    )


def _facts(inp: IsvDealInput, actor: Actor, referral: Referral | None, deal: IsvDeal | None, now: datetime) -> IsvFacts:
    company_id = deal.company_id if deal else actor.own_company_id
    places = {*locations(actor, referral).values_list("pk", flat=True)}
    sold = tagged_on(referral) if referral else tagged_solutions(actor)
    solutions = {*sold.values_list("pk", flat=True)}
    customer = Customer.objects.filter(pk=inp.customer) if inp.customer else Customer.objects.none()
    settled = {deal.customer_id} if deal else {referral.engagement.customer_id} if referral else set()
    known = inp.customer in settled or customer.seen_by(company_id).exists()
    return IsvFacts(
        today=now.date(),
        rates=_rates(inp, deal, now),
        locations=places | ({deal.location_id} if deal else set()),
        solutions=solutions | ({deal.solution_id} if deal else set()),
        stays=deal.location_id if deal else None,
        customer_known=known,
        of_referral=OfReferral(referral.engagement.customer_id, referral.location_id) if referral else None,
        refusals=_refusals(referral, standing_deal(referral)) if referral and deal is None else (),
    )


def _refusals(referral: Referral, standing: IsvDeal | None) -> tuple[Blocker, ...]:
    """Why nothing can be reported from this referral (ISV-2, ISV-7); `standing`: its deal that isn't cancelled."""
    found = []
    if referral.substatus != referral_rules.WON:
        found.append(Blocker("isv_not_won", _("A sale is reported once the deal is won."), "ISV-2"))
    if standing:
        message = _("The ISV Connect deal of this referral is reported already.")
        found.append(Blocker("isv_deal_exists", message, "ISV-7"))
    return tuple(found)


def _rates(inp: IsvDealInput, deal: IsvDeal | None, now: datetime) -> dict[str, UsdRate]:
    """The rates of the month of the first submission; those that were used then stay (FX-2)."""
    wanted = {amount.currency for amount in (inp.tcv, inp.solution_value) if amount}
    month = (deal.created_at if deal else now).date()
    found = money.rates_for({*wanted, USD}, month=month, policy=policies.current(now))
    fresh = {currency: UsdRate(rate.usd_per_unit, rate.month) for currency, rate in found.items()}
    return fresh | (kept_rates(deal) if deal else {})


def kept_rates(deal: IsvDeal) -> dict[str, UsdRate]:
    """The rates that the deal was first judged at (FX-2)."""
    return {
        currency: UsdRate(Decimal(rate["usd_per_unit"]), date.fromisoformat(rate["month"]))
        for currency, rate in deal.rates.items()
    }


def _used(claim: IsvDealInput, rates: Mapping[str, UsdRate]) -> dict[str, UsdRate]:
    """Of the currencies that the form names, as far as they need a rate and have one."""
    named = {amount.currency for amount in (claim.tcv, claim.solution_value) if amount} - {USD}
    return {currency: rates[currency] for currency in sorted(named) if currency in rates}


def _tag(claim: IsvDealInput, deal: IsvDeal | None) -> str:
    if deal and claim.solution == deal.solution_id:
        return deal.tag
    return Solution.objects.filter(pk=claim.solution or 0).values_list("biz_apps", flat=True).first() or NO_BIZ_APPS


def _percent(claim: IsvDealInput, tag: str, deal: IsvDeal | None) -> Decimal | None:
    if deal and deal.percent is not None and (tag, claim.signed) == (deal.tag, deal.signed):
        return deal.percent
    return rate_in_force(tag, claim.signed) if tag and claim.signed else None


def _years(claim: IsvDealInput, percent: Decimal | None, submitted: date) -> tuple[schedule.Year, ...]:
    value, start, end = positive(claim.solution_value), claim.start, claim.end
    if not value or not start or not end or end < start:
        return ()
    return schedule.years(start, end, value.amount, percent, submitted=submitted)


# What the form offers


def tagged_solutions(actor: Actor) -> QuerySet[Solution]:
    """The company's solutions that carry the ISV Connect tag (ISV-1, ISV-3), by name."""
    return Solution.objects.own(actor).exclude(biz_apps=NO_BIZ_APPS).order_by("name", "pk")


def tagged_on(referral: Referral) -> QuerySet[Solution]:
    """The solutions of the referral's company on it that carry the tag (ISV-2), by name."""
    own = Solution.objects.filter(publisher_id=referral.company_id).exclude(biz_apps=NO_BIZ_APPS)
    lines = ReferralSolution.objects.filter(referral=referral)
    return own.filter(pk__in=lines.values("solution")).order_by("name", "pk")


def locations(actor: Actor, referral: Referral | None = None) -> QuerySet[Location]:
    """Where the actor reports deals (ISV-7), by name: the referral's location, else those of their role."""
    own = Location.objects.filter(company_id=actor.own_company_id).order_by("name", "pk")
    if referral is not None:
        return own.filter(pk=referral.location_id) if referral.location_id else own
    scope = writing_scope(actor)
    return own if scope.entire_company else own.filter(pk__in=scope.location_ids)


# A referral's way to ISV Connect


@dataclass(frozen=True)
class Offer:
    """How a referral stands to ISV Connect (ISV-1, ISV-2).

    `applies`: the banner is due: it is won, fulfils the criteria and has no standing deal. `blockers`: why nothing can
    be reported now. `allowed`: the actor's role lets them report it. `order_hint`: the msgid of why the co-sell
    registration should come first, where both are due; else ''.
    """

    applies: bool
    criteria: tuple[Criterion, ...]
    blockers: tuple[Blocker, ...]
    deal: IsvDeal | None
    allowed: bool
    order_hint: str = ""


_CO_SELL_FIRST = _(
    "This sale is to be registered for co-sell, too. Do that first: what you enter there is filled in here."
)


def offer(referral: Referral, actor: Actor, now: datetime) -> Offer:
    """What the deal page and home say of the referral; the partner's own copies only have anything to offer."""
    found, deal = criteria_of(referral, now), standing_deal(referral)
    refusals = _refusals(referral, deal)
    applies = referral.company.kind == Company.Kind.PARTNER and not refusals and all(c.state == "met" for c in found)
    return Offer(
        applies=applies,
        criteria=found,
        blockers=refusals,
        deal=deal,
        allowed=may_report(actor, referral.location_id, referral),
        order_hint=_CO_SELL_FIRST if applies and _to_register(referral) else "",
    )


def criteria_of(referral: Referral, now: datetime) -> tuple[Criterion, ...]:
    """ISV-1 for the referral as it stands, at the rate of its month (FX-2)."""
    facts = ReferralFacts(
        solutions=tuple(tagged_on(referral).values_list("name", flat=True)),
        value=referral.money,
        value_usd=referral.value_usd,
        is_open=not referral.is_closed,
    )
    return criteria(facts, policies.current(now))


def standing_deal(referral: Referral) -> IsvDeal | None:
    """The referral's deal that isn't cancelled; there is one at most (ISV-7)."""
    return IsvDeal.objects.standing().filter(referral=referral).first()


def _to_register(referral: Referral) -> bool:
    """Whether its co-sell registration waits to be filed."""
    pending = Registration.objects.filter(referral=referral, status=Status.REGISTRATION_PENDING)
    return pending.filter(submitted_at=None).exists()


def to_report(actor: Actor, *, now: datetime) -> ReferralQuerySet:
    """The won referrals of partners that the actor sees, with the banner and no standing deal: *Action required*
    (ISV-2, ISV-5)."""
    lines = ReferralSolution.objects.filter(referral=OuterRef("pk"), solution__publisher=OuterRef("company")).exclude(
        solution__biz_apps=NO_BIZ_APPS
    )
    reported = IsvDeal.objects.standing().filter(referral=OuterRef("pk"))
    return Referral.objects.visible_to(actor).filter(
        Exists(lines),
        ~Exists(reported),
        company__kind=Company.Kind.PARTNER,
        substatus=referral_rules.WON,
        value_usd__gt=policies.current(now).isv_minimum_value_usd,
    )
