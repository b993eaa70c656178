"""What the apps above know of a solution."""

from __future__ import annotations

from collections.abc import Callable

from portal.accounts.selectors import STEPS, Step
from portal.catalog.models import Solution
from portal.registry import Registry
from portal.workflow.blockers import _

#: By a solution's number, how much was decided or issued about it; each app adds its own.
SETTLED: Registry[Callable[[int], int]] = Registry()

STEPS.add(
    "solutions",
    Step(
        _("Add a solution that is co-sell ready"),
        _("In the market and co-sell ready: without one, its company can't create deals."),
        "admin:catalog_solution_add",
        lambda: Solution.objects.co_sell_ready().exists(),
    ),
    order=40,
)
