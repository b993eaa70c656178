"""The way to an exception from a registration form that is refused by what an exception waives (EXC-2, REG-12)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext

from dealreg.rules import WAIVED
from dealreg.web.ways import WAYS, Way
from exceptions_council.rules import ExceptionInput, states
from exceptions_council.selectors import requests as selectors
from exceptions_council.web.forms import VALUES
from portal.policy import services as policies
from portal.workflow.blockers import Blocker
from referrals.models import Referral


def way(referral: Referral, violations: Collection[Blocker], answers: Mapping[str, Any], now: datetime) -> Way | None:
    """With the kind and the values that were refused; none where it can't be asked for."""
    if not any(blocker.code in WAIVED for blocker in violations):
        return None
    asked = ExceptionInput(states.PRE_REGISTRATION, signed=answers.get("signed"), start=answers.get("start"))
    if selectors.blockers_of_kind(referral, asked, now=now, policy=policies.current(now)):
        return None
    given = {name: _typed(answers[name]) for name in VALUES if isinstance(answers.get(name), (str, date, Decimal))}
    query = {"kind": states.PRE_REGISTRATION, **{name: said for name, said in given.items() if said}}
    return Way(
        gettext("If the dates are right, the exception council can waive these limits."),
        gettext("Request exception"),
        f"{reverse('ask_exception', args=[referral.public_id])}?{urlencode(query)}",
    )


def _typed(value: str | date | Decimal) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


WAYS.add("exception", way, order=10)
