"""Links with which a company asks a customer's admin to consent (LIC-1)."""

from __future__ import annotations

import uuid
from datetime import datetime

import uuid6
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from isvconnect.models import IsvDeal
from licensing.models.relationship import Relationship
from licensing.rules import states
from portal.accounts.models import Company
from portal.accounts.rules import Actor
from portal.customers.models import Customer
from portal.workflow.models import Record


class InvitationState(models.TextChoices):
    SENT = states.SENT, _("Waiting for the customer")
    ACCEPTED = states.ACCEPTED, _("Accepted")
    REFUSED = states.REFUSED, _("Refused")
    WITHDRAWN = states.WITHDRAWN, _("Withdrawn")
    EXPIRED = states.EXPIRED, _("Expired")


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def visible_to(self, actor: Actor) -> InvitationQuerySet:
        """Those of the deals that the actor sees (ISV-7)."""
        if actor.is_system:
            return self
        return self.filter(deal__in=IsvDeal.objects.visible_to(actor))

    def with_context(self) -> InvitationQuerySet:
        return self.select_related(
            "company", "customer", "deal__customer", "deal__location", "deal__referral", "deal__solution", "sent_by"
        )


class Invitation(Record):
    """One link for one deal's customer: answered once, then of no use. The portal keeps the token's hash only."""

    owner_path, group_path = "company_id", "deal__group"

    public_id = models.UUIDField(default=uuid6.uuid7, unique=True, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+")
    deal = models.ForeignKey(IsvDeal, on_delete=models.PROTECT, related_name="invitations")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    state = FSMField(_("state"), choices=InvitationState.choices, default=InvitationState.SENT, protected=True)
    #: SHA-256 of the token in the link.
    token_hash = models.BinaryField(max_length=32, unique=True)
    sent_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    #: What came of it.
    relationship = models.ForeignKey(
        Relationship, on_delete=models.PROTECT, null=True, blank=True, related_name="invitations"
    )

    objects = InvitationQuerySet.as_manager()

    derived_columns = frozenset({"version", "token_hash"})

    class Meta:
        verbose_name = _("invitation of a customer")
        verbose_name_plural = _("invitations of customers")
        indexes = [
            models.Index(
                fields=["expires_at"], condition=models.Q(state=states.SENT), name="licensing_invitation_expiry"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["deal"], condition=models.Q(state=states.SENT), name="licensing_invitation_open_once"
            ),
            models.CheckConstraint(
                condition=models.Q(state=states.ACCEPTED, relationship__isnull=False)
                | ~models.Q(state=states.ACCEPTED) & models.Q(relationship=None),
                name="licensing_invitation_accepted",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.deal} · {self.get_state_display()}"

    def state_at(self, now: datetime) -> str:
        """What has become of it: expired from its last instant on, also before the sweep has come by."""
        if self.state == InvitationState.SENT and self.expires_at <= now:
            return InvitationState.EXPIRED
        return str(self.state)

    @transition(state, source=InvitationState.SENT, target=InvitationState.ACCEPTED)
    def accept(self) -> None: ...

    @transition(state, source=InvitationState.SENT, target=InvitationState.REFUSED)
    def refuse(self) -> None: ...

    @transition(state, source=InvitationState.SENT, target=InvitationState.WITHDRAWN)
    def withdraw(self) -> None: ...

    @transition(state, source=InvitationState.SENT, target=InvitationState.EXPIRED)
    def expire(self) -> None: ...

    @property
    def owner_id(self) -> int:
        return self.company_id

    @property
    def event_group(self) -> uuid.UUID:
        return self.deal.group
