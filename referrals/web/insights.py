"""The charts of Insights: each app adds those it can draw of a company's deals (REF-17)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone

from portal.accounts.rules import Actor
from portal.money.rules import add_months
from portal.registry import Registry
from portal.ui.charts import Chart
from portal.ui.period import DAY, Period
from referrals.selectors.figures import Figures, everybody


@dataclass(frozen=True)
class Source:
    """What makes a chart, and to whom it means something. `apart`: it counts something else than the period's deals,
    and so stands there in a period without any, too."""

    make: Callable[[Figures, Period, Actor], Chart]
    offered: Callable[[Actor], bool] = everybody
    apart: bool = False


CHARTS: Registry[Source] = Registry()


def today() -> date:
    """The day (UTC) on which open deals are looked at."""
    return timezone.now().date()


def rows(period: Period | None, **filters: object) -> str:
    """The list of the deals that a figure counts: those of the period, or of all time, that match the filters."""
    days = {"created_from": period.first, "created_to": period.last} if period else {}
    return f"{reverse('insights_deals')}?{urlencode({**days, **filters, 'exact': 1})}"


def of_month(period: Period, month: date) -> Period:
    """The days of a month that lie in the period."""
    return Period(max(month, period.first), min(add_months(month, 1) - DAY, period.last))
