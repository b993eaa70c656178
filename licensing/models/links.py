"""What the portal mails to people without an account: codes, and links to the licence page (LIC-8)."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from licensing.models.invitation import Invitation
from licensing.models.relationship import Relationship


class EmailCode(models.Model):
    """A code sent to the address that an admin gave on accepting; hashed, short-lived, with few attempts (LIC-8)."""

    invitation = models.ForeignKey(Invitation, on_delete=models.CASCADE, related_name="codes")
    email = models.EmailField()
    name = models.CharField(max_length=200)
    tenant_guid = models.UUIDField()
    code_hash = models.CharField(max_length=128)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("e-mail code")
        verbose_name_plural = _("e-mail codes")

    def __str__(self) -> str:
        return f"{self.invitation_id} · {self.created_at}"


class LicenceLink(models.Model):
    """A link to a customer's licence page, mailed to the confirmed address; the portal keeps its hash."""

    relationship = models.ForeignKey(Relationship, on_delete=models.CASCADE, related_name="links")
    #: SHA-256 of the token in the link.
    token_hash = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("link to the licence page")
        verbose_name_plural = _("links to the licence page")

    def __str__(self) -> str:
        return f"{self.relationship_id} · {self.created_at}"
