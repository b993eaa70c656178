"""What ISV Connect adds to Insights: what was reported, the fees by month and tag, and the invoices still to come."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from isvconnect.models import Tag
from isvconnect.selectors import figures
from isvconnect.web.listing import CLOSED, SUBMITTED
from portal.accounts.rules import Actor
from portal.money.rules import add_months, months
from portal.ui.charts import COUNT, MONTH, TEXT, USD, Chart, Column
from portal.ui.period import DAY, Period
from referrals.selectors.figures import Figures
from referrals.web.insights import CHARTS, Source


def _listed(*, going: object, **params: object) -> str:
    """The list with these rows, in the tab that has some: of those under way, else of those that ended."""
    tab = SUBMITTED if going else CLOSED
    return f"{reverse('isv_deals')}?{urlencode({'tab': tab, **params})}"


def value(_figures: Figures, period: Period, actor: Actor) -> Chart:
    found = {row["tag"]: row for row in figures.value(actor, period)}
    rows = [(tag, found[tag.value]) for tag in Tag if tag.value in found]
    names, days = ("deals", "tcv", "solution"), {"created_from": period.first, "created_to": period.last}
    return Chart(
        "isv-value",
        gettext("ISV Connect: value"),
        gettext("ISV Connect deals reported in the period and not cancelled, at the rates of the month of submission."),
        [
            Column(gettext("Incentive"), TEXT),
            Column(gettext("Deals"), COUNT),
            Column(gettext("Total contract value, USD"), USD),
            Column(gettext("Solution value, USD"), USD),
        ],
        [(str(tag.label), *[row[name] for name in names]) for tag, row in rows],
        total=(gettext("All"), *[sum(row[name] for _tag, row in rows) for name in names]) if rows else (),
        drawn=(2, 3),
        links=[(_listed(going=row["going"], tag=tag.value, **days),) * 4 for tag, row in rows],
    )


def fees(_figures: Figures, period: Period, actor: Actor) -> Chart:
    """Every month, so that a gap shows; none at all where nothing was invoiced."""
    found, none = figures.fees(actor, period), Decimal(0)
    listed = list(months(period.first, period.last)) if found else []
    rows = [[_usd(found.get(month, {}).get(tag.value)) for tag in Tag] for month in listed]
    sums = [sum(column, none) for column in zip(*rows, strict=True)]
    return Chart(
        "isv-fees",
        gettext("ISV Connect: fees by month"),
        gettext("Fees invoiced in the period (UTC), less credit notes, by the incentive of the solution."),
        [
            Column(gettext("Month"), MONTH),
            *[Column(gettext("%(tag)s, USD") % {"tag": tag.label}, USD) for tag in Tag],
            Column(gettext("Fees, USD"), USD),
        ],
        [(month, *row, sum(row, none)) for month, row in zip(listed, rows, strict=True)],
        total=(gettext("Entire period"), *sums, sum(sums, none)) if rows else (),
        drawn=(1, 2),
        shape="columns",
        links=[_of(month, found.get(month, {}), period) for month in listed],
    )


def _usd(row: Mapping[str, Any] | None) -> Decimal:
    return row["usd"] if row else Decimal(0)


def _of(month: date, found: Mapping[str, Mapping[str, Any]], period: Period) -> tuple[str, ...]:
    """For each cell of a month, the deals that were invoiced in it."""
    if not found:
        return ("",) * (len(Tag) + 2)
    last = add_months(month, 1) - DAY
    days = {"invoiced_from": max(month, period.first), "invoiced_to": min(last, period.last)}
    cells = [_listed(going=found[tag]["going"], tag=tag.value, **days) if tag in found else "" for tag in Tag]
    whole = _listed(going=any(row["going"] for row in found.values()), **days)
    return (whole, *cells, whole)


def still_open(_figures: Figures, _period: Period, actor: Actor) -> Chart:
    now = timezone.now()
    found, today = figures.still_open(actor, now), now.date()
    labels = {
        figures.SOON: gettext("In the next 30 days"),
        figures.THIS_YEAR: gettext("In the next 12 months"),
        figures.LATER: gettext("Later"),
        figures.WAITING: gettext("Waiting for a fee rate"),
    }
    counted = {code: found[code] for code in labels if code in found}
    rows = [(labels[code], row["invoices"], row["usd"]) for code, row in counted.items()]
    soon = {"due_to": today + figures.SOON_DAYS}
    return Chart(
        "isv-open",
        gettext("ISV Connect: invoices to come"),
        gettext("Invoices not issued yet, whatever the period, by when they are due; USD of their fees."),
        [
            Column(gettext("Due"), TEXT),
            Column(gettext("Invoices"), COUNT),
            Column(gettext("Fees, USD"), USD),
        ],
        rows,
        total=(gettext("All"), sum(row[1] for row in rows), sum((row[2] for row in rows), Decimal(0))) if rows else (),
        drawn=(2,),
        links=[(_listed(going=True, **(soon if code == figures.SOON else {})),) * 3 for code in counted],
    )


CHARTS.add("isv-value", Source(value, apart=True), order=80)
CHARTS.add("isv-fees", Source(fees, apart=True), order=81)
CHARTS.add("isv-open", Source(still_open, apart=True), order=82)
