"""When a pay-as-you-go registration may be checked again at a new value, and what that may change (FLOW-6)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from dealreg.rules.acv import USD
from dealreg.rules.values import PAYG, RegistrationInput
from portal.policy.rules import Policy
from portal.workflow.blockers import Blocker, Money, _

#: What a revalidation changes: nothing else (PAYG-2).
CHANGEABLE = ("tcv", "solution_value", "end")


def fiscal_year_end(day: date, policy: Policy) -> date:
    """The last day of the fiscal year that the day lies in."""
    first_month = policy.fiscal_year_starts_month
    year = day.year + (day.month >= first_month)
    return date(year, first_month, 1) - timedelta(days=1)


def revalidation_blockers(
    pricing: str | None, first_filed: date, today: date, *, revalidated: bool, policy: Policy
) -> Iterator[Blocker]:
    """What stands in the way whatever the new values are (PAYG-1, PAYG-2)."""
    if pricing != PAYG:
        yield Blocker("revalidation_payg_only", _("Only a pay-as-you-go registration can be revalidated."), "PAYG-1")
        return
    if today > (until := fiscal_year_end(first_filed, policy)):
        message = _("A revalidation was possible until %(until)s, in the fiscal year of the first submission.")
        yield Blocker("revalidation_year_over", message, "PAYG-2", params={"until": until})
    if revalidated:
        message = _("This registration was revalidated already; that is possible once.")
        yield Blocker("revalidated_already", message, "PAYG-2")


def revalidated_value_blockers(tcv_usd: Decimal | None, policy: Policy) -> Iterator[Blocker]:
    """The new total contract value, in cents of USD, has to be above the policy's limit (PAYG-2)."""
    if tcv_usd is not None and tcv_usd <= policy.revalidation_above_tcv_usd:
        limit = Money(policy.revalidation_above_tcv_usd, USD)
        message = _("A revalidation needs a total contract value above %(limit)s; this one is %(tcv)s.")
        params = {"limit": limit, "tcv": Money(tcv_usd, USD)}
        yield Blocker("revalidation_value_too_low", message, "PAYG-2", "tcv", params)


def foreign_changes(before: RegistrationInput, form: RegistrationInput) -> Iterator[Blocker]:
    """Each answer that a revalidation may not change, and that differs; amounts keep their currency (PAYG-2)."""
    for name, value in vars(before).items():
        if _fixed(name, value) != _fixed(name, getattr(form, name)):
            message = _("A revalidation changes the contract value, the solution value and the end, nothing else.")
            yield Blocker("not_revalidated", message, "PAYG-2", name)


def _fixed(name: str, value: object) -> object:
    """What of this answer stays."""
    if name not in CHANGEABLE:
        return value
    return value.currency if isinstance(value, Money) else None
