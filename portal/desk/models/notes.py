"""What the vendor's people write to each other about a case. No partner ever reads it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class InternalNoteQuerySet(models.QuerySet["InternalNote"]):
    def of(self, kind: str, object_id: int) -> InternalNoteQuerySet:
        """A record's notes, newest first, with who wrote them."""
        return self.filter(kind=kind, object_id=object_id).select_related("author").order_by("-at", "-pk")


class InternalNote(models.Model):
    """A note on a record of this kind (portal.desk.rules.KINDS), kept for all its cases; never changed.

    It is no event: events are what companies' timelines, feeds and webhooks are made of (FLOW-15).
    """

    kind = models.CharField(max_length=20)
    object_id = models.BigIntegerField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    text = models.TextField(_("note"))

    objects = InternalNoteQuerySet.as_manager()

    class Meta:
        verbose_name = _("internal note")
        verbose_name_plural = _("internal notes")
        indexes = [models.Index(fields=["kind", "object_id", "-at", "-id"], name="desk_note_record")]

    def __str__(self) -> str:
        return f"{self.author} · {self.at:%Y-%m-%d %H:%M}"
