"""Decides where a submitted registration goes (FLOW-2, FLOW-3)."""

from __future__ import annotations

from dealreg import rules
from dealreg.models import Registration
from dealreg.selectors import routing
from portal.workflow.blockers import to_json
from portal.workflow.verbs import Context


def set_route(record: Registration, context: Context, *, correction: bool = False) -> rules.Route:
    """Decide by what the submitted registration holds, and keep the reasons and what they follow from (FLOW-7)."""
    assert record.acv_usd is not None
    assert record.first_submitted_at is not None
    filed, referral = record.first_submitted_at.date(), record.referral
    found = routing.routing_facts(referral, record, record.claim, now=context.now, policy=context.policy)
    facts = rules.RegistrationFacts(
        today=context.now.date(),
        created=referral.created_at.date(),
        first_filed=filed if correction else None,
        **vars(found),
    )
    route = rules.route_for(record.claim, facts, record.acv_usd, context.policy)
    record.route_reasons = [to_json(reason) for reason in route.reasons]
    record.route_facts = routing.to_json(found)
    return route
