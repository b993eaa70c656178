"""What happened to licences and consents (LIC-5)."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from isvconnect.models import IsvDeal
from licensing.models import Invitation, Licences, Relationship
from portal.events.models import Event, EventQuerySet
from portal.workflow import timeline


def of_deal(deal: IsvDeal) -> EventQuerySet:
    """Its invitations, its licences, and the consent that they stand on."""
    licences = Licences.objects.filter(deal=deal)
    return _about(Invitation.objects.filter(deal=deal), Relationship.objects.filter(licences__in=licences), licences)


def of_relationship(relationship: Relationship) -> EventQuerySet:
    """The invitations that led to it, the consent, and all its licences."""
    mine = Relationship.objects.filter(pk=relationship.pk)
    return _about(relationship.invitations.all(), mine, relationship.licences.all())


def _about(*records: QuerySet[Any]) -> EventQuerySet:
    found = Q()
    for rows in records:
        found |= Q(subject_type=rows.model._meta.label_lower, subject_id__in=rows.values("pk"))
    return Event.objects.filter(found, verb__in=timeline.verbs("licences"))
