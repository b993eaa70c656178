"""What the verbs of licences share: how their rows are locked.

Locks are taken in one order: deal, invitation, relationship, licences. So nothing waits in a circle, and what counts
are judged by (is the deal cancelled, the consent taken back) can't change before they are written (LIC-7).
"""

from __future__ import annotations

from isvconnect.models import IsvDeal
from licensing.models import Invitation, Licences, Relationship


def lock_deal(pk: int) -> IsvDeal:
    """The deal as it is now, while nobody cancels it."""
    return IsvDeal.objects.select_for_update(of=("self",), no_key=True).with_context().get(pk=pk)


def lock_invitation(pk: int) -> Invitation:
    return Invitation.objects.select_for_update(of=("self",)).with_context().get(pk=pk)


def lock_relationship(pk: int) -> Relationship:
    return Relationship.objects.select_for_update(of=("self",)).with_context().get(pk=pk)


def lock_licences(pk: int) -> Licences:
    """The licences as they are now, while nobody cancels their deal or takes the consent back."""
    deal_id, relationship_id = Licences.objects.values_list("deal_id", "relationship_id").get(pk=pk)
    lock_deal(deal_id)
    lock_relationship(relationship_id)
    return Licences.objects.select_for_update(of=("self",)).with_context().get(pk=pk)
