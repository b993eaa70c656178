"""The claim beside the deal, answer by answer: what differs, and what changed since the last look (FLOW-7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext, ngettext

from dealreg.admin.differences import STATED, amount, as_it_was, day
from dealreg.models import Document, Registration
from dealreg.rules.acv import USD
from dealreg.selectors.looks import last_look
from portal.policy import services as policies
from portal.policy.rules import Policy
from portal.workflow import services as workflow
from portal.workflow import text
from portal.workflow.blockers import Money
from referrals.models import Referral


@dataclass(frozen=True)
class Beside:
    """What the deal says to an answer, what follows from the two, and whether they differ."""

    deal: str = ""
    check: str = ""
    differs: bool = False


@dataclass(frozen=True)
class Row:
    """One answer of the claim; `was` is how it read at the last look, '' if it read the same."""

    name: str
    label: str
    stated: str
    usd: Decimal | None
    was: str
    beside: Beside


@dataclass(frozen=True)
class Comparison:
    """The claim's answers beside the deal. `since`: when a reviewer, or the council, last decided on it."""

    rows: list[Row]
    since: datetime | None
    #: How many documents were added since.
    new_documents: int
    #: The policy that the claim was judged by, and the rates, as sentences (FX-2).
    policy_version: int
    rates: list[str]

    @property
    def differing(self) -> int:
        return sum(row.beside.differs for row in self.rows)

    @property
    def changed(self) -> int:
        return sum(bool(row.was) for row in self.rows)


def comparison_of(registration: Registration) -> Comparison:
    """A handful of queries."""
    look = last_look(registration)
    changes = workflow.changes_since(registration, look.version or 0) if look else {}
    then = as_it_was(registration, changes)
    policy = policies.by_version(registration.policy_version)
    documents = Document.objects.of_deal(registration.referral)
    new = documents.filter(added_at__gt=look.at).count() if look else 0
    return Comparison(
        rows=[_row(name, registration, then, policy) for name in _shown(registration)],
        since=look.at if look else None,
        new_documents=new,
        policy_version=registration.policy_version,
        rates=rates_of(registration.rates),
    )


def rates_of(kept: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Each rate that was used, with its month; dollars need none."""
    return [
        text.rate(currency, Decimal(rate["usd_per_unit"]), rate["month"][:7])
        for currency, rate in kept.items()
        if currency != USD
    ]


def _shown(registration: Registration) -> list[str]:
    asked = registration.payg_year_value is not None
    return [name for name in STATED if name != "payg_year_value" or asked]


def _row(name: str, now: Registration, then: Registration, policy: Policy) -> Row:
    label, show = STATED[name]
    stated, was = str(show(now)), str(show(then))
    compare = _BESIDE.get(name)
    beside = compare(now, now.referral, policy) if compare else Beside()
    usd = getattr(now, f"{name}_usd", None)
    return Row(name, str(label), stated, usd, "" if was == stated else was, beside)


# What the deal says to each answer


def _solution(claim: Registration, deal: Referral, _policy: Policy) -> Beside:
    lines = [line.solution for line in deal.solutions.select_related("solution").order_by("pk") if line.solution]
    on_deal = claim.solution_id in [solution.pk for solution in lines]
    check = gettext("on the deal") if on_deal else gettext("not on the deal")
    return Beside(", ".join(str(solution) for solution in lines) or "–", check, differs=not on_deal)


def _marketplace(claim: Registration, deal: Referral, _policy: Policy) -> Beside:
    said = deal.marketplace_intent
    decided = said != Referral.Intent.UNDECIDED
    return Beside(
        str(deal.get_marketplace_intent_display()),
        differs=decided and (said == Referral.Intent.YES) is not bool(claim.marketplace),
    )


def _signed(claim: Registration, deal: Referral, _policy: Policy) -> Beside:
    """The day that the deal names, where one is known; else the win, after which nobody signs (REF-18)."""
    if deal.signed_on is not None:
        return Beside(_on(gettext("Signed"), deal.signed_on), differs=claim.signed != deal.signed_on)
    won = deal.closed_at.date() if deal.closed_at else None
    if won is None or claim.signed is None:
        return Beside()
    days = (won - claim.signed).days
    if not days:
        check = gettext("on the day of the win")
    elif days < 0:
        check = ngettext("%(days)s day after the win", "%(days)s days after the win", -days) % {"days": -days}
    else:
        check = ngettext("%(days)s day before the win", "%(days)s days before the win", days) % {"days": days}
    return Beside(_on(gettext("Won"), won), check, differs=days < 0)


def _start(claim: Registration, deal: Referral, _policy: Policy) -> Beside:
    before = claim.start is not None and claim.signed is not None and claim.start < claim.signed
    check = gettext("before the signing") if before else ""
    return Beside(_on(gettext("Created"), deal.created_at.date()), check, differs=before)


def _on(what: str, when: Any) -> str:
    return f"{what} {day(when)}"


def _tcv(claim: Registration, deal: Referral, _policy: Policy) -> Beside:
    """Beside the estimate; amounts in two currencies are compared in dollars."""
    estimated, stated = deal.money, claim.tcv_money
    shown = gettext("%(amount)s estimated") % {"amount": amount(estimated)}
    if stated is None or stated == estimated:
        return Beside(shown, gettext("the same") if stated else "")
    if stated.currency == estimated.currency:
        more = stated.amount - estimated.amount
        sign = "+" if more > 0 else "−"
        return Beside(shown, f"{sign}{amount(Money(abs(more), stated.currency))}", differs=True)
    return Beside(shown, gettext("another currency"), differs=True)


def _solution_value(claim: Registration, _deal: Referral, _policy: Policy) -> Beside:
    if claim.tcv_usd is None or claim.solution_value_usd is None:
        return Beside()
    above = claim.solution_value_usd > claim.tcv_usd
    return Beside("", gettext("above the total") if above else gettext("within the total"), differs=above)


def _acv(claim: Registration, _deal: Referral, policy: Policy) -> Beside:
    if claim.acv_usd is None:
        return Beside()
    limit, below = {"limit": text.money(policy.minimum_acv_usd, USD)}, claim.acv_usd < policy.minimum_acv_usd
    said = gettext("below %(limit)s") if below else gettext("%(limit)s or more")
    return Beside("", said % limit, differs=below)


_BESIDE: Mapping[str, Callable[[Registration, Referral, Policy], Beside]] = {
    "solution": _solution,
    "marketplace": _marketplace,
    "signed": _signed,
    "start": _start,
    "tcv": _tcv,
    "solution_value": _solution_value,
    "acv": _acv,
}
