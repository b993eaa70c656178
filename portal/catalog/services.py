"""The verbs of the catalogue: list a solution, say which tags it bears and which plans its offer has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, TypedDict, Unpack

from django.db import IntegrityError, transaction

from portal.accounts.models import Company
from portal.accounts.policies import check_runs_programme
from portal.accounts.rules import Actor
from portal.catalog import rules, selectors
from portal.catalog.models import AssessmentType, Plan, Solution
from portal.catalog.rules import Tags
from portal.events import services as events
from portal.workflow.blockers import Blocker, RuleViolation

ADDED, CHANGED, TAGS_CHANGED = "solution.added", "solution.changed", "solution.tags_changed"
PLAN_ADDED, PLAN_CHANGED = "plan.added", "plan.changed"
ASSESSMENT_TYPE_ADDED = "assessment_type.added"


@transaction.atomic
def create_solution(
    *,
    code: str,
    name: str,
    publisher: Company,
    actor: Actor,
    now: datetime,
    kind: str = Solution.Kind.IP,
    published: bool = False,
    co_sell_ready: bool = False,
    azure_ip: bool = False,
    biz_apps: str = Solution.BizApps.NONE,
) -> Solution:
    """List a solution; records `solution.added`. The solution id (SOL-12345-ABC) must be new.

    Raises PermissionDenied, RuleViolation.
    """
    check_runs_programme(actor)
    tags = Tags(published, co_sell_ready, azure_ip, biz_apps)
    if blockers := rules.tag_blockers(kind, tags):
        raise RuleViolation(blockers)
    solution = Solution.objects.create(
        code=code.strip(), name=name.strip(), publisher=publisher, kind=kind, **asdict(tags)
    )
    after = {"code": solution.code, "name": solution.name, "kind": kind, **asdict(tags)}
    events.record_one(solution, ADDED, actor=actor, now=now, company_id=publisher.pk, after=after)
    return solution


#: What a solution is; deals and decisions name it by these.
IDENTITY = ("code", "name", "publisher", "kind")


@transaction.atomic
def correct(
    solution: Solution, *, code: str, name: str, publisher: Company, kind: str, actor: Actor, now: datetime
) -> Solution:
    """Correct what a solution is, and return the row as it then is. What was decided about it keeps what it was
    decided under.

    Records `solution.changed` with what it was before, if that is news. Raises PermissionDenied, and RuleViolation,
    also where its id is taken or decisions stand on what would change.
    """
    check_runs_programme(actor)
    # Not its key: whoever opens registrations of it refers to it, and would wait for us while we wait for them.
    found = Solution.objects.select_for_update(of=("self",), no_key=True).select_related("publisher")
    fresh = found.get(pk=solution.pk)
    given: dict[str, Any] = {"code": code.strip(), "name": name.strip(), "publisher": publisher, "kind": kind}
    if blockers := [*correction_blockers(fresh, **given), *rules.tag_blockers(kind, fresh.tags)]:
        raise RuleViolation(blockers)
    before, after = events.changes(_identity(fresh), _identity(Solution(**given)))
    if not after:
        return fresh
    for column, value in given.items():
        setattr(fresh, column, value)
    try:
        with transaction.atomic():
            fresh.save(update_fields=list(IDENTITY))
    except IntegrityError:
        raise RuleViolation([rules.CODE_TAKEN]) from None
    what = {"company_id": fresh.publisher_id, "before": before, "after": after}
    events.record_one(fresh, CHANGED, actor=actor, now=now, **what)
    return fresh


def correction_blockers(
    solution: Solution, *, code: str, name: str, publisher: Company, kind: str
) -> Iterator[Blocker]:
    """What keeps a solution from being corrected like this: its name always can be."""
    held, given = _identity(solution), _identity(Solution(code=code, name=name, publisher=publisher, kind=kind))
    changed = [field for field in IDENTITY if held[field] != given[field]]
    if changed:
        yield from rules.settled_blockers(settled(solution), changed)


def settled(solution: Solution) -> int:
    """How much was decided or issued about it."""
    return sum(count(solution.pk) for count in selectors.SETTLED.values())


def _identity(solution: Solution) -> dict[str, str]:
    return {
        "code": solution.code,
        "name": solution.name,
        "publisher": solution.publisher.name,
        "kind": solution.kind,
    }


class TagChanges(TypedDict, total=False):
    """The tags that change; those left out stay (rules.Tags says what each means)."""

    published: bool
    co_sell_ready: bool
    azure_ip: bool
    biz_apps: str


@transaction.atomic
def set_tags(solution: Solution, *, actor: Actor, now: datetime, **tags: Unpack[TagChanges]) -> Solution:
    """Say which tags a solution bears (ELIG-5, ISV-1) and return the row as it then is.

    Records `solution.tags_changed` if that is news. Raises PermissionDenied, RuleViolation.
    """
    check_runs_programme(actor)
    fresh = Solution.objects.select_for_update(no_key=True).get(pk=solution.pk)  # as in correct()
    asked = replace(fresh.tags, **tags)
    if blockers := rules.tag_blockers(fresh.kind, asked):
        raise RuleViolation(blockers)
    before, after = events.changes(asdict(fresh.tags), asdict(asked))
    if after:
        for name, value in after.items():
            setattr(fresh, name, value)
        fresh.save(update_fields=list(after))
        what = {"company_id": fresh.publisher_id, "before": before, "after": after}
        events.record_one(fresh, TAGS_CHANGED, actor=actor, now=now, **what)
    return fresh


@transaction.atomic
def add_plan(solution: Solution, *, code: str, name: str, actor: Actor, now: datetime, offered: bool = True) -> Plan:
    """List a plan of a solution's offer (LIC-2); records `plan.added`. Its id must be new. Raises PermissionDenied."""
    check_runs_programme(actor)
    plan = Plan.objects.create(solution=solution, code=code.strip(), name=name.strip(), offered=offered)
    after = {"solution": solution.code, "code": plan.code, "name": plan.name, "offered": offered}
    events.record_one(plan, PLAN_ADDED, actor=actor, now=now, company_id=solution.publisher_id, after=after)
    return plan


@transaction.atomic
def change_plan(plan: Plan, *, name: str, offered: bool, actor: Actor, now: datetime) -> Plan:
    """Name a plan anew, or say whether it is still offered, and return the row as it then is; its id stays.

    Records `plan.changed` if that is news. Raises PermissionDenied.
    """
    check_runs_programme(actor)
    fresh = Plan.objects.select_for_update(of=("self",)).select_related("solution").get(pk=plan.pk)
    held = {"name": fresh.name, "offered": fresh.offered}
    before, after = events.changes(held, {"name": name.strip(), "offered": offered})
    if after:
        for column, value in after.items():
            setattr(fresh, column, value)
        fresh.save(update_fields=list(after))
        what = {"company_id": fresh.solution.publisher_id, "before": before, "after": after}
        events.record_one(fresh, PLAN_CHANGED, actor=actor, now=now, **what)
    return fresh


@transaction.atomic
def create_assessment_type(*, code: str, name: str, actor: Actor, now: datetime) -> AssessmentType:
    """List a kind of assessment; records `assessment_type.added`. Raises PermissionDenied."""
    check_runs_programme(actor)
    kind = AssessmentType.objects.create(code=code.strip(), name=name.strip())
    after = {"code": kind.code, "name": kind.name}
    events.record_one(kind, ASSESSMENT_TYPE_ADDED, actor=actor, now=now, company_id=None, after=after)
    return kind
