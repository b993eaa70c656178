"""Closing a company of the programme, and opening it again; each with its event (ORG-2).

Nobody acts for a closed company: its people don't get in, its API clients get no token, its webhook is not called, and
nobody is invited to it. What it did stays. Its open deals stay open and their deadlines go on, so that what is not
answered expires and the other parties, the vendor's people and the workers do what they would do otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from portal.accounts import rules
from portal.accounts.models import Company, User
from portal.accounts.policies import check_runs_programme
from portal.accounts.rules import Actor
from portal.events import services as events
from portal.workflow.blockers import Blocker, RuleViolation

CLOSED, REOPENED = "company.closed", "company.reopened"


@transaction.atomic
def close(company: Company, *, reason: str, actor: Actor, now: datetime) -> Company:
    """From its next request on, nobody acts for the company. Records `company.closed`.

    Raises PermissionDenied (the programme's), or RuleViolation: the vendor, closed already, no reason.
    """
    check_runs_programme(actor)
    fresh = Company.objects.select_for_update(no_key=True).get(pk=company.pk)
    _refuse(rules.closing_blockers(vendor=fresh.is_vendor, closed=fresh.is_closed, reason=reason))
    fresh.closed_at, fresh.close_reason = now, reason.strip()
    fresh.save(update_fields=["closed_at", "close_reason"])
    after = {"name": fresh.name, "closed_at": now.isoformat()}
    what = {"company_id": fresh.pk, "before": {"closed_at": None}, "after": after, "comment": fresh.close_reason}
    events.record_one(fresh, CLOSED, actor=actor, now=now, **what)
    return fresh


@transaction.atomic
def reopen(company: Company, *, actor: Actor, now: datetime) -> Company:
    """Its people, clients and webhook are as they were before it was closed. Records `company.reopened`.

    Raises PermissionDenied (the programme's), or RuleViolation: not closed, or merged into another.
    """
    check_runs_programme(actor)
    fresh = Company.objects.select_for_update(no_key=True).get(pk=company.pk)
    _refuse(rules.reopening_blockers(closed=fresh.is_closed, merged=fresh.merged_into_id is not None))
    before = {"closed_at": fresh.closed_at.isoformat() if fresh.closed_at else None, "reason": fresh.close_reason}
    fresh.closed_at, fresh.close_reason = None, ""
    fresh.save(update_fields=["closed_at", "close_reason"])
    what = {"company_id": fresh.pk, "before": before, "after": {"name": fresh.name, "closed_at": None}}
    events.record_one(fresh, REOPENED, actor=actor, now=now, **what)
    return fresh


def closed_of(user: User) -> Company | None:
    """The company that somebody would act for, if it were not closed."""
    membership = user.memberships.filter(is_active=True, company__closed_at__isnull=False).select_related("company")
    found = membership.order_by("-company__closed_at").first()
    return found.company if found else None


def _refuse(blockers: Iterable[Blocker]) -> None:
    if found := list(blockers):
        raise RuleViolation(found)
