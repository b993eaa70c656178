"""What people keep of the pages: the files that workers made for them or that they uploaded, and their calendar."""

from __future__ import annotations

import uuid6
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.accounts.models import Company, Membership
from portal.accounts.rules import Actor


class ExportQuerySet(models.QuerySet["Export"]):
    def visible_to(self, actor: Actor) -> ExportQuerySet:
        """Whoever asked for it, in the company they asked from."""
        return self.filter(user_id=actor.user_id, company_id=actor.own_company_id)

    def with_state(self) -> ExportQuerySet:
        """For pages: whether there is a file, without the file."""
        return self.defer("content").annotate(has_content=models.Q(content__isnull=False))


class Export(models.Model):
    """A file a worker makes of a list, with its progress; kept for some days."""

    class Format(models.TextChoices):
        CSV = "csv", "CSV"
        XLSX = "xlsx", "XLSX"

    #: F6.10. A file for a person to work with; whoever wants everything asks the API.
    MAX_ROWS = 5_000

    public_id = models.UUIDField(default=uuid6.uuid7, unique=True, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+")
    #: The code of the list.
    listing = models.CharField(max_length=30, default="deals")
    #: What was listed when it was asked for, as the list's address holds it, and the rows chosen in it.
    query = models.JSONField(default=dict)
    #: What is in it to be changed and uploaded again, by the code of its kind; empty: what the list shows.
    holds = models.CharField(max_length=20, blank=True)
    format = models.CharField(max_length=5, choices=Format.choices)
    language = models.CharField(max_length=5)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(null=True)
    content = models.BinaryField(null=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = ExportQuerySet.as_manager()

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        indexes = [
            models.Index(fields=["created_at"], condition=models.Q(finished_at=None), name="pages_export_waiting"),
        ]

    def __str__(self) -> str:
        return f"{self.created_at:%Y-%m-%d} {self.format}"

    @property
    def is_ready(self) -> bool:
        """Whether there is a file to download; of a row fetched by with_state()."""
        return bool(self.has_content)  # type: ignore[attr-defined]

    @property
    def is_cut(self) -> bool:
        """Whether the list had more rows than a file holds."""
        return self.finished_at is not None and self.total is not None and self.total > self.done

    @property
    def aim(self) -> int:
        """How many rows the file will have."""
        return min(self.total or 0, self.MAX_ROWS)

    @property
    def file_name(self) -> str:
        name = f"{self.holds}-to-edit" if self.holds else self.listing.replace("_", "-")
        return f"{name}-{self.created_at:%Y-%m-%d-%H%M}.{self.format}"


class UploadQuerySet(models.QuerySet["Upload"]):
    def visible_to(self, actor: Actor) -> UploadQuerySet:
        """Whoever uploaded it, in the company they did so for."""
        return self.filter(user_id=actor.user_id, company_id=actor.own_company_id)


class Upload(models.Model):
    """A file that somebody changed and uploaded: looked at by a worker, then carried out if that is confirmed."""

    #: F3.1; whoever brings more asks the API.
    MAX_ROWS = 1_000

    public_id = models.UUIDField(default=uuid6.uuid7, unique=True, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=20)
    file_name = models.CharField(max_length=200)
    language = models.CharField(max_length=5)
    #: Emptied after some days, as its rows are.
    content = models.BinaryField(null=True)
    #: Columns that nobody knows, by their names.
    unknown = models.JSONField(default=list)
    #: Why the file is refused as a whole: lines and blockers as JSON.
    errors = models.JSONField(default=list)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(null=True)
    #: When the worker that has it last said that it lives.
    beat_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    checked_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    #: Whether nothing is done if one row can't be done any more.
    together = models.BooleanField(default=False)
    #: Carried out, refused as a whole, or discarded.
    finished_at = models.DateTimeField(null=True)

    objects = UploadQuerySet.as_manager()

    class Meta:
        verbose_name = _("upload")
        verbose_name_plural = _("uploads")
        indexes = [
            models.Index(fields=["created_at"], condition=models.Q(finished_at=None), name="pages_upload_waiting"),
        ]

    def __str__(self) -> str:
        return self.file_name

    #: No event holds the file itself.
    secret_columns = frozenset({"content"})

    @property
    def is_waiting(self) -> bool:
        """Whether a worker has to do something with it."""
        asked = self.checked_at is None or self.confirmed_at is not None
        return self.finished_at is None and asked

    @property
    def was_carried_out(self) -> bool:
        return self.finished_at is not None and self.confirmed_at is not None

    @property
    def state(self) -> str:
        if self.finished_at is None:
            return "working" if self.is_waiting else "preview"
        return "done" if self.was_carried_out else "refused" if self.errors else "discarded"


class UploadRow(models.Model):
    """What a row of an uploaded file would do, and what became of it."""

    class Outcome(models.TextChoices):
        CREATE = "create", _("Create")
        UPDATE = "update", _("Change")
        UNCHANGED = "unchanged", _("Unchanged")
        REFUSED = "refused", _("Refused")

    class Result(models.TextChoices):
        CREATED = "created", _("Created")
        UPDATED = "updated", _("Changed")
        UNCHANGED = "unchanged", _("Unchanged")
        REFUSED = "refused", _("Refused")
        STALE = "stale", _("Changed meanwhile")
        UNDONE = "undone", _("Not done, as another row could not be")

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="rows")
    line = models.PositiveIntegerField()
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    title = models.CharField(max_length=200, blank=True)
    deal = models.UUIDField(null=True)
    version = models.PositiveIntegerField(null=True)
    steps = models.JSONField(default=list)
    changes = models.JSONField(default=list)
    warnings = models.JSONField(default=list)
    problems = models.JSONField(default=list)
    #: Empty as long as nothing became of it.
    result = models.CharField(max_length=10, choices=Result.choices, blank=True)

    class Meta:
        verbose_name = _("row of an upload")
        verbose_name_plural = _("rows of uploads")
        constraints = [models.UniqueConstraint(fields=["upload", "line"], name="pages_uploadrow_once")]

    def __str__(self) -> str:
        return f"{self.line} {self.outcome}"


class CalendarFeed(models.Model):
    """The private address under which a calendar reads the deadlines that a person has in a company (FLOW-8).

    Whoever has the address is let in, so it is worked out when it is shown and kept nowhere.
    """

    public_id = models.UUIDField(default=uuid6.uuid7, unique=True, editable=False)
    #: SHA-256 of what the address holds, by which the feed is found.
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    #: Only deals whose team lists the person.
    mine = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("calendar feed")
        verbose_name_plural = _("calendar feeds")
        constraints = [
            models.UniqueConstraint(
                fields=["membership"], condition=models.Q(revoked_at=None), name="pages_calendarfeed_one_open"
            )
        ]

    def __str__(self) -> str:
        return f"{self.membership} · {self.created_at:%Y-%m-%d}"

    #: No event tells of it.
    secret_columns = frozenset({"token_hash"})
