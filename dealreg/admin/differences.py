"""What a registration states now, beside what it stated when a reviewer's page was opened (FLOW-7)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dealreg.models import Registration
from portal.workflow import text
from portal.workflow.blockers import Money


def amount(money: Money | None) -> str:
    return text.show(money) if money else "–"


def day(value: date | None) -> str:
    return text.day(value) if value else "–"


def _marketplace(registration: Registration) -> str:
    if not registration.marketplace:
        return gettext("No")
    return f"{gettext('Yes')}, {day(registration.marketplace_date)}"


#: Each answer by its question's name, with how it reads; of the amounts, their own currency.
STATED: Mapping[str, tuple[Any, Callable[[Registration], Any]]] = {
    "solution": (_("Solution"), lambda r: r.solution or "–"),
    "marketplace": (_("Marketplace transaction"), _marketplace),
    "deployment": (_("Deployed on"), lambda r: r.get_deployment_display() or "–"),
    "tenant": (_("Tenant type"), lambda r: r.get_tenant_display() or "–"),
    "pricing": (_("Pricing model"), lambda r: r.get_pricing_display() or "–"),
    "term": (_("Contract term"), lambda r: r.get_term_display() or "–"),
    "signed": (_("Contract signed"), lambda r: day(r.signed)),
    "start": (_("Contract start"), lambda r: day(r.start)),
    "end": (_("Contract end"), lambda r: day(r.end)),
    "tcv": (_("Total contract value"), lambda r: amount(r.tcv_money)),
    "solution_value": (_("Solution value"), lambda r: amount(r.solution_money)),
    "payg_year_value": (_("Paid in twelve months"), lambda r: amount(r.payg_year_money)),
    "acv": (_("Annual contract value"), lambda r: amount(r.acv_money)),
}

_STATE: tuple[Any, Callable[[Registration], Any]] = (_("State"), lambda r: r.get_status_display())


def as_it_was(now: Registration, changes: Mapping[str, tuple[object, object]]) -> Registration:
    """The registration with these columns as they were; `changes`: their values then and now."""
    columns = {column.attname: column for column in Registration._meta.concrete_fields}
    held = {name: getattr(now, name) for name in columns}
    was = {name: columns[name].to_python(before) for name, (before, _after) in changes.items() if name in columns}
    return Registration(**{**held, **was})


def differences(now: Registration, changes: Mapping[str, tuple[object, object]]) -> Iterator[str]:
    """A line for each answer that reads differently now, and for the state."""
    then = as_it_was(now, changes)
    for label, show in (_STATE, *STATED.values()):
        if (old := str(show(then))) != (new := str(show(now))):
            yield f"{label}: {old} → {new}"
