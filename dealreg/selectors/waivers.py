"""What an approved exception lets through for a deal (REG-12, EXC-12, EXC-13)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from dealreg.models import Registration, Waiver
from dealreg.rules.reopening import CORRECTED
from portal.workflow.blockers import Money, Param
from referrals.models import Referral


def waiver_of(referral: Referral) -> Waiver | None:
    return Waiver.objects.filter(referral=referral).first()


def is_waived(waiver: Waiver | None, registration: Registration | None, now: datetime) -> bool:
    """Whether an exception waives what REG-12 names: while it is open, and for what was submitted then (EXC-12)."""
    if waiver is None or waiver.covers(now):
        return waiver is not None
    kept = registration.route_facts if registration else {}
    judged = [facts for _version, facts in sorted(kept.items(), key=lambda item: int(item[0])) if _WAIVED in facts]
    return bool(judged and judged[-1][_WAIVED])


#: As the facts of a submission keep it (selectors.routing.form_to_json).
_WAIVED = "exception_granted"


def replaced_tenant(waiver: Waiver | None) -> str:
    """The tenant type that the registration to be replaced states; empty where there is none (EXC-13)."""
    if waiver is None or waiver.replaces_id is None:
        return ""
    found = Registration.objects.filter(referral=waiver.replaces_id).values_list("tenant", flat=True)
    return found.first() or ""


@dataclass(frozen=True)
class Compared:
    """A field of the registration: its label, what the exception was approved with, and what was entered (EXC-9)."""

    field: str
    label: str
    approved: Param | None
    entered: Param | None

    @property
    def differs(self) -> bool:
        return self.approved != self.entered


def label(name: str) -> str:
    """What people call a field of the registration, in the reader's language."""
    return str({column.name: column.verbose_name for column in Registration._meta.concrete_fields}[name])


def compared(registration: Registration) -> list[Compared]:
    """What the council approved beside what was entered, for the reviewer; None where there is nothing."""
    waiver = waiver_of(registration.referral)
    if waiver is None:
        return []
    given, claim = waiver.approved, registration.claim
    approved: dict[str, Param | None] = {**waiver.dates}
    if "term" in given:
        approved["term"] = given["term"]
    if "tcv" in given:
        approved["tcv"] = Money(Decimal(given["tcv"]), given["tcv_currency"])
    return [Compared(name, label(name), approved[name], getattr(claim, name)) for name in CORRECTED if name in approved]
