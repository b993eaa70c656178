"""*Update licences*: the first time and ever after, as pages and the API call it (LIC-2)."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, F, OuterRef, Q

from isvconnect.models import IsvDeal
from licensing.models import Invitation, InvitationState, Licences, LicencesQuerySet, PlanCount, Relationship
from licensing.rules import CONSENT_REVOKED, DEAL_CANCELLED
from licensing.selectors.facts import licences_of
from licensing.verbs import FREEZE, GIVE_LICENCES, UPDATE_LICENCES, WITHDRAW_INVITATION, First, Freeze, Update, judge
from portal.accounts.rules import SYSTEM, Actor
from portal.workflow import services as workflow
from portal.workflow.blockers import Blocker


def refusals(deal: IsvDeal, update: Update, *, actor: Actor, now: datetime) -> tuple[Blocker, ...]:
    """Why *Update licences* is disabled, all reasons at once (LIC-2); what `update` would raise, without doing it."""
    return tuple(judge(deal, licences_of(deal), update, workflow.context_of(actor, now)))


def update(
    deal: IsvDeal, form: Update, *, actor: Actor, now: datetime, expected_version: int | None = None
) -> Licences:
    """Set the counts of the plans named; the first time also the customer. Counts that stand there already are no
    change. Raises PermissionDenied, Stale, or RuleViolation with every reason (LIC-2 to LIC-4, LIC-6, LIC-7)."""
    licences = licences_of(deal)
    if licences is None:
        return workflow.run(None, GIVE_LICENCES, First(deal, form), actor=actor, now=now)
    if _says_nothing_new(licences, form) and not refusals(deal, form, actor=actor, now=now):
        workflow.check_allowed(licences, UPDATE_LICENCES, actor=actor)
        return licences
    return workflow.run(licences, UPDATE_LICENCES, form, actor=actor, now=now, expected_version=expected_version)


def _says_nothing_new(licences: Licences, form: Update) -> bool:
    held = dict(PlanCount.objects.filter(licences=licences).values_list("plan_id", "count"))
    return bool(form.counts) and all(held.get(plan) == count for plan, count in form.counts)


def end_with_deal(deal_id: int, *, now: datetime) -> None:
    """The deal was cancelled: its counts freeze, and nobody is asked to agree any more (LIC-7)."""
    _withdraw(Q(deal=deal_id), now)
    _freeze(Licences.objects.filter(deal=deal_id), DEAL_CANCELLED, now)


def withdraw_misaddressed(deal_id: int, *, now: datetime) -> None:
    """The deal was corrected: who was asked for another customer than it has now isn't asked any more (LIC-1)."""
    _withdraw(Q(deal=deal_id) & ~Q(customer=F("deal__customer")), now)


def _withdraw(which: Q, now: datetime) -> None:
    waiting = Invitation.objects.select_for_update(of=("self",)).with_context().filter(which)
    for invitation in waiting.filter(state=InvitationState.SENT):
        workflow.run_on_locked(invitation, WITHDRAW_INVITATION, None, actor=SYSTEM, now=now)


def freeze_revoked(relationship_id: int, *, now: datetime) -> None:
    """The customer took the consent back: the counts of all its deals freeze (LIC-7)."""
    _freeze(Licences.objects.filter(relationship=relationship_id), CONSENT_REVOKED, now)


def _freeze(which: LicencesQuerySet, why: str, now: datetime) -> None:
    for licences in which.select_for_update(of=("self",)).with_context().order_by("pk"):
        workflow.run_on_locked(licences, FREEZE, Freeze(why), actor=SYSTEM, now=now)


def move_customer(merged: int, kept: int) -> None:
    """Move a merged customer's invitations and consents, unless the kept one's admin agreed for the same tenant."""
    Invitation.objects.filter(customer=merged).update(customer=kept)
    same = Relationship.objects.consented().filter(
        customer=kept, company=OuterRef("company"), tenant_guid=OuterRef("tenant_guid")
    )
    Relationship.objects.filter(customer=merged).exclude(Exists(same)).update(customer=kept)
