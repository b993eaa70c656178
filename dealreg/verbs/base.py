"""The common base of the verbs of registrations that were filed."""

from __future__ import annotations

from collections.abc import Sequence

from dealreg.models import Registration
from portal.workflow.verbs import Context, Inputs, Verb
from referrals.services import touching


class RegistrationVerb(Verb[Registration, Inputs]):
    """A verb that changes what the deal's API answer says of its registration: the deal is a new version, too."""

    def settle(self, records: Sequence[Registration], context: Context) -> None:
        touching.touch([record.referral_id for record in records], now=context.now)


def lock(pk: int) -> Registration:
    """Lock the deal's row first, then the registration's, as whoever works on the deal and its registration does."""
    return Registration.objects.select_for_update(of=("referral", "self")).with_context().get(pk=pk)


def hold(registrations: Sequence[Registration]) -> Sequence[Registration]:
    """Of a batch, those whose deals nobody else is just changing; their deals are locked."""
    held = touching.hold(registration.referral_id for registration in registrations)
    return [registration for registration in registrations if registration.referral_id in held]
