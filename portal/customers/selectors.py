"""What the apps above know of a customer."""

from __future__ import annotations

from collections.abc import Callable

from portal.accounts.selectors import STEPS, Step
from portal.customers.models import Customer
from portal.registry import Registry
from portal.workflow.blockers import _

#: By an entry's number, how much was decided or issued about it; each app adds its own.
SETTLED: Registry[Callable[[int], int]] = Registry()

STEPS.add(
    "customers",
    Step(
        _("Add the customers"),
        _("From a file, or one by one."),
        "admin:customers_customer_import",
        lambda: Customer.objects.filter(added_by=None).exists(),
    ),
    order=50,
)
