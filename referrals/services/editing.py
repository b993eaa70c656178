"""Editing a deal while others do, without overwriting their changes (REF-21)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from portal.accounts.rules import Actor
from portal.catalog.models import Solution
from portal.workflow import services as workflow
from portal.workflow.blockers import Blocker, Param, RuleViolation, Term, _
from portal.workflow.services import Stale
from referrals import rules, verbs
from referrals.models import Referral
from referrals.verbs import Details, Solutions, Team, copies, details_of
from referrals.verbs.base import DealVerb


class Conflict(RuleViolation):
    """Somebody else changed the same fields; carries their current values and version (REF-21)."""

    def __init__(self, current: Mapping[str, Any], *, version: int) -> None:
        self.current, self.version = dict(current), version
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


def edit_details(referral: Referral, wanted: Details, *, seen_version: int, actor: Actor, now: datetime) -> Referral:
    """Change the details; fields that the editor left alone keep their current values.

    Raises Conflict if two people changed one field differently, PermissionDenied, RuleViolation (REF-6, REF-21).
    Nothing is written if nothing changes.
    """

    def merged(stale: Stale, current: Referral) -> Details | None:
        held = details_of(current)
        base = {name: _read(name, was) for name, (was, _is) in stale.changes.items() if hasattr(held, name)}
        found = rules.merge(base=asdict(held) | base, current=asdict(held), wanted=asdict(wanted))
        if found.conflicts:
            raise Conflict(found.conflicts, version=stale.version)
        changes: dict[str, Any] = dict(found.changes)
        return replace(held, **changes) if changes else None

    if seen_version == referral.version and wanted == details_of(referral):
        workflow.check_allowed(referral, verbs.EDIT_DETAILS, actor=actor)
        return referral
    return _edit(referral, verbs.EDIT_DETAILS, wanted, merged, seen_version, actor=actor, now=now)


def _read(column: str, kept: object) -> Any:
    """A column's value, converted from how events store it."""
    return Referral._meta.get_field(column).to_python(kept)  # type: ignore[union-attr]


@transaction.atomic
def edit_progress(
    referral: Referral, *, stage: int, close_date: date, seen_version: int, actor: Actor, now: datetime
) -> Referral:
    """Set the stage and the close date together; what the editor left alone keeps its current value, and what is as
    it was writes nothing.

    Raises Conflict if somebody changed the same of the two otherwise, PermissionDenied, RuleViolation (REF-14, REF-21).
    """
    fresh = workflow.lock(referral)
    workflow.check_allowed(fresh, verbs.SET_STAGE, actor=actor)
    held: dict[str, Any] = {"stage": fresh.stage, "close_date": fresh.close_date}
    changed = workflow.changes_since(fresh, seen_version) if fresh.version != seen_version else {}
    base = held | {name: _read(name, was) for name, (was, _is) in changed.items() if name in held}
    found = rules.merge(base=base, current=held, wanted={"stage": stage, "close_date": close_date})
    if found.conflicts:
        names = rules.stages_for(assessment=fresh.is_assessment)
        now_held = {n: Term(names[fresh.stage]) if n == "stage" else value for n, value in found.conflicts.items()}
        raise Conflict(now_held, version=fresh.version)
    if "stage" in found.changes:
        fresh = workflow.run_on_locked(fresh, verbs.SET_STAGE, verbs.Stage(stage), actor=actor, now=now)
    if "close_date" in found.changes:
        wanted = replace(details_of(fresh), close_date=close_date)
        fresh = workflow.run_on_locked(fresh, verbs.EDIT_DETAILS, wanted, actor=actor, now=now)
    return fresh


def edit_team(
    referral: Referral, team: Sequence[rules.Member], *, seen_version: int, actor: Actor, now: datetime
) -> Referral:
    """Replace the team that the editor saw (REF-7, REF-21). Raises Conflict if it has changed since."""
    wanted = Team(tuple(team))

    def merged(stale: Stale, current: Referral) -> Team:
        _refuse_stale("team", stale, now=copies.members(current.team.all()), wanted=copies.members(team))
        return wanted

    return _edit(referral, verbs.EDIT_TEAM, wanted, merged, seen_version, actor=actor, now=now)


def edit_solutions(
    referral: Referral, solutions: Sequence[Solution], *, seen_version: int, actor: Actor, now: datetime
) -> Referral:
    """Replace the solutions that the editor saw (REF-8, REF-21). Raises Conflict if they have changed since."""
    wanted = Solutions(tuple(solutions))

    def merged(stale: Stale, current: Referral) -> Solutions:
        names = copies.solution_names(copies.held_solutions(current))
        _refuse_stale("solutions", stale, now=names, wanted=copies.solution_names(solutions))
        return wanted

    return _edit(referral, verbs.EDIT_SOLUTIONS, wanted, merged, seen_version, actor=actor, now=now)


def _edit(
    referral: Referral,
    verb: DealVerb[Any],
    wanted: Any,
    merged: Callable[[Stale, Referral], Any],
    seen_version: int,
    *,
    actor: Actor,
    now: datetime,
) -> Referral:
    """Run the edit; if somebody else was faster, merge with their change and try again, until nothing is left to do."""
    while wanted is not None:
        try:
            return workflow.run(referral, verb, wanted, actor=actor, now=now, expected_version=seen_version)
        except Stale as stale:
            referral = Referral.objects.with_context().prefetch_related("team").get(pk=referral.pk)
            wanted, seen_version = merged(stale, referral), stale.version
    return referral


def _refuse_stale(name: str, stale: Stale, *, now: list[str], wanted: list[str]) -> None:
    if name in stale.changes and now != wanted:
        raise Conflict({name: now}, version=stale.version)
