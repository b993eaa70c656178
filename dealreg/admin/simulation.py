"""What a policy that is tried would have done to the last registrations, shown in the office (portal.programme)."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse

from dealreg.services import simulation
from dealreg.services.simulation import LABELS, Moved
from portal.policy.rules import Policy
from portal.programme.rules import SIMULATIONS, Case, Simulated
from portal.workflow.blockers import _


def registrations(tried: Policy, _now: datetime) -> Simulated:
    looked_at, moved = simulation.simulate(tried)
    return Simulated(_("Registrations"), looked_at, [_case(one) for one in moved])


def _case(moved: Moved) -> Case:
    row = moved.registration
    return Case(
        name=row.referral.name,
        whose=str(row.referral.company),
        url=reverse("admin:dealreg_registration_change", args=[row.pk]),
        was=LABELS[moved.was.outcome],
        becomes=LABELS[moved.becomes.outcome],
        reasons=moved.becomes.reasons,
    )


SIMULATIONS.add("registrations", registrations, order=10)
