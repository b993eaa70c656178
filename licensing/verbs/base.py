"""What the verbs of licences share: how their rows are locked.

Locks are taken in one order: deal, invitation, customer, relationship, licences. So nothing waits in a circle, and
what counts are judged by (is the deal cancelled, the consent taken back) can't change before they are written (LIC-7).
"""

from __future__ import annotations

from typing import TypeVar

from django.db.models import Model, QuerySet

from isvconnect.models import IsvDeal
from licensing.models import Invitation, Licences, Relationship
from portal.customers.models import Customer

Row = TypeVar("Row", bound=Model)


def _locked(rows: QuerySet[Row], pk: int, *, no_key: bool = False) -> Row:
    """Lock the row, then read it with what it points to: one statement that does both finds nothing where, while it
    waited, the row came to point elsewhere."""
    rows.model._default_manager.select_for_update(no_key=no_key).values_list("pk").get(pk=pk)
    return rows.get(pk=pk)


def lock_deal(pk: int) -> IsvDeal:
    """The deal as it is now, while nobody cancels it."""
    return _locked(IsvDeal.objects.with_context(), pk, no_key=True)


def lock_invitation(pk: int) -> Invitation:
    return _locked(Invitation.objects.with_context(), pk)


def lock_customer(pk: int) -> Customer:
    """While nobody else agrees in the customer's name."""
    return _locked(Customer.objects.all(), pk, no_key=True)


def lock_relationship(pk: int) -> Relationship:
    return _locked(Relationship.objects.with_context(), pk)


def lock_licences(pk: int) -> Licences:
    """The licences as they are now, while nobody cancels their deal or takes the consent back."""
    deal_id, relationship_id = Licences.objects.values_list("deal_id", "relationship_id").get(pk=pk)
    lock_deal(deal_id)
    lock_relationship(relationship_id)
    return _locked(Licences.objects.with_context(), pk)
