"""The answers of the form of an ISV Connect deal, and the facts they are checked against (ISV-3)."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from dealreg.rules.acv import UsdRate
from portal.workflow.blockers import Blocker, Money

CUSTOMER_TENANT = "customer"
CONTACT = ("contact_first_name", "contact_last_name", "contact_phone", "contact_email")


@dataclass(frozen=True)
class IsvDealInput:
    """The answers given in the form so far; None (or '') is an unanswered question.

    `location`, `customer`, `solution` are keys. `deployment`: azure or other. `tenant`: customer or partner;
    `tenant_guid` is asked for where the solution runs in the customer's tenant. Amounts are finite decimals, dates UTC
    days. This is the list of the questions, in the order in which violations are reported: columns and form fields
    have their names.
    """

    location: int | None = None
    customer: int | None = None
    solution: int | None = None
    tcv: Money | None = None
    solution_value: Money | None = None
    deployment: str | None = None
    tenant: str | None = None
    tenant_guid: uuid.UUID | None = None
    signed: date | None = None
    start: date | None = None
    end: date | None = None
    contact_first_name: str = ""
    contact_last_name: str = ""
    contact_phone: str = ""
    contact_email: str = ""


@dataclass(frozen=True)
class OfReferral:
    """What a deal has in common with the referral it comes from: customer and location, by key (ISV-2)."""

    customer: int
    location: int | None


@dataclass(frozen=True)
class IsvFacts:
    """What the form is checked against.

    `today` is the UTC day. `rates`: of the month of the first submission (FX-2); a currency without one is absent.
    `locations`, `solutions`: the keys that may be named; `stays`: the location of a deal that is corrected.
    `customer_known`: the company sees the customer that is named.
    `refusals` say why nothing can be reported at all.
    """

    today: date
    rates: Mapping[str, UsdRate] = field(default_factory=dict)
    locations: Collection[int] = ()
    solutions: Collection[int] = ()
    stays: int | None = None
    customer_known: bool = True
    of_referral: OfReferral | None = None
    refusals: tuple[Blocker, ...] = ()


def answers_asked(inp: IsvDealInput, facts: IsvFacts) -> IsvDealInput:
    """The form as it is judged and kept: texts without the space around them, no tenant id where none is asked for, and
    what the referral settles (ISV-2)."""
    texts = {name: getattr(inp, name).strip() for name in CONTACT}
    settled = vars(facts.of_referral) if facts.of_referral else {}
    missing = {name: value for name, value in settled.items() if getattr(inp, name) is None}
    guid = inp.tenant_guid if inp.tenant == CUSTOMER_TENANT else None
    return replace(inp, **texts, **missing, tenant_guid=guid)
