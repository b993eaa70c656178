"""What a contract's amounts and dates have to fulfil on every form that asks for them; `rule` is the form's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal

from dealreg.rules import acv
from portal.workflow.blockers import Blocker, Money, _

Rates = Mapping[str, acv.UsdRate]


def positive(money: Money | None) -> Money | None:
    return money if money and money.amount > 0 else None


def in_usd(money: Money | None, rates: Rates) -> Decimal | None:
    """To the cent, half-up, as limits compare it (REG-6); None without an amount or a rate."""
    exact = acv.to_usd(money, rates) if money else None
    return None if exact is None else acv.round_cents(exact)


def tcv_violations(tcv: Money | None, rates: Rates, rule: str) -> Iterator[Blocker]:
    """The whole contract's value is above zero, and can be judged (REG-4, ISV-3)."""
    if tcv and tcv.amount <= 0:
        yield Blocker("tcv_not_positive", _("The total contract value must be above zero."), rule, "tcv")
    if tcv and acv.usd_per_unit(tcv.currency, rates) is None:
        yield _no_rate(tcv.currency, "tcv")


def solution_value_violations(
    tcv: Money | None, solution_value: Money | None, rates: Rates, rule: str
) -> Iterator[Blocker]:
    """The solution's value is above zero and not above the contract's; if the currencies differ, to the cent in USD
    (REG-4, ISV-3)."""
    if solution_value and solution_value.amount <= 0:
        message = _("The value of the solution must be above zero.")
        yield Blocker("solution_value_not_positive", message, rule, "solution_value")
    whole, part = positive(tcv), positive(solution_value)
    if not whole or not part:
        return
    if whole.currency == part.currency:
        exceeds = part.amount > whole.amount
    elif (part_usd := in_usd(part, rates)) is None:
        exceeds = False
        yield _no_rate(part.currency, "solution_value")
    else:
        whole_usd = in_usd(whole, rates)
        exceeds = whole_usd is not None and part_usd > whole_usd
    if exceeds:
        yield Blocker(
            "solution_value_exceeds_tcv",
            _("The value of the solution, %(part)s, can't be above the total contract value, %(tcv)s: correct either."),
            rule,
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


def signed_in_future(signed: date | None, today: date, rule: str) -> Iterator[Blocker]:
    """A contract is signed before it is registered (REG-7, ISV-3)."""
    if signed and signed > today:
        yield Blocker(
            "signed_in_future",
            _("The contract can't have been signed after today, %(today)s (UTC). Register it once it is signed."),
            rule,
            "signed",
            {"today": today},
        )


def end_before_start(start: date | None, end: date | None, rule: str) -> Iterator[Blocker]:
    """A contract doesn't end before it starts (REG-9, ISV-3)."""
    if start and end and end < start:
        yield Blocker(
            "end_before_start",
            _("The contract can't end before it starts on %(start)s: correct either date."),
            rule,
            "end",
            {"start": start},
        )
