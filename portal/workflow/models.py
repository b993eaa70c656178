"""What every record with verbs has in common."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import models


class Record(models.Model):
    """A row whose state changes through portal.workflow alone."""

    #: Counts what its page would show anew; who saw an older one is told (REF-21).
    version = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField()

    class Meta:
        abstract = True

    @property
    def owner_id(self) -> int | None:
        """The company whose record it is; None for the programme's own."""
        raise NotImplementedError

    @property
    def event_group(self) -> uuid.UUID | None:
        """What ties it to the other records of its engagement."""
        raise NotImplementedError

    def touch(self, now: datetime) -> None:
        """Note in memory that it changed."""
        self.version += 1
        self.updated_at = now
