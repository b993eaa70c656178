"""Consents and licences, as pages and the API read them (LIC-1, LIC-4)."""

from __future__ import annotations

from django.db.models import Prefetch

from licensing.models import (
    Licences,
    LicencesQuerySet,
    PlanCount,
    Relationship,
    RelationshipQuerySet,
)


def consented(company_id: int) -> RelationshipQuerySet:
    """The customers who agreed with the company, by name: the drop-down of *Manage licences* (LIC-1)."""
    found = Relationship.objects.with_context().consented().filter(company_id=company_id)
    return found.order_by("customer__name", "tenant_guid", "pk")


def counts_of(licences: Licences) -> list[PlanCount]:
    """By plan name."""
    return list(licences.counts.select_related("plan").order_by("plan__name", "pk"))


def given_to(relationship: Relationship) -> LicencesQuerySet:
    """Everything the customer has by this consent, with counts, for their licence page (LIC-4)."""
    counts = PlanCount.objects.select_related("plan").order_by("plan__name", "pk")
    found = Licences.objects.with_context().filter(relationship=relationship)
    return found.prefetch_related(Prefetch("counts", counts)).order_by("pk")
