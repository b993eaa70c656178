"""The answers of the form of an ISV Connect deal (ISV-3)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date

from portal.workflow.blockers import Money


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
