"""API clients: programs that act for a company, with a role and where it holds, like a person (ORG-2)."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import uuid6
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from oauth2_provider.models import AbstractApplication, ApplicationManager

from portal.accounts.models import Company, Location, Role


class ApiClient(AbstractApplication):  # type: ignore[misc]
    """A program of a company, with the role and the scope in which it acts. Its secret is kept as a hash."""

    #: The library's owner of a client; ours is the company.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="+", editable=False
    )
    public_id = models.UUIDField(default=uuid6.uuid7, unique=True, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(_("role"), max_length=20, choices=Role.choices)
    location = models.ForeignKey(
        Location,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Empty: the entire company."),
    )
    #: The OAuth scopes it may ask for, separated by spaces.
    allowed_scopes = models.TextField(_("scopes"))
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    #: After a rotation the secret before it goes on for a while (hashed), until this instant.
    previous_secret = models.CharField(max_length=255, blank=True, editable=False)
    previous_until = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(_("last used (UTC)"), null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked (UTC)"), null=True, blank=True, editable=False)

    objects: ClassVar[models.Manager[ApiClient]] = ApplicationManager()

    #: No event tells of it.
    secret_columns = frozenset({"client_secret", "previous_secret"})

    class Meta:
        verbose_name = _("API client")
        verbose_name_plural = _("API clients")

    def __str__(self) -> str:
        return self.name or self.client_id

    def is_active(self, now: datetime) -> bool:
        return self.revoked_at is None or self.revoked_at > now
