"""What an approved exception lets through for a deal (REG-12, EXC-12, EXC-13)."""

from __future__ import annotations

from datetime import datetime

from dealreg.models import Registration, Waiver
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


def to_be_replaced(registration: Registration) -> Registration | None:
    """The registration that this one replaces, or is to replace, for the reviewer to compare (EXC-13)."""
    waiver = waiver_of(registration.referral)
    if waiver is None or waiver.replaces_id is None:
        return None
    return Registration.objects.with_context().filter(referral=waiver.replaces_id).first()
