"""API clients: programs that act for a company, with a role and where it holds, like a person (ORG-2); and what the
API keeps for them: answers that are given again, and signed assertions that are good once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, ClassVar

import uuid6
from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from oauth2_provider.models import AbstractApplication, ApplicationManager

from portal.accounts.models import Company, Location, Role


class ApiClient(AbstractApplication):  # type: ignore[misc]
    """A program of a company. Its secrets are kept as hashes.

    It acts for the company itself, with its own role (client credentials), or for people who sign in (authorization
    code), with theirs.
    """

    #: The library's owner of a client; ours is the company.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="+", editable=False
    )
    public_id = models.UUIDField(default=uuid6.uuid7, unique=True, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+")
    #: Empty for a client that acts for people.
    role = models.CharField(_("role"), max_length=20, choices=Role.choices, blank=True)
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
    #: A PEM public key, or a JWK set: a client that signs assertions needs no secret (RFC 7523).
    public_keys = models.TextField(_("public key"), blank=True)
    last_used_at = models.DateTimeField(_("last used (UTC)"), null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked (UTC)"), null=True, blank=True, editable=False)
    is_demo = models.BooleanField(default=False, editable=False)

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

    def is_usable(self, request: Any) -> bool:
        """The library asks before it gives or reads a token. A closed company's gets none (ORG-2)."""
        return self.is_active(timezone.now()) and not self.company.is_closed

    def secrets(self, now: datetime) -> Iterator[str]:
        """The hashes of the secrets that are good now."""
        yield self.client_secret
        if self.previous_secret and self.previous_until is not None and self.previous_until > now:
            yield self.previous_secret

    @property
    def acts_for_people(self) -> bool:
        return self.authorization_grant_type == self.GRANT_AUTHORIZATION_CODE


class Answer(models.Model):
    """The first answer to a request that named a key, written in the transaction of the change itself (wire.md)."""

    #: Who asked: a client, or a person through one.
    owner = models.CharField(max_length=60)
    method = models.CharField(max_length=10)
    path = models.CharField(max_length=500)
    key = models.CharField(max_length=255)
    #: SHA-256 of the body.
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(db_index=True)
    #: 0 while the first request runs: nobody else ever sees such a row.
    status = models.PositiveSmallIntegerField(default=0)
    headers = models.JSONField(default=dict)
    body = models.BinaryField(default=bytes)

    class Meta:
        verbose_name = _("kept answer")
        verbose_name_plural = _("kept answers")
        constraints = [models.UniqueConstraint(fields=["owner", "method", "path", "key"], name="api_answer_once")]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class UsedAssertion(models.Model):
    """A signed assertion that a client has used; each is good once (RFC 7523)."""

    client = models.ForeignKey(ApiClient, on_delete=models.CASCADE, related_name="+")
    jti = models.CharField(max_length=255)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("used assertion")
        verbose_name_plural = _("used assertions")
        constraints = [models.UniqueConstraint(fields=["client", "jti"], name="api_assertion_once")]

    def __str__(self) -> str:
        return self.jti
