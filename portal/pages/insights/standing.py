"""The charts of the deals that are open now, whatever the period: how long they haven't moved, and what their closing
months are expected to bring."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

from django.utils.translation import gettext

from portal.accounts.rules import Actor
from portal.money.rules import add_months, month_start
from portal.pages.insights import kpis
from portal.pages.insights.listing import ANY
from portal.policy import services as policies
from portal.policy.rules import Policy
from portal.ui.charts import COUNT, MONTH, TEXT, USD, Chart, Column, Raw, deals_and_usd
from portal.ui.period import DAY, Period
from portal.workflow import text
from referrals import rules
from referrals.selectors import standing
from referrals.selectors.figures import Figures
from referrals.web.insights import CHARTS, Source, rows, today

AGEING, FORECAST = "ageing", "forecast"
#: So many months ahead are told apart.
MONTHS = 12
STAGES = {stage: label for stage, label in rules.STAGES.items() if stage < rules.WON_STAGE}


def ageing(_figures: Figures, _period: Period, actor: Actor) -> Chart:
    policy = policies.by_database_clock()
    found, codes = standing.ageing(actor, today(), policy), standing.idle_codes(policy)
    none = dict.fromkeys(("deals", *codes), 0) | dict.fromkeys([f"{code}_usd" for code in codes], Decimal(0))
    lines = [(text.phrase(label), *_aged(found.get(stage, none), codes)) for stage, label in STAGES.items()]
    total = [sum(column) for column in zip(*(line[1:] for line in lines), strict=True)]
    return Chart(
        AGEING,
        gettext("Stage ageing"),
        gettext(
            "Deals that are open now, whatever the period, by how many days their stage and status have not changed."
        ),
        [
            Column(gettext("Stage"), TEXT),
            Column(gettext("Deals"), COUNT),
            *(Column(label, COUNT) for label in _aged_labels(policy.idle_parts)),
            Column(gettext("Not moved for %(days)s days, USD") % {"days": codes[0]}, USD, "usd"),
        ],
        lines if found else [],
        total=(gettext("All open deals"), *total) if found else (),
        drawn=tuple(range(2, 2 + len(codes))),
        shape="stack",
        links=[_aged_links(str(stage), codes) for stage in STAGES] if found else [],
        total_links=_aged_links(ANY, codes),
    )


def _aged_labels(days: Sequence[int]) -> list[str]:
    between = [f"{before + 1}–{last}" for before, last in pairwise(days)]
    first = gettext("Up to %(days)s days") % {"days": days[0]}
    return [first, *between, gettext("More than %(days)s") % {"days": days[-1]}]


def _aged(row: Mapping[str, Any], codes: Sequence[str]) -> tuple[Any, ...]:
    return row["deals"], *[row[code] for code in codes], sum(row[f"{code}_usd"] for code in codes[1:])


def _aged_links(stage: str, codes: Sequence[str]) -> tuple[str, ...]:
    every = rows(None, open=stage)
    parts = [rows(None, open=stage, idle=code) for code in codes]
    return (every, every, *parts, rows(None, open=stage, idle=",".join(codes[1:])))


def figure(chart: Chart) -> list[kpis.Figure]:
    """What of these charts stands above them all."""
    total: Any = chart.total
    if chart.code == AGEING:
        days = policies.by_database_clock().idle_parts[0]
        return [kpis.idle(days, sum(total[3:-1]), total[-1], chart.total_links[-1])]
    if chart.code == FORECAST:
        count, usd, weighted = total[1:]
        return [kpis.expected(count, usd, weighted, chart.total_links[0])]
    return []


def forecast(_figures: Figures, _period: Period, actor: Actor) -> Chart:
    day, policy = today(), policies.by_database_clock()
    found = standing.forecast(actor, day, policy)
    lines = list(_lines(found, day)) if found else []
    total = standing.nothing()
    for row in found.values():
        standing.add(total, row)
    return Chart(
        FORECAST,
        gettext("Forecast by closing month"),
        _how(policy),
        [
            Column(gettext("Estimated close"), MONTH),
            *deals_and_usd(),
            Column(gettext("Weighted, USD"), USD, "weighted"),
        ],
        [(label, *_worth(row)) for label, row, _only in lines],
        total=(gettext("All open deals"), *_worth(total)) if found else (),
        drawn=(2, 3),
        shape="columns",
        links=[(rows(None, open=ANY, **only),) * 4 for _label, _row, only in lines],
        total_links=(rows(None, open=ANY),) * 4,
    )


#: What a line says it is of, its figures, and the list's filters for it.
_Line = tuple[Raw, Mapping[str, Any], Mapping[str, object]]


def _lines(found: Mapping[date | None, Mapping[str, Any]], day: date) -> Iterator[_Line]:
    """What is overdue, the months up to the last in which a deal is to close, and what lies beyond them."""
    yield gettext("Overdue"), found.get(None, standing.nothing()), {"close_to": day - DAY}
    month, end = month_start(day), add_months(month_start(day), MONTHS)
    last = max((month for month in found if month), default=month)
    while month <= last and month < end:
        days = {"close_from": max(month, day), "close_to": add_months(month, 1) - DAY}
        yield month, found.get(month, standing.nothing()), days
        month = add_months(month, 1)
    if last >= end:
        later = standing.nothing()
        for beyond, row in found.items():
            if beyond and beyond >= end:
                standing.add(later, row)
        yield gettext("Later"), later, {"close_from": end}


def _worth(row: Mapping[str, Any]) -> tuple[int, Decimal, Decimal]:
    return row["deals"], row["deals_usd"], standing.from_hundredths(row["weighted"])


def _how(policy: Policy) -> str:
    """How it is computed, with the numbers in force (REF-14)."""
    shares = [
        f"{text.phrase(label)} {text.percent(policy.forecast_percents[stage])}" for stage, label in STAGES.items()
    ]
    about = gettext(
        "Deals that are open now, whatever the period, by the month of their estimated close. Weighted: of each deal's "
        "value so much counts as its stage makes likely (%(shares)s). Overdue are those whose day has passed."
    )
    return about % {"shares": ", ".join(shares)}


CHARTS.add(AGEING, Source(ageing, apart=True), order=25)
CHARTS.add(FORECAST, Source(forecast, apart=True), order=26)
