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


def _amount(money: Money | None) -> str:
    return text.show(money) if money else "–"


def _day(value: date | None) -> str:
    return text.day(value) if value else "–"


_STATED: list[tuple[Any, Callable[[Registration], Any]]] = [
    (_("State"), lambda r: r.get_status_display()),
    (_("Solution"), lambda r: r.solution or "–"),
    (_("Marketplace transaction"), lambda r: _day(r.marketplace_date) if r.marketplace else gettext("No")),
    (_("Deployed on"), lambda r: r.get_deployment_display() or "–"),
    (_("Tenant type"), lambda r: r.get_tenant_display() or "–"),
    (_("Pricing model"), lambda r: r.get_pricing_display() or "–"),
    (_("Contract term"), lambda r: r.get_term_display() or "–"),
    (_("Contract signed"), lambda r: _day(r.signed)),
    (_("Contract start"), lambda r: _day(r.start)),
    (_("Contract end"), lambda r: _day(r.end)),
    (_("Total contract value"), lambda r: _amount(r.tcv_money)),
    (_("Solution value"), lambda r: _amount(r.solution_money)),
    (_("Annual contract value"), lambda r: _amount(r.acv_money)),
]


def differences(now: Registration, changes: Mapping[str, tuple[object, object]]) -> Iterator[str]:
    """A line for each answer that reads differently now; `changes`: the columns' values then and now."""
    columns = {column.attname: column for column in Registration._meta.concrete_fields}
    held = {name: getattr(now, name) for name in columns}
    was = {name: columns[name].to_python(before) for name, (before, _after) in changes.items() if name in columns}
    then = Registration(**{**held, **was})
    for label, show in _STATED:
        if (old := str(show(then))) != (new := str(show(now))):
            yield f"{label}: {old} → {new}"
