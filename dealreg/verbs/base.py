"""The common base of the verbs of registrations that were filed, and what is locked for all of them."""

from __future__ import annotations

from collections.abc import Sequence

from dealreg.models import Registration
from portal.workflow.verbs import Context, Inputs, Verb
from referrals.models import Referral


class RegistrationVerb(Verb[Registration, Inputs]):
    """A verb that changes what the deal's API answer says of its registration: the deal is a new version, too."""

    def settle(self, records: Sequence[Registration], context: Context) -> None:
        deals = Referral.objects.filter(pk__in=[record.referral_id for record in records])
        deals.touch(context.now, actor=context.actor)


def lock(pk: int) -> Registration:
    """Lock the deal's row first, then the registration's, as whoever works on the deal and its registration does."""
    return Registration.objects.select_for_update(of=("referral", "self")).with_context().get(pk=pk)


def hold(registrations: Sequence[Registration]) -> Sequence[Registration]:
    """Of a batch, those whose deals nobody else is just changing; their deals are locked, without ever waiting."""
    deals = Referral.objects.filter(pk__in=[registration.referral_id for registration in registrations])
    free = set(deals.order_by("pk").select_for_update(skip_locked=True).values_list("pk", flat=True))
    return [registration for registration in registrations if registration.referral_id in free]
