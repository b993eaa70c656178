"""A chart as the table it is drawn from: what a page shows and draws, and a CSV file holds, row by row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from babel.dates import format_date
from django.utils.translation import get_language, gettext, ngettext

from portal.workflow import text
from portal.workflow.blockers import _

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
    #: Where the rows are listed that it counts; '' where it leads nowhere.
    url: str = ""


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
    #: For each line, and for the total, where each of its cells leads (Cell.url); of nothing there are no rows.
    links: Sequence[Sequence[str]] = ()
    total_links: Sequence[str] = ()

    @property
    def rows(self) -> list[list[Cell]]:
        links = self.links or [()] * len(self.lines)
        return [self._cells(line, urls) for line, urls in zip(self.lines, links, strict=True)]

    @property
    def foot(self) -> list[Cell]:
        return self._cells(self.total, self.total_links)

    def _cells(self, line: Sequence[Raw], urls: Sequence[str] = ()) -> list[Cell]:
        kinds = [column.kind for column in self.columns]
        known = [*urls, *[""] * len(kinds)]
        return [
            Cell(_value(raw), shown(raw, kind), kind, url if raw else "")
            for raw, kind, url in zip(line, kinds, known, strict=False)
        ]

    @property
    def file(self) -> tuple[list[str], list[list[str]]]:
        """Heads and lines of its CSV file: exactly the rows of the table."""
        lines = [*self.rows, self.foot] if self.total else self.rows
        return [column.head for column in self.columns], [[cell.value for cell in line] for line in lines]


def _value(raw: Raw) -> str:
    if raw is None:
        return ""
    return f"{raw:%Y-%m}" if isinstance(raw, date) else str(raw)


def shown(raw: Raw, kind: str) -> str:
    match raw:
        case None:
            return "–"
        case date():
            return format_date(raw, "LLL y", locale=get_language() or "en")
        case Decimal() if kind == HOURS:
            return _time(raw)
        case Decimal() if kind == USD:
            return text.amount(raw)
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


def hours(time: timedelta | None) -> Decimal | None:
    return None if time is None else (Decimal(time // timedelta(seconds=1)) / 3600).quantize(Decimal("0.01"))


def deals_and_usd() -> list[Column]:
    return [Column(gettext("Deals"), COUNT), Column("USD", USD)]
