"""How the list of ISV Connect deals finds and sums what Insights counts (REF-17)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from isvconnect.selectors import figures
from portal.accounts.rules import Actor
from portal.ui.listing.filters import Choices, Range, State, day, is_active
from portal.ui.listing.lists import Total
from portal.workflow import text
from portal.workflow.blockers import _

#: When invoices are still to be issued.
TO_COME = {
    figures.SOON: _("In the next 30 days"),
    figures.THIS_YEAR: _("In the next 12 months"),
    figures.LATER: _("Later"),
    figures.WAITING: _("Waiting for a fee rate"),
}


def reported(_actor: Actor, ends: tuple[date | None, date | None]) -> Q:
    """By the day in UTC, as the figures count."""
    first, last = ends
    found = Q(created_at__gte=datetime.combine(first, time.min, UTC)) if first else Q()
    return found & Q(created_at__lte=datetime.combine(last, time.max, UTC)) if last else found


def _invoiced(_actor: Actor, ends: tuple[date | None, date | None]) -> Q:
    return figures.invoiced(*ends)


def _coming(_actor: Actor, chosen: Sequence[str]) -> Q:
    return Q(pk__in=figures.to_come(chosen, _today()).values("deal"))


def _today() -> date:
    return timezone.now().date()


INVOICED = Range("invoiced", _("Invoiced (UTC)"), _invoiced, day, text.day, "days")
COMING = Choices("coming", _("Invoices to come"), lambda: TO_COME, _coming)


def totals(state: State, found: Any) -> Sequence[Total]:
    """Where invoices to come are looked for, their fees; where days of invoicing, those; else what the deals are
    worth."""
    if is_active(COMING, state):
        coming = figures.fees_to_come(found, COMING.chosen(state), _today())
        return [_invoices(coming["invoices"]), _usd("to_come", _("fees to come %(usd)s"), coming["usd"])]
    if is_active(INVOICED, state):
        fees = figures.fees_of(found, *INVOICED.ends(state))
        return [_usd("fees", _("fees invoiced %(usd)s"), fees)]
    sums = figures.totals(found)
    return [
        _usd("tcv", _("total contract value %(usd)s"), sums["tcv"]),
        _usd("solution", _("solution value %(usd)s"), sums["solution"]),
    ]


def _usd(code: str, label: str, amount: Decimal) -> Total:
    return Total(code, amount, gettext(label) % {"usd": text.money(amount, "USD")})


def _invoices(count: int) -> Total:
    said = ngettext("%(count)s invoice", "%(count)s invoices", count) % {"count": text.show(Decimal(count))}
    return Total("invoices", count, said)
