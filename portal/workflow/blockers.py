"""Reasons why an action isn't possible, as plain values that every surface renders alike. No Django here."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any


def _(message: str) -> str:
    """Mark a message for translation. It is translated when it is rendered, in the reader's language."""
    return message


@dataclass(frozen=True)
class Money:
    """An amount in one currency (ISO 4217)."""

    amount: Decimal
    currency: str


class Term(str):
    """A param that is itself a msgid (a state, a deal type): it is translated when rendered, unlike typed text."""


@dataclass(frozen=True)
class Blocker:
    """One reason why something isn't possible (or took another route), and what would solve it.

    `message` is a msgid with %(name)s placeholders, filled from `params`; `%(vendor)s` is always available. `rule` is
    the id of the rule, `field` the input it belongs to, if any.
    """

    code: str
    message: str
    rule: str = ""
    field: str = ""
    params: Mapping[str, Param] = dataclasses.field(default_factory=dict)
    details: tuple[Blocker, ...] = ()


#: What a blocker's params may hold; rendered in the reader's language, zone and number format. A notice that says why
#: holds the blocker itself.
Param = str | int | Decimal | Money | date | datetime | Blocker


class RuleViolation(Exception):
    """The rules refuse an action; carries all violated rules, not only the first."""

    def __init__(self, blockers: Iterable[Blocker]) -> None:
        self.blockers = tuple(blockers)
        super().__init__(", ".join(b.code for b in self.blockers))

    @property
    def codes(self) -> list[str]:
        return [b.code for b in self.blockers]


def to_json(blocker: Blocker) -> dict[str, Any]:
    """A blocker as JSON for events and AUTO reasons; it can be rendered in any language later."""
    return {
        "code": blocker.code,
        "message": blocker.message,
        "rule": blocker.rule,
        "field": blocker.field,
        "params": params_to_json(blocker.params),
    }


def params_to_json(params: Mapping[str, Param]) -> dict[str, Any]:
    return {key: _param_to_json(value) for key, value in params.items()}


def from_json(data: Mapping[str, Any]) -> Blocker:
    return Blocker(
        code=data["code"],
        message=data["message"],
        rule=data.get("rule", ""),
        field=data.get("field", ""),
        params={key: _param_from_json(value) for key, value in data.get("params", {}).items()},
    )


def _param_to_json(value: Param) -> Any:
    if type(value) is str or type(value) is int:  # as most are
        return value
    match value:
        case Blocker():
            return {"blocker": to_json(value)}
        case Term():
            return {"term": str(value)}
        case Money():
            return {"amount": str(value.amount), "currency": value.currency}
        case Decimal():
            return {"decimal": str(value)}
        case datetime():
            return {"instant": value.isoformat()}
        case date():
            return {"date": value.isoformat()}
    return value


def _param_from_json(value: Any) -> Param:
    match value:
        case {"amount": amount, "currency": currency}:
            return Money(Decimal(amount), currency)
        case {"blocker": blocker}:
            return from_json(blocker)
        case {"term": msgid}:
            return Term(msgid)
        case {"decimal": number}:
            return Decimal(number)
        case {"instant": instant}:
            return datetime.fromisoformat(instant)
        case {"date": day}:
            return date.fromisoformat(day)
    return value
