"""The checks of the registration form (REG-1 to REG-14, REG-17, REG-18, REG-21), as pure decisions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from dealreg.rules import acv, contract
from dealreg.rules.contract import positive
from dealreg.rules.dates import date_violations
from dealreg.rules.values import (
    AZURE,
    OTHER_PRICING,
    PAYG,
    Amounts,
    RegistrationFacts,
    RegistrationInput,
    amounts,
    answers_asked,
)
from dealreg.rules.window import DAY, closed_periods
from portal.policy.rules import Policy
from portal.workflow.blockers import Blocker, Money, _

#: REG-12: what a granted exception waives, and nothing else.
WAIVED = frozenset({"signed_too_old", "signed_before_referral", "start_too_old", "payg_signed_too_late"})


def violations(inp: RegistrationInput, facts: RegistrationFacts, policy: Policy) -> tuple[Blocker, ...]:
    """All rule violations of the form, in the order of its fields (REG-1 to REG-14, REG-17, REG-18, REG-21).

    A wrong state is reported alone. Ineligibility comes first, but the fields are still checked (REG-14). While a
    question is unanswered, only those problems are reported that no answer to it could solve.
    """
    if facts.wrong_state:
        return (facts.wrong_state,)
    inp = answers_asked(inp, facts)
    found = [
        *_not_now(facts, policy),
        *_unanswered(inp),
        *_solution(inp, facts),
        *_marketplace(inp, facts, policy),
        *_deployment(inp),
        *_values(inp, facts, policy),
        *date_violations(inp, facts, policy),
        *_tenant(inp, facts),
    ]
    kept = [b for b in found if not (facts.exception_granted and b.code in WAIVED)]
    return tuple(sorted(kept, key=lambda blocker: _FIELD_ORDER.index(blocker.field)))


_FIELD_ORDER = ("", *RegistrationInput.__dataclass_fields__)


def _not_now(facts: RegistrationFacts, policy: Policy) -> Iterator[Blocker]:
    """Violations that don't depend on the form: eligibility (REG-14) and closed periods (REG-13)."""
    if facts.eligibility and not facts.eligibility.eligible:
        yield Blocker(
            "not_eligible",
            _("This deal doesn't meet every criterion for registration; settle what is listed with it first."),
            "REG-14",
            details=facts.eligibility.unmet,
        )
    closed = next((p for p in closed_periods(policy) if p.first <= facts.today <= p.last), None)
    if closed and not facts.is_correction:  # REG-20
        opens = closed.last + DAY if closed.last < date.max else None
        yield Blocker(
            "registration_closed_period",
            _("%(vendor)s takes no registrations at present. Submit this one on %(opens)s or later.")
            if opens
            else _("%(vendor)s takes no registrations until further notice. Keep your contract data at hand."),
            "REG-13",
            params={"opens": opens} if opens else {},
        )


def _unanswered(inp: RegistrationInput) -> Iterator[Blocker]:
    """One violation for each unanswered question (REG-1 to REG-4, REG-7, REG-8, REG-10, REG-17)."""
    for name, code, rule, message in _QUESTIONS:
        if not getattr(inp, name) and _needs_answer(name, inp):
            yield Blocker(code, message, rule, name)


def _needs_answer(name: str, inp: RegistrationInput) -> bool:
    """Whether this question needs an answer, given the other answers; “no” is an answer to the marketplace question
    (REG-1)."""
    match name:
        case "marketplace":
            return inp.marketplace is None
        case "marketplace_date":
            return bool(inp.marketplace)
        case "end":
            return inp.term == acv.FINITE
    return True


#: Field, code, rule and message of each question, as long as it has no answer.
_QUESTIONS = (
    ("marketplace", "marketplace_required", "REG-1", _("Say whether this is a marketplace sale.")),
    (
        "marketplace_date",
        "marketplace_date_required",
        "REG-1",
        _("Give the date on which you expect the marketplace transaction, so that it can be matched with this deal."),
    ),
    ("deployment", "deployment_required", "REG-2", _("Say whether the solution is deployed on Azure.")),
    ("term", "term_required", "REG-3", _("Say whether the contract is perpetual or ends on a date.")),
    (
        "tcv",
        "tcv_required",
        "REG-4",
        _("Give the total contract value with its currency: software and services, without hardware."),
    ),
    ("solution_value", "solution_value_required", "REG-4", _("Give the value of the solution with its currency.")),
    ("signed", "signed_required", "REG-7", _("Give the date on which the contract was signed.")),
    ("start", "start_required", "REG-8", _("Give the date on which the contract starts.")),
    (
        "end",
        "end_date_required",
        "REG-3",
        _("Give the date on which the contract ends, or choose perpetual if it has no end."),
    ),
    ("tenant", "tenant_required", "REG-10", _("Say whether the solution runs in the customer's or in your tenant.")),
    ("pricing", "pricing_required", "REG-10", _("Say whether the pricing model is pay-as-you-go or another.")),
    (
        "contract_names_confirmed",
        "contract_names_missing",
        "REG-17",
        _(
            "Confirm that your company holds the contract with the customer, and that the signed contract names your "
            "company and the eligible solution; it can't count otherwise."
        ),
    ),
)

#: The questions that need an answer wherever they are asked (REG-14, REG-21).
REQUIRED = frozenset({"solution", *(name for name, *_others in _QUESTIONS)})


def _solution(inp: RegistrationInput, facts: RegistrationFacts) -> Iterator[Blocker]:
    """The form names one solution of the deal (REG-21), and may name a registration of it that it renews (REG-18).

    Where no solution can be registered, eligibility says so.
    """
    if inp.solution is None and facts.solutions:
        message = _("Choose which of the Azure IP co-sell eligible solutions on this deal the contract is about.")
        yield Blocker("solution_required", message, "REG-21", "solution")
    if inp.solution is not None and inp.solution not in facts.solutions:
        message = _("Choose one of the Azure IP co-sell eligible solutions on this deal.")
        yield Blocker("foreign_solution", message, "REG-21", "solution")
    if inp.renews is not None and not facts.is_renewal(inp):
        message = _("Choose one of your company's approved registrations of this solution for this customer.")
        yield Blocker("foreign_renewal", message, "REG-18", "renews")


def _marketplace(inp: RegistrationInput, facts: RegistrationFacts, policy: Policy) -> Iterator[Blocker]:
    """The estimated transaction date is not too far ahead (REG-1)."""
    latest = acv.add_months(facts.today, policy.marketplace_max_months)
    if inp.marketplace_date and inp.marketplace_date > latest:
        yield Blocker(
            "marketplace_date_too_far",
            _(
                "The marketplace transaction may lie at most %(months)s months ahead, on %(latest)s or earlier. "
                "Register the deal when its transaction is nearer."
            ),
            "REG-1",
            "marketplace_date",
            {"months": policy.marketplace_max_months, "latest": latest},
        )


def _deployment(inp: RegistrationInput) -> Iterator[Blocker]:
    if inp.deployment and inp.deployment != AZURE:
        yield Blocker(
            "not_deployed_on_azure",
            _("Only solutions deployed on Azure can be registered. You can close this deal without registering it."),
            "REG-2",
            "deployment",
        )


def _tenant(inp: RegistrationInput, facts: RegistrationFacts) -> Iterator[Blocker]:
    """What replaces an earlier registration states the same tenant type (EXC-13)."""
    if inp.tenant and facts.replaced_tenant and inp.tenant != facts.replaced_tenant:
        message = _("The registration that this one replaces states another tenant type, and that can't be changed.")
        yield Blocker("tenant_changed", message, "EXC-13", "tenant")


def _values(inp: RegistrationInput, facts: RegistrationFacts, policy: Policy) -> Iterator[Blocker]:
    """Checks of the amounts, alone and against each other (REG-4), and of the annual contract value (REG-6)."""
    exact = amounts(inp, facts, policy)
    yield from contract.tcv_violations(inp.tcv, facts.rates, "REG-4")
    yield from contract.solution_value_violations(inp.tcv, inp.solution_value, facts.rates, "REG-4")
    yield from _payg_year(inp)
    if exact.acv_usd is not None and not _acv_suffices(exact.acv_usd, exact, inp, policy):
        yield _acv_too_low(exact.acv_usd, exact, inp, policy)


def _payg_year(inp: RegistrationInput) -> Iterator[Blocker]:
    """What was paid in some twelve months is a part of the whole, in the same currency (REG-6)."""
    year, whole = inp.payg_year_value, positive(inp.tcv)
    if year is not None and year <= 0:
        yield Blocker(
            "payg_year_value_not_positive",
            _("What the customer paid in twelve months must be above zero."),
            "REG-6",
            "payg_year_value",
        )
    elif year is not None and whole and year > whole.amount:
        yield Blocker(
            "payg_year_value_exceeds_tcv",
            _("The customer can't have paid more in twelve months than in all, %(tcv)s: correct either."),
            "REG-6",
            "payg_year_value",
            {"tcv": whole},
        )


def _acv_suffices(acv_usd: Decimal, exact: Amounts, inp: RegistrationInput, policy: Policy) -> bool:
    """Whether the annual contract value exceeds the minimum; for pay-as-you-go it, or what was paid in some twelve
    months, may equal it (REG-6)."""
    if inp.pricing == OTHER_PRICING:
        return acv_usd > policy.minimum_acv_usd
    year = exact.payg_year_usd if inp.pricing == PAYG else exact.tcv_usd  # undecided: it might be all of it
    return max(acv_usd, year or acv_usd) >= policy.minimum_acv_usd


_ACV_TOO_LOW = _(
    "The annual contract value comes to %(acv)s, but has to be above %(minimum)s. "
    "Check the total contract value, the term and the dates; a smaller contract can't be registered."
)
_PAYG_TOO_LOW = _(
    "The annual contract value comes to %(acv)s, but a pay-as-you-go contract needs at least %(minimum)s. "
    "Check the total contract value and the dates, or register when more invoices add up to it."
)
_PAYG_YEAR_TOO_LOW = _(
    "On average a year comes to %(acv)s, but a pay-as-you-go contract needs at least %(minimum)s. If the customer paid "
    "that much in some twelve months, give here what they paid in these; else register when more invoices add up to it."
)


def _acv_too_low(acv_usd: Decimal, exact: Amounts, inp: RegistrationInput, policy: Policy) -> Blocker:
    """At the year's value where that could still settle it, else at the total contract value (REG-6)."""
    year_may_do = inp.pricing == PAYG and (exact.tcv_usd or 0) >= policy.minimum_acv_usd
    message = _ACV_TOO_LOW if inp.pricing == OTHER_PRICING else _PAYG_YEAR_TOO_LOW if year_may_do else _PAYG_TOO_LOW
    return Blocker(
        "acv_not_above_minimum",
        message,
        "REG-6",
        "payg_year_value" if year_may_do else "tcv",
        {"acv": Money(acv_usd, acv.USD), "minimum": Money(policy.minimum_acv_usd, acv.USD)},
    )
