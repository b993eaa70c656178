"""Who may be given licences by whom: a partner company, a customer and one tenant of it (LIC-6)."""

from __future__ import annotations

import uuid

import uuid6
from django.db import models
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from licensing.rules import states
from portal.accounts.models import Company
from portal.accounts.rules import Actor
from portal.customers.models import Customer
from portal.workflow.models import Record


class RelationshipState(models.TextChoices):
    CONSENTED = states.CONSENTED, _("Consented")
    REVOKED = states.REVOKED, _("Consent taken back")


class RelationshipQuerySet(models.QuerySet["Relationship"]):
    def visible_to(self, actor: Actor) -> RelationshipQuerySet:
        """The company's own, for whoever has a role there; the vendor's people see all (ISV-7, ORG-2)."""
        if actor.is_system:
            return self
        if not actor.grants:
            return self.none()
        return self if actor.is_vendor else self.filter(company_id=actor.own_company_id)

    def consented(self) -> RelationshipQuerySet:
        return self.filter(state=RelationshipState.CONSENTED)

    def with_context(self) -> RelationshipQuerySet:
        return self.select_related("company", "customer")


class Relationship(Record):
    """The consent of a customer's admin, for one tenant. Taken back, it stays as it was; a new consent is a new row."""

    owner_path, group_path = "company_id", "public_id"

    public_id = models.UUIDField(default=uuid6.uuid7, unique=True, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+")
    customer = models.ForeignKey(Customer, verbose_name=_("Customer"), on_delete=models.PROTECT, related_name="+")
    tenant_guid = models.UUIDField(_("Tenant id"))
    state = FSMField(_("state"), choices=RelationshipState.choices, default=RelationshipState.CONSENTED, protected=True)
    #: Of the customer's admin, confirmed by a code (LIC-8). Links to the licence page go here.
    admin_name = models.CharField(max_length=200)
    admin_email = models.EmailField()
    #: The language that the admin read the invitation in.
    language = models.CharField(max_length=5, default="en")
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    objects = RelationshipQuerySet.as_manager()

    derived_columns = frozenset({"version"})

    class Meta:
        verbose_name = _("customer relationship")
        verbose_name_plural = _("customer relationships")
        constraints = [
            models.UniqueConstraint(
                fields=["company", "customer", "tenant_guid"],
                condition=models.Q(state=states.CONSENTED),
                name="licensing_relationship_once",
            ),
            models.CheckConstraint(
                condition=models.Q(state=states.CONSENTED, revoked_at=None)
                | models.Q(state=states.REVOKED, revoked_at__isnull=False),
                name="licensing_relationship_state",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.customer} · {self.tenant_guid}"

    @transition(state, source=RelationshipState.CONSENTED, target=RelationshipState.REVOKED)
    def revoke(self) -> None: ...

    @property
    def owner_id(self) -> int:
        return self.company_id

    @property
    def event_group(self) -> uuid.UUID:
        return self.public_id

    @property
    def is_consented(self) -> bool:
        return self.state == RelationshipState.CONSENTED
