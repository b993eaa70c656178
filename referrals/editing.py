"""Changing a deal after its creation: details, team and solutions, never over somebody else's change (REF-21)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from portal.accounts.rules import Actor
from portal.catalog.models import Solution
from portal.workflow import services as workflow
from portal.workflow.blockers import Blocker, Param, RuleViolation, _
from referrals import rules, search
from referrals.machine import DETAILS, members
from referrals.models import Referral
from referrals.services import set_solutions, set_team


class Conflict(RuleViolation):
    """Somebody changed the same fields meanwhile; carries what they hold now (REF-21; the API's 412)."""

    def __init__(self, current: Mapping[str, Any]) -> None:
        self.current = dict(current)
        super().__init__(_conflict(name, value) for name, value in self.current.items())


def _conflict(name: str, value: Any) -> Blocker:
    shown: Param = value if isinstance(value, str | int | Decimal | date) else ", ".join(map(str, value))
    return Blocker(
        "conflict",
        _("Somebody changed this meanwhile; it is now “%(now)s”. Save again to put yours in its place."),
        "REF-21",
        name,
        {"now": shown},
    )


@transaction.atomic
def edit_details(
    referral: Referral, *, seen: Mapping[str, Any], wanted: Mapping[str, Any], actor: Actor, now: datetime
) -> Referral:
    """Change some of DETAILS. `seen` is what the form showed: what the editor left alone stays as it now is.

    Raises Conflict where two people changed one field differently, PermissionDenied, RuleViolation (REF-6, REF-21).
    """
    current = workflow.lock(referral)
    workflow.demand(current, "edit_details", actor=actor)
    merged = rules.merge(seen=seen, current={name: getattr(current, name) for name in DETAILS}, wanted=wanted)
    if merged.conflicts:
        raise Conflict(merged.conflicts)
    if not merged.changes:
        return current
    edited = workflow.run(referral, "edit_details", actor=actor, now=now, changes=dict(merged.changes))
    search.index([edited])
    return edited


@transaction.atomic
def edit_team(
    referral: Referral,
    *,
    seen: Sequence[rules.Member],
    team: Sequence[rules.Member],
    actor: Actor,
    now: datetime,
) -> Referral:
    """Put another team in place of the one seen (REF-7, REF-21). Raises Conflict if it is another one by now."""
    current = workflow.lock(referral)
    workflow.demand(current, "edit_team", actor=actor)
    _refuse_stale("team", seen=members(seen), current=members(current.team.all()), wanted=members(team))
    edited = workflow.run(referral, "edit_team", actor=actor, now=now, team=tuple(team))
    set_team(edited, team)
    search.index([edited])
    return edited


@transaction.atomic
def edit_solutions(
    referral: Referral, *, seen: Iterable[Solution], solutions: Sequence[Solution], actor: Actor, now: datetime
) -> Referral:
    """Put other solutions in place of those seen (REF-8, REF-21); an assessment's is fixed. Raises Conflict."""
    current = workflow.lock(referral)
    workflow.demand(current, "edit_solutions", actor=actor)
    held = [line.solution.name for line in current.solutions.select_related("solution")]
    _refuse_stale(
        "solutions",
        seen=sorted(s.name for s in seen),
        current=sorted(held),
        wanted=sorted(s.name for s in solutions),
    )
    edited = workflow.run(referral, "edit_solutions", actor=actor, now=now, solutions=tuple(solutions))
    edited.solutions.all().delete()
    set_solutions(edited, solutions)
    return edited


def _refuse_stale(name: str, **versions: list[str]) -> None:
    merged = rules.merge(**{key: {name: value} for key, value in versions.items()})
    if merged.conflicts:
        raise Conflict(merged.conflicts)
