"""Invitations, consents and licences in the state a test needs, made by the real services at instants around NOW."""

from __future__ import annotations

import re
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Model

from isvconnect.models import FeeRate, IsvDeal
from licensing.models import Assignment, EmailCode, Invitation, LicenceLink, Licences, PlanCount, Relationship
from licensing.rules import Consent
from licensing.services import codes, invitations, licences, links, tokens
from licensing.verbs import ASSIGN, REMOVE_PLAN, REVOKE_CONSENT, UNASSIGN, People, Removal, Update
from portal.accounts.rules import Actor
from portal.catalog.models import Plan, Solution
from portal.demo.cast import Cast
from portal.workflow.services import run
from tests import build, isv

NOW, DAY, CONTOSO = build.NOW, build.DAY, build.CONTOSO
TENANT = uuid.UUID("6f1d3b52-6d39-4f4a-8a0c-2f6a3f1d9a10")
OTHER_TENANT = uuid.UUID("0b7f4f1e-0c2b-4f0e-9a55-5a0d7a3c9b77")
ADMIN = "it@anadolu.example"


def isv_deal(cast: Cast, *, now: datetime = NOW, **changes: Any) -> IsvDeal:
    """A direct deal of Contoso's with Anadolu, for a solution with plans of which Classic isn't offered any more."""
    if not FeeRate.objects.exists():
        isv.rates(cast)
    given = {"solution": cast.solutions["retail"], "tenant_guid": TENANT, **changes}
    plans(given["solution"])
    keys = {name: value.pk if isinstance(value, Model) else value for name, value in given.items()}
    return isv.deal(cast, now=now, **keys)


def plans(solution: Solution) -> list[Plan]:
    """Basic and Premium, which are offered, and Classic, which isn't any more."""
    for code, name, offered in [("basic", "Basic", True), ("premium", "Premium", True), ("classic", "Classic", False)]:
        Plan.objects.get_or_create(solution=solution, code=code, defaults={"name": name, "offered": offered})
    return list(Plan.objects.filter(solution=solution).order_by("pk"))


def plan(deal: IsvDeal, code: str = "basic") -> Plan:
    return Plan.objects.get(solution=deal.solution, code=code)


def invited(cast: Cast, deal: IsvDeal, *, now: datetime = NOW) -> invitations.NewLink:
    return invitations.invite(deal, actor=cast.actor(CONTOSO), now=now)


def statement(**changes: Any) -> Consent:
    return Consent(**{"name": "Defne Kaya", "email": ADMIN, "tenant_guid": TENANT, "language": "tr", **changes})


def code_sent(invitation: Invitation, *, now: datetime = NOW, **changes: Any) -> EmailCode:
    return codes.send(invitation, statement(**changes), now=now)


def accepted(invitation: Invitation, *, now: datetime = NOW, **changes: Any) -> Relationship:
    """The customer's admin confirmed their address and agreed."""
    code = code_sent(invitation, now=now, **changes)
    done = invitations.accept(invitation, typed=tokens.code(code), now=now)
    assert done.relationship is not None
    return done.relationship


def consented(cast: Cast, deal: IsvDeal, *, now: datetime = NOW, **changes: Any) -> Relationship:
    return accepted(invited(cast, deal, now=now).invitation, now=now, **changes)


def form(deal: IsvDeal, relationship: Relationship | None = None, **counts: Any) -> Update:
    """Counts by the plans' codes; `confirmed` is the answer to the question about another customer."""
    confirmed = counts.pop("confirmed", False)
    pairs = tuple((plan(deal, code).pk, count) for code, count in counts.items())
    return Update(relationship, pairs, confirmed)


def updated(
    cast: Cast, deal: IsvDeal, relationship: Relationship | None = None, *, now: datetime = NOW, **counts: Any
) -> Licences:
    return licences.update(deal, form(deal, relationship, **counts), actor=cast.actor(CONTOSO), now=now)


def given(cast: Cast, *, now: datetime = NOW, **counts: int) -> Licences:
    """A new deal's customer agreed and got these licences: 10 of Basic unless said otherwise."""
    deal = isv_deal(cast)
    return updated(cast, deal, consented(cast, deal, now=now), now=now, **(counts or {"basic": 10}))


def admin(licences: Licences) -> Actor:
    """The customer's, as the licence page makes them."""
    return links.admin_of(licences.relationship)


def assigned(licences: Licences, *emails: str, code: str = "basic", now: datetime = NOW) -> Licences:
    people = People(plan(licences.deal, code).pk, emails)
    return run(licences, ASSIGN, people, actor=admin(licences), now=now)


def unassigned(licences: Licences, *emails: str, code: str = "basic", now: datetime = NOW) -> Licences:
    people = People(plan(licences.deal, code).pk, emails)
    return run(licences, UNASSIGN, people, actor=admin(licences), now=now)


def removed(
    cast: Cast, licences: Licences, code: str = "basic", *, confirmed: int | None = None, now: datetime = NOW
) -> Licences:
    removal = Removal(plan(licences.deal, code).pk, confirmed)
    return run(licences, REMOVE_PLAN, removal, actor=cast.actor(CONTOSO), now=now)


def revoked(relationship: Relationship, *, now: datetime = NOW) -> Relationship:
    return run(relationship, REVOKE_CONSENT, actor=links.admin_of(relationship), now=now)


def people(count: int, start: int = 0) -> list[str]:
    return [f"person{number}@anadolu.example" for number in range(start, start + count)]


def counts(licences: Licences) -> dict[str, tuple[int, int]]:
    """By plan: how many there are, and how many are assigned."""
    rows = PlanCount.objects.filter(licences=licences).order_by("pk")
    return {row.plan.code: (row.count, row.assigned) for row in rows.select_related("plan")}


def holders(licences: Licences, code: str = "basic") -> list[str]:
    rows = Assignment.objects.filter(plan_count__licences=licences, plan_count__plan__code=code)
    return sorted(rows.values_list("email", flat=True))


def newest_link(relationship: Relationship) -> str:
    """The token in the newest link that was mailed."""
    return tokens.of_link(LicenceLink.objects.filter(relationship=relationship).latest("pk"))


def reload(licences: Licences) -> Licences:
    return Licences.objects.with_context().get(pk=licences.pk)


def wrong(code: EmailCode) -> str:
    """Six digits that aren't the code."""
    right = tokens.code(code)
    return re.sub(r"\d$", str((int(right[-1]) + 1) % 10), right)


def after(days: float) -> datetime:
    return NOW + timedelta(days=days)
