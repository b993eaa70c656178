"""The criteria of eligibility as values: what decides about them, how each stands, and how they are kept (ELIG)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, Literal, NamedTuple

from portal.workflow.blockers import Blocker, Money, Param, _, from_json, to_json

State = Literal["met", "notMet", "notYet"]
#: Who can still settle a criterion: nobody once it can't change any more, '' when there is nothing to settle.
SettledBy = Literal["", "you", "vendor", "time", "nobody"]

_OPEN = frozenset({"Received", "Accepted"})


@dataclass(frozen=True)
class Granted:
    """An approved exception: by whom, and when (ELIG-8)."""

    by: str
    at: datetime


@dataclass(frozen=True)
class EligibilityFacts:
    """The facts that decide about eligibility.

    `deal_type`: private, partner_led, co_sell or solution_assessment. `value_usd` is converted at the rate of
    `rate_month` (FX-2) and None while there is no rate. `azure_ip_solutions` names the deal's Azure IP co-sell eligible
    solutions. `substatus` is that of the partner's own referral, `vendor_substatus` that of the vendor's copy (None if
    the vendor has no copy), which can be answered until `vendor_expires_at`; `vendor_accepted`: it was accepted at some
    time. `exception` is an approved one, if any. All instants are UTC.
    """

    deal_type: str
    value: Money
    value_usd: Decimal | None
    rate_month: date | None
    customer_managed: bool
    azure_ip_solutions: tuple[str, ...]
    substatus: str
    safe_win_at: datetime
    vendor_substatus: str | None = None
    vendor_expires_at: datetime | None = None
    vendor_seller: str = ""
    vendor_accepted: bool = False
    exception: Granted | None = None
    won_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.substatus in _OPEN

    @property
    def is_won(self) -> bool:
        return self.substatus == "Won"


@dataclass(frozen=True)
class Criterion:
    """One criterion as the deal page and the API show it; its three texts render like any Blocker.

    `notYet`: it can still be met by waiting or by somebody's action (`settled_by`), without correcting anything;
    `settled_at` is the latest instant of that decision, if known. `notMet`: as things stand, it will not be met.
    """

    code: str
    rule: str
    state: State
    needed: Blocker
    actual: Blocker
    message: Blocker
    settled_by: SettledBy = ""
    settled_at: datetime | None = None

    @property
    def is_excepted(self) -> bool:
        """Whether it counts as met only because of an approved exception (ELIG-8)."""
        return self.message.rule == "ELIG-8"


class Text(NamedTuple):
    """A text before its criterion gives it the rule, and the code unless it has its own."""

    message: str
    params: Mapping[str, Param]
    code: str = ""


def say(message: str, **params: Param) -> Text:
    """A text without a code of its own."""
    return Text(message, params)


def criterion(
    code: str,
    rule: str,
    state: State,
    *,
    needed: Text,
    actual: Text,
    message: Text,
    settled_by: SettledBy = "",
    settled_at: datetime | None = None,
) -> Criterion:
    """Add code and rule to the texts; a message that has a code of its own keeps it."""
    return Criterion(
        code,
        rule,
        state,
        needed=_blocker(needed, code, rule),
        actual=_blocker(actual, code, rule),
        message=_blocker(message, message.code or code, rule),
        settled_by=settled_by,
        settled_at=settled_at,
    )


def _blocker(text: Text, code: str, rule: str) -> Blocker:
    return Blocker(code, text.message, rule, params=text.params) if text.params else _constant(code, text.message, rule)


@cache
def _constant(code: str, message: str, rule: str) -> Blocker:
    """Most texts are the same for every deal."""
    return Blocker(code, message, rule)


_NO_RATE = Blocker(
    "fx_rate_missing",
    _(
        "There is no recent enough exchange rate from %(currency)s to USD to judge this value. "
        "You need not do anything: the deal is judged again as soon as the rate is there."
    ),
)


def no_rate(value: Money) -> Text:
    """A value that waits for its month's rate (FX-2)."""
    return Text(_NO_RATE.message, {"currency": value.currency}, _NO_RATE.code)


@dataclass(frozen=True)
class Eligibility:
    """All criteria in the order ELIG-1 to ELIG-7."""

    criteria: tuple[Criterion, ...]

    @property
    def eligible(self) -> bool:
        return not self.unmet

    @property
    def attainable(self) -> bool:
        """Whether the deal is eligible, or only waits for the win or the vendor's answer."""
        return all(c.state != "notMet" for c in self.criteria)

    @property
    def unmet(self) -> tuple[Blocker, ...]:
        """One sentence for each unmet criterion; REG-14 shows them."""
        return tuple(c.message for c in self.criteria if c.state != "met")


def criteria_to_json(found: Eligibility) -> list[dict[str, Any]]:
    """The criteria with their values, as opening a registration keeps them (FLOW-7, ELIG-10)."""
    return [
        {
            "code": c.code,
            "rule": c.rule,
            "state": c.state,
            "needed": to_json(c.needed),
            "actual": to_json(c.actual),
            "message": to_json(c.message),
        }
        for c in found.criteria
    ]


def criteria_from_json(kept: Iterable[Mapping[str, Any]]) -> Eligibility:
    """What criteria_to_json() kept. Nobody has to settle anything about it any more."""
    texts = ("needed", "actual", "message")
    return Eligibility(tuple(Criterion(**{**c, **{name: from_json(c[name]) for name in texts}}) for c in kept))
