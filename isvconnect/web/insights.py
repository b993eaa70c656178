"""What ISV Connect adds to Insights: what was reported, the fees by month and tag, and the invoices still to come."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from isvconnect.models import Tag
from isvconnect.selectors import figures
from portal.accounts.rules import Actor
from portal.money.rules import months
from portal.ui.charts import COUNT, MONTH, TEXT, USD, Chart, Column
from portal.ui.period import Period
from referrals.selectors.figures import Figures
from referrals.web.insights import CHARTS, Source


def _listed(**params: str) -> str:
    """The list with these rows."""
    return f"{reverse('isv_deals')}?{urlencode(params, safe=',')}"


def value(_figures: Figures, period: Period, actor: Actor) -> Chart:
    found = {row["tag"]: row for row in figures.value(actor, period)}
    rows = [(tag, found[tag.value]) for tag in Tag if tag.value in found]
    names = ("deals", "tcv", "solution")
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
        links=[(_listed(tag=tag.value),) * 4 for tag, _row in rows],
    )


def fees(_figures: Figures, period: Period, actor: Actor) -> Chart:
    """Every month, so that a gap shows; none at all where nothing was invoiced."""
    found, none = figures.fees(actor, period), Decimal(0)
    listed = months(period.first, period.last) if found else []
    rows = [[found.get(month, {}).get(tag.value, none) for tag in Tag] for month in listed]
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
        total=(gettext("Entire period"), *[sum(column, none) for column in zip(*rows, strict=True)], _all(rows))
        if rows
        else (),
        drawn=(1, 2),
        shape="columns",
        links=[("", *[_of(month, tag.value) for tag in Tag], _of(month)) for month in listed],
    )


def _of(month: date, tag: str = "") -> str:
    """The deals invoiced in the month."""
    return _listed(invoiced=f"{month:%Y-%m}", **({"tag": tag} if tag else {}))


def _all(rows: list[list[Decimal]]) -> Decimal:
    return sum((sum(row, Decimal(0)) for row in rows), Decimal(0))


def still_open(_figures: Figures, _period: Period, actor: Actor) -> Chart:
    found = figures.still_open(actor, timezone.now())
    labels = {
        figures.SOON: gettext("In the next 30 days"),
        figures.THIS_YEAR: gettext("In the next 12 months"),
        figures.LATER: gettext("Later"),
        figures.WAITING: gettext("Waiting for a fee rate"),
    }
    counted = {labels[code]: found[code] for code in labels if code in found}
    rows = [(label, row["invoices"], row["usd"]) for label, row in counted.items()]
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
        links=[(_listed(status="submitted,invoiced"),) * 3 for _row in rows],
    )


CHARTS.add("isv-value", Source(value, apart=True), order=80)
CHARTS.add("isv-fees", Source(fees, apart=True), order=81)
CHARTS.add("isv-open", Source(still_open, apart=True), order=82)
