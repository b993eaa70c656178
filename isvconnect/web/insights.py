"""What ISV Connect adds to Insights: what was reported, the fees by month and tag, and the invoices still to come."""

from __future__ import annotations

from decimal import Decimal
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from isvconnect.models import Tag
from isvconnect.rules import states
from isvconnect.rules.states import CANCELLED
from isvconnect.selectors import figures
from isvconnect.web.counted import TO_COME
from isvconnect.web.listing import ALL
from portal.accounts.rules import Actor
from portal.money.rules import months
from portal.ui.charts import COUNT, MONTH, TEXT, USD, Chart, Column
from portal.ui.period import Period
from portal.workflow import text
from referrals.selectors.figures import Figures
from referrals.web.insights import CHARTS, Source, of_month


def _listed(**params: object) -> str:
    """The list with these rows, those under way and those that ended."""
    return f"{reverse('isv_deals')}?{urlencode({'tab': ALL, **params, 'exact': 1})}"


def value(_figures: Figures, period: Period, actor: Actor) -> Chart:
    found = {row["tag"]: row for row in figures.value(actor, period)}
    rows = [(tag, found[tag.value]) for tag in Tag if tag.value in found]
    names, standing = ("deals", "tcv", "solution"), ",".join(state for state in states.STATES if state != CANCELLED)
    only = {"created_from": period.first, "created_to": period.last, "status": standing}
    return Chart(
        "isv-value",
        gettext("ISV Connect: value"),
        gettext("ISV Connect deals reported in the period and not cancelled, at the rates of the month of submission."),
        [
            Column(gettext("Incentive"), TEXT),
            Column(gettext("Deals"), COUNT),
            Column(gettext("Total contract value, USD"), USD, "tcv"),
            Column(gettext("Solution value, USD"), USD, "solution"),
        ],
        [(str(tag.label), *[row[name] for name in names]) for tag, row in rows],
        total=(gettext("All"), *[sum(row[name] for _tag, row in rows) for name in names]) if rows else (),
        drawn=(2, 3),
        links=[(_listed(tag=tag.value, **only),) * 4 for tag, _row in rows],
        total_links=(_listed(**only),) * 4,
    )


def fees(_figures: Figures, period: Period, actor: Actor) -> Chart:
    """Every month, so that a gap shows; none at all where nothing was invoiced."""
    found, none = figures.fees(actor, period), Decimal(0)
    listed = list(months(period.first, period.last)) if found else []
    rows = [[found.get(month, {}).get(tag.value, none) for tag in Tag] for month in listed]
    sums = [sum(column, none) for column in zip(*rows, strict=True)]
    return Chart(
        "isv-fees",
        gettext("ISV Connect: fees by month"),
        gettext("Fees invoiced in the period (UTC), less credit notes, by the incentive of the solution."),
        [
            Column(gettext("Month"), MONTH),
            *[Column(gettext("%(tag)s, USD") % {"tag": tag.label}, USD, "fees") for tag in Tag],
            Column(gettext("Fees, USD"), USD, "fees"),
        ],
        [(month, *row, sum(row, none)) for month, row in zip(listed, rows, strict=True)],
        total=(gettext("Entire period"), *sums, sum(sums, none)) if rows else (),
        drawn=(1, 2),
        shape="columns",
        links=[_invoiced(of_month(period, month)) if month in found else () for month in listed],
        total_links=_invoiced(period),
    )


def _invoiced(days: Period) -> tuple[str, ...]:
    """For each cell of a line, the deals that were invoiced on these days."""
    only = {"invoiced_from": days.first, "invoiced_to": days.last}
    return (_listed(**only), *[_listed(tag=tag.value, **only) for tag in Tag], _listed(**only))


def still_open(_figures: Figures, _period: Period, actor: Actor) -> Chart:
    found = figures.still_open(actor, timezone.now().date())
    counted = {code: found[code] for code in TO_COME if code in found}
    rows = [(text.phrase(TO_COME[code]), row["invoices"], row["usd"]) for code, row in counted.items()]
    return Chart(
        "isv-open",
        gettext("ISV Connect: invoices to come"),
        gettext("Invoices not issued yet, whatever the period, by when they are due; USD of their fees."),
        [
            Column(gettext("Due"), TEXT),
            Column(gettext("Invoices"), COUNT, "invoices"),
            Column(gettext("Fees, USD"), USD, "to_come"),
        ],
        rows,
        total=(gettext("All"), sum(row[1] for row in rows), sum((row[2] for row in rows), Decimal(0))) if rows else (),
        drawn=(2,),
        links=[(_listed(coming=code),) * 3 for code in counted],
        total_links=(_listed(coming=",".join(counted)),) * 3,
    )


CHARTS.add("isv-value", Source(value, apart=True), order=80)
CHARTS.add("isv-fees", Source(fees, apart=True), order=81)
CHARTS.add("isv-open", Source(still_open, apart=True), order=82)
