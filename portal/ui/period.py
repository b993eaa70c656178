"""A range of whole days in UTC, as pages look at it and their addresses say it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode

from portal.money.rules import add_months, month_start

DAY = timedelta(days=1)
CUSTOM = "custom"


@dataclass(frozen=True)
class Period:
    """Days, the first and the last included. `months`: how many it goes back from today; 0 for days of one's own."""

    first: date
    last: date
    months: int = 0

    @classmethod
    def back(cls, months: int, *, today: date) -> Period:
        return cls(months_before(today, months) + DAY, today, months)

    @property
    def start(self) -> datetime:
        return datetime.combine(self.first, time.min, UTC)

    @property
    def end(self) -> datetime:
        """The first instant after it."""
        return datetime.combine(self.last + DAY, time.min, UTC)

    @property
    def before(self) -> Period:
        """As long, and immediately before it."""
        last = self.first - DAY
        if self.months:
            return Period(months_before(last, self.months) + DAY, last)
        return Period(self.first - (self.last - self.first) - DAY, last)

    @property
    def address(self) -> str:
        return f"?period={self.months}" if self.months else self.as_custom

    @property
    def as_custom(self) -> str:
        """The address of the same days as days of one's own."""
        return "?" + urlencode({"period": CUSTOM, "first": self.first.isoformat(), "last": self.last.isoformat()})


def months_before(day: date, count: int) -> date:
    """The same day so many months ago; of a month that is too short, its last."""
    month = add_months(month_start(day), -count)
    return min(month + (day.day - 1) * DAY, add_months(month, 1) - DAY)
