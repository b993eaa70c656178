"""Invitations, consents and licences in the state a test needs, made by the real services at instants around NOW."""

from __future__ import annotations

import re
import uuid
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from isvconnect.models import IsvDeal
from licensing.models import Assignment, EmailCode, Invitation, LicenceLink, Licences, PlanCount, Relationship
from licensing.rules import Consent
from licensing.services import codes, invitations, licences, links, tokens
from licensing.verbs import ASSIGN, REMOVE_PLAN, REVOKE_CONSENT, UNASSIGN, People, Removal, Update
from portal.accounts.rules import SYSTEM, Actor
from portal.catalog.models import Plan, Solution
from portal.demo.cast import ISTANBUL, Cast
from portal.events import services as events
from portal.workflow.services import run
from tests import build

NOW, DAY, CONTOSO = build.NOW, build.DAY, build.CONTOSO
TENANT = uuid.UUID("6f1d3b52-6d39-4f4a-8a0c-2f6a3f1d9a10")
OTHER_TENANT = uuid.UUID("0b7f4f1e-0c2b-4f0e-9a55-5a0d7a3c9b77")
ADMIN = "it@anadolu.example"


def isv_deal(cast: Cast, **changes: Any) -> IsvDeal:
    """A direct deal of Contoso's with Anadolu, for a solution with three plans, two of them offered."""
    solution = changes.pop("solution", cast.solutions["retail"])
    plans(solution)
    given = {
        "company": cast.companies["contoso"],
        "location": cast.locations[ISTANBUL],
        "customer": cast.customers["anadolu"],
        "solution": solution,
        "tcv": Decimal(40_000),
        "tcv_currency": "EUR",
        "solution_value": Decimal(30_000),
        "solution_value_currency": "EUR",
        "deployment": "azure",
        "tenant": "customer",
        "tenant_guid": TENANT,
        "signed": date(2026, 11, 1),
        "start": date(2026, 11, 1),
        "end": date(2027, 10, 31),
        "contact_first_name": "Rüya",
        "contact_last_name": "İpekçi",
        "contact_phone": "+90 212 555 01 00",
        "contact_email": CONTOSO,
        "tag": solution.biz_apps,
        "tcv_usd": Decimal(42_000),
        "solution_value_usd": Decimal(31_500),
        "created_at": NOW,
        "updated_at": NOW,
        **changes,
    }
    return IsvDeal.objects.with_context().get(pk=IsvDeal.objects.create(**given).pk)


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


def cancelled(cast: Cast, deal: IsvDeal, *, now: datetime = NOW) -> None:
    """As isvconnect's verb does it: the locked row, its state, and the event."""
    with transaction.atomic():
        row = IsvDeal.objects.select_for_update().filter(pk=deal.pk)
        list(row)
        row.update(status="cancelled", cancelled_at=now, cancel_reason="Not sold.")
        about = {"company_id": deal.company_id, "group": deal.event_group}
        events.record_one(deal, "isv_deal.cancelled", actor=SYSTEM, now=now, **about)


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
