"""What an approved request changes, field by field, for letters, pages and reviewers (EXC-9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext

from dealreg.models import Registration
from dealreg.selectors.waivers import label
from exceptions_council.models import ExceptionRequest
from exceptions_council.selectors.requests import values_to_json
from portal.workflow import text
from portal.workflow.blockers import Money


@dataclass(frozen=True)
class Change:
    """One field in the reader's language: its label, what the registration said ('–' if nothing), what was asked."""

    field: str
    label: str
    was: str
    asked: str


def changes_of(request: ExceptionRequest) -> list[Change]:
    """What was asked for, beside what there was then; no queries."""
    asked, then = values_to_json(request.asked), request.values_then
    return [
        Change(name, label(name), _shown(name, then), _shown(name, asked))
        for name in ("term", "tcv", "signed", "start", "end")
        if name in asked and asked[name] != then.get(name)
    ]


def _shown(name: str, values: Mapping[str, Any]) -> str:
    value = values.get(name)
    if value is None:
        return gettext("no end") if name == "end" and values.get("term") == "perpetual" else "–"
    match name:
        case "term":
            return str(Registration.Term(value).label)
        case "tcv":
            return text.show(Money(Decimal(value), values["tcv_currency"]))
    return text.day(date.fromisoformat(value))
