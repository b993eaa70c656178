"""The charts of Insights: those of deals, and whatever other apps add to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext

from portal.accounts.rules import Actor
from portal.money.rules import months
from portal.pages.insights import kpis, standing
from portal.pages.insights.listing import ANY
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
from referrals import rules
from referrals.selectors.figures import MAX_ROWS, STEPS, Figures, runs_programme
from referrals.web.insights import CHARTS, Source, of_month, rows

# The charts


def _funnel(figures: Figures, period: Period, actor: Actor) -> Chart:
    steps = {code: step for code, step in STEPS.items() if step.offered(actor)}
    found = figures.totals
    return Chart(
        "funnel",
        text.phrase([step.title for step in steps.values() if step.title][-1]),
        gettext("Deals created or received in the period, and how far each has come by now."),
        [Column(gettext("Step"), TEXT), *deals_and_usd(), Column(gettext("Share"), PERCENT)],
        [
            (text.phrase(step.label), found[code], found[f"{code}_usd"], percent(found[code], found["created"]))
            for code, step in steps.items()
        ],
        links=[(rows(period, step=code),) * 4 for code in steps],
    )


def _pipeline(figures: Figures, period: Period, _actor: Actor) -> Chart:
    found, none = figures.stages(), {"deals": 0, "deals_usd": Decimal(0)}
    stages = {stage: label for stage, label in rules.STAGES.items() if stage < rules.WON_STAGE}
    total = [sum(row[name] for row in found.values()) for name in none]
    return Chart(
        "pipeline",
        gettext("Pipeline by stage"),
        gettext("Deals created or received in the period that are active now, by the stage they are in."),
        [Column(gettext("Stage"), TEXT), *deals_and_usd()],
        [(text.phrase(label), *[found.get(stage, none)[name] for name in none]) for stage, label in stages.items()],
        total=(gettext("All active deals"), *total),
        drawn=(2,),
        links=[(rows(period, open=stage),) * 3 for stage in stages],
        total_links=(rows(period, open=ANY),) * 3,
    )


def _win_rate(figures: Figures, period: Period, _actor: Actor) -> Chart:
    """Every month, so that a gap shows; none at all where nothing was won or lost."""
    found = figures.months()
    listed = list(months(period.first, period.last))
    closed = any(row["won"] or row["lost"] for row in found.values())
    return Chart(
        "win-rate",
        gettext("Win rate"),
        gettext(
            "Deals created or received in the period and won or lost by now: the share of those won. The month (UTC) "
            "is the one the deal was created in."
        ),
        [
            Column(gettext("Month"), MONTH),
            Column(gettext("Won"), COUNT),
            Column(gettext("Lost"), COUNT),
            Column(gettext("Win rate"), PERCENT),
            Column(gettext("Won, USD"), USD, "usd"),
            Column(gettext("Lost, USD"), USD, "usd"),
            Column(gettext("Win rate by value"), PERCENT),
        ],
        [_closed(month, found.get(month, {})) for month in listed if closed],
        total=_closed(gettext("Entire period"), figures.totals) if closed else (),
        drawn=(3, 6),
        shape="columns",
        links=[_closed_links(of_month(period, month)) for month in listed if closed],
        total_links=_closed_links(period),
    )


def _closed(label: Raw, found: Mapping[str, Any]) -> Sequence[Raw]:
    won, lost = found.get("won", 0), found.get("lost", 0)
    usd = [found.get(name, Decimal(0)) for name in ("won_usd", "lost_usd")]
    return (label, won, lost, percent(won, won + lost), *usd, percent(usd[0], sum(usd)))


def _closed_links(period: Period, **only: object) -> tuple[str, ...]:
    both = rows(period, status=f"{rules.WON},{rules.LOST}", **only)
    won, lost = (rows(period, status=status, **only) for status in (rules.WON, rules.LOST))
    return both, won, lost, both, won, lost, both


def _times(figures: Figures, period: Period, _actor: Actor) -> Chart:
    found = figures.totals
    times = [hours(found[name]) for name in ("answer_median", "answer_most", "win_median", "win_most")]
    return Chart(
        "times",
        gettext("Time to accept and to win"),
        gettext(
            "Deals of the period: those received and accepted, from receipt to acceptance; those won, from creation to "
            "the win. Half of them took no longer than the median, nine of ten no longer than the 90th percentile."
        ),
        [
            Column(gettext("From, to"), TEXT),
            Column(gettext("Deals"), COUNT),
            Column(gettext("Median"), HOURS),
            Column(gettext("90th percentile"), HOURS),
        ],
        [
            (gettext("Time to accept"), found["answered"], *times[:2]),
            (gettext("Time to win"), found["won"], *times[2:]),
        ],
        drawn=(2, 3),
        links=[(rows(period, step=step),) * 4 for step in ("answered", "won")],
    )


def _partners(figures: Figures, period: Period, _actor: Actor) -> Chart:
    found = figures.partners()
    return _by(
        "partners",
        gettext("By partner"),
        gettext("Deals created or received in the period, by the partner whose deal it is."),
        gettext("Partner"),
        [(row["partner"], row, {"partner": row["partner_id"]}) for row in found],
        period,
    )


def _countries(figures: Figures, period: Period, _actor: Actor) -> Chart:
    found = figures.countries()
    return _by(
        "countries",
        gettext("By country"),
        gettext("Deals created or received in the period, by the country of the customer."),
        gettext("Country"),
        [(country_name(row["country"]), row, {"country": row["country"]}) for row in found],
        period,
    )


def _solutions(figures: Figures, period: Period, _actor: Actor) -> Chart:
    found = figures.solutions()
    return _by(
        "solutions",
        gettext("By solution"),
        gettext(
            "Deals created or received in the period, by solution: a deal with two solutions counts, with its whole "
            "value, for each; solution assessments have none."
        ),
        gettext("Solution"),
        [(f"{row['solution']} ({row['solution_code']})", row, {"solution": row["solution_code"]}) for row in found],
        period,
    )


def _by(
    code: str,
    title: str,
    about: str,
    head: str,
    found: Sequence[tuple[str, Mapping[str, Any], Mapping[str, object]]],
    period: Period,
) -> Chart:
    """`found`: each row's label, its figures, and the list's filters for it."""
    return Chart(
        code,
        title,
        about,
        [
            Column(head, TEXT),
            *deals_and_usd(),
            Column(gettext("Won"), COUNT),
            Column(gettext("Win rate"), PERCENT),
        ],
        [
            (label, row["deals"], row["deals_usd"], row["won"], percent(row["won"], row["won"] + row["lost"]))
            for label, row, _only in found[:MAX_ROWS]
        ],
        cut_at=MAX_ROWS if len(found) > MAX_ROWS else 0,
        links=[_by_links(only, period) for _label, _row, only in found[:MAX_ROWS]],
    )


def _by_links(only: Mapping[str, object], period: Period) -> tuple[str, ...]:
    both, won, *_rest = _closed_links(period, **only)
    return (*(rows(period, **only),) * 3, won, both)


CHARTS.add("funnel", Source(_funnel), order=10)
CHARTS.add("pipeline", Source(_pipeline), order=20)
CHARTS.add("win-rate", Source(_win_rate), order=30)
CHARTS.add("times", Source(_times), order=40)
CHARTS.add("partners", Source(_partners, runs_programme), order=59)
CHARTS.add("countries", Source(_countries), order=60)
CHARTS.add("solutions", Source(_solutions), order=70)


def offered(actor: Actor) -> list[str]:
    """The charts that mean something to this person."""
    return [code for code, source in CHARTS.items() if source.offered(actor)]


def chart(code: str, figures: Figures, period: Period, actor: Actor) -> Chart:
    return CHARTS[code].make(figures, period, actor)


# The page


def context(actor: Actor, period: Period) -> dict[str, Any]:
    """The same few queries whatever the number of deals; of a period without any only its totals and those before it,
    and the charts that don't count its deals, as far as there is anything."""
    figures = Figures(actor, period)
    found, before = figures.totals, Figures(actor, period.before).totals
    charts = [chart(code, figures, period, actor) for code in offered(actor) if found["created"] or CHARTS[code].apart]
    charts = [made for made in charts if made.lines or not CHARTS[made.code].apart]
    of_period = kpis.figures(found, period, before) if found["created"] else []
    return {
        "charts": charts,
        "figures": [*of_period, *[figure for made in charts for figure in standing.figure(made)]],
        "before": period.before if found["created"] and before["created"] else None,
        "counted": found["created"],
        "unvalued": found["unvalued"],
    }
