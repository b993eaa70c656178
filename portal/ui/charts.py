"""A chart as the table it is drawn from: what a page shows and draws, and a CSV file holds, row by row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from babel.dates import format_date
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, ngettext

from portal.workflow import text
from portal.workflow.blockers import _

Raw = str | int | Decimal | date | None
TEXT, COUNT, USD, PERCENT, HOURS, MONTH = "text", "count", "usd", "percent", "hours", "month"
#: A figure is in these; where that can't be told from the column's name, the file's head says it.
_UNITS = {PERCENT: "%", HOURS: _("hours")}
HOUR = timedelta(hours=1)
#: Of more rows the first are drawn (insights.js, app.css).
MOST_BARS = 12
WIDE = 7


@dataclass(frozen=True)
class Column:
    label: str
    kind: str
    #: Which total of the list that it leads to it is (lists.Total); '' where it is the number of rows.
    total: str = ""

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
    total: str = ""

    @property
    def marks(self) -> SafeString:
        """What its link says for whoever adds up the rows: the figure, and which total it is."""
        return marks(self.value, self.total) if self.kind in (COUNT, USD) else SafeString("")


def marks(figure: str | int | Decimal, total: str = "") -> SafeString:
    """The attributes of a link to the rows that come to this figure."""
    return format_html(' data-figure="{}"{}', str(figure), format_html(' data-total="{}"', total) if total else "")


@dataclass(frozen=True)
class Chart:
    """A table, and what of it is drawn: these columns of its rows, lying (`bars`), on each other
    (`stack`) or standing (`columns`)."""

    code: str
    title: str
    #: Which deals it is about, and which of their dates counts.
    about: str
    columns: Sequence[Column]
    lines: Sequence[Sequence[Raw]]
    total: Sequence[Raw] = ()
    drawn: Sequence[int] = (1,)
    shape: str = "bars"
    #: What stands there instead of an empty table; '' where there is simply nothing to count.
    none: str = ""
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
    def is_drawn(self) -> bool:
        """Whether there is a bar to draw."""
        return any(line[column] for line in self.lines for column in self.drawn)

    @property
    def bars(self) -> int:
        """How many rows of lying bars are drawn, for the room they need."""
        return 0 if self.shape == "columns" else min(len(self.lines), MOST_BARS)

    @property
    def is_wide(self) -> bool:
        """Whether its table needs the whole width of the page."""
        return len(self.columns) >= WIDE

    @property
    def is_double(self) -> bool:
        return len(self.drawn) > 1 and self.shape == "bars"

    @property
    def foot(self) -> list[Cell]:
        return self._cells(self.total, self.total_links)

    def _cells(self, line: Sequence[Raw], urls: Sequence[str] = ()) -> list[Cell]:
        known = [*urls, *[""] * len(self.columns)] if any(line[1:]) else [""] * len(self.columns)
        return [
            Cell(_value(raw), shown(raw, column.kind), column.kind, url if raw else "", column.total)
            for raw, column, url in zip(line, self.columns, known, strict=False)
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
    return [Column(gettext("Deals"), COUNT), Column("USD", USD, "usd")]
