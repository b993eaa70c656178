"""A company's own names for the sales stages; they are understood wherever a stage is given (REF-16)."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction

from portal.accounts import services as accounts
from portal.accounts.models import Company
from portal.accounts.rules import Actor, may_keep
from portal.customers.rules import fold
from portal.events import services as events
from portal.events.models import Event, EventQuerySet
from portal.workflow.blockers import Blocker, RuleViolation, _
from referrals.models import StageName
from referrals.rules import stage_names

ADDED, REMOVED = "stage_name.added", "stage_name.removed"


def stage_of(company: Company, token: str | int) -> int:
    """The stage, in per cent, for a percentage, a wire name or a name of the company's own (REF-16).

    Raises RuleViolation for anything else.
    """
    stage = stage_names.stage_of(token, folded(company.pk))
    if stage is None:
        message = _("“%(name)s” is no stage: give a percentage, Qualify, Develop, Propose or Close, or your own name.")
        raise RuleViolation([Blocker("unknown_stage", message, "REF-16", "stage", {"name": str(token)[:100]})])
    return stage


def folded(company_id: int) -> dict[str, int]:
    """The stage of each of the company's own names, folded."""
    held = StageName.objects.filter(company_id=company_id)
    return {fold(name): stage for name, stage in held.values_list("name", "stage")}


def of_company(company_id: int) -> dict[int, list[StageName]]:
    """The company's names by stage, in the order in which they were added."""
    found: dict[int, list[StageName]] = defaultdict(list)
    for name in StageName.objects.filter(company_id=company_id).order_by("pk"):
        found[name.stage].append(name)
    return found


def history(actor: Actor) -> EventQuerySet:
    """The changes of the actor's company's names (ORG-6)."""
    return Event.objects.filter(company_id=actor.own_company_id, verb__in=[ADDED, REMOVED])


def _allow(actor: Actor, company_id: int) -> None:
    if actor.company_id != company_id or not may_keep(actor):
        raise PermissionDenied


@transaction.atomic
def add(*, company: Company, name: str, stage: int, actor: Actor, now: datetime) -> StageName:
    """Add a name for a stage. Raises RuleViolation if the name already stands for something."""
    _allow(actor, company.pk)
    accounts.lock_company(company.pk)
    if blockers := list(stage_names.name_blockers(name, stage, names=folded(company.pk))):
        raise RuleViolation(blockers)
    added = StageName.objects.create(company=company, name=name.strip(), stage=stage)
    _record(added, ADDED, actor=actor, now=now)
    return added


@transaction.atomic
def remove(name: StageName, *, actor: Actor, now: datetime) -> bool:
    """Remove a name; deals keep their stages. Returns False if it was removed already."""
    _allow(actor, name.company_id)
    accounts.lock_company(name.company_id)
    deleted, _by_model = StageName.objects.filter(pk=name.pk).delete()
    if deleted:
        _record(name, REMOVED, actor=actor, now=now)
    return bool(deleted)


def _record(name: StageName, verb: str, *, actor: Actor, now: datetime) -> None:
    """Record the change as an event about the company, because the name itself may be deleted later."""
    values = {"name": name.name, "stage": name.stage}
    events.record_one(name.company, verb, actor=actor, now=now, company_id=name.company_id, after=values)
