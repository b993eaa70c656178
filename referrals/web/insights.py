"""The charts of Insights: each app adds those it can draw of a company's deals (REF-17)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from portal.accounts.rules import Actor
from portal.registry import Registry
from portal.ui.charts import Chart
from portal.ui.period import Period
from referrals.selectors.figures import Figures, everybody


@dataclass(frozen=True)
class Source:
    """What makes a chart, and to whom it means something. `apart`: it counts something else than deals, and so stands
    there in a period without any, too."""

    make: Callable[[Figures, Period, Actor], Chart]
    offered: Callable[[Actor], bool] = everybody
    apart: bool = False


CHARTS: Registry[Source] = Registry()
