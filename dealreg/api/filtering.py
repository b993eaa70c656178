"""`registrationStatus` in the filter of referrals (F1.5)."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q

from dealreg.models import Registration
from dealreg.rules import states
from portal.accounts.rules import Actor
from portal.api import odata
from referrals.api.query import FIELDS


def registration_status(actor: Actor, whole: Q | None) -> odata.Property:
    """As representation.of_referrals has it: of the company's own deals, and none until it was submitted."""
    filed = Registration.objects.filter(
        referral=OuterRef("pk"), referral__company_id=actor.own_company_id, first_submitted_at__isnull=False
    )
    values = {token: Q(Exists(filed.filter(status=state))) for state, token in states.WIRE_TOKENS.items()}
    values[states.WIRE_TOKENS[states.REGISTRATION_PENDING]] |= ~Q(Exists(filed))
    return odata.Choice(path="registrationStatus", values=values, where=whole)


FIELDS.add("registrationStatus", registration_status, order=10)
