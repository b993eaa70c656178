"""The checks of the contract's dates (REG-7, REG-8, REG-9, REG-11), as pure decisions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from dealreg.rules import acv
from dealreg.rules.contract import end_before_start, signed_in_future
from dealreg.rules.values import OTHER_PRICING, PAYG, RegistrationFacts, RegistrationInput
from portal.policy.rules import Policy
from portal.workflow.blockers import Blocker, _


def date_violations(inp: RegistrationInput, facts: RegistrationFacts, policy: Policy) -> Iterator[Blocker]:
    """What is wrong with the dates; the limits depend on the pricing model, so they wait for it."""
    yield from _signing(inp, facts)
    yield from end_before_start(inp.start, inp.end, "REG-9")
    if inp.pricing == PAYG:
        yield from _payg(inp, facts, policy)
    elif inp.pricing == OTHER_PRICING:
        yield from _windows(inp, facts, policy)


def _signing(inp: RegistrationInput, facts: RegistrationFacts) -> Iterator[Blocker]:
    """Checks of the signing date that hold for every pricing model (REG-7)."""
    yield from signed_in_future(inp.signed, facts.today, "REG-7")
    if inp.signed and inp.signed < facts.shared:
        yield Blocker(
            "signed_before_referral",
            _(
                "The contract was signed on %(signed)s, but the deal was created, or shared with %(vendor)s, only on "
                "%(shared)s. Correct the date if it is wrong."
            ),
            "REG-7",
            "signed",
            {"signed": inp.signed, "shared": facts.shared},
        )


def _windows(inp: RegistrationInput, facts: RegistrationFacts, policy: Policy) -> Iterator[Blocker]:
    """How many days ago a contract may have been signed or started, unless it is pay-as-you-go (REG-7, REG-8); what is
    renewed started as long ago as it did (REG-18)."""
    if inp.signed and (facts.window_day - inp.signed).days > policy.registration_window_days:
        yield Blocker(
            "signed_too_old",
            _(
                "A contract can be registered for %(days)s days after it was signed; for this one that was until "
                "%(last_day)s. Correct the date if it is wrong."
            ),
            "REG-7",
            "signed",
            {
                "days": policy.registration_window_days,
                "last_day": inp.signed + policy.register_within,
            },
        )
    if inp.start and not facts.is_renewal(inp) and (facts.window_day - inp.start).days > policy.start_window_days:
        yield Blocker(
            "start_too_old",
            _(
                "The contract may have started at most %(days)s days ago, on %(earliest)s or later. "
                "Correct the date if it is wrong."
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
                "was created or shared with %(vendor)s. Correct the date if it is wrong."
            ),
            "REG-11",
            "signed",
            {"latest": latest},
        )
