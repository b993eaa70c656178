"""What the portal mails to people without an account: codes, and links to the licence page (LIC-8)."""

from __future__ import annotations

import uuid6
from django.db import models
from django.utils.translation import gettext_lazy as _

from licensing.models.invitation import Invitation
from licensing.models.relationship import Relationship


class EmailCode(models.Model):
    """A code sent to the address that an admin gave on agreeing, with what they stated; short-lived, with few attempts.

    The code itself is worked out from SECRET_KEY when it is mailed or compared, and kept nowhere (LIC-8).
    """

    invitation = models.ForeignKey(Invitation, on_delete=models.CASCADE, related_name="codes")
    email = models.EmailField()
    name = models.CharField(max_length=200)
    tenant_guid = models.UUIDField()
    language = models.CharField(max_length=5, default="en")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("e-mail code")
        verbose_name_plural = _("e-mail codes")

    def __str__(self) -> str:
        return f"{self.invitation_id} · {self.created_at}"


class LicenceLink(models.Model):
    """A link to a customer's licence page, mailed to the confirmed address; the portal keeps its hash.

    It is made from `public_id` and SECRET_KEY when it is mailed, so that a mail that is tried again holds the same.
    """

    class Reason(models.TextChoices):
        """Why it was mailed."""

        CONSENTED = "consented", _("The customer agreed")
        ASKED = "asked", _("The customer asked for it")
        GIVEN = "given", _("There are licences")
        PLAN_REMOVED = "plan_removed", _("A plan was removed")
        FROZEN = "frozen", _("Counts were frozen")

    public_id = models.UUIDField(default=uuid6.uuid7, unique=True, editable=False)
    relationship = models.ForeignKey(Relationship, on_delete=models.CASCADE, related_name="links")
    #: SHA-256 of the token in the link.
    token_hash = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=12, choices=Reason.choices, default=Reason.ASKED)

    class Meta:
        verbose_name = _("link to the licence page")
        verbose_name_plural = _("links to the licence page")

    def __str__(self) -> str:
        return f"{self.relationship_id} · {self.created_at}"
