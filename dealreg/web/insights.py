"""What registrations add to Insights: the last steps of a deal, and what came of those filed (REF-17); of the whole
programme also by partner, country, solution and month, and how long reviews took."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext

from dealreg.rules import states
from dealreg.selectors import figures as found_of
from dealreg.selectors.figures import APPROVED, REGISTERED
from portal.accounts.rules import Actor
from portal.money.rules import months
from portal.ui.charts import (
    COUNT,
    HOURS,
    MONTH,
    PERCENT,
    TEXT,
    USD,
    Chart,
    Column,
    Raw,
    deals_and_usd,
    hours,
    percent,
)
from portal.ui.listing.filters import country_name
from portal.ui.period import Period
from portal.workflow import text
from portal.workflow.blockers import _
from referrals.rules import LOST, WON
from referrals.selectors.figures import MAX_ROWS, STEPS, Figures, Step, runs_programme
from referrals.web.insights import CHARTS, Source, of_month, rows


def of_partners(actor: Actor) -> bool:
    """The registrations are the partners'; the programme counts them, too."""
    return not actor.is_vendor or runs_programme(actor)


def registrations(figures: Figures, period: Period, _actor: Actor) -> Chart:
    found = found_of.results(figures)
    groups = {
        "registered": gettext("Registered"),
        "approved": gettext("Approved"),
        "progress": gettext("In progress"),
        **({"withdrawn": gettext("Withdrawn")} if found["withdrawn"] else {}),
        "rejected": gettext("Rejected"),
    }
    links = [rows(period, **({"step": code} if code == "registered" else {"result": code})) for code in groups]
    lines = [(label, found[code], found[f"{code}_usd"]) for code, label in groups.items()]
    reasons: dict[str, list[Mapping[str, Any]]] = {}
    for row in found_of.rejected(figures):
        reason = text.phrase(states.reason_text(row["reason"], status=row["outcome"] or row["state"]))
        reasons.setdefault(gettext("Rejected: %(reason)s") % {"reason": reason}, []).append(row)
    for label, of_reason in reasons.items():
        lines.append((label, sum(row["deals"] for row in of_reason), sum(row["deals_usd"] for row in of_reason)))
        codes = dict.fromkeys(row["reason"] for row in of_reason)
        links.append(rows(period, result="rejected", reason=",".join(codes)))
    return Chart(
        "registrations",
        gettext("Registrations"),
        gettext("Deals of the period that have been registered, by what has come of it by now; USD of the deal."),
        [Column(gettext("Result"), TEXT), *deals_and_usd()],
        lines,
        links=[(link,) * 3 for link in links],
    )


def campaigns(figures: Figures, period: Period, _actor: Actor) -> Chart:
    """What each campaign brought. A campaign id is the own company's (REF-3): the programme counts none."""
    found = found_of.by_campaign(figures)
    return Chart(
        "campaigns",
        gettext("Campaigns"),
        gettext(
            "Deals created or received in the period that have a marketing campaign id, and what has come of them by "
            "now; the annual contract value is that of approved registrations."
        ),
        [
            Column(gettext("Campaign id"), TEXT),
            *deals_and_usd(),
            Column(gettext("Won"), COUNT),
            Column(gettext("Won, USD"), USD, "usd"),
            Column(gettext("Win rate"), PERCENT),
            Column(gettext("ACV, USD"), USD, "acv"),
        ],
        [
            (row["campaign_id"], row["deals"], row["deals_usd"], row["won"], row["won_usd"], _win_rate(row), row["acv"])
            for row in found[:MAX_ROWS]
        ],
        drawn=(2, 4),
        cut_at=MAX_ROWS if len(found) > MAX_ROWS else 0,
        none=gettext("None of these deals has a campaign id. Deals that have one are added up here by campaign."),
        links=[_campaign_links(period, row["campaign_id"]) for row in found[:MAX_ROWS]],
    )


def _win_rate(row: Mapping[str, Any]) -> Raw:
    return percent(row["won"], row["won"] + row["lost"])


def _campaign_links(period: Period, code: str) -> tuple[str, ...]:
    every, won = rows(period, campaign=code), rows(period, campaign=code, step="won")
    ended = rows(period, campaign=code, status=f"{WON},{LOST}")
    return every, every, every, won, won, ended, rows(period, campaign=code, result="approved")


# Of the whole programme


def review_times(figures: Figures, period: Period, _actor: Actor) -> Chart:
    found = found_of.review_times(figures)
    labels = {
        "reviewed": gettext("All reviews"),
        "passed": gettext("Review passed"),
        "failed": gettext("Review failed"),
    }
    lines = [
        (label, found[code], hours(found[f"{code}_median"]), hours(found[f"{code}_most"]))
        for code, label in labels.items()
    ]
    return Chart(
        "review-times",
        gettext("Review times"),
        gettext("Registrations of the period's deals that a reviewer decided, from the beginning of the review on."),
        [
            Column(gettext("Decision"), TEXT),
            Column(gettext("Deals"), COUNT),
            Column(gettext("Median"), HOURS),
            Column(gettext("90th percentile"), HOURS),
        ],
        lines if found["reviewed"] else [],
        drawn=(2, 3),
        links=[(rows(period, result=code),) * 4 for code in labels] if found["reviewed"] else [],
    )


#: One row of figures: its label, what the database counted, the list's filters for it, and the days it is of.
_Line = tuple[Raw, Mapping[str, Any], Mapping[str, Any], Period]
_COUNTED = ("filed", "approved", "progress", "rejected", "withdrawn", "acv")


def _chart(code: str, title: str, head: Column, lines: Sequence[_Line], *, more: bool = False) -> Chart:
    return Chart(
        code,
        title,
        gettext(
            "Registered deals of the period and what came of them by now; the annual contract value is that of the "
            "approved ones, the review time the median."
        ),
        [
            head,
            Column(gettext("Registered"), COUNT),
            Column(gettext("Approved"), COUNT),
            Column(gettext("In progress"), COUNT),
            Column(gettext("Rejected"), COUNT),
            Column(gettext("Withdrawn"), COUNT),
            Column(gettext("ACV, USD"), USD, "acv"),
            Column(gettext("Review time"), HOURS),
        ],
        [(label, *[row[name] for name in _COUNTED], hours(row["median"])) for label, row, _only, _days in lines],
        drawn=(1, 2),
        shape="columns" if head.kind == MONTH else "bars",
        cut_at=MAX_ROWS if more else 0,
        links=[_links(only, days) for _label, _row, only, days in lines],
    )


def _links(only: Mapping[str, Any], days: Period) -> list[str]:
    """For each cell of a line; the value is that of those approved, the time that of those reviewed."""
    every, results = rows(days, step="registered", **only), (*_COUNTED[1:5], "approved", "reviewed")
    return [every, every, *[rows(days, result=result, **only) for result in results]]


def _by(
    code: str,
    title: str,
    head: str,
    name: str,
    find: Callable[[Figures], list[Mapping[str, Any]]],
    say: Callable[[Mapping[str, Any]], str],
) -> Source:
    """By one thing that deals have; `name`: the list's filter for it."""

    def make(figures: Figures, period: Period, _actor: Actor) -> Chart:
        found = find(figures)
        lines: list[_Line] = [(say(row), row, {name: row["key"]}, period) for row in found[:MAX_ROWS]]
        more = len(found) > MAX_ROWS
        return _chart(code, text.phrase(title), Column(text.phrase(head), TEXT), lines, more=more)

    return Source(make, runs_programme)


def by_month(figures: Figures, period: Period, _actor: Actor) -> Chart:
    """By the month in which the deals were created; every month, so that a gap shows."""
    found = found_of.by_month(figures)
    none = {**dict.fromkeys(_COUNTED, 0), "median": None}
    listed = months(period.first, period.last) if found else []
    lines: list[_Line] = [(month, found.get(month, none), {}, of_month(period, month)) for month in listed]
    return _chart("registered-months", gettext("Registrations by month"), Column(gettext("Month"), MONTH), lines)


STEPS.add("registered", Step(_("Registered"), REGISTERED, offered=of_partners), order=40)
STEPS.add("approved", Step(_("Approved"), REGISTERED & APPROVED, _("From creation to approval"), of_partners), order=50)
CHARTS.add("campaigns", Source(campaigns, lambda actor: not actor.is_vendor), order=75)
CHARTS.add("registrations", Source(registrations, of_partners), order=50)
CHARTS.add("review-times", Source(review_times, runs_programme), order=51)
CHARTS.add(
    "registered-partners",
    _by(
        "registered-partners",
        _("Registrations by partner"),
        _("Partner"),
        "partner",
        found_of.by_partner,
        lambda row: row["label"],
    ),
    order=52,
)
CHARTS.add(
    "registered-countries",
    _by(
        "registered-countries",
        _("Registrations by country"),
        _("Country"),
        "country",
        found_of.by_country,
        lambda row: country_name(row["label"]),
    ),
    order=53,
)
CHARTS.add(
    "registered-solutions",
    _by(
        "registered-solutions",
        _("Registrations by solution"),
        _("Solution"),
        "registered",
        found_of.by_solution,
        lambda row: f"{row['label']} ({row['key']})",
    ),
    order=54,
)
CHARTS.add("registered-months", Source(by_month, runs_programme), order=55)
