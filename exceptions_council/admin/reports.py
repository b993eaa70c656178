"""Reports on exceptions: each figure with the address of the docket that shows its rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext

from exceptions_council.admin.filters import AGES, DECIDED
from exceptions_council.models import Status
from exceptions_council.rules import states
from exceptions_council.selectors import docket


def address(**asked: Any) -> str:
    """The docket with these filters."""
    return reverse("admin:exceptions_council_exceptionrequest_changelist", query=asked)


def context(now: datetime) -> dict[str, Any]:
    total, by_kind, by_partner = docket.decided()
    return {
        "ages": [(AGES[age], count, address(age=age)) for age, count in docket.open_by_age(now.date()).items()],
        "waiting": [
            (gettext(states.STATES[state]), count, address(state=state)) for state, count in docket.waiting().items()
        ],
        "needs": attention(now),
        "total": _row(total, gettext("Altogether"), {}) if total else None,
        "kinds": [_row(found, gettext(found.label), {"kind__exact": found.key}) for found in by_kind],
        "partners": [_row(found, found.label, {"partner": found.key}) for found in by_partner],
    }


def attention(now: datetime) -> list[dict[str, Any]]:
    """What programme managers look after, with where it is listed."""
    labels = {"overdue": gettext("Overdue"), "too_few": gettext("Too few may vote")}
    found = docket.needs_managers(now)
    return [{"label": labels[name], "count": found[name], "url": address(attention=name)} for name in labels]


def _row(found: docket.Decided, label: str, asked: dict[str, Any]) -> dict[str, Any]:
    return {
        "label": label,
        "cells": [
            (found.approved, address(state=Status.APPROVED.value, **asked)),
            (found.denied, address(state=Status.DENIED.value, **asked)),
            (found.total, address(state=DECIDED, **asked)),
        ],
        "median": found.median_days,
    }
