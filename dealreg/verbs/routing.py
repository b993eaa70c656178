"""Decides where a submitted registration goes (FLOW-2, FLOW-3)."""

from __future__ import annotations

from collections.abc import Mapping

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
    keep_facts(record, routing.to_json(found))
    return route


def keep_figures(record: Registration, found: rules.Judgement) -> None:
    """Keep the form as it was judged, and the figures that follow from it (USD at the rates of FX-2)."""
    record.claim = found.claim
    record.acv = found.acv.amount if found.acv else None
    record.acv_usd, record.tcv_usd = found.acv_usd, found.tcv_usd
    record.solution_value_usd = found.solution_value_usd


def keep_facts(record: Registration, facts: Mapping[str, object]) -> None:
    """Keep what this decision follows from, beside what the earlier ones did (FLOW-7)."""
    version = str(record.version + 1)  # that it will have made, as its event says
    kept = {**record.route_facts.get(version, {}), **facts}
    record.route_facts = {**record.route_facts, version: kept}
