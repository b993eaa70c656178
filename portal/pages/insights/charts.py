"""The charts of Insights as tables: what the page shows and draws, and the CSV files hold, row by row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from babel.dates import format_date
from django.utils.translation import get_language, gettext, ngettext

from dealreg.rules import states
from portal.accounts.rules import Actor
from portal.money.rules import months
from portal.pages.insights.figures import MAX_ROWS, Figures
from portal.pages.insights.period import Period
from portal.pages.listing.filters import country_name
from portal.workflow import text
from portal.workflow.blockers import _
from referrals import rules

Raw = str | int | Decimal | date | None
TEXT, COUNT, USD, PERCENT, HOURS, MONTH = "text", "count", "usd", "percent", "hours", "month"
#: A figure is in these; where that can't be told from the column's name, the file's head says it.
_UNITS = {PERCENT: "%", HOURS: _("hours")}
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Column:
    label: str
    kind: str

    @property
    def head(self) -> str:
        """As the file says it."""
        return f"{self.label} ({gettext(_UNITS[self.kind])})" if self.kind in _UNITS else self.label


@dataclass(frozen=True)
class Cell:
    """One figure: as it is counted, and as it is read."""

    value: str
    shown: str
    kind: str


@dataclass(frozen=True)
class Chart:
    """A table, and what of it is drawn: these columns of its rows, lying (`bars`) or standing (`columns`)."""

    code: str
    title: str
    #: Which deals it is about, and which of their dates counts.
    about: str
    columns: Sequence[Column]
    lines: Sequence[Sequence[Raw]]
    total: Sequence[Raw] = ()
    drawn: Sequence[int] = (1,)
    shape: str = "bars"
    #: There are more than so many rows, which are those with the most deals.
    cut_at: int = 0

    @property
    def rows(self) -> list[list[Cell]]:
        return [self._cells(line) for line in self.lines]

    @property
    def foot(self) -> list[Cell]:
        return self._cells(self.total)

    def _cells(self, line: Sequence[Raw]) -> list[Cell]:
        kinds = [column.kind for column in self.columns]
        return [Cell(_value(raw), _shown(raw, kind), kind) for raw, kind in zip(line, kinds, strict=False)]

    @property
    def file(self) -> tuple[list[str], list[list[str]]]:
        """Heads and lines of its CSV file: exactly the rows of the table."""
        lines = [*self.rows, self.foot] if self.total else self.rows
        return [column.head for column in self.columns], [[cell.value for cell in line] for line in lines]


def _value(raw: Raw) -> str:
    if raw is None:
        return ""
    return f"{raw:%Y-%m}" if isinstance(raw, date) else str(raw)


def _shown(raw: Raw, kind: str) -> str:
    match raw:
        case None:
            return "–"
        case date():
            return format_date(raw, "LLL y", locale=get_language() or "en")
        case Decimal() if kind == HOURS:
            return _time(raw)
        case Decimal() | int():
            whole = Decimal(raw).quantize(Decimal(1), ROUND_HALF_UP)
            return text.percent(int(whole)) if kind == PERCENT else text.show(whole)
    return raw


def _time(hours: Decimal) -> str:
    """In the largest unit of which there are two."""
    if hours >= 48:
        return _counted(hours / 24, lambda n: ngettext("%(count)s day", "%(count)s days", n))
    if hours >= 2:
        return _counted(hours, lambda n: ngettext("%(count)s hour", "%(count)s hours", n))
    return _counted(hours * 60, lambda n: ngettext("%(count)s minute", "%(count)s minutes", n), places="1")


def _counted(number: Decimal, words: Callable[[int], str], places: str = "0.1") -> str:
    rounded = number.quantize(Decimal(places), ROUND_HALF_UP)
    return words(1 if rounded == 1 else 2) % {"count": text.show(rounded)}


def percent(part: Decimal | int, whole: Decimal | int) -> Decimal | None:
    """In per cent, to a tenth; of nothing there is no share."""
    return (Decimal(part) * 100 / Decimal(whole)).quantize(Decimal("0.1"), ROUND_HALF_UP) if whole else None


def _hours(time: timedelta | None) -> Decimal | None:
    return None if time is None else (Decimal(time // timedelta(seconds=1)) / 3600).quantize(Decimal("0.01"))


def _deals_and_usd() -> list[Column]:
    return [Column(gettext("Deals"), COUNT), Column("USD", USD)]


# The charts


def _funnel(figures: Figures, _period: Period, actor: Actor) -> Chart:
    steps = {"created": gettext("Created or received"), "accepted": gettext("Accepted"), "won": gettext("Won")}
    if not actor.is_vendor:  # the registrations are the partners'
        steps |= {"registered": gettext("Registered"), "approved": gettext("Approved")}
    found = figures.totals
    return Chart(
        "funnel",
        gettext("From creation to approval") if not actor.is_vendor else gettext("From creation to the win"),
        gettext("Deals created or received in the period, and how far each has come by now."),
        [Column(gettext("Step"), TEXT), *_deals_and_usd(), Column(gettext("Share"), PERCENT)],
        [
            (label, found[step], found[f"{step}_usd"], percent(found[step], found["created"]))
            for step, label in steps.items()
        ],
    )


def _pipeline(figures: Figures, _period: Period, _actor: Actor) -> Chart:
    found, none = figures.stages(), {"deals": 0, "deals_usd": Decimal(0)}
    total = [sum(row[name] for row in found.values()) for name in none]
    return Chart(
        "pipeline",
        gettext("Pipeline by stage"),
        gettext("Deals created or received in the period that are active now, by the stage they are in."),
        [Column(gettext("Stage"), TEXT), *_deals_and_usd()],
        [
            (text.phrase(label), *[found.get(stage, none)[name] for name in none])
            for stage, label in rules.STAGES.items()
            if stage < rules.WON_STAGE
        ],
        total=(gettext("All active deals"), *total),
        drawn=(2,),
    )


def _win_rate(figures: Figures, period: Period, _actor: Actor) -> Chart:
    """Every month, so that a gap shows; none at all where nothing was won or lost."""
    found = figures.months()
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
            Column(gettext("Won, USD"), USD),
            Column(gettext("Lost, USD"), USD),
            Column(gettext("Win rate by value"), PERCENT),
        ],
        [_closed(month, found.get(month, {})) for month in months(period.first, period.last) if closed],
        total=_closed(gettext("Entire period"), figures.totals) if closed else (),
        drawn=(3, 6),
        shape="columns",
    )


def _closed(label: Raw, found: Mapping[str, Any]) -> Sequence[Raw]:
    won, lost = found.get("won", 0), found.get("lost", 0)
    usd = [found.get(name, Decimal(0)) for name in ("won_usd", "lost_usd")]
    return (label, won, lost, percent(won, won + lost), *usd, percent(usd[0], sum(usd)))


def _times(figures: Figures, _period: Period, _actor: Actor) -> Chart:
    found = figures.totals
    times = [_hours(found[name]) for name in ("answer_median", "answer_most", "win_median", "win_most")]
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
    )


def _registrations(figures: Figures, _period: Period, _actor: Actor) -> Chart:
    found = figures.registrations()
    good, bad = ([row for row in found if row["state"] in states_] for states_ in (states.GOOD, states.BAD))
    rest = [row for row in found if row["state"] not in {*states.GOOD, *states.BAD}]
    reasons: dict[str, list[Mapping[str, Any]]] = {}
    for row in bad:
        reason = text.phrase(states.reason_text(row["reason"], status=row["state"]))
        reasons.setdefault(gettext("Rejected: %(reason)s") % {"reason": reason}, []).append(row)
    groups = {
        gettext("Registered"): found,
        gettext("Approved"): good,
        gettext("In progress"): rest,
        gettext("Rejected"): bad,
        **reasons,
    }
    return Chart(
        "registrations",
        gettext("Registrations"),
        gettext("Deals of the period that have been registered, by what has come of it by now; USD of the deal."),
        [Column(gettext("Result"), TEXT), *_deals_and_usd()],
        [(label, *_summed(rows)) for label, rows in groups.items()],
    )


def _summed(rows: Iterable[Mapping[str, Any]]) -> tuple[int, Decimal]:
    """Of the few groups that the database found."""
    found = list(rows)
    return sum(row["deals"] for row in found), sum((row["deals_usd"] for row in found), Decimal(0))


def _countries(figures: Figures, _period: Period, _actor: Actor) -> Chart:
    found = figures.countries()
    return _by(
        "countries",
        gettext("By country"),
        gettext("Deals created or received in the period, by the country of the customer."),
        gettext("Country"),
        [(country_name(row["country"]), row) for row in found],
    )


def _solutions(figures: Figures, _period: Period, _actor: Actor) -> Chart:
    found = figures.solutions()
    return _by(
        "solutions",
        gettext("By solution"),
        gettext(
            "Deals created or received in the period, by solution: a deal with two solutions counts, with its whole "
            "value, for each; solution assessments have none."
        ),
        gettext("Solution"),
        [(f"{row['solution']} ({row['solution_code']})", row) for row in found],
    )


def _by(code: str, title: str, about: str, head: str, found: Sequence[tuple[str, Mapping[str, Any]]]) -> Chart:
    return Chart(
        code,
        title,
        about,
        [
            Column(head, TEXT),
            *_deals_and_usd(),
            Column(gettext("Won"), COUNT),
            Column(gettext("Win rate"), PERCENT),
        ],
        [
            (label, row["deals"], row["deals_usd"], row["won"], percent(row["won"], row["won"] + row["lost"]))
            for label, row in found[:MAX_ROWS]
        ],
        cut_at=MAX_ROWS if len(found) > MAX_ROWS else 0,
    )


_CHARTS: Mapping[str, Callable[[Figures, Period, Actor], Chart]] = {
    "funnel": _funnel,
    "pipeline": _pipeline,
    "win-rate": _win_rate,
    "times": _times,
    "registrations": _registrations,
    "countries": _countries,
    "solutions": _solutions,
}


def offered(actor: Actor) -> list[str]:
    """The charts that mean something to this person: registrations are the partners'."""
    return [code for code in _CHARTS if code != "registrations" or not actor.is_vendor]


def chart(code: str, figures: Figures, period: Period, actor: Actor) -> Chart:
    return _CHARTS[code](figures, period, actor)


# The page


def context(actor: Actor, period: Period) -> dict[str, Any]:
    """The same few queries whatever the number of deals; of a period without any, only the first."""
    figures = Figures(actor, period)
    found = figures.totals
    charts = [chart(code, figures, period, actor) for code in offered(actor)] if found["created"] else []
    return {"charts": charts, "figures": _figures(found), "unvalued": found["unvalued"]}


def _figures(found: Mapping[str, Any]) -> list[dict[str, str]]:
    """What stands above the charts."""
    closed, usd = found["won"] + found["lost"], found["won_usd"] + found["lost_usd"]
    counts = gettext("%(won)s won, %(lost)s lost")
    won = counts % {"won": _shown(found["won"], COUNT), "lost": _shown(found["lost"], COUNT)}
    worth = counts % {"won": _usd(found["won_usd"]), "lost": _usd(found["lost_usd"])}
    most = gettext("90th percentile: %(time)s")
    times = {
        name: (_shown(_hours(found[f"{name}_median"]), HOURS), _shown(_hours(found[f"{name}_most"]), HOURS))
        for name in ("answer", "win")
    }
    return [
        _figure(gettext("Created or received"), _shown(found["created"], COUNT), _usd(found["created_usd"])),
        _figure(gettext("Active now"), _shown(found["active"], COUNT), _usd(found["active_usd"])),
        _figure(gettext("Win rate"), _shown(percent(found["won"], closed), PERCENT), won),
        _figure(gettext("Win rate by value"), _shown(percent(found["won_usd"], usd), PERCENT), worth),
        _figure(gettext("Median time to accept"), times["answer"][0], most % {"time": times["answer"][1]}),
        _figure(gettext("Median time to win"), times["win"][0], most % {"time": times["win"][1]}),
    ]


def _usd(amount: Decimal) -> str:
    return text.money(amount.quantize(Decimal(1), ROUND_HALF_UP), "USD")


def _figure(label: str, value: str, note: str) -> dict[str, str]:
    return {"label": label, "value": value, "note": note}
