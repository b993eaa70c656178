"""How the last registrations would have gone under a policy that is only tried (FLOW-7): replayed, nothing written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from dealreg import rules
from dealreg.models import Registration
from dealreg.rules import states
from dealreg.selectors import routing
from dealreg.services import replay
from dealreg.services.replay import Step
from portal import once
from portal.events.models import Event
from portal.policy.rules import Policy
from portal.workflow.blockers import Blocker, Money, _

#: So many registrations, those filed last, are looked at.
LOOKED_AT = 500
REFUSED, NOT_ELIGIBLE = "refused", "not_eligible"
LABELS = {**states.REGISTRATION_STATES, REFUSED: _("Refused"), NOT_ELIGIBLE: _("Not eligible")}


@dataclass(frozen=True)
class Verdict:
    """Where the policy sends a registration when it is filed, and why."""

    outcome: str
    reasons: Sequence[Blocker] = ()


@dataclass(frozen=True)
class Moved:
    """A registration that the tried policy sends elsewhere than the policy it was judged by."""

    registration: Registration
    was: Verdict
    becomes: Verdict


@once.scope()
def simulate(tried: Policy) -> tuple[int, list[Moved]]:
    """How many registrations were looked at, and those that would have gone another way.

    Each is judged by what was kept of it: its claim, its rates, and which others were known then as the same sale; so
    a longer look back for duplicates finds no more of them here.
    """
    filed = Registration.objects.exclude(first_submitted_at=None).with_context()
    rows = list(filed.order_by("-first_submitted_at", "-pk")[:LOOKED_AT])
    told = replay.events_of(rows)
    judged = [(row, _routed(row, told.get(row.pk, []))) for row in rows]
    found = [(row, step) for row, step in judged if step is not None]
    return len(found), list(_moved(found, tried))


def _routed(row: Registration, events: Sequence[Event]) -> Step | None:
    """The last time it was routed, with what was kept of it."""
    return next((s for s in reversed(list(replay.steps(row, events, {}))) if routing.routing_of(s.kept)), None)


def _moved(found: Sequence[tuple[Registration, Step]], tried: Policy) -> Iterator[Moved]:
    for row, step in found:
        was, becomes = _verdict(step, step.policy), _verdict(step, tried)
        if step.event.verb == "registration.routed":
            becomes = _eligible(row, tried) or becomes
        if was.outcome != becomes.outcome:
            yield Moved(row, was, becomes)


def _verdict(step: Step, policy: Policy) -> Verdict:
    kept = routing.routing_of(step.kept)
    assert kept is not None
    found = rules.judge(step.past.claim, replace(replay.facts_of(step), **vars(kept)), policy)
    if found.violations:
        return Verdict(REFUSED, found.violations)
    assert found.route is not None
    return Verdict(found.route.state, found.route.reasons)


def _eligible(row: Registration, tried: Policy) -> Verdict | None:
    """ELIG-3: what the deal was worth when it was won, unless an exception stood in for it (ELIG-8)."""
    excepted = any(kept["code"] == "minimum_value" and kept["message"]["rule"] == "ELIG-8" for kept in row.criteria)
    value = row.referral.value_usd
    if excepted or value is None or value >= tried.minimum_deal_value_usd:
        return None
    message = _("The deal is worth %(usd)s, but at least %(minimum)s would be needed.")
    usd, minimum = Money(value, "USD"), Money(tried.minimum_deal_value_usd, "USD")
    return Verdict(NOT_ELIGIBLE, [Blocker("minimum_value", message, "ELIG-3", params={"usd": usd, "minimum": minimum})])
