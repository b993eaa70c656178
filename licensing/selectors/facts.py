"""What the rules of licences look at, read from the rows."""

from __future__ import annotations

from collections.abc import Mapping

from isvconnect.models import IsvDeal
from licensing.models import Licences, PlanCount, Relationship
from licensing.rules import DEAL_CANCELLED, CustomerFacts, DealFacts, PlanFacts
from portal.catalog.models import Plan
from portal.policy.rules import Policy


def licences_of(deal: IsvDeal) -> Licences | None:
    """The deal's licences; None before the first update."""
    return Licences.objects.with_context().filter(deal=deal).first()


def plans_of(deal: IsvDeal, licences: Licences | None) -> Mapping[int, PlanFacts]:
    """Every plan of the deal's solution, and those it has licences of, by key and in the order of their names."""
    held = {row.plan_id: row for row in PlanCount.objects.filter(licences=licences)} if licences else {}
    plans = Plan.objects.filter(solution=deal.solution_id) | Plan.objects.filter(pk__in=held)
    return {plan.pk: _facts(plan, held.get(plan.pk)) for plan in plans}


def _facts(plan: Plan, held: PlanCount | None) -> PlanFacts:
    count, assigned = (held.count, held.assigned) if held else (0, 0)
    return PlanFacts(plan.name, plan.offered, count, assigned)


def plan_facts(licences: Licences, plan_id: int) -> PlanFacts | None:
    """A plan that there are licences of; None for another."""
    held = PlanCount.objects.select_related("plan").filter(licences=licences, plan=plan_id).first()
    return _facts(held.plan, held) if held else None


def deal_facts(deal: IsvDeal, licences: Licences | None, policy: Policy) -> DealFacts:
    frozen = DEAL_CANCELLED if deal.is_cancelled else licences.frozen if licences else ""
    return DealFacts(
        customer_id=deal.customer_id,
        customer_name=deal.customer.name,
        tenant_guid=deal.tenant_guid if deal.tenant == "customer" else None,
        plans=plans_of(deal, licences),
        fixed=licences.relationship_id if licences else None,
        frozen=frozen,
        most=policy.max_licences,
    )


def customer_facts(company_id: int, relationship: Relationship | None) -> CustomerFacts | None:
    """None for a relationship of another company: as unknown (ORG-6)."""
    if relationship is None or relationship.company_id != company_id:
        return None
    return CustomerFacts(
        relationship.customer_id, relationship.customer.name, relationship.tenant_guid, relationship.is_consented
    )
