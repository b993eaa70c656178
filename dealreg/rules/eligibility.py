"""Eligibility for co-sell deal registration (ELIG), criterion by criterion, as pure decisions."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from dealreg.rules.acv import USD, round_cents
from dealreg.rules.criteria import (
    Criterion,
    Eligibility,
    EligibilityFacts,
    Granted,
    SettledBy,
    State,
    Text,
    criterion,
    no_rate,
    say,
)
from portal.policy.rules import Policy
from portal.workflow.blockers import Blocker, Money, Term, _

_DEAL_TYPES = {
    "private": _("Private deal"),
    "partner_led": _("Partner-led"),
    "co_sell": _("Co-sell"),
    "solution_assessment": _("Solution assessment"),
}
#: ELIG-8: what an approved exception replaces.
_REPLACEABLE = frozenset({"ELIG-2", "ELIG-3", "ELIG-4", "ELIG-5", "ELIG-7"})

_WON_NEXT = _("A won deal can't be changed any more.")
_OVER_NEXT = _("The deal is closed without a sale, so this can't change any more.")


def eligibility(facts: EligibilityFacts, policy: Policy) -> Eligibility:
    """Evaluate ELIG-1 to ELIG-7; an approved exception counts instead of 2 to 5 and 7 where they are unmet (ELIG-8)."""
    found = (
        _not_assessment(facts),
        _deal_type(facts),
        _minimum_value(facts, policy),
        _managed_customer(facts),
        _ip_solution(facts),
        _won(facts),
        _vendor_accepted(facts),
    )
    return Eligibility(tuple(_excepted(c, facts.exception) if facts.exception else c for c in found))


def _excepted(criterion: Criterion, exception: Granted) -> Criterion:
    """The criterion as met by the exception, where that may stand in for it (ELIG-8)."""
    if criterion.state == "met" or criterion.rule not in _REPLACEABLE:
        return criterion
    message = Blocker(
        criterion.code,
        _("%(by)s approved an exception on %(at)s, which stands in for this criterion."),
        rule="ELIG-8",
        params={"by": Term(exception.by), "at": exception.at},
    )
    return replace(criterion, state="met", message=message, settled_by="", settled_at=None)


def _fixable(facts: EligibilityFacts) -> SettledBy:
    """Whether the partner can still correct the deal: only until it is closed (REF-11)."""
    return "you" if facts.is_open else "nobody"


def _next(facts: EligibilityFacts, while_open: str) -> Term:
    """The sentence that says what to do about an unmet criterion; it has no params."""
    if facts.is_open:
        return Term(while_open)
    return Term(_WON_NEXT if facts.is_won else _OVER_NEXT)


def _not_assessment(facts: EligibilityFacts) -> Criterion:
    """ELIG-1: a solution assessment can't be registered."""
    assessment = facts.deal_type == "solution_assessment"
    return criterion(
        "not_assessment",
        "ELIG-1",
        "notMet" if assessment else "met",
        needed=say(_("Any deal but a solution assessment")),
        actual=_type_of(facts),
        message=say(
            _(
                "A solution assessment can't be registered, not even by exception. "
                "If it leads to a sale, create a deal of its own for that sale before the contract is signed."
            )
            if assessment
            else _("This deal is not a solution assessment.")
        ),
        settled_by="nobody" if assessment else "",
    )


def _type_of(facts: EligibilityFacts) -> Text:
    return say(_DEAL_TYPES[facts.deal_type])


def _deal_type(facts: EligibilityFacts) -> Criterion:
    """ELIG-2: a private deal can be shared until it is closed (REF-4); an assessment never changes its type."""
    state: State = "notMet"
    settled_by: SettledBy = _fixable(facts)
    if facts.deal_type in ("co_sell", "partner_led"):
        state, settled_by = "met", ""
        message = say(_("%(vendor)s may see this deal, so its type fits."))
    elif facts.deal_type == "solution_assessment":
        settled_by = "nobody"
        message = say(_("A solution assessment is neither a co-sell nor a partner-led deal and can't become one."))
    else:
        share = _("If your company started this deal, share it before you close it: as partner-led, or as co-sell.")
        message = say(
            _("This deal is private, and only deals that %(vendor)s may see can be registered. %(next)s"),
            next=_next(facts, share),
        )
    return criterion(
        "deal_type",
        "ELIG-2",
        state,
        needed=say(_("Co-sell or partner-led")),
        actual=_type_of(facts),
        message=message,
        settled_by=settled_by,
    )


def _minimum_value(facts: EligibilityFacts, policy: Policy) -> Criterion:
    """ELIG-3: the value in USD at the monthly rate, to the cent (FX-2); without a rate the deal waits for one."""
    minimum = Money(policy.minimum_deal_value_usd, USD)
    state: State = "notMet"
    settled_by: SettledBy = _fixable(facts)
    if facts.value_usd is None:
        state, settled_by = "notYet", "time"
        message = no_rate(facts.value)
    elif _in_usd(facts.value_usd).amount >= policy.minimum_deal_value_usd:
        state, settled_by = "met", ""
        message = say(_("The estimated value reaches the minimum of %(minimum)s."), minimum=minimum)
    else:
        raise_it = _("If the sale is worth more, raise the estimated value before you close the deal.")
        message = say(
            _("The estimated value is worth %(usd)s, but at least %(minimum)s is needed. %(next)s"),
            usd=_in_usd(facts.value_usd),
            minimum=minimum,
            next=_next(facts, raise_it),
        )
    return criterion(
        "minimum_value",
        "ELIG-3",
        state,
        needed=say(_("At least %(minimum)s"), minimum=minimum),
        actual=_value_of(facts),
        message=message,
        settled_by=settled_by,
    )


def _in_usd(amount: Decimal) -> Money:
    return Money(round_cents(Fraction(amount)), USD)


def _value_of(facts: EligibilityFacts) -> Text:
    if facts.value.currency == USD:
        return say(_("%(value)s"), value=facts.value)
    if facts.value_usd is None:
        return say(_("%(value)s, with no exchange rate yet"), value=facts.value)
    if facts.rate_month is None:
        return say(_("%(value)s, worth %(usd)s"), value=facts.value, usd=_in_usd(facts.value_usd))
    return say(
        _("%(value)s, worth %(usd)s at the monthly rate of %(month)s"),
        value=facts.value,
        usd=_in_usd(facts.value_usd),
        month=f"{facts.rate_month:%Y-%m}",
    )


def _managed_customer(facts: EligibilityFacts) -> Criterion:
    """ELIG-4: the customer of a deal never changes (REF-5), so only the vendor's directory can settle this."""
    managed = facts.customer_managed
    recreate = _("If you chose the wrong entity, create a new deal with the right one before the contract is signed.")
    not_managed = say(
        _("%(vendor)s doesn't manage this customer account, and a deal's customer can't be changed. %(next)s"),
        next=_next(facts, recreate),
    )
    return criterion(
        "managed_customer",
        "ELIG-4",
        "met" if managed else "notMet",
        needed=say(_("A customer account managed by %(vendor)s")),
        actual=say(_("Managed") if managed else _("Not managed")),
        message=say(_("%(vendor)s manages this customer account.")) if managed else not_managed,
        settled_by="" if managed else "nobody",
    )


def _ip_solution(facts: EligibilityFacts) -> Criterion:
    """ELIG-5: solutions can be added until the deal is closed (REF-21)."""
    names = ", ".join(facts.azure_ip_solutions)
    add = _("Add a solution that is, before you close the deal.")
    missing = say(
        _("No solution on this deal is Azure IP co-sell eligible. %(next)s"),
        next=_next(facts, add),
    )
    return criterion(
        "ip_solution",
        "ELIG-5",
        "met" if names else "notMet",
        needed=say(_("At least one Azure IP co-sell eligible solution")),
        actual=say(_("%(solutions)s"), solutions=names) if names else say(_("None on this deal")),
        message=say(_("Azure IP co-sell eligible: %(solutions)s."), solutions=names) if names else missing,
        settled_by="" if names else _fixable(facts),
    )


def _won(facts: EligibilityFacts) -> Criterion:
    """ELIG-6: the message names the hour from which winning raises no question (REF-18)."""
    state: State = "met"
    actual = say(facts.substatus)
    message = say(_("The deal is won."))
    if facts.is_won and facts.won_at:
        actual = say(_("Won on %(won_at)s"), won_at=facts.won_at)
    elif facts.is_open:
        state = "notYet"
        message = say(
            _("Accept this deal first, then mark it Won once the contract is signed; that is safe from %(safe)s on.")
            if facts.substatus == "Received"
            else _("Mark this deal Won once the contract is signed; that is safe from %(safe)s on."),
            safe=facts.safe_win_at,
        )
    elif not facts.is_won:
        state = "notMet"
        message = say(
            _("This deal was closed as “%(state)s”, not won, and stays closed. If there is a sale, create a new deal."),
            state=Term(facts.substatus),
        )
    return criterion(
        "won",
        "ELIG-6",
        state,
        needed=say(_("The deal is marked Won")),
        actual=actual,
        message=message,
        settled_by="" if state == "met" else _fixable(facts),
    )


def _vendor_accepted(facts: EligibilityFacts) -> Criterion:
    """ELIG-7: always met unless the deal is co-sell."""
    if facts.deal_type != "co_sell":
        return criterion(
            "vendor_accepted",
            "ELIG-7",
            "met",
            needed=say(_("Not needed: only a co-sell deal has to be accepted by %(vendor)s")),
            actual=_type_of(facts),
            message=say(_("Only a co-sell deal has to be accepted by %(vendor)s; this deal need not be.")),
        )
    copy = facts.vendor_substatus
    state, settled_by, message = _vendor_answer(facts)
    return criterion(
        "vendor_accepted",
        "ELIG-7",
        state,
        needed=say(_("Accepted or marked Won by %(vendor)s")),
        actual=say(copy) if copy else say(_("Not sent to %(vendor)s")),
        message=message,
        settled_by=settled_by,
        settled_at=facts.vendor_expires_at if state == "notYet" else None,
    )


def _vendor_answer(facts: EligibilityFacts) -> tuple[State, SettledBy, Text]:
    """The state of ELIG-7 for a co-sell deal: what the vendor once accepted counts, whatever became of it."""
    if facts.vendor_accepted or facts.vendor_substatus in ("Accepted", "Won"):
        return "met", "", say(_("%(vendor)s has accepted this deal."))
    if facts.vendor_substatus == "Received":
        return "notYet", "vendor", _waiting(facts)
    if facts.vendor_substatus is None:
        missing = _("%(vendor)s has no copy of this deal that could be accepted. %(next)s")
        ask = _("Ask for help on the deal page, so that it is sent.")
        return "notMet", _fixable(facts), say(missing, next=_next(facts, ask))
    win = _("If you win it nevertheless, you may request an exception.")
    refused = _("%(vendor)s's copy of this deal is closed as “%(state)s”, so it can't be accepted any more. %(next)s")
    return "notMet", "nobody", say(refused, state=Term(facts.vendor_substatus), next=_next(facts, win))


def _waiting(facts: EligibilityFacts) -> Text:
    if facts.vendor_expires_at is None:
        return say(_("%(vendor)s has not answered yet. If it is urgent, remind your contact there."))
    if not facts.vendor_seller:
        return say(
            _("%(vendor)s has not answered yet and can accept until %(until)s. Remind your contact there in time."),
            until=facts.vendor_expires_at,
        )
    return say(
        _("%(seller)s of %(vendor)s has not answered yet and can accept until %(until)s. Send a reminder in time."),
        seller=facts.vendor_seller,
        until=facts.vendor_expires_at,
    )
