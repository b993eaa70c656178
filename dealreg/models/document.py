"""Proof documents of a deal, such as the signed contract (REG-16)."""

from __future__ import annotations

import uuid6
from django.conf import settings
from django.core.files.storage import Storage, storages
from django.db import models
from django.utils.translation import gettext_lazy as _

from dealreg.models.states import Status
from dealreg.rules import documents as rules
from portal.workflow.blockers import Blocker
from referrals.models import Referral


def storage() -> Storage:
    """Where the files lie: outside of everything that is served, on a disk or in S3 (STORAGES)."""
    return storages["documents"]


class DocumentQuerySet(models.QuerySet["Document"]):
    def of_deal(self, referral: Referral) -> DocumentQuerySet:
        """What the deal holds, oldest first. Who may see them: policies.may_read_documents."""
        return self.filter(referral=referral, removed_at=None).order_by("added_at", "pk")

    def with_context(self) -> DocumentQuerySet:
        """With who added it, and the registration and the exception request that it may belong to."""
        return self.select_related("added_by", "referral__registration", "referral__exception_request")

    def unscanned(self) -> DocumentQuerySet:
        return self.filter(removed_at=None, scanned_at=None).order_by("pk")


class Document(models.Model):
    """A file of a deal. It belongs to the deal, because an exception may come before there is a registration.

    The row stays when the document is removed, with what the file was called and its hash; the file goes.
    """

    class Kind(models.TextChoices):
        PDF = "pdf", "PDF"
        PNG = "png", "PNG"
        JPEG = "jpeg", "JPEG"
        DOCX = "docx", _("Word")
        XLSX = "xlsx", _("Excel")

    public_id = models.UUIDField(default=uuid6.uuid7, unique=True, editable=False)
    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, related_name="documents")
    #: What the person's file was called; nothing is ever opened by this name.
    name = models.CharField(_("file name"), max_length=rules.MAX_NAME)
    kind = models.CharField(_("type"), max_length=5, choices=Kind.choices)
    size = models.PositiveIntegerField(_("size in bytes"))
    sha256 = models.CharField(max_length=64)
    #: Its random name in the storage.
    stored_as = models.CharField(max_length=100, unique=True)
    added_at = models.DateTimeField()
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    #: The name of the API client that added it, as it was then.
    added_by_client = models.CharField(max_length=255, blank=True)
    #: When a virus scanner found nothing in it; null if it has not been asked, or was away.
    scanned_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)

    objects = DocumentQuerySet.as_manager()

    class Meta:
        verbose_name = _("document")
        verbose_name_plural = _("documents")
        indexes = [
            models.Index(
                fields=["id"],
                condition=models.Q(removed_at=None, scanned_at=None),
                name="dealreg_document_unscanned",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["referral", "sha256"], condition=models.Q(removed_at=None), name="dealreg_document_once"
            ),
            models.CheckConstraint(condition=models.Q(kind__in=list(rules.KINDS)), name="dealreg_document_kind"),
            models.CheckConstraint(condition=models.Q(size__gt=0), name="dealreg_document_not_empty"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def adder(self) -> str:
        """The person or the API client that added it."""
        return str(self.added_by) if self.added_by else self.added_by_client

    @property
    def awaits_scan(self) -> bool:
        """Whether it must not be opened yet: viruses are looked for, and nobody has looked into this one."""
        return bool(settings.CLAMAV) and self.scanned_at is None

    @property
    def is_inline(self) -> bool:
        """Whether a browser may show it in a page."""
        return rules.KINDS[self.kind].inline

    @property
    def content_type(self) -> str:
        return rules.KINDS[self.kind].content_type

    @property
    def file_name(self) -> str:
        return rules.file_name(self.name, self.kind)

    @property
    def is_removable(self) -> bool:
        """Whether it is not evidence yet (REG-16)."""
        return not self.removal_blockers()

    def removal_blockers(self) -> list[Blocker]:
        registration = getattr(self.referral, "registration", None)
        exception = getattr(self.referral, "exception_request", None)
        return list(
            rules.removal_blockers(
                added_at=self.added_at,
                submitted_at=(registration.submitted_at or registration.first_submitted_at) if registration else None,
                with_partner=registration is None
                or registration.status == Status.ACTION_REQUIRED
                or (registration.status == Status.REGISTRATION_PENDING and not registration.is_being_routed),
                asked_at=exception.last_sent_at if exception else None,
            )
        )
