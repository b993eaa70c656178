"""The checks of the registration form (REG-1 to REG-14, REG-17), as pure decisions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction

from dealreg.rules import acv
from dealreg.rules.values import Amounts, RegistrationFacts, RegistrationInput, amounts, positive
from portal.policy.rules import Policy
from portal.workflow.blockers import Blocker, Money, _

AZURE = "azure"
PAYG, OTHER_PRICING = "payg", "other"

#: REG-12: what a granted exception waives, and nothing else.
WAIVED = frozenset({"signed_too_old", "signed_before_referral", "start_too_old", "payg_signed_too_late"})


def violations(inp: RegistrationInput, facts: RegistrationFacts, policy: Policy) -> tuple[Blocker, ...]:
    """All rule violations of the form, in the order of its fields (REG-1 to REG-14, REG-17).

    A wrong state is reported alone. Ineligibility comes first, but the fields are still checked (REG-14). While a
    question is unanswered, only those problems are reported that no answer to it could solve.
    """
    if facts.wrong_state:
        return (facts.wrong_state,)
    found = [
        *_not_now(facts, policy),
        *_unanswered(inp),
        *_deployment(inp),
        *_values(inp, facts, policy),
        *_signing(inp, facts),
        *_ending(inp),
        *(_payg(inp, facts, policy) if inp.pricing == PAYG else ()),
        *(_windows(inp, facts, policy) if inp.pricing == OTHER_PRICING else ()),
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
    if any(period.first <= facts.today <= period.last for period in policy.blackouts):
        opens = _opens_again(facts.today, policy)
        yield Blocker(
            "registration_closed_period",
            _("%(vendor)s takes no registrations at present. Submit this one on %(opens)s or later.")
            if opens
            else _("%(vendor)s takes no registrations until further notice. Keep your contract data at hand."),
            "REG-13",
            params={"opens": opens} if opens else {},
        )


def _opens_again(today: date, policy: Policy) -> date | None:
    """The first day after today's closed period and the periods directly after it; None if the calendar has no such
    day."""
    day = today
    while last := next((p.last for p in policy.blackouts if p.first <= day <= p.last), None):
        if last == date.max:
            return None
        day = last + timedelta(days=1)
    return day


def _unanswered(inp: RegistrationInput) -> Iterator[Blocker]:
    """One violation for each unanswered question (REG-1 to REG-4, REG-7, REG-8, REG-10, REG-17)."""
    for name, code, rule, message in _QUESTIONS:
        if not getattr(inp, name) and _asked(name, inp):
            yield Blocker(code, message, rule, name)


def _asked(name: str, inp: RegistrationInput) -> bool:
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
        _("Confirm that the signed contract names your company and the eligible solution; it can't count otherwise."),
    ),
)


def _deployment(inp: RegistrationInput) -> Iterator[Blocker]:
    if inp.deployment and inp.deployment != AZURE:
        yield Blocker(
            "not_deployed_on_azure",
            _("Only solutions deployed on Azure can be registered. You can close this deal without registering it."),
            "REG-2",
            "deployment",
        )


def _values(inp: RegistrationInput, facts: RegistrationFacts, policy: Policy) -> Iterator[Blocker]:
    """Checks of the amounts, alone and against each other (REG-4), and of the annual contract value (REG-6)."""
    exact = amounts(inp, facts, policy)
    if inp.tcv and inp.tcv.amount <= 0:
        yield Blocker("tcv_not_positive", _("The total contract value must be above zero."), "REG-4", "tcv")
    if inp.tcv and acv.usd_per_unit(inp.tcv.currency, facts.rates) is None:
        yield _no_rate(inp.tcv.currency, "tcv")
    if inp.solution_value and inp.solution_value.amount <= 0:
        yield Blocker(
            "solution_value_not_positive",
            _("The value of the solution must be above zero."),
            "REG-4",
            "solution_value",
        )
    yield from _solution_value(inp, exact)
    if exact.acv_usd is not None and not _acv_suffices(exact.acv_usd, inp, policy):
        yield _acv_too_low(exact.acv_usd, inp, policy)


def _solution_value(inp: RegistrationInput, exact: Amounts) -> Iterator[Blocker]:
    """The solution's value must not exceed the contract's; compared in USD only if the currencies differ (REG-4)."""
    whole, part = positive(inp.tcv), positive(inp.solution_value)
    if not whole or not part:
        return
    if whole.currency == part.currency:
        exceeds = part.amount > whole.amount
    elif exact.solution_value_usd is None:
        exceeds = False
        yield _no_rate(part.currency, "solution_value")
    else:
        exceeds = exact.tcv_usd is not None and exact.solution_value_usd > exact.tcv_usd
    if exceeds:
        yield Blocker(
            "solution_value_exceeds_tcv",
            _("The value of the solution, %(part)s, can't be above the total contract value, %(tcv)s: correct either."),
            "REG-4",
            "solution_value",
            {"part": part, "tcv": whole},
        )


def _no_rate(currency: str, name: str) -> Blocker:
    return Blocker(
        "fx_rate_missing",
        _(
            "There is no recent enough exchange rate from %(currency)s to USD to judge this amount. "
            "Submit again once the rate is there, or ask %(vendor)s to load it."
        ),
        "FX-2",
        name,
        {"currency": currency},
    )


def _acv_suffices(acv_usd: Fraction, inp: RegistrationInput, policy: Policy) -> bool:
    """Whether the annual contract value exceeds the minimum; for pay-as-you-go it may equal it (REG-6)."""
    if inp.pricing == OTHER_PRICING:
        return acv_usd > policy.minimum_acv_usd
    return acv_usd >= policy.minimum_acv_usd


def _acv_too_low(acv_usd: Fraction, inp: RegistrationInput, policy: Policy) -> Blocker:
    at_least = _(
        "The annual contract value comes to %(acv)s, but a pay-as-you-go contract needs at least %(minimum)s. "
        "Check the total contract value and the dates, or register when more invoices add up to it."
    )
    above = _(
        "The annual contract value comes to %(acv)s, but has to be above %(minimum)s. "
        "Check the total contract value, the term and the dates; a smaller contract can't be registered."
    )
    return Blocker(
        "acv_not_above_minimum",
        at_least if inp.pricing == PAYG else above,
        "REG-6",
        "tcv",
        {
            "acv": Money(acv.floor_cents(acv_usd), acv.USD),
            "minimum": Money(policy.minimum_acv_usd, acv.USD),
        },
    )


def _signing(inp: RegistrationInput, facts: RegistrationFacts) -> Iterator[Blocker]:
    """Checks of the signing date that hold for every pricing model (REG-7)."""
    if inp.signed and inp.signed > facts.today:
        yield Blocker(
            "signed_in_future",
            _("The contract can't have been signed after today, %(today)s (UTC). Register it once it is signed."),
            "REG-7",
            "signed",
            {"today": facts.today},
        )
    if inp.signed and inp.signed < facts.shared:
        yield Blocker(
            "signed_before_referral",
            _(
                "The contract was signed on %(signed)s, but the deal was created, or %(vendor)s invited to it, only on "
                "%(shared)s. Correct the date if it is wrong; otherwise request an exception."
            ),
            "REG-7",
            "signed",
            {"signed": inp.signed, "shared": facts.shared},
        )


def _ending(inp: RegistrationInput) -> Iterator[Blocker]:
    """A perpetual contract has no end date (REG-3); any other contract must not end before it starts (REG-9)."""
    if inp.end and inp.term == acv.PERPETUAL:
        yield Blocker(
            "end_date_not_allowed",
            _("A perpetual contract has no end: remove the end date, or choose a finite term."),
            "REG-3",
            "end",
        )
    if inp.start and inp.end and inp.end < inp.start:
        yield Blocker(
            "end_before_start",
            _("The contract can't end before it starts on %(start)s: correct either date."),
            "REG-9",
            "end",
            {"start": inp.start},
        )


def _windows(inp: RegistrationInput, facts: RegistrationFacts, policy: Policy) -> Iterator[Blocker]:
    """How many days ago a contract may have been signed or started, unless it is pay-as-you-go (REG-7, REG-8)."""
    if inp.signed and (facts.window_day - inp.signed).days > policy.registration_window_days:
        yield Blocker(
            "signed_too_old",
            _(
                "A contract can be registered for %(days)s days after it was signed; for this one that was until "
                "%(last_day)s. Correct the date if it is wrong; otherwise request an exception."
            ),
            "REG-7",
            "signed",
            {
                "days": policy.registration_window_days,
                "last_day": inp.signed + policy.register_within,
            },
        )
    if inp.start and (facts.window_day - inp.start).days > policy.start_window_days:
        yield Blocker(
            "start_too_old",
            _(
                "The contract may have started at most %(days)s days ago, on %(earliest)s or later. "
                "Correct the date if it is wrong; otherwise request an exception."
            ),
            "REG-8",
            "start",
            {"days": policy.start_window_days, "earliest": facts.window_day - timedelta(days=policy.start_window_days)},
        )


def _payg(inp: RegistrationInput, facts: RegistrationFacts, policy: Policy) -> Iterator[Blocker]:
    """Checks that apply to pay-as-you-go only (REG-11)."""
    yield from _payg_signing(inp, facts, policy)
    if inp.term == acv.PERPETUAL:
        yield Blocker(
            "payg_perpetual",
            _("A pay-as-you-go contract is never perpetual: choose finite, ending with the latest invoice."),
            "REG-11",
            "term",
        )
    if inp.signed and inp.start and inp.signed != inp.start:
        yield Blocker(
            "payg_dates_differ",
            _("For pay-as-you-go, signing and start are the same day: enter the date of the first invoice for both."),
            "REG-11",
            "start",
        )
    if inp.end and inp.end > facts.today:
        yield Blocker(
            "payg_end_in_future",
            _(
                "For pay-as-you-go, enter the date of the latest invoice as the end; "
                "it can't be after today, %(today)s (UTC)."
            ),
            "REG-11",
            "end",
            {"today": facts.today},
        )


def _payg_signing(inp: RegistrationInput, facts: RegistrationFacts, policy: Policy) -> Iterator[Blocker]:
    """The latest day on which a pay-as-you-go contract may begin; replaces the windows of other contracts (REG-11)."""
    latest = acv.add_years(facts.shared, policy.payg_signing_window_years)
    if inp.signed and inp.signed > latest:
        yield Blocker(
            "payg_signed_too_late",
            _(
                "The first invoice of a pay-as-you-go contract counts until %(latest)s, measured from the day the deal "
                "was created or %(vendor)s invited. Correct the date if it is wrong; otherwise request an exception."
            ),
            "REG-11",
            "signed",
            {"latest": latest},
        )
