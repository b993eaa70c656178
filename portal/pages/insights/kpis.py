"""What stands above the charts: a few figures, each with its rows and with what it was in the period before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext

from portal.pages.insights.listing import ANY
from portal.ui.charts import COUNT, HOURS, PERCENT, USD, hours, marks, percent, shown
from portal.ui.period import Period
from portal.workflow import text
from referrals import rules
from referrals.web.insights import rows

_Found = Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """Against the period before: in words, with an arrow; `verdict` is better, worse, or ''."""

    said: str
    icon: str
    verdict: str


@dataclass(frozen=True)
class Figure:
    """`raw` as it is counted (None: there is none); `count`: how many deals make it, the rows of its link."""

    label: str
    raw: Decimal | int | None
    kind: str
    note: str
    url: str
    count: int
    #: Which total of its list it is, where that isn't the number of deals.
    total: str = ""
    #: What is better: more of it (1), less of it (-1), or neither.
    good: int = 0
    before: Figure | None = None
    change: Change | None = None

    @property
    def value(self) -> str:
        return shown(self.raw, self.kind) if self.kind != USD else text.money(Decimal(self.raw or 0), "USD")

    @property
    def marks(self) -> SafeString:
        return marks(self.raw or 0, self.total) if self.total else marks(self.count)

    @property
    def with_note(self) -> str:
        """As the one before is said; of a rate or time the value alone."""
        return f"{self.value} · {self.note}" if self.kind == COUNT else self.value


def figures(found: _Found, period: Period, before: _Found) -> list[Figure]:
    """Of the period, each beside the one before; nothing is compared where there were no deals."""
    now = _of_period(found, period)
    if not before["created"]:
        return now
    return [_compared(new, old) for new, old in zip(now, _of_period(before, period.before), strict=True)]


def _of_period(found: _Found, period: Period) -> list[Figure]:
    won, closed = found["won"], found["won"] + found["lost"]
    won_usd, closed_usd = found["won_usd"], found["won_usd"] + found["lost_usd"]
    ended = rows(period, status=f"{rules.WON},{rules.LOST}")
    rate, worth = percent(won, closed), percent(won_usd, closed_usd)
    return [
        _counted(found, "created", gettext("Created or received"), rows(period), good=1),
        _counted(found, "active", gettext("Active now"), rows(period, open=ANY)),
        Figure(gettext("Win rate"), rate, PERCENT, _ended(found, COUNT), ended, closed, good=1),
        Figure(gettext("Win rate by value"), worth, PERCENT, _ended(found, USD), ended, closed, good=1),
        _time(found, "answer", gettext("Median time to accept"), rows(period, step="answered"), found["answered"]),
        _time(found, "win", gettext("Median time to win"), rows(period, step="won"), won),
    ]


def _counted(found: _Found, name: str, label: str, url: str, good: int = 0) -> Figure:
    return Figure(label, found[name], COUNT, text.money(found[f"{name}_usd"], "USD"), url, found[name], good=good)


def _ended(found: _Found, kind: str) -> str:
    if kind == COUNT:
        won, lost = (shown(found[name], COUNT) for name in ("won", "lost"))
    else:
        won, lost = (text.money(found[f"{name}_usd"], "USD") for name in ("won", "lost"))
    return gettext("%(won)s won, %(lost)s lost") % {"won": won, "lost": lost}


def _time(found: _Found, name: str, label: str, url: str, count: int) -> Figure:
    note = gettext("90th percentile: %(time)s") % {"time": shown(hours(found[f"{name}_most"]), HOURS)}
    return Figure(label, hours(found[f"{name}_median"]), HOURS, note, url, count, good=-1)


# Of the open deals, whatever the period: there is none before it


def idle(days: int, count: int, usd: Decimal, url: str) -> Figure:
    return Figure(
        gettext("Not moved for %(days)s days") % {"days": days}, count, COUNT, text.money(usd, "USD"), url, count
    )


def expected(count: int, usd: Decimal, weighted: Decimal, url: str) -> Figure:
    note = gettext("of %(usd)s in open deals") % {"usd": text.money(usd, "USD")}
    return Figure(gettext("Expected, by stage"), weighted, USD, note, url, count, total="weighted")


# Compared


def _compared(new: Figure, old: Figure) -> Figure:
    if new.raw is None or old.raw is None:
        return new
    more, said = _difference(Decimal(new.raw), Decimal(old.raw), new.kind)
    icon = {1: "arrow-up", -1: "arrow-down"}.get(more, "")
    verdict = {1: "better", -1: "worse"}.get(more * new.good, "")
    return replace(new, before=old, change=Change(said, icon, verdict))


def _difference(new: Decimal, old: Decimal, kind: str) -> tuple[int, str]:
    """Which way it went, and how far, in words; as the two are shown, so that the reader can check it."""
    if kind != HOURS:
        new, old = (value.quantize(Decimal(1), ROUND_HALF_UP) for value in (new, old))
    much = abs(new - old)
    if not much or shown(new, kind) == shown(old, kind):
        return 0, gettext("unchanged")
    more = 1 if new > old else -1
    if kind == HOURS:
        said = gettext("%(time)s longer") if more > 0 else gettext("%(time)s shorter")
        return more, said % {"time": shown(much, HOURS)}
    if kind == PERCENT:
        higher = ngettext("%(count)s point higher", "%(count)s points higher", int(much))
        lower = ngettext("%(count)s point lower", "%(count)s points lower", int(much))
        return more, (higher if more > 0 else lower) % {"count": text.show(much)}
    said = gettext("%(count)s more") if more > 0 else gettext("%(count)s fewer")
    return more, said % {"count": text.show(much)}
