"""A customer's admin agrees, once their address is confirmed, and may take that back (LIC-1, LIC-6 to LIC-8)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from licensing.models import EmailCode, Invitation, Licences, Relationship, RelationshipState
from licensing.policies import may_answer, may_revoke
from licensing.rules import invitation_blockers, unconfirmed
from licensing.timeline import LICENCES
from licensing.verbs.base import lock_customer
from portal.accounts.rules import SYSTEM
from portal.events.models import Event
from portal.workflow.blockers import Blocker, _
from portal.workflow.services import event_of
from portal.workflow.timeline import Sentence
from portal.workflow.verbs import Context, Described, Effect, Verb


class Resumed(Described):
    """Licences whose customer took the consent back go on when the same admin agrees anew, for the same tenant."""

    name = "resumed"
    label = _("Go on")
    event = "licences.resumed"
    sentence = Sentence(
        "play-circle", "info", _("%(customer)s agreed anew: counts of licences can be raised again"), LICENCES
    )


@dataclass(frozen=True)
class Accept:
    """The code by which the admin confirmed their address, with what they stated (LIC-6, LIC-8)."""

    code: EmailCode


class AcceptInvitation(Verb[Invitation, Accept]):
    """Agree, for one tenant of the customer's: from now on the company may give licences there (LIC-1, LIC-6)."""

    name = "accept"
    label = _("Accept")
    event = "consent.accepted"
    sentence = Sentence("hand-thumbs-up", "success", _("%(customer)s agreed to get licences"), LICENCES)
    who = (may_answer,)

    def blockers(self, record: Invitation, context: Context) -> Iterable[Blocker]:
        return invitation_blockers(expires_at=record.expires_at, now=context.now)

    def input_blockers(self, record: Invitation, inputs: Accept, context: Context) -> Iterable[Blocker]:
        code = EmailCode.objects.get(pk=inputs.code.pk)
        if code.invitation_id != record.pk or code.confirmed_at is None or code.email != context.actor.email.lower():
            yield unconfirmed()
            return
        lock_customer(record.customer_id)  # two may agree for one tenant, each by the invitation of another deal
        standing = _standing(record, code)
        if standing is not None and standing.admin_email != code.email:
            message = _("Somebody else has already agreed for this tenant. Ask your colleagues who it was.")
            yield Blocker("tenant_agreed", message, "LIC-6", "tenant_guid")

    def apply(self, record: Invitation, inputs: Accept, context: Context) -> Effect:
        code = EmailCode.objects.get(pk=inputs.code.pk)
        relationship = _standing(record, code) or _new(record, code, context)
        record.accept()
        record.answered_at = context.now
        record.relationship = relationship
        after = {"customer": record.customer.name, "tenant": str(code.tenant_guid), "admin": code.name}
        return Effect(after=after, events=list(_resume(relationship, context)))


def _standing(record: Invitation, code: EmailCode) -> Relationship | None:
    found = Relationship.objects.consented().filter(company_id=record.company_id, customer_id=record.customer_id)
    return found.select_for_update(of=("self",)).filter(tenant_guid=code.tenant_guid).first()


def _new(record: Invitation, code: EmailCode, context: Context) -> Relationship:
    return Relationship.objects.create(
        company_id=record.company_id,
        customer_id=record.customer_id,
        tenant_guid=code.tenant_guid,
        admin_name=code.name,
        admin_email=code.email,
        language=code.language,
        created_at=context.now,
        updated_at=context.now,
    )


def _resume(relationship: Relationship, context: Context) -> Iterable[Event]:
    """Only for the same admin: who agrees for the first time isn't shown what another one assigned."""
    same = Relationship.objects.filter(
        state=RelationshipState.REVOKED,
        company=relationship.company_id,
        customer=relationship.customer_id,
        tenant_guid=relationship.tenant_guid,
        admin_email=relationship.admin_email,
    )
    frozen = Licences.objects.filter(relationship__in=same)
    for licences in frozen.select_for_update(of=("self",)).with_context().order_by("pk"):
        licences.relationship = relationship
        licences.touch(context.now, SYSTEM)
        licences.save()
        if not licences.is_frozen:  # their deal may be cancelled
            yield event_of(RESUMED, licences, Effect(after={"customer": relationship.customer.name}), context)


class RevokeConsent(Verb[Relationship, None]):
    """Take the consent back: counts freeze, what is assigned stays assigned (LIC-7)."""

    name = "revoke"
    label = _("Take the consent back")
    event = "consent.revoked"
    sentence = Sentence("x-octagon", "warning", _("%(customer)s took the consent to licences back"), LICENCES)
    who = (may_revoke,)
    danger = final = True

    def apply(self, record: Relationship, inputs: None, context: Context) -> Effect:
        record.revoke()
        record.revoked_at = context.now
        return Effect(after={"customer": record.customer.name})


ACCEPT, REVOKE_CONSENT, RESUMED = AcceptInvitation(), RevokeConsent(), Resumed()
